"""The `.nm` contract as one table: every attribute and method that a host may rely on, of either kind of artifact.

What must survive ``torch.jit.freeze``, what the loader asks for and what validation calls derive from it.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["live", "offline"]


@dataclass(frozen=True)
class Member:
    """One attribute or method of the wrapper.

    Attributes:
        name: As hosts call it.
        live, offline: Which kind of artifact has it.
        required: A file without it is not one of this kind. The rest may be missing in files that others made.
        preserved: ``torch.jit.freeze`` must be told to keep it. It keeps ``forward`` by itself, and the model as long
            as something that is kept uses it: a model that is listed is taken apart.
    """

    name: str
    live: bool = True
    offline: bool = True
    required: bool = False
    preserved: bool = True


MEMBERS: tuple[Member, ...] = (
    Member("realtime"),
    Member("use_debug_mode"),
    Member("w2w_base", offline=False, preserved=False),
    Member("nrb", live=False, preserved=False),
    # Playing.
    Member("forward", required=True, preserved=False),
    Member("forward_bt", offline=False, required=True),
    Member("forward_offline", offline=False, required=True),
    Member("forward_non_realtime", live=False, required=True),
    Member("begin", live=False),
    Member("push", live=False),
    Member("finish", live=False),
    Member("set_daw_sample_rate_and_buffer_size", required=True),
    Member("reset", required=True),
    # How it plays for this host.
    Member("is_resampling", required=True),
    Member("calc_buffering_delay_samples", offline=False, required=True),
    Member("calc_model_delay_samples", offline=False, required=True),
    Member("latency_samples", offline=False),
    Member("latency_parts", offline=False),
    Member("current_model_sample_rate", offline=False),
    Member("current_model_block_size", offline=False),
    Member("get_current_model_sample_rate", live=False),
    Member("get_current_model_buffer_size", live=False),
    Member("nonfinite_samples"),
    Member("inserted_silence_samples", offline=False),
    Member("set_mix", offline=False),
    Member("set_gains", offline=False),
    Member("has_progress_percentage", live=False, required=True),
    Member("get_progress_percentage", live=False, required=True),
    Member("should_cancel_forward_pass", live=False, required=True),
    Member("request_cancel_forward_pass", live=False, required=True),
    # What it is.
    Member("is_input_mono", offline=False),
    Member("is_output_mono", offline=False),
    Member("is_one_shot_model", live=False, required=True),
    Member("is_text_model", live=False, required=True),
    Member("is_tokens_model", live=False, required=True),
    Member("get_audio_in_channels", live=False, required=True),
    Member("get_audio_out_channels", live=False, required=True),
    Member("get_audio_in_labels", live=False),
    Member("get_audio_out_labels", live=False),
    Member("get_native_sample_rates"),
    Member("get_native_buffer_sizes"),
    Member("get_model_bpm", live=False),
    Member("get_tokenizer_str", live=False),
    Member("get_tokenizer_type", live=False),
    Member("get_default_param_values", offline=False, required=True),
    Member("get_numerical_params_default_values_0to1", live=False, required=True),
    Member("get_wet_default_value"),
    Member("get_dry_default_value"),
    Member("get_input_gain_default_value"),
    Member("get_output_gain_default_value"),
    Member("to_metadata"),
    Member("get_metadata_json"),
    Member("get_model_name"),
    Member("get_model_authors"),
    Member("get_preserved_attributes"),
)


def members(kind: Kind) -> tuple[Member, ...]:
    """What an artifact of a kind has."""
    return tuple(member for member in MEMBERS if getattr(member, kind))


def required_names(kind: Kind) -> tuple[str, ...]:
    """What a file must have to be played as this kind at all."""
    return tuple(member.name for member in members(kind) if member.required)


def preserved_names(kind: Kind) -> list[str]:
    """What ``torch.jit.freeze`` must be told to keep."""
    return [member.name for member in members(kind) if member.preserved]
