"""A graph as TorchScript, which hosts load: with its states as buffers, and a reset."""

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.graph.dilation import without_dilation
from neutone_like.graph.few_frames import with_products_of_frames
from neutone_like.graph.folding import drop_unused, fold_constants
from neutone_like.graph.graph import SAMPLES, Counter, Graph, Input, Node, Value
from neutone_like.graph.whole_number import WholeNumber
from neutone_like.torchscript_warnings import expecting_torchscript

_TENSOR = object()


@checked_arguments(CaptureError)
def to_torchscript(graph: Graph, methods: Sequence[str] = ()) -> ScriptModule:
    """A module whose ``forward`` plays the graph, block by block.

    It takes the graph's tensors in their order, by their names too, and returns what the network returned. States are
    buffers; ``reset_streaming_state()`` returns to the initial ones. Blocks that the graph does not take raise.

    Args:
        graph: What to write.
        methods: More methods, as TorchScript's source.

    Raises:
        CaptureError: TorchScript can't read one of them.
    """
    graph = fold_constants(graph)
    if graph.states:  # it plays blocks
        graph = drop_unused(with_products_of_frames(without_dilation(graph)))
    return _Writer(graph).module(methods)


class _Writer:
    """Gives names that TorchScript takes to what is in a graph, and writes the methods."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names: dict[str, str] = {}
        self._taken: set[str] = {SAMPLES, "self", "torch"}
        for name in graph.arguments:
            self._name(name, name)
        self._counters = {each.name: self._fresh(f"count_{each.name}") for each in graph.counters}
        self._attributes = {name: self._fresh(name) for name in (*graph.parameters, *(s.name for s in graph.states))}

    def module(self, methods: Sequence[str]) -> ScriptModule:
        with expecting_torchscript():
            return _script_module(
                self._tensors(), self._counts(), [self.forward_source(), self.reset_source(), *methods]
            )

    def forward_source(self) -> str:
        graph = self._graph
        heads = [f"{self._names[name]}: {_type(graph.fixed.get(name, _TENSOR))}" for name in self._arguments()]
        lines = [f"def forward(self, {', '.join(heads)}):"]
        lines += [line for name in self._arguments() if name in graph.fixed for line in self._checked_value(name)]
        lines += self._checked_length(graph.inputs[0])
        lines += [f"    {self._value_name(each.name)} = self.{self._attributes[each.name]}" for each in graph.states]
        lines += [f"    {self._number_name(each)} = self.{self._counters[each.name]}" for each in graph.counters]
        lines += [f"    {self._value_name(node.name)} = {self._call(node)}" for node in graph.nodes]
        outputs = self._text(graph.outputs)
        lines += [f"    self.{self._attributes[each.name]} = {self._value(each.result)}" for each in graph.states]
        lines += [f"    self.{self._counters[each.name]} = {self._text(each.result)}" for each in graph.counters]
        return "\n".join([*lines, f"    return {outputs}", ""])

    def _arguments(self) -> list[str]:
        """Tensors, and the other values that TorchScript has a type for."""
        fixed = self._graph.fixed
        return [name for name in self._graph.arguments if name not in fixed or _type(fixed[name])]

    def _checked_value(self, name: str) -> list[str]:
        value = self._graph.fixed[name]
        wrong = f"{self._names[name]} is not None" if value is None else f"{self._names[name]} != {_literal(value)}"
        message = f"This network was captured with {name} = {value!r}."
        return [f"    if {wrong}:", f"        raise ValueError({message!r})"]

    def reset_source(self) -> str:
        lines = ["def reset_streaming_state(self) -> None:"]
        lines += [
            f"    self.{self._attributes[s.name]} = self.initial_{self._attributes[s.name]}.clone()"
            for s in self._graph.states
        ]
        lines += [f"    self.{self._counters[each.name]} = {each.initial}" for each in self._graph.counters]
        return "\n".join([*lines, "    pass", ""])

    def _checked_length(self, first: Input) -> list[str]:
        lengths = self._graph.lengths
        wrong = f"{SAMPLES} != {lengths.shortest}" if not lengths.multiple_of else f"{SAMPLES} < {lengths.shortest}"
        if lengths.multiple_of > 1:
            wrong += f" or {SAMPLES} % {lengths.multiple_of} != 0"
        if lengths.longest is not None:
            wrong += f" or {SAMPLES} > {lengths.longest}"
        message = f'"This network takes blocks of {lengths}, got " + str({SAMPLES}) + " samples."'
        return [
            f"    {SAMPLES} = {self._names[first.name]}.size(-1)",
            f"    if {wrong}:",
            f"        raise ValueError({message})",
        ]

    def _tensors(self) -> dict[str, Tensor]:
        graph = self._graph
        tensors = {self._attributes[name]: value.detach().clone() for name, value in graph.parameters.items()}
        for each in graph.states:
            name = self._attributes[each.name]
            tensors |= {name: each.initial.detach().clone(), f"initial_{name}": each.initial.detach().clone()}
        return tensors

    def _counts(self) -> dict[str, int]:
        return {self._counters[each.name]: each.initial for each in self._graph.counters}

    def _call(self, node: Node) -> str:
        if node.op == "getitem":
            return f"{self._text(node.args[0])}[{node.args[1]}]"
        space, _, rest = node.op.partition("::")
        given = [self._text(each) for each in node.args]
        given += [f"{key}={self._text(each)}" for key, each in node.kwargs.items()]
        return f"torch.ops.{space}.{rest.rpartition('.')[0]}({', '.join(given)})"

    def _text(self, value: Any) -> str:
        if isinstance(value, Value):
            return self._value(value)
        if isinstance(value, WholeNumber):
            return self._whole_number(value)
        if isinstance(value, tuple):
            items: list[str] = [self._text(each) for each in value]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(self._text(each) for each in value)}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self._text(each)}" for key, each in value.items()) + "}"
        return _literal(value)

    def _whole_number(self, number: WholeNumber) -> str:
        counters = {each.name: self._number_name(each) for each in self._graph.counters}
        return f"({WholeNumber(tuple((counters.get(name, name), factor) for name, factor in number.terms))})"

    def _value(self, value: Value) -> str:
        if value.name in self._graph.parameters:
            return f"self.{self._attributes[value.name]}"
        return self._value_name(value.name)

    def _value_name(self, name: str) -> str:
        return self._names[name] if name in self._names else self._name(name, name)

    def _number_name(self, counter: Counter) -> str:
        return f"now_{self._counters[counter.name]}"

    def _name(self, name: str, wanted: str) -> str:
        self._names[name] = self._fresh(wanted)
        return self._names[name]

    def _fresh(self, wanted: str) -> str:
        plain = re.sub(r"\W", "_", wanted)
        plain = f"_{plain}" if plain[:1].isdigit() or keyword.iskeyword(plain) or plain in ("training",) else plain
        while plain in self._taken:
            plain += "_"
        self._taken.add(plain)
        return plain


def _script_module(tensors: Mapping[str, Tensor], counts: Mapping[str, int], sources: Sequence[str]) -> ScriptModule:
    """Attributes, and methods given as TorchScript's source."""

    class CapturedNetwork(ScriptModule):  # a class for each, because PyTorch keeps the methods with the class
        def __init__(self) -> None:
            super().__init__()
            for name, value in tensors.items():
                self.register_buffer(name, value)
            for name, value in counts.items():
                setattr(self, name, torch.jit.Attribute(value, int))
            for source in sources:
                try:
                    self.define(source)
                except RuntimeError as error:
                    raise CaptureError(f"TorchScript can't read this method:\n{source}\n{error}") from error

    return CapturedNetwork()


def _type(value: Any) -> str:
    """TorchScript's name for the type of an argument; empty where it has none."""
    if value is _TENSOR:
        return "Tensor"
    if value is None:
        return "Optional[Tensor]"
    return type(value).__name__ if type(value) in (bool, int, float, str) else ""


def _literal(value: Any) -> str:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if isinstance(value, torch.device):
        return f'torch.device("{value}")'
    return repr(value)
