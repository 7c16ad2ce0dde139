"""What the methods of the format must answer: a name, a test of the answer, and what is wanted in words."""

from collections.abc import Callable
from typing import Any

import torch

Question = tuple[str, Callable[[Any], bool], str]


def _is_integer_list(value: Any) -> bool:
    return isinstance(value, list) and all(type(entry) is int for entry in value)


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value <= 1.0


def _is_percentage(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value <= 100.0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_column(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == 2 and value.size(1) == 1


COMMON_QUESTIONS: tuple[Question, ...] = (
    ("is_resampling", _is_flag, "bool"),
    ("get_native_sample_rates", _is_integer_list, "list of int"),
    ("get_native_buffer_sizes", _is_integer_list, "list of int"),
    ("to_metadata", lambda value: bool(value), "metadata"),
    ("get_metadata_json", _is_text, "str"),
    ("get_model_name", _is_text, "str"),
    ("get_model_authors", _is_string_list, "list of str"),
    ("get_preserved_attributes", _is_string_list, "list of str"),
)
LIVE_QUESTIONS: tuple[Question, ...] = (
    ("calc_buffering_delay_samples", _is_count, "int >= 0"),
    ("calc_model_delay_samples", _is_count, "int >= 0"),
    ("is_input_mono", _is_flag, "bool"),
    ("is_output_mono", _is_flag, "bool"),
    ("get_default_param_values", lambda value: _is_column(value) and value.size(0) >= 4, "tensor (4 or more, 1)"),
    ("get_wet_default_value", _is_share, "float 0..1"),
    ("get_dry_default_value", _is_share, "float 0..1"),
    ("get_input_gain_default_value", _is_share, "float 0..1"),
    ("get_output_gain_default_value", _is_share, "float 0..1"),
    *COMMON_QUESTIONS,
)
OFFLINE_QUESTIONS: tuple[Question, ...] = (
    ("is_one_shot_model", _is_flag, "bool"),
    ("has_progress_percentage", _is_flag, "bool"),
    ("get_progress_percentage", _is_percentage, "float 0..100"),
    ("is_text_model", _is_flag, "bool"),
    ("is_tokens_model", _is_flag, "bool"),
    ("should_cancel_forward_pass", lambda value: value is False, "False, as nobody has asked"),
    ("get_audio_in_channels", _is_integer_list, "list of int"),
    ("get_audio_out_channels", lambda value: _is_integer_list(value) and bool(value), "list of int, not empty"),
    ("get_current_model_sample_rate", lambda value: type(value) is int and value > 0, "int > 0"),
    ("get_current_model_buffer_size", _is_count, "int >= 0"),
    ("get_model_bpm", lambda value: value is None or type(value) is int, "int or None"),
    ("get_tokenizer_str", lambda value: isinstance(value, str), "str"),
    (
        "get_tokenizer_type",
        lambda value: value in (None, "JSON", "SentencePiece", "RWKVWorld"),
        "JSON, SentencePiece, RWKVWorld or None",
    ),
    ("get_numerical_params_default_values_0to1", _is_column, "tensor (P, 1)"),
    *COMMON_QUESTIONS,
)
NOT_IN_EVERY_FILE = ("get_model_name", "get_model_authors")  # the Neutone SDK's own files lack them


def wrong_answers(module: Any, questions: tuple[Question, ...], optional: tuple[str, ...]) -> list[str]:
    """Call every method once, and say of each what is wrong with its answer."""
    problems: list[str] = []
    for name, is_right, wanted in questions:
        if not hasattr(module, name):
            if name not in optional:
                problems.append(f"{name}() is missing")
            continue
        value = getattr(module, name)()
        if not is_right(value):
            problems.append(f"{name}() must return {wanted}, got {value!r:.80}")
    return problems
