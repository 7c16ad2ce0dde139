"""A network as a list of tensor operations, with everything that it keeps between calls as explicit state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from neutone_like.errors import CaptureError
from neutone_like.graph.whole_number import WholeNumber
from neutone_like.numbers import as_whole_number

SAMPLES = "samples"
"""The variable that stands for the length of a block."""


@dataclass(frozen=True)
class Value:
    """A reference to an input, a state, a parameter or the result of a node, by its name."""

    name: str

    def __str__(self) -> str:
        return f"%{self.name}"


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        name: Of its result.
        op: ``aten::conv1d.default``, or ``getitem`` for one of several results.
        args: Numbers, texts, data types, lists of these, :class:`Value` and :class:`WholeNumber`.
        kwargs: Alike, by name.
        line: ``file:line`` of the code that called it; empty when it is not known.
        layer: The module of the network that did so, as in ``named_modules``.
    """

    name: str
    op: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    line: str = ""
    layer: str = ""

    def with_arguments(self, change: Callable[[Any], Any]) -> "Node":
        """With ``change`` applied to every argument."""
        return replace(self, args=map_values(self.args, change), kwargs=map_values(dict(self.kwargs), change))

    @property
    def place(self) -> str:
        """The operation and where it is called, for messages."""
        where = f"at {self.line}" if self.line else "in a line that TorchScript does not say"
        return f"{self.op} {where}" + (f" (layer {self.layer})" if self.layer else "")

    def __str__(self) -> str:
        given = [_text(value) for value in self.args] + [f"{key}={_text(value)}" for key, value in self.kwargs.items()]
        return f"%{self.name} = {self.op}({', '.join(given)})"


@dataclass(frozen=True)
class Input:
    """A tensor that the network is called with.

    Attributes:
        name: Of the argument of ``forward``; ``x_0`` within a list, a tuple or a dictionary.
        shape: At the captured lengths.
    """

    name: str
    shape: tuple[int | WholeNumber, ...]


@dataclass(frozen=True)
class State:
    """A tensor that the network keeps between two calls.

    Attributes:
        name: The attribute, as in ``encoder.gru.hidden``.
        initial: Before the first call.
        result: After each call.
    """

    name: str
    initial: Tensor
    result: Value


@dataclass(frozen=True)
class Counter:
    """A whole number that the network counts in Python between calls."""

    name: str
    initial: int
    result: WholeNumber | int


@dataclass(frozen=True)
class Lengths:
    """Which block lengths a graph takes.

    Attributes:
        shortest: The shortest of them.
        multiple_of: All are multiples of it; 0: ``shortest`` is the only one.
        longest: The longest of them, where there is one.
        reason: Why the graph holds for one length alone; empty where it holds for more, or no other was tried.
    """

    shortest: int
    multiple_of: int
    longest: int | None = None
    reason: str = field(default="", compare=False)

    def accepts(self, samples: int) -> bool:
        """Whether a block of ``samples`` may be played. What is no whole number is no length."""
        if as_whole_number(samples) is None:
            return False
        if self.multiple_of == 0:
            return samples == self.shortest
        if self.longest is not None and samples > self.longest:
            return False
        return samples >= self.shortest and samples % self.multiple_of == 0

    def __str__(self) -> str:
        if self.multiple_of == 0:
            return f"{self.shortest} samples"
        text = "any length" if self.multiple_of == 1 else f"multiples of {self.multiple_of} samples"
        text = text if self.shortest == self.multiple_of else f"{text} from {self.shortest} on"
        return text if self.longest is None else f"{text}, at most {self.longest} samples"


@dataclass(frozen=True)
class Graph:
    """A captured network. ``str(graph)`` lists it.

    Attributes:
        inputs: Tensors in the order of the arguments, flattened.
        fixed: Arguments that are not tensors, which stay what they were when the network was captured.
        arguments: The names of both, in their order.
        states: Tensors kept between calls.
        counters: Whole numbers kept between calls.
        parameters: The network's weights and buffers by their names in the network, and other tensors that it holds.
        nodes: Operations in the order in which they run.
        outputs: What ``forward`` returns: a :class:`Value`, or tuples, lists and dictionaries of them.
        lengths: Which block lengths it takes.
    """

    inputs: tuple[Input, ...]
    fixed: Mapping[str, Any]
    arguments: tuple[str, ...]
    states: tuple[State, ...]
    counters: tuple[Counter, ...]
    parameters: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    outputs: Any
    lengths: Lengths

    def __str__(self) -> str:
        head = [f"input %{each.name} {_text(each.shape)}" for each in self.inputs]
        head += [f"state %{each.name} {list(each.initial.shape)} -> {each.result}" for each in self.states]
        head += [f"counter {each.name} = {each.initial} -> {each.result}" for each in self.counters]
        head += [f"parameter %{name} {list(value.shape)}" for name, value in self.parameters.items()]
        return "\n".join([*head, *map(str, self.nodes), f"return {_text(self.outputs)}", f"blocks: {self.lengths}"])


def map_values(value: Any, function: Callable[[Any], Any]) -> Any:
    """``value`` with ``function`` applied to everything in its lists, tuples and dictionaries.

    Raises:
        CaptureError: ``function`` is nothing to call.
    """
    if not callable(function):
        raise CaptureError(f"map_values: function must be something to call, got {function!r:.200}.")
    if isinstance(value, (list, tuple)):
        return type(value)([map_values(each, function) for each in value])
    if isinstance(value, dict):
        return {key: map_values(each, function) for key, each in value.items()}
    return function(value)


def values_in(value: Any) -> list[Value]:
    """Every :class:`Value` in arguments."""
    found: list[Value] = []
    map_values(value, lambda each: found.append(each) if isinstance(each, Value) else None)
    return found


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_text(each)}" for key, each in value.items()) + "}"
    return str(value)
