"""What a host promises a session."""

from dataclasses import dataclass

from neutone_like.arguments import as_flag
from neutone_like.errors import AudioError
from neutone_like.model.declaration import (
    MAXIMUM_BLOCK_SIZE,
    MAXIMUM_CHANNELS,
    MAXIMUM_SAMPLE_RATE,
    MINIMUM_SAMPLE_RATE,
)
from neutone_like.numbers import as_finite_number, whole_number
from neutone_like.printing import InNotebooks


@dataclass(frozen=True)
class HostConfig(InNotebooks):
    """How a host calls a session.

    Args:
        sample_rate: In Hz.
        block_size: Samples of every call; with ``varying_blocks``, or for the last call of a stream, the most of one.
        channels: As many as the host sends. Mono and stereo are converted into each other; other counts must be what
            the model takes. It gets back as many, or all of a model's that takes or gives more than two.
        varying_blocks: Calls bring any number of samples up to ``block_size``. Latency allows for it from the start.
        wait_fraction: At least 0 and below 1. In ``"async"`` mode a callback may wait for its worker, asleep, for up to
            this part of what the block lasts, and latency is shorter by as much as that allows: with a worker that is
            fast enough it is that of ``"inline"`` mode. 0 never waits. With ``varying_blocks`` a callback waits too,
            and latency stays the same, since the next block may be of one sample.

    Raises:
        AudioError: A number is not an integer, or out of range.
    """

    sample_rate: int
    block_size: int
    channels: int = 2
    varying_blocks: bool = False
    wait_fraction: float = 0.0

    def __post_init__(self) -> None:
        self._check("sample_rate", MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE, "Hz")
        self._check("block_size", 1, MAXIMUM_BLOCK_SIZE, "samples")
        self._check("channels", 1, MAXIMUM_CHANNELS)
        object.__setattr__(
            self, "varying_blocks", as_flag(self.varying_blocks, "HostConfig: varying_blocks", AudioError)
        )
        fraction = as_finite_number(self.wait_fraction)
        if fraction is None or not 0.0 <= fraction < 1.0:
            raise AudioError(f"HostConfig: wait_fraction must be at least 0 and below 1, got {self.wait_fraction!r}.")
        object.__setattr__(self, "wait_fraction", fraction)

    def __str__(self) -> str:
        varying = "up to " if self.varying_blocks else ""
        waiting = f", waits up to {100 * self.wait_fraction:g} %" if self.wait_fraction else ""
        return f"{self.sample_rate} Hz / {varying}{self.block_size}{waiting}"

    def _check(self, field: str, lowest: int, highest: int, unit: str = "") -> None:
        what = f"HostConfig: {field}"
        value = whole_number(getattr(self, field), what, lowest, highest, unit=unit, error=AudioError)
        object.__setattr__(self, field, value)
