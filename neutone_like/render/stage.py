"""What a chain is made of: stages that take audio and give it back aligned, and the stream through them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from neutone_like.printing import InNotebooks
from neutone_like.render.audio_arrays import Audio, join, silence


class Stage(ABC):
    """One effect in a stream, with its latency taken out.

    Sample ``n`` of everything that comes out belongs to sample ``n`` of everything that went in. What a stage still
    holds back comes out of :meth:`finish`; by then as many samples have left as have entered.
    """

    out_channels: int
    backend_name: str = ""  # what plays a model of ours; "" where there is none

    @property
    @abstractmethod
    def latency_samples(self) -> int:
        """How many samples the effect lags behind, and this stage takes out."""

    @property
    def nonfinite_samples(self) -> int:
        """Samples that were NaN or infinite and became silence."""
        return 0

    @abstractmethod
    def push(self, x: Audio) -> Audio:
        """Take the next ``(channels, n)``, ``n`` of 0 included; return what is ready."""

    @abstractmethod
    def finish(self) -> Audio:
        """Return what was held back. A further :meth:`push` goes on from the state this leaves."""

    def process_all(self, x: Audio) -> Audio:
        """A whole signal at once, from a fresh stage: as many samples as came."""
        return join(self.push(x), self.finish())


class Stream(InNotebooks):
    """Stages one after the other.

    Args:
        stages: Each made for the channels that the one before it gives.
        channels: What goes into the first.
    """

    def __init__(self, stages: Sequence[Stage], channels: int) -> None:
        self.stages = tuple(stages)
        self.in_channels = channels
        self.out_channels = self.stages[-1].out_channels if self.stages else channels

    def __repr__(self) -> str:
        names = ", ".join(type(stage).__name__ for stage in self.stages) or "no stage"
        return f"Stream({names}; {self.in_channels} to {self.out_channels} channels)"

    @property
    def latency_samples(self) -> int:
        """What all stages together take out."""
        return sum(stage.latency_samples for stage in self.stages)

    @property
    def nonfinite_samples(self) -> int:
        """Samples that a model gave as NaN or infinite and that became silence, since the stream began."""
        return sum(stage.nonfinite_samples for stage in self.stages)

    @property
    def backend_name(self) -> str:
        """What plays our models, such as ``"compiled"``: each once, in order, joined by commas."""
        return ", ".join(dict.fromkeys(stage.backend_name for stage in self.stages if stage.backend_name))

    def push(self, x: Audio) -> Audio:
        """Take the next ``(channels, n)``; return what has come through all stages."""
        for stage in self.stages:
            x = stage.push(x)
        return x

    def finish(self) -> Audio:
        """What the stages still hold: afterwards as many samples have left as have entered."""
        rest: Audio | None = None
        for stage in self.stages:
            rest = stage.finish() if rest is None else join(stage.push(rest), stage.finish())
        return silence(self.out_channels, 0) if rest is None else rest

    def process_all(self, x: Audio) -> Audio:
        """A whole signal at once, from fresh stages: as many samples as came."""
        for stage in self.stages:
            x = stage.process_all(x)
        return x
