"""Plays a graph with PyTorch, operation by operation: what every other way to play it is held against."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError, NeutoneLikeError
from neutone_like.graph.graph import SAMPLES, Graph, Node, Value, map_values
from neutone_like.graph.whole_number import WholeNumber


class GraphPlayer:
    """Plays blocks one after another, and keeps the states between them. Two players of one graph share nothing.

    Args:
        graph: What to play.
        dtype: Calculate in another type, such as ``torch.float64``; ``None``: as captured.
    """

    @checked_arguments(CaptureError)
    def __init__(self, graph: Graph, dtype: torch.dtype | None = None) -> None:
        self._graph = graph
        self._dtype = dtype
        self._parameters = {name: self._cast(value) for name, value in graph.parameters.items()}
        self.reset()

    def reset(self) -> None:
        """Return to the initial states."""
        self.states = {each.name: self._cast(each.initial).clone() for each in self._graph.states}
        self.counters = {each.name: each.initial for each in self._graph.counters}

    def __call__(self, *inputs: Tensor) -> Any:
        """Play one block.

        Args:
            inputs: Tensors in the order of ``graph.inputs``.

        Returns:
            What the network returns.

        Raises:
            CaptureError: The graph does not take blocks of this length, another number of inputs, or such tensors.
        """
        graph = self._graph
        values = self._play(inputs)
        self.states = {each.name: values[each.result.name] for each in graph.states}
        numbers = {SAMPLES: inputs[0].shape[-1] if inputs else 0, **self.counters}
        self.counters = {each.name: _resolved(each.result, values, numbers) for each in graph.counters}
        return _resolved(graph.outputs, values, numbers)

    def _play(self, inputs: tuple[Tensor, ...]) -> dict[str, Any]:
        graph = self._graph
        if len(inputs) != len(graph.inputs):
            raise CaptureError(f"This graph takes {len(graph.inputs)} tensors, got {len(inputs)}.")
        if not all(isinstance(each, Tensor) for each in inputs) or (inputs[:1] and inputs[0].dim() == 0):
            raise CaptureError(f"{_takes(graph)}, got {', '.join(map(_kind, inputs))}.")
        samples = inputs[0].shape[-1] if inputs else 0
        if inputs and not graph.lengths.accepts(samples):
            raise CaptureError(f"This graph takes blocks of {graph.lengths}, got {samples} samples.")
        numbers = {SAMPLES: samples, **self.counters}
        values: dict[str, Any] = {**self._parameters, **self.states}
        values.update({each.name: self._cast(tensor) for each, tensor in zip(graph.inputs, inputs, strict=True)})
        for node in graph.nodes:
            try:
                values[node.name] = play_node(node, values, numbers, self._in_dtype)
            except NeutoneLikeError:
                raise
            except Exception as error:  # whatever an operation raises
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                given = ", ".join(map(_kind, inputs))
                raise CaptureError(f"{_takes(graph)}; with {given}, {node.place} fails: {reason}") from error
        return values

    def _cast(self, tensor: Tensor) -> Tensor:
        if self._dtype is None or tensor.dtype not in (torch.float32, torch.complex64):
            return tensor
        return tensor.to(self._dtype if tensor.dtype == torch.float32 else self._dtype.to_complex())

    def _in_dtype(self, argument: Any) -> Any:
        """Conversions to float32 go to the type that is calculated in."""
        return self._dtype if self._dtype is not None and argument is torch.float32 else argument


def _takes(graph: Graph) -> str:
    shapes = ", ".join(f"{each.name} [{', '.join(map(str, each.shape))}]" for each in graph.inputs)
    return f"This graph takes the tensors {shapes}"


def _kind(value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"{type(value).__name__}"
    return f"{list(value.shape)} of {str(value.dtype).removeprefix('torch.')}"


def play_node(
    node: Node,
    values: Mapping[str, Any],
    numbers: Mapping[str, int],
    change: Callable[[Any], Any] = lambda each: each,
    function: Callable[..., Any] | None = None,
) -> Any:
    """What an operation gives.

    Args:
        node: The operation.
        values: Of everything it reads, by name.
        numbers: Of the variables that its numbers depend on.
        change: Applied to each argument last.
        function: Called instead of the operation; it must give the same.
    """
    resolved = node.with_arguments(lambda each: change(_resolved(each, values, numbers)))
    return (function or operation(node.op))(*resolved.args, **resolved.kwargs)


@checked_arguments(CaptureError)
def play_all(graph: Graph, *inputs: Tensor) -> dict[str, Any]:
    """One block from the initial states: every tensor by its name. Operations that write change earlier ones."""
    with torch.no_grad():
        return GraphPlayer(graph)._play(inputs)  # pyright: ignore[reportPrivateUsage]


def play_each(graph: Graph, blocks: Sequence[Sequence[Tensor]]) -> list[dict[str, Any]]:
    """:func:`play_all` with each of the blocks, none of which is changed.

    Raises:
        CaptureError: There is none, or the graph does not take one of them.
    """
    if len(blocks) == 0:
        raise CaptureError("Expected one or more blocks, each a list of the graph's input tensors, got none.")
    return [play_all(graph, *[each.detach().clone() for each in block]) for block in blocks]


@checked_arguments(CaptureError)
@cache
def operation(name: str) -> Any:
    """The function of an operation's name, as in a :class:`~neutone_like.graph.graph.Node`.

    Raises:
        CaptureError: PyTorch has no operation of that name.
    """
    if name == "getitem":
        return getitem
    space, _, rest = name.partition("::")
    packet, _, overload = rest.rpartition(".")
    try:
        found = getattr(getattr(getattr(torch.ops, space), packet), overload)
    except (AttributeError, RuntimeError, TypeError):  # the last for what is no text of Unicode
        found = None
    if not isinstance(found, OpOverload):
        raise CaptureError(
            f"PyTorch has no operation {name!r:.200}. Names are like 'aten::conv1d.default', and 'getitem' stands for "
            "one of several results."
        )
    return found


def _resolved(value: Any, values: Mapping[str, Any], numbers: Mapping[str, int]) -> Any:
    def resolve(each: Any) -> Any:
        if isinstance(each, Value):
            return values[each.name]
        return each.evaluate(numbers) if isinstance(each, WholeNumber) else each

    return map_values(value, resolve)


def writes(node: Node) -> bool:
    """Whether the operation writes into one of its arguments."""
    return node.op != "getitem" and bool(operation(node.op)._schema.is_mutable)
