"""Calls of operations: those of the network that is converted, and those made on what is known of it."""

from dataclasses import dataclass
from typing import Any

import torch

from neutone_like.graph import Node, map_values, operation
from neutone_like.streaming.conversion.stream import Known


@dataclass(frozen=True)
class Call:
    """An operation of the network.

    Attributes:
        node: The operation.
        args: Its arguments, with what is known in the place of values.
        kwargs: Alike, by name.
        axes: Of time, for each of its results; ``None``: it has none.
    """

    node: Node
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    axes: tuple[int | None, ...]

    @property
    def axis(self) -> int:
        """Of time in its result."""
        axis = self.axes[0]
        assert axis is not None
        return axis

    @property
    def given(self) -> dict[str, Any]:
        """Its arguments by their names, with defaults."""
        given: dict[str, Any] = {}
        for index, argument in enumerate(operation(self.node.op)._schema.arguments):
            given[argument.name] = (
                self.args[index] if index < len(self.args) else self.kwargs.get(argument.name, argument.default_value)
            )
        return given


def call_now(op: str, *args: Any, **kwargs: Any) -> Any:
    """Run an operation, as :meth:`Writer.call` writes one."""

    def tensor(argument: Any) -> Any:
        return argument.tensor if isinstance(argument, Known) else argument

    with torch.no_grad():
        return operation(op)(*map_values(args, tensor), **map_values(kwargs, tensor))
