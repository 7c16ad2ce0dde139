"""Writes the graph that streams: operations, states, constants, and what branches of different delay need."""

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph import SAMPLES, Graph, Node, State, Value, WholeNumber, map_values
from neutone_like.streaming.conversion.measuring import Measured
from neutone_like.streaming.conversion.stream import Known, Stream

_POSITION = "position"


class Writer:
    """Collects the nodes of a graph. Layer and line of what it writes are those of the node in hand.

    Attributes:
        measured: The network's tensors; none has the name of something that is written.
        example_samples: How long the signal is for which they were measured.
        nodes: Operations so far.
        states: States so far, the position in the signal among them where something needs it.
        constants: Tensors that nodes use, by name.
        window_samples: How far attention sees; ``None``: as its mask says.
        limits: For how many input samples what was written equals the whole.
    """

    def __init__(
        self, graph: Graph, measured: Mapping[str, list[Measured]], example_samples: int, window_samples: int | None
    ) -> None:
        self.measured = measured
        self._parameters = graph.parameters
        self._taken = {*measured, *graph.parameters}
        self.example_samples = example_samples
        self.window_samples = window_samples
        self.limits: list[Fraction] = []
        self.nodes: list[Node] = []
        self.states: list[State] = []
        self.constants: dict[str, Tensor] = {}
        self.node = Node("", "", ())
        self._positions: dict[Fraction, Value] = {}
        self._gates: dict[tuple[Fraction, int], Value] = {}

    def call(self, op: str, *args: Any, **kwargs: Any) -> Value:
        """Write one operation. Streams and known tensors stand for their values."""
        value = Value(self._fresh(f"n{len(self.nodes)}"))
        written, named = map_values(args, self._written), map_values(kwargs, self._written)
        self.nodes.append(Node(value.name, op, written, named, self.node.line, self.node.layer))
        return value

    def _written(self, argument: Any) -> Any:
        if isinstance(argument, Known):
            return argument.value or self.constant(argument.tensor, argument.name)
        return argument.value if isinstance(argument, Stream) else argument

    def constant(self, tensor: Tensor, name: str) -> Value:
        """A tensor that stays as it is; one of the network's by its name there."""
        own = next((key for key, value in self.constants.items() if value is tensor), None)
        if own is None:
            own = name if self._parameters.get(name) is tensor else self._fresh(name)
            self.constants[own] = tensor
        return Value(own)

    def state(self, initial: Tensor, name: str) -> tuple[Value, Callable[[Value], None]]:
        """A tensor that is kept: what it was after the last block, and how to say what it is after this one."""
        place = f"{self.node.layer}.{name}" if self.node.layer and name != _POSITION else name
        own = self._fresh(place)

        def keep(result: Value) -> None:
            self.states.append(State(own, initial.detach().clone(memory_format=torch.contiguous_format), result))

        return Value(own), keep

    def _fresh(self, name: str) -> str:
        """A name that nothing in the network has, nor anything written."""
        tried = (name if count == 1 else f"{name}_{count}" for count in itertools.count(1))
        own = next(each for each in tried if each not in self._taken)
        self._taken.add(own)
        return own

    def at_example(self, number: int | WholeNumber) -> int:
        """A number of the whole network, for the example."""
        return number if isinstance(number, int) else number.evaluate({SAMPLES: self.example_samples})

    def slope(self, number: int | WholeNumber) -> Fraction:
        """By how much it grows with each sample of the signal."""
        return Fraction(0) if isinstance(number, int) else dict(number.terms).get(SAMPLES, Fraction(0))

    def samples(self, rate: Fraction, more: int = 0) -> WholeNumber:
        """How long a block is, plus ``more``."""
        terms = ((SAMPLES, rate), ("", Fraction(more))) if more else ((SAMPLES, rate),)
        return WholeNumber(terms)

    def position(self, rate: Fraction) -> Value:
        """The index of each sample of the block since the last reset: ``int64 [samples]``."""
        if rate not in self._positions:
            before, keep = self.state(torch.zeros((), dtype=torch.int64), _POSITION)
            keep(self.call("aten::add.Scalar", before, self.samples(rate)))
            block = self.call("aten::arange.default", self.samples(rate), dtype=torch.int64, device=torch.device("cpu"))
            self._positions[rate] = self.call("aten::add.Tensor", block, before)
        return self._positions[rate]

    def is_before(self, x: Stream) -> Value:
        """For each sample of the block whether it is from before the signal, as it broadcasts along its time."""
        if (x.rate, x.delay) not in self._gates:
            self._gates[x.rate, x.delay] = self.call("aten::lt.Scalar", self.position(x.rate), x.delay)
        return self.along_time(self._gates[x.rate, x.delay], x)

    def along_time(self, each: Value, x: Stream) -> Value:
        """One value for each sample of the block, ``[samples]``, as it broadcasts along the stream's time."""
        behind = -1 - x.from_right
        return self.call("aten::view.default", each, [self.samples(x.rate), *[1] * behind]) if behind else each
