"""Which of the operators that PyTorch registers an artifact may use, and why the others may not.

``python tests/support/operator_registry.py`` writes the list that the loader reads. An operator that a newer PyTorch
adds is refused until somebody has looked at it, runs this again, and reads the difference.
"""

import re
from pathlib import Path

import torch

LIST = Path(__file__).resolve().parents[2] / "neutone_like" / "artifact" / "reading" / "allowed_operators.txt"
# Used by what PyTorch writes, and written in its own TorchScript, so that no registry lists them.
WRITTEN_IN_TORCHSCRIPT = ("aten::ndtri", "aten::upsample", "aten::adaptive_max_pool2d_with_indices")

REFUSED = {
    "opens a file by name": "aten::(save|from_file)",
    "prints": "aten::_print|prim::Print",
    "waits for a thread or another process": "aten::(wait|owner|owner_name|is_owner|to_here|local_value"
    "|confirmed_by_owner|get_gradients)|prim::(rpc_.*|awaitable.*)",
    "gives a tensor memory that nobody checks": "aten::(set_|set_data|_sparse_.*_unsafe|_sparse_coo_tensor_with_dims.*"
    "|_sparse_compressed_tensor_with_dims|_coalesced_|sparse_resize.*|resize_as_sparse.*|_reshape_alias.*"
    "|_nested_view_.*|_nested_compute_.*|_nested_get_.*|_make_dual.*|_unpack_dual|_fw_primal.*|_copy_from.*"
    "|_resize_output.*|_lazy_clone|_new_zeros_with_same_feature_meta|_add_batch_dim|_remove_batch_dim|_unsafe_index"
    "|_unsafe_index_put|_unsafe_masked_index.*|_fill_mem_eff_dropout_mask_|_has_compatible_shallow_copy_type)",
    "runs or tunes another device, or PyTorch itself": "aten::(_cufft_.*|_cudnn_.*|cudnn_.*|miopen_.*|_?lstm_mps.*"
    "|_?mps_.*|_triton_.*|_cslt_.*|record_stream|_flash_.*|_efficient_attention.*|.*_for_mps|_use_(cudnn|miopen)_.*"
    "|_propagate_xla_data|_get_tracing_state|_get_cpu_capability|_debug_has_internal_overlap|_make_dep_token|_version"
    "|_amp_.*|_fused_(adagrad|adam|adamw|sgd)_?|_.*overrideable.*|_nnpack_available|is_vulkan_available)",
    "is for PyTorch's own tests": "aten::(_test_.*|_foobar)",
    "is written by PyTorch's optimiser, never in a file": "prim::(?!(RaiseException|NumToTensor|data|device|dtype"
    "|layout|name|type|grad|requires_grad|itemsize|nbytes|max|min|abs|tolist|rangelist|unchecked_cast|unchecked_unwrap_optional"
    "|Uninitialized|EnumName|EnumValue|StringIndex|TupleIndex|TupleUnpack|ModuleContainerIndex|index|id|is_[a-z_]+"
    "|Print|rpc_.*|awaitable.*)$).*",
    "belongs to a namespace that no artifact needs": "(?!(aten|prim|quantized)::).*",
}


def reason_to_refuse(name: str) -> str:
    """Why an operator such as ``aten::save`` is refused; empty for one that is allowed."""
    return next((reason for reason, pattern in REFUSED.items() if re.fullmatch(pattern, name)), "")


def registered() -> set[str]:
    """Every operator of the installed PyTorch."""
    return {schema.name for schema in torch._C._jit_get_all_schemas()}  # pyright: ignore[reportPrivateUsage]


def allowed() -> list[str]:
    """What the list holds."""
    return sorted(name for name in {*registered(), *WRITTEN_IN_TORCHSCRIPT} if not reason_to_refuse(name))


if __name__ == "__main__":
    LIST.write_text("".join(f"{name}\n" for name in allowed()))
