"""What the rules for operations work with: the values so far, and the ONNX operations that they add."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.facts import Shape
from neutone_like.errors import CompileError
from neutone_like.graph import SAMPLES, Node, Value, WholeNumber, operation

ONNX_TYPES = {
    torch.float32: 1,
    torch.uint8: 2,
    torch.int8: 3,
    torch.int16: 5,
    torch.int32: 6,
    torch.int64: 7,
    torch.bool: 9,
    torch.float64: 11,
}
"""The numbers of ``TensorProto.DataType``."""

FIRST, LAST = -(1 << 62), 1 << 62
"""Ends of a slice that takes everything."""


@dataclass(frozen=True)
class OnnxNode:
    """One ONNX operation.

    Attributes:
        op: As in the standard.
        inputs: Names; an empty one is left out.
        outputs: Names.
        attributes: Numbers, texts and lists of them, or a :class:`Body`.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Body:
    """The inner graph of a loop; names and types of what goes in and out."""

    inputs: tuple[tuple[str, torch.dtype], ...]
    outputs: tuple[tuple[str, torch.dtype], ...]
    nodes: tuple[OnnxNode, ...]


@dataclass(frozen=True)
class Written:
    """A tensor of the file. Complex ones have a last dimension more, for real and imaginary part.

    Attributes:
        name: In the file.
        dtype: PyTorch's type.
        dims: Its dimensions, without that of complex ones.
        known: Its value, where that depends on nothing.
    """

    name: str
    dtype: torch.dtype
    dims: tuple[Extent, ...]
    known: Tensor | None = None

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.dims)

    @property
    def constant_dims(self) -> tuple[int, ...] | None:
        """The dimensions, where they are the same for every block."""
        sizes = [each.constant for each in self.dims]
        return None if None in sizes else tuple(size for size in sizes if size is not None)


Operand = Written | int | float | bool | WholeNumber | Extent
Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}
TAKES_COMPLEX: set[str] = set()


def writes(*ops: str, takes_complex: bool = False) -> Callable[[Rule], Rule]:
    """Declare how operations are written: ``rule(context, node, **arguments)``, named as in PyTorch's schema."""

    def declare(rule: Rule) -> Rule:
        for op in ops:
            name = op if "." in op else f"{op}.default"
            name = name if "::" in name else f"aten::{name}"
            RULES[name] = rule
            if takes_complex:
                TAKES_COMPLEX.add(name)
        return rule

    return declare


class Context:
    """A graph on its way into an ONNX file.

    Args:
        shapes: Of everything in the graph.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes
        self.values: dict[str, Any] = {}
        self.nodes: list[OnnxNode] = []
        self.initializers: dict[str, Tensor] = {}
        self.counters: dict[str, Written] = {}
        self.audio: Written | None = None
        self._samples: Written | None = None
        self._constants: dict[tuple[Any, ...], Written] = {}
        self._numbers: dict[Any, Written] = {}
        self._names = 0

    def write(self, node: Node) -> None:
        """Add one operation of the graph.

        Raises:
            CompileError: There is no rule for it, or the rule refuses; with the operation and its line.
        """
        rule = RULES.get(node.op)
        if node.op == "getitem":
            self.values[node.name] = self.values[node.args[0].name][node.args[1]]
            return
        if rule is None:
            raise CompileError(f"{node.place} has no form in ONNX that is known here.")
        given = self._arguments(node)
        if any(isinstance(each, Written) and each.dtype == torch.complex128 for each in given.values()):
            raise CompileError(f"{node.place} of complex numbers in double precision: use .float() before it.")
        if node.op not in TAKES_COMPLEX and any(is_complex(each) for each in given.values()):
            raise CompileError(f"{node.place} of complex numbers: use their real and imaginary parts.")
        try:
            self.values[node.name] = rule(self, node, **given)
        except CompileError as error:
            raise CompileError(f"{node.place}: {error}") from error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # arguments that a rule did not foresee
            raise CompileError(f"{node.place} has no form in ONNX with these arguments: {error}") from error

    def _arguments(self, node: Node) -> dict[str, Any]:
        names = [each.name for each in operation(node.op)._schema.arguments]
        given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        renamed = {"self": "x", "input": "x"}
        return {renamed.get(name, name): self.resolve(value) for name, value in given.items()}

    def resolve(self, value: Any) -> Any:
        """An argument with what its names stand for."""
        if isinstance(value, Value):
            return self.values[value.name]
        if isinstance(value, (list, tuple)):
            return [self.resolve(each) for each in value]
        return value

    def shape(self, node: Node) -> Shape:
        """Of a node's result."""
        return self.shapes[node.name]

    def emit(
        self, op: str, inputs: Sequence[Written | None], dtype: torch.dtype, dims: Sequence[Extent] = (), **given: Any
    ) -> Written:
        """Add an operation with one result."""
        name = self.name(op.lower())
        self.nodes.append(OnnxNode(op, _names(inputs), (name,), given))
        return Written(name, dtype, tuple(dims))

    def emit_many(
        self, op: str, inputs: Sequence[Written | None], dtypes: Sequence[torch.dtype], **given: Any
    ) -> list[Written]:
        """Add an operation with several results."""
        found = [Written(self.name(op.lower()), dtype, ()) for dtype in dtypes]
        self.nodes.append(OnnxNode(op, _names(inputs), tuple(each.name for each in found), given))
        return found

    def result(self, node: Node, op: str, inputs: Sequence[Written | None], **given: Any) -> Written:
        """Add the operation that gives a node's result."""
        shape = self.shape(node)
        return self.emit(op, inputs, shape.dtype, shape.dims, **given)

    def name(self, wanted: str) -> str:
        """One that is not taken."""
        self._names += 1
        return f"{wanted}_{self._names}"

    def constant(self, value: Tensor, name: str = "constant") -> Written:
        """A tensor that the file holds."""
        value = value.detach().contiguous()
        key = (value.dtype, tuple(value.shape), value.numpy().tobytes()) if value.numel() <= 64 else (id(value),)
        if key not in self._constants:
            written = Written(self.name(name), value.dtype, tuple(map(Extent.of, value.shape)), value)
            self.initializers[written.name] = value
            self._constants[key] = written
        return self._constants[key]

    def integers(self, values: Sequence[int | WholeNumber | Extent]) -> Written:
        """A list of whole numbers, some of which may grow with the block."""
        fixed = [_fixed(each) for each in values]
        if None not in fixed:
            return self.constant(torch.tensor(fixed, dtype=torch.int64).reshape(-1))
        parts = [self.emit("Reshape", [self.integer(each), self.integers([1])], torch.int64) for each in values]
        return parts[0] if len(parts) == 1 else self.emit("Concat", parts, torch.int64, axis=0)

    def integer(self, value: int | WholeNumber | Extent) -> Written:
        """A whole number as a tensor without dimensions."""
        fixed = _fixed(value)
        if fixed is not None:
            return self.constant(torch.tensor(fixed, dtype=torch.int64))
        key = value
        if key not in self._numbers:
            self._numbers[key] = self._computed(value)
        return self._numbers[key]

    def _computed(self, value: int | WholeNumber | Extent) -> Written:
        expression = _whole(value)
        denominator = 1
        for _, factor in expression.terms:
            denominator *= factor.denominator
        total: Written | None = None
        for name, factor in expression.terms:
            count = self.constant(torch.tensor(int(factor * denominator), dtype=torch.int64))
            term = count if not name else self.emit("Mul", [self._variable(name), count], torch.int64)
            total = term if total is None else self.emit("Add", [total, term], torch.int64)
        assert total is not None
        if denominator == 1:
            return total
        return self.emit("Div", [total, self.constant(torch.tensor(denominator, dtype=torch.int64))], torch.int64)

    def _variable(self, name: str) -> Written:
        if name != SAMPLES:
            return self.counters[name]
        if self._samples is None:
            assert self.audio is not None
            shape = self.emit("Shape", [self.audio], torch.int64, start=-1)
            self._samples = self.emit("Reshape", [shape, self.integers([])], torch.int64)
        return self._samples

    def tensor(self, value: Operand, dtype: torch.dtype) -> Written:
        """A tensor or a number, in this type."""
        if isinstance(value, Written):
            return self.cast(value, dtype)
        if isinstance(value, (WholeNumber, Extent)):
            return self.cast(self.integer(value), dtype)
        return self.constant(torch.tensor(value, dtype=dtype))

    def cast(self, value: Written, dtype: torch.dtype) -> Written:
        """In another type."""
        if value.dtype == dtype:
            return value
        if value.known is not None:
            return self.constant(value.known.to(dtype))
        if dtype not in ONNX_TYPES:
            raise CompileError(f"tensors of {dtype}")
        return self.emit("Cast", [value], dtype, value.dims, to=ONNX_TYPES[dtype])

    def reshaped(self, value: Written, dims: Sequence[Extent | int]) -> Written:
        """Under other dimensions; of complex numbers too."""
        sizes: list[int | Extent] = list(dims)
        if is_complex(value):
            sizes.append(2)
        fixed = [_fixed(each) for each in sizes]
        if fixed.count(None) == 1 and 0 not in fixed:
            shape, zero = self.integers([-1 if each is None else each for each in fixed]), 0
        else:
            shape, zero = self.integers(sizes), 1
        whole = tuple(map(Extent.of, dims))
        if value.known is not None and None not in fixed:
            return self.constant(value.known.reshape([each for each in fixed if each is not None]))
        return self.emit("Reshape", [value, shape], value.dtype, whole, allowzero=zero)

    def sliced(
        self,
        value: Written,
        dim: int,
        start: int | WholeNumber | Extent,
        end: int | WholeNumber | Extent,
        step: int = 1,
        dims: Sequence[Extent] = (),
    ) -> Written:
        """Part of a tensor along a dimension that is not negative."""
        bounds = [self.integers([each]) for each in (start, end, dim, step)]
        return self.emit("Slice", [value, *bounds], value.dtype, dims)

    def permuted(self, value: Written, order: Sequence[int]) -> Written:
        """With its dimensions in another order."""
        dims = tuple(value.dims[each] for each in order) if value.dims else ()
        if value.known is not None and not is_complex(value):
            return self.constant(value.known.permute(*order).contiguous())
        places = [*order, len(order)] if is_complex(value) else list(order)
        return self.emit("Transpose", [value], value.dtype, dims, perm=places)

    def with_one(self, value: Written, dim: int) -> Written:
        """With a dimension of one more, before ``dim``."""
        dims = (*value.dims[:dim], Extent.of(1), *value.dims[dim:])
        return self.emit("Unsqueeze", [value, self.integers([dim])], value.dtype, dims)

    def without_one(self, value: Written, dim: int) -> Written:
        """Without a dimension of one."""
        dims = (*value.dims[:dim], *value.dims[dim + 1 :])
        return self.emit("Squeeze", [value, self.integers([dim])], value.dtype, dims)


def is_complex(value: Any) -> bool:
    """Whether a value is a tensor of complex numbers."""
    return isinstance(value, Written) and value.dtype.is_complex


def _names(inputs: Sequence[Written | None]) -> tuple[str, ...]:
    return tuple("" if each is None else each.name for each in inputs)


def _whole(value: int | WholeNumber | Extent) -> WholeNumber:
    if isinstance(value, WholeNumber):
        return value
    extent = Extent.of(value)
    terms = (("", extent.base), (SAMPLES, extent.factor))
    return WholeNumber(tuple((name, factor) for name, factor in terms if factor))


def _fixed(value: int | WholeNumber | Extent) -> int | None:
    if isinstance(value, int):
        return value
    terms = _whole(value).terms
    if any(name for name, _ in terms):
        return None
    return int(terms[0][1]) if terms else 0
