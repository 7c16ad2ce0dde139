"""The metadata that every host of a ``.nm`` reads, built from what a model declares."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from neutone_like.model import CategoricalParameter, Declaration, ModelMetadata, NumericalParameter, Parameter
from neutone_like.model.format_room import MOST_KNOBS, OUR_HOSTS, beyond_format, model_type
from neutone_like.version import __version__


def contract_metadata(declaration: Declaration) -> dict[str, Any]:
    """Every required key of a real-time ``metadata.json``, no sample sounds; our own are under ``neutone_like``."""
    return {
        **author_metadata(declaration.metadata),
        "neutone_parameters": numerical_slots(declaration.parameters),
        **mix_metadata(declaration.metadata),
        **native_metadata(declaration.sample_rates, declaration.block_sizes),
        "is_input_mono": declaration.in_channels == 1,
        "is_output_mono": declaration.out_channels == 1,
        "model_type": model_type(declaration.in_channels, declaration.out_channels),
        "look_behind_samples": declaration.look_behind_samples,
        "neutone_like": {
            "in_channels": declaration.in_channels,
            "out_channels": declaration.out_channels,
            "parameters": parameter_records(declaration.parameters),
            **hosts_key(declaration.parameters, (declaration.in_channels,), (declaration.out_channels,)),
        },
    }


def hosts_key(
    parameters: Sequence[Parameter], in_channels: Sequence[int], out_channels: Sequence[int]
) -> dict[str, str]:
    """What our section says of hosts: nothing, unless the model has more than the format has room for."""
    beyond = beyond_format([parameter.kind for parameter in parameters], in_channels, out_channels)
    return {"hosts": OUR_HOSTS} if beyond else {}


def author_metadata(metadata: ModelMetadata) -> dict[str, Any]:
    """What the author wrote, and no sample sounds yet."""
    return {
        "model_name": metadata.name,
        "model_authors": list(metadata.authors),
        "model_version": metadata.version,
        "model_short_description": metadata.short_description,
        "model_long_description": metadata.long_description,
        "technical_description": metadata.technical_description,
        "technical_links": dict(metadata.technical_links),
        "tags": list(metadata.tags),
        "citation": metadata.citation,
        "is_experimental": metadata.is_experimental,
        "sample_sound_files": [],
    }


def mix_metadata(metadata: ModelMetadata) -> dict[str, Any]:
    """Where a host's mix and gain knobs start, 0..1."""
    return {
        "wet_default_value": metadata.wet_default,
        "dry_default_value": metadata.dry_default,
        "input_gain_default_value": metadata.input_gain_default_db / 60.0 + 0.5,
        "output_gain_default_value": metadata.output_gain_default_db / 60.0 + 0.5,
    }


def native_metadata(sample_rates: tuple[int, ...], block_sizes: tuple[int, ...]) -> dict[str, Any]:
    """The model's own rates and block sizes, and what made the artifact and when."""
    return {
        "native_sample_rates": list(sample_rates),
        "native_buffer_sizes": list(block_sizes),
        "sdk_version": __version__,
        "pytorch_version": torch.__version__,
        "date_created": _now_unix_seconds(),
    }


def numerical_slots(parameters: tuple[NumericalParameter, ...]) -> dict[str, Any]:
    """The format's knobs ``p1`` to ``p4``, unused ones included; of more knobs, the first four."""
    return {f"p{slot + 1}": _slot(parameters, slot) for slot in range(MOST_KNOBS)}


def parameter_records(parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
    """Every field of every parameter, as JSON types."""
    return [{"type": parameter.kind, **asdict(parameter)} for parameter in parameters]


def _now_unix_seconds() -> int:
    """Now, or what ``SOURCE_DATE_EPOCH`` says: the convention for builds that are to be the same to the byte."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(fixed) if fixed.isdecimal() else int(time.time())


def _slot(parameters: tuple[NumericalParameter, ...], slot: int) -> dict[str, Any]:
    """One of the format's four knobs. Default and range are in the parameter's own unit."""
    if slot >= len(parameters):
        return {
            "name": "",
            "description": "",
            "default_value": 0.0,
            "used": False,
            "type": "continuous",
            "min_value": 0.0,
            "max_value": 1.0,
        }
    parameter = parameters[slot]
    entry: dict[str, Any] = {
        "name": parameter.name,
        "description": parameter.description,
        "default_value": parameter.default,
        "used": True,
        "type": parameter.kind,
    }
    if isinstance(parameter, CategoricalParameter):
        return {**entry, "n_values": len(parameter.labels), "labels": list(parameter.labels)}
    return {**entry, "min_value": parameter.minimum, "max_value": parameter.maximum}
