"""What an offline model's attributes say, checked field by field."""

from dataclasses import dataclass
from typing import Any

from neutone_like.arguments import is_one_of
from neutone_like.errors import ModelError
from neutone_like.model.declaration import (
    MAXIMUM_BLOCK_SIZE,
    MAXIMUM_CHANNELS,
    MAXIMUM_SAMPLE_RATE,
    MINIMUM_SAMPLE_RATE,
    check_integer,
    check_integers,
    check_metadata,
)
from neutone_like.model.metadata import ModelMetadata
from neutone_like.model.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    NumericalParameter,
    Parameter,
    TextParameter,
    TokensParameter,
)
from neutone_like.printing import Printed

OVERLAP_WINDOWS = ("hann", "sqrt_hann", "triangular", "rectangular")


@dataclass(frozen=True, repr=False)
class OfflineDeclaration(Printed):
    """An offline model's attributes after the check. Rates in Hz, sizes in samples; empty tuples mean any."""

    metadata: ModelMetadata
    parameters: tuple[Parameter, ...]
    audio_in_channels: tuple[int, ...]
    audio_out_channels: tuple[int, ...]
    in_labels: tuple[str, ...]
    out_labels: tuple[str, ...]
    sample_rates: tuple[int, ...]
    block_sizes: tuple[int, ...]
    look_behind_samples: int
    overlap_window: str
    overlap_hop_samples: int
    keeps_length: bool
    is_one_shot: bool
    model_bpm: int | None
    tokenizer_type: str | None

    @property
    def is_generator(self) -> bool:
        """Whether the model has no audio input."""
        return not self.audio_in_channels

    @property
    def numerical_parameters(self) -> tuple[NumericalParameter, ...]:
        """Those that a host sends as numbers, in the order of its rows."""
        return tuple(p for p in self.parameters if isinstance(p, (ContinuousParameter, CategoricalParameter)))

    @property
    def text_parameters(self) -> tuple[TextParameter, ...]:
        """In the order of ``text_params``."""
        return tuple(p for p in self.parameters if isinstance(p, TextParameter))

    @property
    def tokens_parameters(self) -> tuple[TokensParameter, ...]:
        """In the order of ``tokens_params``."""
        return tuple(p for p in self.parameters if isinstance(p, TokensParameter))


def check_offline_declaration(model: Any) -> OfflineDeclaration:
    """Read the attributes of a ``NonRealtimeBase``.

    Raises:
        ModelError: Names every field that is wrong, its value, and what is allowed.
    """
    problems: list[str] = []
    metadata = check_metadata(model, problems)
    inputs = _channels("audio_in_channels", model.audio_in_channels, problems)
    outputs = _channels("audio_out_channels", model.audio_out_channels, problems)
    if isinstance(model.audio_out_channels, (tuple, list)) and not outputs:
        problems.append("audio_out_channels: a model has at least one output, such as (2,), got ()")
    declaration = OfflineDeclaration(
        metadata=metadata,
        parameters=_parameters(model.parameters, problems),
        audio_in_channels=inputs,
        audio_out_channels=outputs,
        in_labels=_labels("audio_in_labels", model.audio_in_labels, "input", len(inputs), problems),
        out_labels=_labels("audio_out_labels", model.audio_out_labels, "output", len(outputs), problems),
        sample_rates=check_integers(
            "sample_rates", model.sample_rates, MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE, problems
        ),
        block_sizes=check_integers("block_sizes", model.block_sizes, 1, MAXIMUM_BLOCK_SIZE, problems),
        look_behind_samples=check_integer(
            "look_behind_samples", model.look_behind_samples, 0, MAXIMUM_BLOCK_SIZE, problems
        ),
        overlap_window=model.overlap_window,
        overlap_hop_samples=check_integer(
            "overlap_hop_samples", model.overlap_hop_samples, 0, MAXIMUM_BLOCK_SIZE, problems
        ),
        keeps_length=_flag("keeps_length", model.keeps_length, problems),
        is_one_shot=_flag("is_one_shot_model()", model.is_one_shot_model(), problems),
        model_bpm=_model_bpm(model.get_model_bpm(), problems),
        tokenizer_type=model.get_tokenizer_type(),
    )
    _check_blocks(declaration, problems)
    if problems:
        raise ModelError(f"{type(model).__name__} is not declared correctly:\n" + "\n".join(problems))
    return declaration


def _parameters(value: Any, problems: list[str]) -> tuple[Parameter, ...]:
    seen: set[str] = set()
    for parameter in value:
        if not isinstance(parameter, (ContinuousParameter, CategoricalParameter, TextParameter, TokensParameter)):
            problems.append(
                "parameters: expected ContinuousParameter, CategoricalParameter, TextParameter or TokensParameter, "
                f"got {type(parameter).__name__}"
            )
        elif parameter.name in seen:
            problems.append(f"parameters: the name {parameter.name!r} is used twice; every name must be unique")
        else:
            seen.add(parameter.name)
    return tuple(value)


def _channels(field: str, value: Any, problems: list[str]) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)):
        problems.append(f"{field}: expected a tuple with one channel count each, such as (2,), got {value!r}")
        return ()
    return tuple(check_integer(field, count, 1, MAXIMUM_CHANNELS, problems) for count in value)


def _labels(field: str, value: Any, kind: str, count: int, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, (tuple, list)) or not all(isinstance(label, str) and label.strip() for label in value):
        problems.append(f"{field}: expected a tuple of non-empty strings (empty for none), got {value!r}")
    elif value and len(value) != count:
        problems.append(f"{field}: expected one label for each of the {count}, got {value!r}")
    elif len(set(value)) != len(value):
        problems.append(f"{field}: every label must be unique, got {value!r}")
    elif value:
        return tuple(value)
    return (kind,) if count == 1 else tuple(f"{kind} {number + 1}" for number in range(count))


def _flag(field: str, value: Any, problems: list[str]) -> bool:
    if not isinstance(value, bool):
        problems.append(f"{field}: expected True or False, got {value!r}")
        return True
    return value


def _model_bpm(value: Any, problems: list[str]) -> int | None:
    return None if value is None else check_integer("get_model_bpm()", value, 1, 1000, problems)


def _check_blocks(declared: OfflineDeclaration, problems: list[str]) -> None:
    """What must fit together: one-shot or blocked, look-behind, overlap."""
    window, hop = declared.overlap_window, declared.overlap_hop_samples
    if not is_one_of(window, ("", *OVERLAP_WINDOWS)):
        problems.append(f"overlap_window: expected one of {OVERLAP_WINDOWS}, or '' for none, got {window!r}")
    elif (window != "") != (hop > 0):
        problems.append(
            "overlap_window and overlap_hop_samples: set both or neither, "
            f"got overlap_window={window!r} and overlap_hop_samples={hop}"
        )
    elif hop > 0 and not declared.block_sizes:
        problems.append("overlap_hop_samples: block_sizes must name the length of the frames that overlap, got ()")
    elif hop > 0 and hop > min(declared.block_sizes):
        problems.append(
            f"overlap_hop_samples: expected at most the shortest block size, {min(declared.block_sizes)}, got {hop}"
        )
    if declared.is_one_shot and (hop > 0 or declared.look_behind_samples > 0):
        problems.append("a one-shot model sees the whole signal: look_behind_samples and overlap_hop_samples must be 0")
    if hop > 0 and declared.is_generator:
        problems.append("overlap_hop_samples: a generator has no input whose blocks could overlap; it must be 0")
    if declared.look_behind_samples > 0 and declared.is_generator:
        problems.append("look_behind_samples: a generator has no input to look behind at; it must be 0")
    if not declared.keeps_length and not declared.is_one_shot:
        problems.append("keeps_length: only a one-shot model may have an output of another length than its input")
