"""Which rule follows channels through which operation."""

from collections.abc import Callable

import torch

from neutone_like.graph import operation
from neutone_like.optimise.pruning import elementwise, joining, moving, products
from neutone_like.optimise.pruning.labels import FREE, Activation, Weight
from neutone_like.optimise.pruning.recurrent import recurrent
from neutone_like.optimise.pruning.walk import Call, Held, lock

Rule = Callable[[Call], Held]
"""Unites labels, and gives those of its result."""


def _made(call: Call) -> Held:
    """Made of nothing but numbers, perhaps in another tensor's shape: ``zeros``, ``arange``, ``ones_like``."""
    results = call.result if isinstance(call.result, (list, tuple)) else [call.result]
    held = [Activation(torch.full(each.shape, float(FREE), dtype=torch.float64)) for each in results]
    return held[0] if isinstance(call.result, torch.Tensor) else list(held)


_TABLE: tuple[tuple[str, Rule], ...] = (
    (
        "alias clone contiguous detach view reshape flatten unflatten _unsafe_view view_as transpose permute movedim "
        "swapaxes unsqueeze squeeze t numpy_T mT slice select narrow chunk split split_with_sizes tensor_split unbind "
        "cat concat concatenate stack expand expand_as repeat tile broadcast_to flip roll unfold im2col index_select "
        "index gather repeat_interleave pixel_shuffle pixel_unshuffle channel_shuffle reflection_pad1d "
        "reflection_pad2d replication_pad1d replication_pad2d diagonal atleast_1d atleast_2d atleast_3d "
        "lift_fresh lift_fresh_copy resolve_conj resolve_neg unsafe_chunk unsafe_split "
        "view_copy slice_scatter select_scatter",
        moving.moved,
    ),
    ("zeros_like ones_like full_like rand_like randn_like empty_like new_zeros new_ones new_full new_empty", _made),
    ("pad constant_pad_nd", moving.padded),
    ("copy", moving.copied),
    ("as_strided", moving.strided),
    (
        "avg_pool1d avg_pool2d max_pool1d max_pool2d adaptive_avg_pool1d adaptive_max_pool1d max_pool1d_with_indices "
        "upsample_nearest1d upsample_linear1d _upsample_nearest_exact1d upsample_nearest2d upsample_bilinear2d",
        moving.spread_out,
    ),
    (
        "dropout alpha_dropout feature_dropout to type_as _to_copy masked_fill where "
        "clamp clamp_min clamp_max nan_to_num real imag conj abs angle polar complex softplus hardtanh leaky_relu "
        "fake_quantize_per_tensor_affine",
        elementwise.elementwise,
    ),
    (
        "sum mean prod var std var_mean std_mean amax amin max min argmax argmin softmax _softmax log_softmax "
        "_log_softmax logsumexp norm linalg_vector_norm cumsum cumprod cummax sort topk all any fft_fft fft_ifft "
        "fft_rfft fft_irfft fft_hfft median",
        joining.over_dims,
    ),
    ("stft istft", joining.whole_signal),
    ("view_as_complex", joining.as_complex),
    ("view_as_real", joining.as_real),
    ("layer_norm rms_norm", joining.layer_norm),
    ("group_norm", joining.group_norm),
    ("batch_norm instance_norm", joining.channel_norm),
    ("prelu", joining.prelu),
    ("glu", joining.gated_halves),
    ("embedding", joining.embedding),
    (
        "conv1d conv2d conv3d convolution conv_transpose1d conv_transpose2d conv_transpose3d",
        products.convolution,
    ),
    ("linear", products.linear),
    ("mm bmm matmul mv dot", products.matrix_product),
    ("addmm baddbmm", products.added_product),
    ("scaled_dot_product_attention", products.attention),
    ("lstm gru rnn_tanh rnn_relu", recurrent),
)
_OF_WEIGHTS = (
    moving.moved,
    moving.padded,
    elementwise.elementwise,
    products.linear,
    products.matrix_product,
    products.added_product,
    products.attention,
    joining.embedding,
    _made,
)
_RULES = {name: rule for names, rule in _TABLE for name in names.split()}


def follow(call: Call) -> Held:
    """Labels of what an operation gives. Whatever goes through an unknown one must stay as it is."""
    rule = rule_of(call.node.op)
    if rule not in _OF_WEIGHTS and call.args and isinstance(call.args[0], Weight):
        return lock(call, f"{call.node.place} calculates with a weight")
    return rule(call)


def rule_of(op: str) -> Rule:
    """Which rule that is."""
    name = op.removeprefix("aten::").partition(".")[0]
    if name in _RULES:
        return _RULES[name]
    if op.startswith("aten::") and torch.Tag.pointwise in operation(op).tags:
        return elementwise.elementwise
    return _unknown


def _unknown(call: Call) -> Held:
    if not call.held:
        return _made(call)
    return lock(call, f"{call.node.place} is an operation of which it is not known how channels go through it")
