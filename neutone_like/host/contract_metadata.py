"""The metadata that every host of a ``.nm`` reads, built from what a model declares."""

import os
import time
from dataclasses import asdict
from typing import Any

import torch

from neutone_like.model import CategoricalParameter, Declaration, NumericalParameter
from neutone_like.version import __version__

PARAMETER_SLOTS = 4


def contract_metadata(declaration: Declaration) -> dict[str, Any]:
    """Every required key of a real-time ``metadata.json``, no sample sounds; our own are under ``neutone_like``."""
    metadata = declaration.metadata
    channels = {1: "mono", 2: "stereo"}
    model_type = "-".join(
        channels.get(count, f"{count}ch") for count in (declaration.in_channels, declaration.out_channels)
    )
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
        "neutone_parameters": {f"p{slot + 1}": _slot(declaration.parameters, slot) for slot in range(PARAMETER_SLOTS)},
        "wet_default_value": metadata.wet_default,
        "dry_default_value": metadata.dry_default,
        "input_gain_default_value": metadata.input_gain_default_db / 60.0 + 0.5,
        "output_gain_default_value": metadata.output_gain_default_db / 60.0 + 0.5,
        "native_sample_rates": list(declaration.sample_rates),
        "native_buffer_sizes": list(declaration.block_sizes),
        "sdk_version": __version__,
        "pytorch_version": torch.__version__,
        "date_created": _now_unix_seconds(),
        "is_input_mono": declaration.in_channels == 1,
        "is_output_mono": declaration.out_channels == 1,
        "model_type": model_type,
        "look_behind_samples": declaration.look_behind_samples,
        "neutone_like": {
            "in_channels": declaration.in_channels,
            "out_channels": declaration.out_channels,
            "parameters": [{"type": parameter.kind, **asdict(parameter)} for parameter in declaration.parameters],
        },
    }


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
