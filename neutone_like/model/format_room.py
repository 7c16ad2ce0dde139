"""How much a ``.nm`` has room for, and what a model has beyond it.

Hosts of the format, and the Neutone SDK's loader, know four knobs, one text, one list of tokens, mono and stereo. A
model that has more is for our own hosts, which have no such limits: rendering and the runtime.
"""

from collections.abc import Iterator, Sequence

MOST_KNOBS = 4
MOST_TEXTS = 1
MOST_TOKENS = 1
MOST_CHANNELS = 2
OUR_HOSTS = "neutone_like"
"""What the key ``hosts`` of our section says where a model has more; elsewhere there is no such key."""

_NOT_NUMERICAL = ("text", "tokens")
_SOUNDS = {1: "mono", 2: "stereo"}


def beyond_format(kinds: Sequence[str], in_channels: Sequence[int], out_channels: Sequence[int]) -> tuple[str, ...]:
    """What the format has no room for, in words; ``()`` where any host of the format can play the model.

    Args:
        kinds: Of each parameter: ``"continuous"``, ``"categorical"``, ``"text"`` or ``"tokens"``.
        in_channels, out_channels: Of each input and output.
    """
    return (*_beyond_parameters(kinds), *_beyond_channels("in", in_channels), *_beyond_channels("out", out_channels))


def hosts_in_words(beyond: Sequence[str]) -> str:
    """Which hosts play a model, for people; ``beyond`` is what :func:`beyond_format` found, and not empty."""
    beyond_it = "; ".join(beyond)
    return f"neutone_like's own: {beyond_it}. Other hosts of .nm files, and the Neutone SDK's loader, may refuse it."


def model_type(in_channels: int, out_channels: int) -> str:
    """The format's word for a live model's channels: ``"mono-stereo"``, and ``"stereo-6ch"`` beyond it."""
    return "-".join(_SOUNDS.get(count, f"{count}ch") for count in (in_channels, out_channels))


def _beyond_parameters(kinds: Sequence[str]) -> Iterator[str]:
    texts, tokens = (kinds.count(kind) for kind in _NOT_NUMERICAL)
    for count, most, what in (
        (len(kinds) - texts - tokens, MOST_KNOBS, "knobs"),
        (texts, MOST_TEXTS, "texts"),
        (tokens, MOST_TOKENS, "lists of tokens"),
    ):
        if count > most:
            yield f"{count} {what}, where the format has room for {most}"


def _beyond_channels(side: str, counts: Sequence[int]) -> Iterator[str]:
    if any(count > MOST_CHANNELS for count in counts):
        shown = " and ".join(map(str, counts)) if len(counts) <= 8 else f"up to {max(counts)}"
        yield f"{shown} channels {side}, where the format knows mono and stereo"
