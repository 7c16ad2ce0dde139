"""The methods and metadata that hosts rely on are there, of the right types, and agree with each other."""

import json
from collections.abc import Callable
from typing import Any

import torch

from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.validate.checks.contract import ADVICE, CONTRACT, PARAMETER_SLOTS
from neutone_like.validate.checks.contract import QUESTIONS as LIVE_QUESTIONS
from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.context import OfflineContext

KEYS_OF_OTHERS_TOO = frozenset(OfflineMetadata.model_fields) - {"neutone_like"}
CHANGING_KEYS = frozenset({"sample_sound_files", "date_created"})


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_integer_list(value: Any) -> bool:
    return isinstance(value, list) and all(type(entry) is int for entry in value)


def _is_percentage(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value <= 100.0


def _is_defaults(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == 2 and value.size(1) == 1


OWN_QUESTIONS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("is_one_shot_model", _is_flag, "bool"),
    ("has_progress_percentage", _is_flag, "bool"),
    ("get_progress_percentage", _is_percentage, "float 0..100"),
    ("is_text_model", _is_flag, "bool"),
    ("is_tokens_model", _is_flag, "bool"),
    ("should_cancel_forward_pass", lambda value: value is False, "False, as nobody has asked"),
    ("get_audio_in_channels", _is_integer_list, "list of int"),
    ("get_audio_out_channels", lambda value: _is_integer_list(value) and bool(value), "list of int, not empty"),
    ("get_current_model_sample_rate", lambda value: type(value) is int and value > 0, "int > 0"),
    ("get_current_model_buffer_size", lambda value: type(value) is int and value >= 0, "int >= 0"),
    ("get_model_bpm", lambda value: value is None or type(value) is int, "int or None"),
    ("get_tokenizer_str", lambda value: isinstance(value, str), "str"),
    (
        "get_tokenizer_type",
        lambda value: value in (None, "JSON", "SentencePiece", "RWKVWorld"),
        "JSON, SentencePiece, RWKVWorld or None",
    ),
    ("get_numerical_params_default_values_0to1", _is_defaults, "tensor (P, 1)"),
)
SHARED_QUESTIONS = frozenset(
    {
        "is_resampling",
        "get_native_sample_rates",
        "get_native_buffer_sizes",
        "to_metadata",
        "get_metadata_json",
        "get_model_name",
        "get_model_authors",
        "get_preserved_attributes",
    }
)
NOT_IN_EVERY_FILE = ("get_model_name", "get_model_authors")  # the Neutone SDK's own files lack them
QUESTIONS = (*OWN_QUESTIONS, *(each for each in LIVE_QUESTIONS if each[0] in SHARED_QUESTIONS))


def check_contract_methods(context: OfflineContext) -> Outcome:
    """Call every method of the format once, as a host does."""
    module = context.artifact.fresh_module()
    problems = [
        f"attribute {attribute} must be {wanted}, got {getattr(module, attribute, None)!r}"
        for attribute, wanted in (("realtime", False), ("use_debug_mode", False))
        if getattr(module, attribute, None) is not wanted
    ]
    if not hasattr(module, "nrb"):
        problems.append("submodule nrb is missing")
    if type(answer := module.set_daw_sample_rate_and_buffer_size(44100, 256)) is not int:
        problems.append(f"set_daw_sample_rate_and_buffer_size must return an int, got {answer!r}")
    module.reset()
    for name, is_right, wanted in QUESTIONS:
        if not hasattr(module, name):
            if context.is_ours or name not in NOT_IN_EVERY_FILE:
                problems.append(f"{name}() is missing")
            continue
        value = getattr(module, name)()
        if not is_right(value):
            problems.append(f"{name}() must return {wanted}, got {value!r:.80}")
    problems += _audio_problems(context, module)
    count = len(QUESTIONS) + 4
    return verdict(not problems, "; ".join(problems) or f"{count} methods answer as they should", CONTRACT, ADVICE)


def _audio_problems(context: OfflineContext, module: Any) -> list[str]:
    """Both names of the forward pass, with all parameters and with none."""
    samples = context.samples(44100)
    sounds, values = context.sounds(samples), context.defaults
    knobs = values.knobs.expand(-1, samples).contiguous()
    texts, tokens = list(values.texts), [list(each) for each in values.tokens]
    problems: list[str] = []
    for label, outputs in (
        ("forward(audio)", module.forward(sounds)),
        ("forward(audio, all parameters)", module.forward(sounds, knobs, texts, tokens)),
        ("forward_non_realtime(audio, all parameters)", module.forward_non_realtime(sounds, knobs, texts, tokens)),
    ):
        got = [(output.size(0), str(output.dtype)) for output in outputs]
        expected = [(channels, "torch.float32") for channels in context.artifact.audio_out_channels]
        if got != expected:
            problems.append(f"{label} must return outputs of (channels, type) {expected}, got {got}")
    return problems


def check_metadata(context: OfflineContext) -> Outcome:
    """Read the metadata as a host does, and hold it against what the module says of itself."""
    module = context.artifact.fresh_module()
    own: dict[str, Any] = json.loads(module.get_metadata_json())
    stored: dict[str, Any] = json.loads(context.metadata.to_json())
    problems: list[str] = []
    for label, values in (("metadata.json", stored), ("get_metadata_json()", own)):
        problems += [f"{label} lacks {key!r}" for key in sorted(KEYS_OF_OTHERS_TOO) if key not in values]
    if problems:
        return verdict(False, "; ".join(problems), CONTRACT, ADVICE)
    problems += [
        f"{key}: {stored[key]!r} in metadata.json, {own[key]!r} in the module"
        for key in sorted(KEYS_OF_OTHERS_TOO - CHANGING_KEYS)
        if stored[key] != own[key]
    ]
    for key, answer in (
        ("native_sample_rates", module.get_native_sample_rates()),
        ("native_buffer_sizes", module.get_native_buffer_sizes()),
        ("audio_in_channels", module.get_audio_in_channels()),
        ("audio_out_channels", module.get_audio_out_channels()),
        ("is_one_shot_model", module.is_one_shot_model()),
        ("is_text_model", module.is_text_model()),
        ("is_tokens_model", module.is_tokens_model()),
        ("model_bpm", module.get_model_bpm()),
        ("model_name", module.get_model_name()),
    ):
        if answer != stored[key]:
            problems.append(f"{key}: {stored[key]!r} in metadata.json, but the method returns {answer!r}")
    problems += _parameter_problems(context, module)
    return verdict(not problems, "; ".join(problems) or f"{len(KEYS_OF_OTHERS_TOO)} keys agree", CONTRACT, ADVICE)


def _parameter_problems(context: OfflineContext, module: Any) -> list[str]:
    """Every declared parameter has its slot: the knobs in the first four, then text, then tokens."""
    artifact = context.artifact
    slots = artifact.metadata.neutone_parameters
    problems = [f"neutone_parameters lacks {slot!r}" for slot in PARAMETER_SLOTS if slot not in slots]
    if problems:
        return problems
    plays: list[float] = module.get_numerical_params_default_values_0to1().flatten().tolist()
    for row, (slot, knob) in enumerate(zip(PARAMETER_SLOTS, artifact.numerical_parameters, strict=False)):
        if slots[slot].default_value != knob.default or abs(knob.default_0to1 - plays[row]) > 1e-6:
            told = slots[slot].default_value
            problems.append(f"{slot} default: {told!r} in metadata.json, but the module starts at {plays[row]:g} of 1")
    used = {(slot.type, slot.name, slot.default_value) for slot in slots.values() if slot.used}
    for parameter in (*artifact.text_parameters, *artifact.tokens_parameters):
        if (parameter.kind, parameter.name, parameter.default) not in used:
            problems.append(f"neutone_parameters has no {parameter.kind} slot of {parameter.name!r} and its default")
    return problems
