"""Whether a loaded module is what the metadata beside it says, and whether its tensors lie within their own data."""

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
LIVE_KEYS = ("is_input_mono", "is_output_mono", "look_behind_samples")
LIVE_KEYS_OF_OURS = ("in_channels", "out_channels", "parameters")
NON_REALTIME_KEYS = (
    "audio_in_channels",
    "audio_out_channels",
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


def check_agreement(module: ScriptModule, metadata: Metadata, path: Path) -> None:
    """Compare metadata with what the module tells about itself. For artifacts of our own.

    Raises:
        ArtifactError: The two say different things; the message names the first one.
    """
    is_live = isinstance(metadata, LiveMetadata)
    try:
        defaults = module.get_default_param_values if is_live else module.get_numerical_params_default_values_0to1
        inside: dict[str, Any] = json.loads(module.get_metadata_json())
        section_inside: dict[str, Any] = inside["neutone_like"]
        told: list[float] = defaults().flatten().tolist()
    except Exception as error:  # a module that was tampered with may return or raise anything
        raise ArtifactError(
            f"{path}: its module does not tell its own metadata ({type(error).__name__}). Export the model again."
        ) from error
    beside = json.loads(metadata.to_json())
    section_beside: dict[str, Any] = beside["neutone_like"]
    keys = PLAYED_KEYS + (LIVE_KEYS if is_live else NON_REALTIME_KEYS)
    pairs = [(key, beside, inside) for key in keys]
    keys_of_ours = LIVE_KEYS_OF_OURS if is_live else NON_REALTIME_KEYS_OF_OURS
    pairs += [(key, section_beside, section_inside) for key in keys_of_ours]
    for key, ours, theirs in pairs:
        if ours.get(key) != theirs.get(key):
            raise ArtifactError(
                f"{path}: metadata.json has {key} = {ours.get(key)!r:.200}, the module in it says "
                f"{theirs.get(key)!r:.200}. One of them was changed after export: export the model again."
            )
    _check_defaults(told, metadata, path)


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
