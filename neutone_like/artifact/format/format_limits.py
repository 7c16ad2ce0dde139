"""What a ``.nm`` can't hold, said by name before anything is written."""

from collections.abc import Iterator, Sequence
from typing import Any

from neutone_like.errors import ExportError
from neutone_like.model import (
    Declaration,
    NonRealtimeBase,
    OfflineDeclaration,
    Parameter,
    WaveformToWaveformBase,
)

Model = WaveformToWaveformBase | NonRealtimeBase
"""What can be exported."""
MAXIMUM_PARAMETERS = 4
MAXIMUM_CHANNELS = 2
QUALITIES = ("high", "fast")


def check_format(model: Model, quality: str = "high") -> Declaration | OfflineDeclaration:
    """What the model declares, if a ``.nm`` can hold it.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: It is, and the format is too small for it; every reason is named.
    """
    if isinstance(model, WaveformToWaveformBase):
        return check_live_format(model, quality)
    if isinstance(model, NonRealtimeBase):
        return check_offline_format(model, quality)
    raise ExportError(explain_other(model))


def check_live_format(model: WaveformToWaveformBase, quality: str) -> Declaration:
    """As :func:`check_format`, for a live model."""
    declaration = model.declaration()
    _refuse(model, [*_live_problems(declaration), *_quality_problems(quality)])
    return declaration


def check_offline_format(model: NonRealtimeBase, quality: str) -> OfflineDeclaration:
    """As :func:`check_format`, for an offline model."""
    declaration = model.declaration()
    _refuse(model, [*_offline_problems(declaration), *_quality_problems(quality)])
    return declaration


def _refuse(model: Model, problems: list[str]) -> None:
    if problems:
        raise ExportError(f"{type(model).__name__} does not fit into a .nm:\n" + "\n".join(problems))


def _quality_problems(quality: str) -> Iterator[str]:
    if quality not in QUALITIES:
        why = " It is for offline use in Python, too slow to answer for a live host." if quality == "soxr" else ""
        yield f"quality: a .nm takes {' or '.join(map(repr, QUALITIES))}, got {quality!r}.{why}"


def explain_other(model: Any) -> str:
    """Why something that is no model of this package can't be exported."""
    way = "Subclass it, and export an instance of it."
    for adapting in ("live_model", "non_realtime_model"):
        if hasattr(model, adapting):
            way = f"Export what its {adapting}() returns, or use save_neutone_model of the module it was imported from."
    return (
        "Expected an instance of a subclass of neutone_like.WaveformToWaveformBase or neutone_like.NonRealtimeBase, "
        f"got {model!r:.200}. {way}"
    )


def _live_problems(declaration: Declaration) -> Iterator[str]:
    for field in ("in_channels", "out_channels"):
        if (count := getattr(declaration, field)) > MAXIMUM_CHANNELS:
            yield f"{field}: a .nm takes 1 or 2, got {count}. Our own runtime plays any count."
    yield from _too_many(declaration.parameters, MAXIMUM_PARAMETERS, "", "make one choice out of several knobs")


def _offline_problems(declaration: OfflineDeclaration) -> Iterator[str]:
    for field in ("audio_in_channels", "audio_out_channels"):
        counts = getattr(declaration, field)
        if any(count > MAXIMUM_CHANNELS for count in counts):
            yield f"{field}: a .nm takes 1 or 2 each, got {counts}. NonRealtimeSampleQueueWrapper takes any count."
    knobs, texts, tokens = (
        declaration.numerical_parameters,
        declaration.text_parameters,
        declaration.tokens_parameters,
    )
    yield from _too_many(knobs, MAXIMUM_PARAMETERS, " numerical ones", "make one choice out of several knobs")
    yield from _too_many(texts, 1, " text", "put them into one text")
    yield from _too_many(tokens, 1, " list of tokens", "put them into one list")


def _too_many(parameters: Sequence[Parameter], most: int, what: str, way: str) -> Iterator[str]:
    if (count := len(parameters)) > most:
        names = [parameter.name for parameter in parameters]
        yield f"parameters: a .nm takes up to {most}{what}, got {count}: {names}. Leave out {count - most}, or {way}."
