"""What a conversion knows of the tensors of a network: which way one is had block by block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import inf

from torch import Tensor

from neutone_like.graph import Value

Interval = tuple[float, float] | None
"""First and last input sample; from ``-inf`` on for all of the past; ``None``: none of them."""

Reach = Callable[[int], Interval]
"""The input samples on which a sample of the stream depends."""


@dataclass(frozen=True)
class Stream:
    """A tensor with a time axis, in blocks: ``blocks[k] == whole[k - delay]``, in samples of its own.

    Attributes:
        value: In the graph that is written.
        axis: Of time.
        rate: Samples for each input sample.
        delay: Below 0 where the whole begins with samples that are known beforehand, as padding is.
        history: Those samples, ``-delay`` of them, along the axis; ``None`` where there are none.
        like: An empty tensor of its type and its other axes.
        reach: On which input samples a sample of the blocks depends.
        lead: What the first ``delay`` samples of the blocks are, where that is known.
        held: The samples that the whole begins with are what its next one is, ``blocks[0]``, whatever that will be:
            replicate padding. There is no history then.
    """

    value: Value
    axis: int
    rate: Fraction
    delay: int
    history: Tensor | None
    like: Tensor
    reach: Reach
    lead: float | None = None
    held: bool = False

    @property
    def past(self) -> Tensor:
        """The history; empty where there is none."""
        return self.like if self.history is None else self.history

    @property
    def from_right(self) -> int:
        """The axis as broadcasting counts it, below 0."""
        return self.axis - self.like.dim()


@dataclass(frozen=True)
class Streams:
    """What an operation gives that has several results. Where ``value`` is one, ``getitem`` takes them out of it."""

    value: Value | None
    each: Sequence[Stream | None]


@dataclass(frozen=True)
class Known:
    """A tensor without time axis that is the same for every signal.

    Attributes:
        tensor: What it is; for a condition, and what is calculated from one, what the example makes it.
        name: In the network.
        value: Of a condition, in the graph that is written: it comes with every block. ``None``: it never changes.
    """

    tensor: Tensor
    name: str
    value: Value | None = None


@dataclass(frozen=True)
class Square:
    """A tensor with two time axes that is the same for every signal, such as a mask, at the example's length."""

    tensor: Tensor


@dataclass(frozen=True)
class Pairs:
    """A value for every two times of a signal, on the way to attention: never calculated for all of them.

    Attributes:
        queries: ``[..., time, channels]``.
        keys: ``[..., time, channels]``.
        scale: What their products are multiplied by.
        visible: ``bool [time, time]`` at the example's length: which keys a query sees; ``None``: all.
        are_weights: Whether they went through a softmax.
    """

    queries: Stream
    keys: Stream
    scale: float = 1.0
    visible: Tensor | None = None
    are_weights: bool = False


Held = Stream | Streams | Known | Square | Pairs


def union(*intervals: Interval) -> Interval:
    """The smallest interval that holds these."""
    held = [each for each in intervals if each is not None]
    return (min(low for low, _ in held), max(high for _, high in held)) if held else None


def shifted(reach: Reach, by: int) -> Reach:
    """Of a stream that is later by so many samples."""
    return cache(lambda k: reach(k - by))


def all_before(interval: Interval) -> Interval:
    """All of the past up to the interval's end."""
    return None if interval is None else (-inf, interval[1])
