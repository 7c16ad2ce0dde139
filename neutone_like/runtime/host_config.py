"""What a host promises a session."""

from dataclasses import dataclass

from neutone_like.errors import AudioError
from neutone_like.model.declaration import (
    MAXIMUM_BLOCK_SIZE,
    MAXIMUM_CHANNELS,
    MAXIMUM_SAMPLE_RATE,
    MINIMUM_SAMPLE_RATE,
)
from neutone_like.printing import InNotebooks


@dataclass(frozen=True)
class HostConfig(InNotebooks):
    """How a host calls a session.

    Args:
        sample_rate: In Hz.
        block_size: Samples of every call; with ``varying_blocks``, or for the last call of a stream, the most of one.
        channels: As many as the host sends. Mono and stereo are converted into each other; other counts must be the
            model's own.
        varying_blocks: Calls bring any number of samples up to ``block_size``. Latency allows for it from the start.

    Raises:
        AudioError: A number is not an integer, or out of range.
    """

    sample_rate: int
    block_size: int
    channels: int = 2
    varying_blocks: bool = False

    def __post_init__(self) -> None:
        _require("sample_rate", self.sample_rate, MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE, " Hz")
        _require("block_size", self.block_size, 1, MAXIMUM_BLOCK_SIZE, " samples")
        _require("channels", self.channels, 1, MAXIMUM_CHANNELS, "")

    def __str__(self) -> str:
        varying = "up to " if self.varying_blocks else ""
        return f"{self.sample_rate} Hz / {varying}{self.block_size}"


def _require(field: str, value: object, lowest: int, highest: int, unit: str) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return
    raise AudioError(f"HostConfig: {field} must be an integer in {lowest}..{highest}{unit}, got {value!r}.")
