"""What an artifact can't hold, said by name before anything is written.

What only other makers' hosts have no room for is written all the same, and marked: ``neutone_like.model.format_room``.
"""

from collections.abc import Iterator
from typing import Any

from neutone_like.arguments import is_one_of
from neutone_like.artifact.format.parameter_records import MAXIMUM_PARAMETERS
from neutone_like.errors import ExportError
from neutone_like.model import Declaration, NonRealtimeBase, OfflineDeclaration, WaveformToWaveformBase
from neutone_like.model.format_room import MOST_CHANNELS

Model = WaveformToWaveformBase | NonRealtimeBase
"""What can be exported."""
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
    _refuse(model, [*_too_many_parameters(len(declaration.parameters)), *_quality_problems(quality)])
    return declaration


def _refuse(model: Model, problems: list[str]) -> None:
    if problems:
        raise ExportError(f"{type(model).__name__} does not fit into a .nm:\n" + "\n".join(problems))


def _quality_problems(quality: str) -> Iterator[str]:
    if not is_one_of(quality, QUALITIES):
        why = (
            " It is for offline use in Python, too slow to answer for a live host."
            if is_one_of(quality, ("soxr",))
            else ""
        )
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
    sides = (declaration.in_channels, declaration.out_channels)
    if declaration.metadata.dry_default > 0.0 and sides[0] != sides[1] and max(sides) > MOST_CHANNELS:
        yield (
            f"metadata: dry_default must be 0 for a model with {sides[0]} channels in and {sides[1]} out, which can't "
            f"be mixed with its input, got {declaration.metadata.dry_default:g}."
        )
    yield from _too_many_parameters(len(declaration.parameters))


def _too_many_parameters(count: int) -> Iterator[str]:
    if count > MAXIMUM_PARAMETERS:
        yield f"parameters: an artifact takes up to {MAXIMUM_PARAMETERS}, got {count}. Leave out the others."
