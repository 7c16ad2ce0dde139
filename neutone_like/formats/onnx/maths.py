"""What rules for single elements are written with: ONNX's arithmetic in one type, with short names."""

from collections.abc import Callable
from typing import Any

import torch

from neutone_like.formats.onnx.context import Context, Operand, Written, writes
from neutone_like.graph import Node

Build = Callable[..., Written]


class Maths:
    """Short names for ONNX's arithmetic in one type."""

    def __init__(self, context: Context, dtype: torch.dtype) -> None:
        self.context = context
        self.dtype = dtype

    def of(self, value: Operand) -> Written:
        """A tensor or number in this type."""
        return self.context.tensor(value, self.dtype)

    def __call__(self, op: str, *operands: Operand) -> Written:
        """An operation on operands of this type that gives it again."""
        return self.context.emit(op, [self.of(each) for each in operands], self.dtype)

    def test(self, op: str, *operands: Operand) -> Written:
        """An operation on operands of this type that says yes or no."""
        return self.context.emit(op, [self.of(each) for each in operands], torch.bool)

    def where(self, condition: Written, yes: Operand, no: Operand) -> Written:
        """One or the other."""
        return self.context.emit("Where", [condition, self.of(yes), self.of(no)], self.dtype)


def maths_of(context: Context, node: Node) -> Maths:
    """In the type of a node's result."""
    return Maths(context, context.shape(node).dtype)


def named(context: Context, node: Node, value: Written) -> Written:
    """The last of several operations, as the node's result."""
    shape = context.shape(node)
    return Written(value.name, shape.dtype, shape.dims)


def computed(*ops: str) -> Callable[[Callable[..., Written]], Callable[..., Written]]:
    """Declare a rule ``build(maths, **arguments)`` in the type of the result."""

    def declare(build: Callable[..., Written]) -> Callable[..., Written]:
        def rule(context: Context, node: Node, **given: Any) -> Written:
            return named(context, node, build(maths_of(context, node), **given))

        writes(*ops)(rule)
        return build

    return declare


def square(maths: Maths, x: Operand) -> Written:
    return maths("Mul", x, x)
