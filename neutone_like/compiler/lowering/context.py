"""What the rules for operations work with: the values so far, and the steps that they add."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.facts import Shape
from neutone_like.compiler.kernels import FLOAT32_ONLY, KernelId
from neutone_like.compiler.plan import Step
from neutone_like.compiler.reshaping import reshaped
from neutone_like.compiler.tensor import Kind, Stride, View, new_tensor
from neutone_like.errors import CompileError
from neutone_like.graph import SAMPLES, Node, Value, WholeNumber, operation

DOUBLES = (torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
"""Types whose values live in float64: whole numbers are exact there up to 2 ** 53."""

KNOWN = (torch.float32, torch.bool, *DOUBLES)


@dataclass(frozen=True)
class Joined:
    """Tensors side by side along a dimension, not yet in one piece.

    Attributes:
        parts: In order.
        dim: Along which they follow each other.
        dims: Of the whole.
    """

    parts: tuple[View, ...]
    dim: int
    dims: tuple[Extent, ...]


@dataclass(frozen=True)
class Reshaped:
    """A view under dimensions that its strides don't allow, not yet copied."""

    view: View
    dims: tuple[Extent, ...]


@dataclass(frozen=True)
class Complex:
    """Complex numbers: a view whose last dimension holds real and imaginary part."""

    view: View


Lowered = View | Joined | Reshaped | Complex | torch.Tensor
Rule = Callable[..., Any]


def rank_of(value: Lowered) -> int:
    """How many dimensions a value has for PyTorch."""
    if isinstance(value, Complex):
        return value.view.rank - 1
    return value.dim() if isinstance(value, torch.Tensor) else len(value.dims)


RULES: dict[str, Rule] = {}
COMPLEX_RULES: dict[str, Rule] = {}


def lowers(*ops: str) -> Callable[[Rule], Rule]:
    """Declare how operations become steps: ``rule(context, node, **arguments)``, named as in PyTorch's schema."""

    return _declaring(RULES, ops)


def lowers_complex(*ops: str) -> Callable[[Rule], Rule]:
    """The same where an operand is complex, and the operation has another rule for real numbers."""

    return _declaring(COMPLEX_RULES, ops)


def _declaring(rules: dict[str, Rule], ops: Sequence[str]) -> Callable[[Rule], Rule]:
    def declare(rule: Rule) -> Rule:
        for op in ops:
            name = op if "." in op else f"{op}.default"
            rules[name if "::" in name else f"aten::{name}"] = rule
        return rule

    return declare


def _refuse_doubles(step: Step) -> None:
    """What is calculated in float64 must not be rounded to float32 in silence."""
    given = [view.tensor for view in step.views if view.tensor.kind is not Kind.CONSTANT]
    if step.kernel in FLOAT32_ONLY and any(tensor.double for tensor in given):
        raise CompileError(
            f"{step.line}: in float64, and convolutions, products, recurrent layers and transforms compile in float32; "
            "float64 is for what is calculated number by number, and for sums. Use .float() before it; TorchScript "
            "plays it as it is."
        )


class Context:
    """A graph on its way to steps.

    Args:
        shapes: Of everything in the graph.
        granule: The longest block in samples.
    """

    def __init__(self, shapes: Mapping[str, Shape], granule: int) -> None:
        self.shapes = shapes
        self.granule = granule
        self.values: dict[str, Any] = {}
        self.steps: list[Step] = []
        self.counters: dict[str, View] = {}
        self.lengths: View | None = None
        self._together: dict[int, tuple[Joined | Reshaped, View]] = {}
        self._constants: dict[int, tuple[torch.Tensor, View]] = {}
        self._names = 0

    def shape(self, node: Node) -> Shape:
        """Of a node's result."""
        return self.shapes[node.name]

    def resolve(self, value: Any) -> Any:
        """An argument: what stands for a tensor, an :class:`Extent`, or what it is."""
        if isinstance(value, Value):
            return self.values[value.name]
        if isinstance(value, (list, tuple)):
            return [self.resolve(each) for each in value]
        if isinstance(value, WholeNumber) and {name for name, _ in value.terms} <= {"", SAMPLES}:
            return Extent.of(value)
        return value

    def lower(self, node: Node) -> None:
        """Add what a node needs.

        Raises:
            CompileError: There is no rule for it, or not for this form; the message has the line.
        """
        where = node.place
        if node.op == "getitem":
            self.values[node.name] = self.values[node.args[0].name][node.args[1]]
            return
        arguments = {key: self.resolve(value) for key, value in bound_arguments(node).items()}
        if self._is_constant(arguments.values()):
            self.values[node.name] = _folded(node, arguments)
            return
        rule = _rule(node, arguments)
        if rule is None:
            raise CompileError(f"{where} is not among the operations that compile. {_advice(node)}")
        shape = self.shapes.get(node.name)
        if shape is not None and shape.dtype not in (*KNOWN, torch.complex64):
            raise CompileError(
                f"{where} gives {shape.dtype}; compiled models hold float32, float64 and whole numbers. Calculate "
                "in float32 there; TorchScript plays it as it is."
            )
        before = len(self.steps)
        try:
            self.values[node.name] = rule(self, node, **arguments)
        except CompileError as error:
            raise CompileError(f"{where}: {error}") from error
        except Exception as error:  # a mistake in a rule must not look like one in the model
            raise CompileError(
                f"{where}: the compiler fails on it ({type(error).__name__}: {error}); TorchScript plays it. Please "
                "report it with the model."
            ) from error
        for step in self.steps[before:]:
            step.line = step.line or where
            _refuse_doubles(step)

    @staticmethod
    def _is_constant(arguments: Any) -> bool:
        flat: list[Any] = []
        pending = list(arguments)
        while pending:
            each = pending.pop()
            if isinstance(each, list):
                pending += each
            else:
                flat.append(each)
        dynamic = any(isinstance(each, (View, Joined, Reshaped, Complex, Extent, WholeNumber)) for each in flat)
        return not dynamic

    def new(self, dims: Sequence[Extent], order: Sequence[int] | None = None, double: bool = False) -> View:
        """A fresh tensor, laid out in this order of its dimensions."""
        self._names += 1
        return new_tensor(f"t{self._names}", dims, order or range(len(dims)), self.granule, double)

    def add(self, kernel: KernelId, outputs: list[View], inputs: list[View], integers: Sequence[int] = ()) -> Step:
        """Another step."""
        step = Step(kernel, outputs, inputs, list(integers))
        self.steps.append(step)
        return step

    def view(self, value: Any) -> View:
        """A value as a strided view, copied together where it lies apart.

        Raises:
            CompileError: It is not a tensor of real numbers.
        """
        if isinstance(value, View):
            return value
        if isinstance(value, torch.Tensor):
            return self.constant(value)
        if isinstance(value, (Reshaped, Joined)):
            if id(value) not in self._together:
                view = self._copied(value) if isinstance(value, Reshaped) else self._joined(value)
                self._together[id(value)] = (value, view)
            return self._together[id(value)][1]
        got = "complex ones; take their abs, or their real and imaginary parts" if isinstance(value, Complex) else ""
        raise CompileError(f"a tensor of real numbers was expected here, got {got or type(value).__name__}")

    def _copied(self, value: Reshaped) -> View:
        dense = self.new(value.view.dims, double=value.view.tensor.double)
        found = reshaped(dense, value.dims)
        if found is None:
            dense = self.dense(value.view.dims, value.view.tensor.double)
            found = reshaped(dense, value.dims)
            assert found is not None
        self.add(KernelId.COPY, [dense], [value.view])
        return found

    def dense(self, dims: Sequence[Extent], double: bool = False) -> View:
        """A fresh tensor without padding: all in one row. Only the first dimension may depend on the block."""
        columns = Extent.of(1)
        strides: list[int] = []
        for each in reversed(dims):
            size = columns.constant
            if size is None:
                raise CompileError("a shape that mixes time with something else")
            strides.insert(0, size)
            columns = each * size
        flat = self.new([columns], double=double)
        return replace(flat, dims=tuple(dims), strides=tuple(Stride(0, step) for step in strides))

    def _joined(self, value: Joined) -> View:
        """In one piece. Copies of tensors that nobody else placed are taken out later."""
        double = any(each.tensor.double for each in value.parts)
        order = list(range(len(value.dims)))
        if value.dim == len(order) - 1 > 0 and all(each.dims[-1] == ONE for each in value.parts):
            order.insert(-1, order.pop())  # what is stacked last lies apart, so that time stays in one piece
        whole = self.new(value.dims, order, double)
        start = ZERO
        for part in value.parts:
            self.add(KernelId.COPY, [whole.sliced(value.dim, start, part.dims[value.dim])], [part])
            start = start + part.dims[value.dim]
        return whole

    def constant(self, value: torch.Tensor, *, is_packed: bool = False) -> View:
        """A tensor of the graph's own; or one whose bits are shorter numbers, any of which may look like NaN.

        Raises:
            CompileError: It holds NaN, or something other than numbers.
        """
        known = self._constants.get(id(value))
        if known is not None:
            return known[1]
        if value.dtype not in KNOWN:
            raise CompileError(f"a constant of type {value.dtype}; float32, float64 and whole numbers compile")
        if value.is_floating_point() and not is_packed and bool(value.isnan().any()):
            raise CompileError("a weight or table holds NaN; train or load it again")
        double = value.dtype in DOUBLES
        data = value.detach().to(torch.float64 if double else torch.float32).contiguous()
        dims = tuple(Extent.of(size) for size in data.shape)
        flat = self.dense(dims, double) if dims else self.new((), double=double)
        flat.tensor.kind, flat.tensor.data = Kind.CONSTANT, data
        self._constants[id(value)] = (value, flat)
        return flat


def table_of_lengths(context: Context) -> View:
    """The block's own length in samples: the place in a table of whole numbers that it says."""
    if context.lengths is None:
        numbers = torch.arange(context.granule + 1, dtype=torch.float64)
        context.lengths = context.constant(numbers).selected(0, Extent(ZERO.base, ONE.base))
    return context.lengths


def bound_arguments(node: Node) -> dict[str, Any]:
    """A node's arguments by the names of PyTorch's schema, with its defaults."""
    schema = operation(node.op)._schema.arguments
    found = {each.name: each.default_value for each in schema}
    found.update(zip((each.name for each in schema), node.args, strict=False))
    found.update(node.kwargs)
    return found


def _rule(node: Node, arguments: Mapping[str, Any]) -> Rule | None:
    if node.op in COMPLEX_RULES:
        flat = [each for value in arguments.values() for each in (value if isinstance(value, list) else [value])]
        if any(isinstance(each, (Complex, complex)) for each in flat):
            return COMPLEX_RULES[node.op]
    return RULES.get(node.op)


def _folded(node: Node, arguments: Mapping[str, Any]) -> Any:
    known = {each.name for each in operation(node.op)._schema.arguments if not each.kwarg_only}
    given = [value for name, value in arguments.items() if name in known]
    named = {name: value for name, value in arguments.items() if name not in known}
    with torch.no_grad():
        return operation(node.op)(*given, **named)


def _advice(node: Node) -> str:
    name = node.op.removeprefix("aten::").partition(".")[0]
    if torch.Tag.dynamic_output_shape in operation(node.op).tags:
        return "How much it gives depends on values, and sizes don't: choose with torch.where. TorchScript plays it."
    return (
        f"TorchScript plays it. To compile, calculate {name} with operations that are in the table of the docs "
        "(docs/reference/compiled-operations)."
    )
