"""What a page's scripts know of its model, as JSON."""

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

_KNOBS = ("continuous", "categorical")
_GAIN_RANGE_DB = 60.0  # 0..1 is -30..30 dB


def page_facts(
    metadata: Mapping[str, Any], sounds: Sequence[Mapping[str, str]], files: Sequence[str]
) -> dict[str, Any]:
    """Facts of a live model.

    Args:
        metadata: Its ``metadata.json``.
        sounds: ``name`` and ``file`` of each that the page plays.
        files: Everything that the page is made of, to keep for when there is no network.

    Returns:
        With names of files as an address has them.
    """
    ours = metadata["neutone_like"]
    return {
        "name": metadata["model_name"],
        "inChannels": ours["in_channels"],
        "outChannels": ours["out_channels"],
        "sampleRates": list(metadata["native_sample_rates"]),
        "parameters": [_knob(record) for record in ours["parameters"] if record["type"] in _KNOBS],
        "mix": {
            "wet": metadata["wet_default_value"],
            "dry": metadata["dry_default_value"],
            "inputGain": _gain(metadata["input_gain_default_value"]),
            "outputGain": _gain(metadata["output_gain_default_value"]),
        },
        "sounds": [{"name": sound["name"], "file": _address(sound["file"])} for sound in sounds],
        "files": [_address(file) for file in files],
    }


def _knob(record: Mapping[str, Any]) -> dict[str, Any]:
    labels = list(record.get("labels", ()))
    return {
        "name": record["name"],
        "description": record["description"],
        "unit": record.get("unit", ""),
        "labels": labels,
        "minimum": 0 if labels else record["minimum"],
        "maximum": len(labels) - 1 if labels else record["maximum"],
        "default": record["default"],
    }


def _address(file: str) -> str:
    """A name may have a # or a ? in it, which mean something else in an address."""
    return quote(os.fsencode(file))


def _gain(value_0to1: float) -> float:
    return float(10.0 ** ((value_0to1 - 0.5) * _GAIN_RANGE_DB / 20.0))
