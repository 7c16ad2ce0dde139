"""What hosts read before they load anything agrees with what the module says of itself."""

import json
from typing import Any

from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.model.format_room import MOST_TEXTS, MOST_TOKENS
from neutone_like.validate.checks.contract import ADVICE, CONTRACT
from neutone_like.validate.outcome import Outcome, verdict
from neutone_like.validate.subject import Subject

LIVE_KEYS = (
    "model_name", "model_authors", "model_version", "model_short_description", "model_long_description",
    "technical_description", "technical_links", "tags", "citation", "is_experimental", "sample_sound_files",
    "neutone_parameters", "wet_default_value", "dry_default_value", "input_gain_default_value",
    "output_gain_default_value", "native_sample_rates", "native_buffer_sizes", "sdk_version", "pytorch_version",
    "date_created", "is_input_mono", "is_output_mono", "model_type", "look_behind_samples", "neutone_like",
)  # fmt: skip
OFFLINE_KEYS = tuple(sorted(frozenset(OfflineMetadata.model_fields) - {"neutone_like"}))
CHANGING_KEYS = frozenset({"sample_sound_files", "neutone_like", "date_created"})
COMMON_ANSWERS = {
    "native_sample_rates": "get_native_sample_rates",
    "native_buffer_sizes": "get_native_buffer_sizes",
    "model_name": "get_model_name",
    "model_authors": "get_model_authors",
}
LIVE_ANSWERS = {
    **COMMON_ANSWERS,
    "is_input_mono": "is_input_mono",
    "is_output_mono": "is_output_mono",
    "wet_default_value": "get_wet_default_value",
}
OFFLINE_ANSWERS = {
    **COMMON_ANSWERS,
    "audio_in_channels": "get_audio_in_channels",
    "audio_out_channels": "get_audio_out_channels",
    "is_one_shot_model": "is_one_shot_model",
    "is_text_model": "is_text_model",
    "is_tokens_model": "is_tokens_model",
    "model_bpm": "get_model_bpm",
}
"""Which method answers for a key of the metadata."""
PARAMETER_SLOTS = ("p1", "p2", "p3", "p4")


def check_metadata(subject: Subject) -> Outcome:
    """Read the metadata as a host does, and hold it against what the module says of itself."""
    module = subject.reused(subject.native)
    keys, answers = (LIVE_KEYS, LIVE_ANSWERS) if subject.is_stream else (OFFLINE_KEYS, OFFLINE_ANSWERS)
    own: dict[str, Any] = json.loads(module.get_metadata_json())
    stored: dict[str, Any] = json.loads(subject.artifact.metadata.to_json())
    problems: list[str] = []
    for label, values in (("metadata.json", stored), ("get_metadata_json()", own)):
        problems += [f"{label} lacks {key!r}" for key in keys if key not in values]
    if problems:
        return verdict(False, "; ".join(problems), CONTRACT, ADVICE)
    problems += [
        f"{key}: {stored[key]!r} in metadata.json, {own[key]!r} in the module"
        for key in keys
        if key not in CHANGING_KEYS and stored[key] != own[key]
    ]
    for key, method in answers.items():
        if (answer := getattr(module, method)()) != stored[key]:
            problems.append(f"{key}: {stored[key]!r} in metadata.json, but the method returns {answer!r}")
    problems += _parameter_problems(subject, module)
    agree = f"{len(keys)} keys agree"
    if beyond := subject.artifact.metadata.beyond_format():
        agree += f"; for hosts of neutone_like alone: {'; '.join(beyond)}"
    return verdict(not problems, "; ".join(problems) or agree, CONTRACT, ADVICE)


def _parameter_problems(subject: Subject, module: Any) -> list[str]:
    """Every declared parameter that the format has room for has its slot: four knobs, then a text, then tokens.

    Defaults of knobs stand in their own units in the metadata, and as 0..1 in the module, where all of them are.
    """
    artifact = subject.artifact
    slots = artifact.metadata.neutone_parameters
    problems = [f"neutone_parameters lacks {slot!r}" for slot in PARAMETER_SLOTS if slot not in slots]
    if problems:
        return problems
    ask = module.get_default_param_values if subject.is_stream else module.get_numerical_params_default_values_0to1
    plays: list[float] = ask().flatten().tolist()
    for row, knob in enumerate(artifact.numerical_parameters):
        slot = f"p{row + 1}"
        told = slots[slot].default_value if slot in PARAMETER_SLOTS else knob.default
        if told != knob.default or abs(knob.default_0to1 - plays[row]) > 1e-6:
            problems.append(f"{slot} default: {told!r} in metadata.json, but the module starts at {plays[row]:g} of 1")
    used = {(slot.type, slot.name, slot.default_value) for slot in slots.values() if slot.used}
    for parameter in (*artifact.text_parameters[:MOST_TEXTS], *artifact.tokens_parameters[:MOST_TOKENS]):
        if (parameter.kind, parameter.name, parameter.default) not in used:
            problems.append(f"neutone_parameters has no {parameter.kind} slot of {parameter.name!r} and its default")
    return problems
