"""Whether a loaded module is what the metadata beside it says, and whether its tensors lie within their own data.

All of it is read from the attributes that the module was saved with: none of its code is run.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch.jit import ScriptModule

from neutone_like.artifact.format.parameter_records import to_parameter
from neutone_like.artifact.format.schema import LiveMetadata, Metadata
from neutone_like.errors import ArtifactError
from neutone_like.model import CategoricalParameter, ContinuousParameter

# What decides how a model sounds and is played; names and descriptions may be edited after export.
PLAYED_KEYS = (
    "neutone_parameters",
    "wet_default_value",
    "dry_default_value",
    "input_gain_default_value",
    "output_gain_default_value",
    "native_sample_rates",
    "native_buffer_sizes",
)
LIVE_KEYS = ("is_input_mono", "is_output_mono", "model_type", "look_behind_samples")
LIVE_KEYS_OF_OURS = ("in_channels", "out_channels", "parameters")
NON_REALTIME_KEYS = (
    "audio_in_channels",
    "audio_out_channels",
    "audio_in_labels",
    "audio_out_labels",
    "is_one_shot_model",
    "is_text_model",
    "is_tokens_model",
    "model_bpm",
)
NON_REALTIME_KEYS_OF_OURS = (
    "audio_in_channels",
    "audio_out_channels",
    "parameters",
    "keeps_length",
    "look_behind_samples",
    "overlap_window",
    "overlap_hop_samples",
    "tokenizer_type",
)


MEASURED_KEYS = ("quality", "model_delay_samples", "reported_latency")
"""Of ours too; what was measured at export, and is in the module's own metadata since then."""


def check_agreement(module: ScriptModule, metadata: Metadata, path: Path) -> None:
    """Compare metadata with what the module tells about itself. For artifacts of our own.

    Raises:
        ArtifactError: The two say different things; the message names the first one.
    """
    is_live = isinstance(metadata, LiveMetadata)
    try:
        inside: dict[str, Any] = json.loads(module.metadata_json)
        section_inside: dict[str, Any] = inside["neutone_like"]
        told: list[float] = module.default_param_values.flatten().tolist()
        section_inside = {**measured_by_attributes(module, metadata), **section_inside}
    except Exception as error:  # a module that was tampered with may hold anything
        raise ArtifactError(
            f"{path}: its module does not tell its own metadata ({type(error).__name__}). Export the model again."
        ) from error
    beside = json.loads(metadata.to_json())
    section_beside: dict[str, Any] = beside["neutone_like"]
    keys = PLAYED_KEYS + (LIVE_KEYS if is_live else NON_REALTIME_KEYS)
    pairs = [(key, beside, inside) for key in keys]
    keys_of_ours = LIVE_KEYS_OF_OURS if is_live else NON_REALTIME_KEYS_OF_OURS
    measured = tuple(key for key in MEASURED_KEYS if key in section_inside)
    pairs += [(key, section_beside, section_inside) for key in keys_of_ours + measured]
    for key, ours, theirs in pairs:
        if ours.get(key) != theirs.get(key):
            raise ArtifactError(
                f"{path}: metadata.json has {key} = {ours.get(key)!r:.200}, the module in it says "
                f"{theirs.get(key)!r:.200}. One of them was changed after export: export the model again."
            )
    _check_defaults(told, metadata, path)


def measured_by_attributes(module: ScriptModule, metadata: Metadata) -> dict[str, Any]:
    """What was measured, as far as the state tells in which the wrapper was saved.

    That is: prepared for the model's own rate. Which of several block sizes it was prepared for is not what metadata
    asks, and the delay may depend on it.
    """
    told: dict[str, Any] = {"quality": module.quality}
    state = getattr(module, "plan", module)  # earlier versions kept it in the wrapper itself
    if len(metadata.native_buffer_sizes) <= 1:
        told["model_delay_samples"] = state.model_delay
        if isinstance(metadata, LiveMetadata):
            told["reported_latency"] = {
                "sample_rate": state.host_rate,
                "block_size": metadata.native_buffer_sizes[0] if metadata.native_buffer_sizes else state.host_block,
                "latency_samples": state.model_delay,  # blocks of the model's own size wait for nothing
            }
    return told


def _check_defaults(told: list[float], metadata: Metadata, path: Path) -> None:
    records = metadata.neutone_like.parameters if metadata.neutone_like is not None else ()
    parameters = [to_parameter(record) for record in records]
    declared = [p.default_0to1 for p in parameters if isinstance(p, (ContinuousParameter, CategoricalParameter))]
    if len(told) < len(declared) or not all(abs(a - b) <= 1e-6 for a, b in zip(told, declared, strict=False)):
        raise ArtifactError(
            f"{path}: metadata.json has parameters with the defaults {declared!r:.200} (0..1), the module in it says "
            f"{told!r:.200}. One of them was changed after export: export the model again."
        )


def check_tensors(module: ScriptModule, path: Path) -> None:
    """Refuse tensors that reach beyond their own data: PyTorch takes shapes and strides as they are written.

    Raises:
        ArtifactError: Names the tensor.
    """
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.layout != torch.strided or tensor.numel() == 0:
            continue
        steps = zip(tensor.shape, tensor.stride(), strict=True)
        last = tensor.storage_offset() + sum((size - 1) * step for size, step in steps)
        needed, there = (last + 1) * tensor.element_size(), tensor.untyped_storage().nbytes()
        if needed > there or tensor.storage_offset() < 0 or min(tensor.stride(), default=0) < 0:
            raise ArtifactError(
                f"{path} is damaged: the tensor {name} of shape {list(tensor.shape)} needs {needed} bytes and has "
                f"{there}. Copy the file again, or export the model again."
            )
