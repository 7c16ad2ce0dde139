"""Operations that calculate each element by itself."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.kernels import KernelId, Operation
from neutone_like.compiler.lowering.context import DOUBLES, Complex, Context, Lowered, lowers, table_of_lengths
from neutone_like.compiler.plan import Expression, Pointwise
from neutone_like.compiler.tensor import View, stride_order
from neutone_like.errors import CompileError
from neutone_like.graph import SAMPLES, Node, WholeNumber

E = Expression
O = Operation  # noqa: E741
Build = Callable[..., Expression]


def number(value: float) -> Expression:
    """A number in a program."""
    return E(O.NUMBER, (float(value),))


def apply(operation: Operation, *operands: Expression) -> Expression:
    """An operation in a program."""
    return E(operation, operands)


def pointwise(
    context: Context,
    node: Node | None,
    build: Build,
    operands: Sequence[Any],
    dims: Sequence[Extent] | None = None,
    dtype: torch.dtype | None = None,
) -> View:
    """A step that calculates ``build(*operands)`` for each element; numbers may be among the operands."""
    if node is not None:
        shape = context.shape(node)
        dims, dtype = shape.dims if dims is None else dims, dtype or shape.dtype
    assert dims is not None
    assert dtype is not None
    views: list[View] = []
    expressions: list[Expression] = []
    for each in operands:
        single = isinstance(each, torch.Tensor) and each.numel() == 1
        if isinstance(each, (int, float, bool)) or single:
            expressions.append(number(float(each)))
            continue
        if isinstance(each, (Extent, WholeNumber)):
            expressions.append(_counted(context, each, views, dims))
            continue
        expressions.append(E(O.LOAD, (len(views),)))
        views.append(context.view(each).expanded(dims))
    double = dtype in DOUBLES or any(each.tensor.double for each in views)
    out = context.new(dims, _order(views, dims), dtype in DOUBLES)
    step = Pointwise(KernelId.POINTWISE, [out], views, expression=build(*expressions), double=double)
    context.steps.append(step)
    return out


def _counted(context: Context, value: Extent | WholeNumber, views: list[View], dims: Sequence[Extent]) -> Expression:
    """A number that depends on the block's length and on counters."""
    terms = dict(value.terms) if isinstance(value, WholeNumber) else {SAMPLES: value.factor, "": value.base}
    total = number(float(terms.pop("", 0)))
    for name, factor in terms.items():
        if factor:
            view = table_of_lengths(context) if name == SAMPLES else context.counters[name]
            load = E(O.LOAD, (len(views),))
            views.append(view.expanded(dims))
            total = apply(O.ADD, total, apply(O.MULTIPLY, load, number(float(factor))))
    return total


def _order(views: Sequence[View], dims: Sequence[Extent]) -> list[int] | None:
    """The memory's order of the first operand that is not repeated."""
    for view in views:
        if all(
            stride.rows or stride.columns or size.constant == 1 for stride, size in zip(view.strides, dims, strict=True)
        ):
            return stride_order(view)
    return None


def _simple(*ops: str, **given: Any) -> Callable[[Build], Build]:
    """A rule for operations whose tensors come in this order, and no other arguments matter."""

    def declare(build: Build) -> Build:
        def rule(context: Context, node: Node, **arguments: Any) -> Lowered:
            known = [
                value
                for name, value in arguments.items()
                if name not in ("out", "memory_format", "dtype", "layout", "device", "pin_memory")
            ]
            return pointwise(context, node, build, known)

        lowers(*ops)(rule)
        return build

    return declare


for _op, _operation in {
    "neg": O.NEGATE,
    "abs": O.ABSOLUTE,
    "sqrt": O.SQUARE_ROOT,
    "reciprocal": O.RECIPROCAL,
    "exp": O.EXP,
    "expm1": O.EXPM1,
    "log": O.LOG,
    "log1p": O.LOG1P,
    "sin": O.SINE,
    "cos": O.COSINE,
    "tan": O.TANGENT,
    "tanh": O.HYPERBOLIC_TANGENT,
    "sigmoid": O.SIGMOID_OF,
    "erf": O.ERROR_FUNCTION,
    "floor": O.FLOOR,
    "ceil": O.CEILING,
    "round": O.ROUND,
    "trunc": O.TRUNCATE,
    "sign": O.SIGN,
    "sgn": O.SIGN,
    "atan": O.ARCTANGENT,
    "logical_not": O.NOT,
    "isnan": O.IS_NAN,
    "log2": O.LOG2,
    "log10": O.LOG10,
    "exp2": O.EXP2,
    "asin": O.ARCSINE,
    "acos": O.ARCCOSINE,
    "sinh": O.SINH,
    "cosh": O.COSH,
}.items():
    _simple(_op)(lambda x, _operation=_operation: apply(_operation, x))


def _binary(operation: Operation) -> Build:
    def build(a: Expression, b: Expression) -> Expression:
        if operation is O.POWER and b.operation is O.NUMBER:
            return _power(a, b.operands[0])
        if operation is O.DIVIDE and b.operation is O.NUMBER and b.operands[0]:
            inverse = 1.0 / b.operands[0]
            if math.frexp(b.operands[0])[0] in (0.5, -0.5):  # a power of two: the same
                return apply(O.MULTIPLY, a, number(inverse))
        return apply(operation, a, b)

    return build


def _power(base: Expression, exponent: float) -> Expression:
    if exponent == 2.0:
        return apply(O.MULTIPLY, base, base)
    if exponent == 1.0:
        return base
    if exponent == 0.5:
        return apply(O.SQUARE_ROOT, base)
    if exponent == -0.5:
        return apply(O.RECIPROCAL, apply(O.SQUARE_ROOT, base))
    if exponent == -1.0:
        return apply(O.RECIPROCAL, base)
    return apply(O.POWER, base, number(exponent))


for _ops, _operation in {
    ("div.Tensor", "true_divide.Tensor", "div.Scalar"): O.DIVIDE,
    ("mul.Tensor", "mul.Scalar"): O.MULTIPLY,
    ("minimum", "min.other"): O.MINIMUM,
    ("maximum", "max.other"): O.MAXIMUM,
    ("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar"): O.POWER,
    ("atan2",): O.ARCTANGENT2,
    ("remainder.Tensor", "remainder.Scalar"): O.REMAINDER,
    ("fmod.Tensor", "fmod.Scalar"): O.FMOD,
    ("lt.Tensor", "lt.Scalar"): O.LESS,
    ("le.Tensor", "le.Scalar"): O.LESS_EQUAL,
    ("eq.Tensor", "eq.Scalar"): O.EQUAL,
    ("ne.Tensor", "ne.Scalar"): O.NOT_EQUAL,
    ("gt.Tensor", "gt.Scalar"): O.GREATER,
    ("ge.Tensor", "ge.Scalar"): O.GREATER_EQUAL,
    ("logical_and",): O.AND,
    ("logical_or",): O.OR,
}.items():
    _simple(*_ops)(_binary(_operation))


def _of_truths(operation: Operation, *ops: str) -> None:
    """Rules for operations that are logical ones of truths, and something else of whole numbers."""

    def rule(context: Context, node: Node, **operands: Any) -> Lowered:
        if context.shape(node).dtype != torch.bool:
            raise CompileError("the bits of whole numbers; only truths compile")
        return pointwise(context, node, lambda *given: apply(operation, *given), list(operands.values()))

    lowers(*ops)(rule)


_of_truths(O.NOT, "bitwise_not")
_of_truths(O.AND, "bitwise_and.Tensor", "__and__.Tensor")
_of_truths(O.OR, "bitwise_or.Tensor", "__or__.Tensor")


@_simple("add.Tensor", "add.Scalar")
def _add(a: Expression, b: Expression, alpha: Expression) -> Expression:
    return apply(O.ADD, a, _scaled(b, alpha))


@_simple("sub.Tensor", "sub.Scalar")
def _sub(a: Expression, b: Expression, alpha: Expression) -> Expression:
    return apply(O.SUBTRACT, a, _scaled(b, alpha))


@_simple("rsub.Scalar", "rsub.Tensor")
def _rsub(a: Expression, b: Expression, alpha: Expression) -> Expression:
    return apply(O.SUBTRACT, b, _scaled(a, alpha))


def _scaled(value: Expression, alpha: Expression) -> Expression:
    if alpha.operands[0] == 1.0:
        return value
    if value.operation is O.NUMBER:
        return number(value.operands[0] * alpha.operands[0])
    return apply(O.MULTIPLY, value, alpha)


@_simple("relu")
def _relu(x: Expression) -> Expression:
    return apply(O.MAXIMUM, x, number(0.0))


@_simple("square")
def _square(x: Expression) -> Expression:
    return apply(O.MULTIPLY, x, x)


@_simple("hypot")
def _hypot(x: Expression, y: Expression) -> Expression:
    """From the larger, so that squares don't overflow; PyTorch's own is as careful."""
    a, b = apply(O.ABSOLUTE, x), apply(O.ABSOLUTE, y)
    large, small = apply(O.MAXIMUM, a, b), apply(O.MINIMUM, a, b)
    ratio = apply(O.DIVIDE, small, apply(O.MAXIMUM, large, number(1e-38)))
    return apply(O.MULTIPLY, large, apply(O.SQUARE_ROOT, apply(O.ADD, apply(O.MULTIPLY, ratio, ratio), number(1.0))))


@_simple("rsqrt")
def _rsqrt(x: Expression) -> Expression:
    return apply(O.RECIPROCAL, apply(O.SQUARE_ROOT, x))


@_simple("silu")
def _silu(x: Expression) -> Expression:
    return apply(O.MULTIPLY, x, apply(O.SIGMOID_OF, x))


@_simple("leaky_relu")
def _leaky_relu(x: Expression, negative_slope: Expression) -> Expression:
    return apply(O.SELECT, apply(O.GREATER, x, number(0.0)), x, apply(O.MULTIPLY, x, negative_slope))


@_simple("hardshrink")
def _hardshrink(x: Expression, lambd: Expression) -> Expression:
    return apply(O.SELECT, apply(O.LESS_EQUAL, apply(O.ABSOLUTE, x), lambd), number(0.0), x)


@_simple("where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar")
def _where(condition: Expression, a: Expression, b: Expression) -> Expression:
    return apply(O.SELECT, condition, a, b)


@_simple("masked_fill.Scalar", "masked_fill.Tensor")
def _masked_fill(x: Expression, mask: Expression, value: Expression) -> Expression:
    return apply(O.SELECT, mask, value, x)


@_simple("addcmul")
def _addcmul(x: Expression, a: Expression, b: Expression, value: Expression) -> Expression:
    return apply(O.ADD, x, _scaled(apply(O.MULTIPLY, a, b), value))


@_simple("addcdiv")
def _addcdiv(x: Expression, a: Expression, b: Expression, value: Expression) -> Expression:
    return apply(O.ADD, x, _scaled(apply(O.DIVIDE, a, b), value))


@_simple("lerp.Scalar", "lerp.Tensor")
def _lerp(a: Expression, b: Expression, weight: Expression) -> Expression:
    """PyTorch's two formulas: from the end for weights of a half and more."""
    difference = apply(O.SUBTRACT, b, a)
    near = apply(O.ADD, a, apply(O.MULTIPLY, weight, difference))
    far = apply(O.SUBTRACT, b, apply(O.MULTIPLY, difference, apply(O.SUBTRACT, number(1.0), weight)))
    if weight.operation is O.NUMBER:
        return near if abs(weight.operands[0]) < 0.5 else far
    return apply(O.SELECT, apply(O.LESS, apply(O.ABSOLUTE, weight), number(0.5)), near, far)


@_simple("floor_divide", "floor_divide.Scalar")
def _floor_divide(a: Expression, b: Expression) -> Expression:
    return apply(O.FLOOR, apply(O.DIVIDE, a, b))


@lowers("clamp", "clamp.Tensor", "clip", "clamp_min", "clamp_max", "hardtanh")
def _clamp(context: Context, node: Node, self: Lowered, **given: Any) -> Lowered:
    lowest = given.get("min", given.get("min_val"))
    highest = given.get("max", given.get("max_val"))
    operands = [each for each in (self, lowest, highest) if each is not None]

    def build(x: Expression, *bounds: Expression) -> Expression:
        rest = list(bounds)
        if lowest is not None:
            x = apply(O.MAXIMUM, x, rest.pop(0))
        return apply(O.MINIMUM, x, rest.pop(0)) if rest else x

    return pointwise(context, node, build, operands)


@lowers("fake_quantize_per_tensor_affine")
def _rounded(
    context: Context, node: Node, self: Lowered, scale: float, zero_point: int, quant_min: int, quant_max: int
) -> Lowered:
    """As PyTorch does: times the inverse of the scale, in float32; whole numbers are counted from the zero point."""
    exact = torch.tensor(scale, dtype=torch.float32)
    inverse, lowest, highest = float(1.0 / exact), quant_min - zero_point, quant_max - zero_point

    def build(x: Expression) -> Expression:
        whole = apply(O.ROUND, apply(O.MULTIPLY, x, number(inverse)))
        limited = apply(O.MINIMUM, apply(O.MAXIMUM, whole, number(lowest)), number(highest))
        return apply(O.MULTIPLY, limited, number(float(exact)))

    return pointwise(context, node, build, [self])


@lowers("prelu", "_prelu_kernel")
def _prelu(context: Context, node: Node, self: Lowered, weight: Lowered) -> Lowered:
    view, slope = context.view(self), context.view(weight)
    if slope.rank == 1 and view.rank > 1:
        for _ in range(view.rank - 2):
            slope = slope.with_one(slope.rank)
        slope = slope.with_one(0)
    return pointwise(context, node, _leaky_relu, [view, slope])


@lowers("gelu")
def _gelu(context: Context, node: Node, self: Lowered, approximate: str = "none") -> Lowered:
    def build(x: Expression) -> Expression:
        if approximate == "tanh":
            cube = apply(O.MULTIPLY, apply(O.MULTIPLY, x, x), x)
            inner = apply(O.ADD, x, apply(O.MULTIPLY, cube, number(0.044715)))
            curve = apply(O.HYPERBOLIC_TANGENT, apply(O.MULTIPLY, inner, number(math.sqrt(2.0 / math.pi))))
        else:
            curve = apply(O.ERROR_FUNCTION, apply(O.MULTIPLY, x, number(math.sqrt(0.5))))
        return apply(O.MULTIPLY, apply(O.MULTIPLY, x, number(0.5)), apply(O.ADD, curve, number(1.0)))

    return pointwise(context, node, build, [self])


@lowers("softplus")
def _softplus(context: Context, node: Node, self: Lowered, beta: float = 1.0, threshold: float = 20.0) -> Lowered:
    def build(x: Expression) -> Expression:
        scaled = apply(O.MULTIPLY, x, number(beta))
        soft = apply(O.MULTIPLY, apply(O.LOG1P, apply(O.EXP, scaled)), number(1.0 / beta))
        return apply(O.SELECT, apply(O.GREATER, scaled, number(threshold)), x, soft)

    return pointwise(context, node, build, [self])


@lowers("elu")
def _elu(
    context: Context, node: Node, self: Lowered, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
) -> Lowered:
    def build(x: Expression) -> Expression:
        below = apply(O.MULTIPLY, apply(O.EXPM1, apply(O.MULTIPLY, x, number(input_scale))), number(alpha * scale))
        return apply(O.SELECT, apply(O.GREATER, x, number(0.0)), apply(O.MULTIPLY, x, number(scale)), below)

    return pointwise(context, node, build, [self])


@lowers("complex", "view_as_complex")
def _complex(context: Context, node: Node, **given: Any) -> Lowered:
    if "self" in given:
        return Complex(context.view(given["self"]))
    return complex_of(context, context.view(given["real"]), context.view(given["imag"]))


def complex_of(context: Context, real: View, imaginary: View) -> Complex:
    """Two tensors of the same dimensions as one of complex numbers."""
    both = context.new((*real.dims, Extent.of(2)))
    for index, part in enumerate((real, imaginary)):
        context.add(KernelId.COPY, [both.selected(real.rank, Extent.of(index))], [part])
    return Complex(both)
