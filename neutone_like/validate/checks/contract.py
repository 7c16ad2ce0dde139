"""The methods and metadata that hosts rely on are there, of the right types, and agree with each other."""

import json
from collections.abc import Callable
from typing import Any

import torch

from neutone_like.artifact import Artifact
from neutone_like.validate.context import Context, Outcome, verdict
from neutone_like.validate.playing import HostSetting

REQUIRED_KEYS = (
    "model_name", "model_authors", "model_version", "model_short_description", "model_long_description",
    "technical_description", "technical_links", "tags", "citation", "is_experimental", "sample_sound_files",
    "neutone_parameters", "wet_default_value", "dry_default_value", "input_gain_default_value",
    "output_gain_default_value", "native_sample_rates", "native_buffer_sizes", "sdk_version", "pytorch_version",
    "date_created", "is_input_mono", "is_output_mono", "model_type", "look_behind_samples", "neutone_like",
)  # fmt: skip
PARAMETER_SLOTS = ("p1", "p2", "p3", "p4")
CONTRACT = "every method and key that hosts use"
ADVICE = "Export the model again with export_model, and don't change what is in the file by hand."


def _is_integer_list(value: Any) -> bool:
    return isinstance(value, list) and all(type(entry) is int for entry in value)


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value <= 1.0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_defaults(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == 2 and value.size(0) >= 4 and value.size(1) == 1


QUESTIONS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("is_resampling", _is_flag, "bool"),
    ("calc_buffering_delay_samples", _is_count, "int >= 0"),
    ("calc_model_delay_samples", _is_count, "int >= 0"),
    ("is_input_mono", _is_flag, "bool"),
    ("is_output_mono", _is_flag, "bool"),
    ("get_native_sample_rates", _is_integer_list, "list of int"),
    ("get_native_buffer_sizes", _is_integer_list, "list of int"),
    ("get_default_param_values", _is_defaults, "tensor (4, 1)"),
    ("get_wet_default_value", _is_share, "float 0..1"),
    ("get_dry_default_value", _is_share, "float 0..1"),
    ("get_input_gain_default_value", _is_share, "float 0..1"),
    ("get_output_gain_default_value", _is_share, "float 0..1"),
    ("to_metadata", lambda value: bool(value), "metadata"),
    ("get_metadata_json", _is_text, "str"),
    ("get_model_name", _is_text, "str"),
    ("get_model_authors", _is_string_list, "list of str"),
    ("get_preserved_attributes", _is_string_list, "list of str"),
)
NOT_IN_EVERY_FILE = ("get_model_name", "get_model_authors")  # the Neutone SDK's own files lack them


def check_contract_methods(context: Context) -> Outcome:
    """Call every method of the format once, as a host does."""
    problems: list[str] = []
    module = context.artifact.fresh_module()
    for attribute in ("realtime", "use_debug_mode"):
        if not isinstance(getattr(module, attribute, None), bool):
            problems.append(f"attribute {attribute} must be a bool, got {getattr(module, attribute, None)!r}")
    if not hasattr(module, "w2w_base"):
        problems.append("submodule w2w_base is missing")
    setting = HostSetting(44100, 256)
    most = module.set_daw_sample_rate_and_buffer_size(setting.sample_rate, setting.block_size)
    if type(most) is not int or most < setting.block_size:
        problems.append(f"set_daw_sample_rate_and_buffer_size must return at least a host block, got {most!r}")
    for name, is_right, wanted in QUESTIONS:
        if not hasattr(module, name):
            if context.is_ours or name not in NOT_IN_EVERY_FILE:
                problems.append(f"{name}() is missing")
            continue
        value = getattr(module, name)()
        if not is_right(value):
            problems.append(f"{name}() must return {wanted}, got {value!r}")
    problems += _audio_methods(context, module, setting, most)
    count = len(QUESTIONS) + 5
    return verdict(not problems, "; ".join(problems) or f"{count} methods answer as they should", CONTRACT, ADVICE)


def _audio_methods(context: Context, module: Any, setting: HostSetting, most: int) -> list[str]:
    problems: list[str] = []
    sides = (context.artifact.in_channels, context.artifact.out_channels)
    for channels in (1, 2) if max(sides) <= 2 else sides[:1]:
        x = context.sound(setting.block_size)[:1].repeat(channels, 1)
        params = module.get_default_param_values().repeat(1, setting.block_size)
        expected = (channels if max(sides) <= 2 else sides[1], setting.block_size)
        module.reset()
        for label, y in (
            ("forward(x)", module.forward(x)),
            ("forward(x, params)", module.forward(x, params)),
            ("forward_offline(x, params)", module.forward_offline(x, params)),
        ):
            if y.dtype != torch.float32 or tuple(y.shape) != expected:
                problems.append(f"{label} must return float32 {expected}, got {y.dtype} {tuple(y.shape)}")
        module.reset()
        for _ in range(8):
            ready = module.forward_bt(x, params)
            if ready is not None and (ready.size(1) % setting.block_size or not 0 < ready.size(1) <= most):
                problems.append(
                    f"forward_bt(x, params) must return None or whole blocks of {setting.block_size}, at most {most} "
                    f"samples, got {ready.size(1)}"
                )
    return problems


def check_metadata(context: Context) -> Outcome:
    """Read the metadata as a host does, and hold it against what the module says of itself."""
    problems: list[str] = []
    module = context.artifact.fresh_module()
    own: dict[str, Any] = json.loads(module.get_metadata_json())
    stored: dict[str, Any] = json.loads(context.artifact.metadata.to_json())
    for label, values in (("metadata.json", stored), ("get_metadata_json()", own)):
        problems += [f"{label} lacks {key!r}" for key in REQUIRED_KEYS if key not in values]
    if problems:
        return verdict(False, "; ".join(problems), CONTRACT, ADVICE)
    changing = {"sample_sound_files", "neutone_like", "date_created"}
    problems += [
        f"{key}: {stored[key]!r} in metadata.json, {own[key]!r} in the module"
        for key in REQUIRED_KEYS
        if key not in changing and stored[key] != own[key]
    ]
    for key, answer in (
        ("native_sample_rates", module.get_native_sample_rates()),
        ("native_buffer_sizes", module.get_native_buffer_sizes()),
        ("is_input_mono", module.is_input_mono()),
        ("is_output_mono", module.is_output_mono()),
        ("model_name", module.get_model_name()),
        ("model_authors", module.get_model_authors()),
        ("wet_default_value", module.get_wet_default_value()),
    ):
        if answer != stored[key]:
            problems.append(f"{key}: {stored[key]!r} in metadata.json, but the method returns {answer!r}")
    problems += _knob_problems(context.artifact, module.get_default_param_values())
    return verdict(not problems, "; ".join(problems) or f"{len(REQUIRED_KEYS)} keys agree", CONTRACT, ADVICE)


def _knob_problems(artifact: Artifact, defaults: torch.Tensor) -> list[str]:
    """Defaults stand in the knobs' own units in the metadata, and as 0..1 in the module."""
    problems: list[str] = []
    knobs = artifact.metadata.neutone_parameters
    problems += [f"neutone_parameters lacks {slot!r}" for slot in PARAMETER_SLOTS if slot not in knobs]
    for row, (slot, parameter) in enumerate(zip(PARAMETER_SLOTS, artifact.numerical_parameters, strict=False)):
        told, plays = knobs[slot].default_value, float(defaults[row, 0])
        if told != parameter.default or abs(parameter.default_0to1 - plays) > 1e-6:
            problems.append(f"{slot} default: {told!r} in metadata.json, but the module starts at {plays:g} of 0..1")
    return problems
