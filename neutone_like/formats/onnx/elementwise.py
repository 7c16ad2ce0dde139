"""Operations that calculate each element by itself."""

import math
from collections.abc import Callable
from typing import Any

import torch

from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import ONNX_TYPES, Context, Operand, Written, is_complex, writes
from neutone_like.graph import Node

Build = Callable[..., Written]

_PLAIN = {
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "floor": "Floor",
    "ceil": "Ceil",
    "round": "Round",
    "erf": "Erf",
    "reciprocal": "Reciprocal",
    "sign": "Sign",
    "sgn": "Sign",
    "relu": "Relu",
}


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


def _maths(context: Context, node: Node) -> Maths:
    return Maths(context, context.shape(node).dtype)


def _named(context: Context, node: Node, value: Written) -> Written:
    """The last of several operations, as the node's result."""
    shape = context.shape(node)
    return Written(value.name, shape.dtype, shape.dims)


def _plain(op: str) -> Build:
    def rule(context: Context, node: Node, x: Written) -> Written:
        return context.result(node, op, [context.cast(x, context.shape(node).dtype)])

    return rule


for _aten, _onnx in _PLAIN.items():
    writes(_aten)(_plain(_onnx))


def _computed(*ops: str) -> Callable[[Callable[..., Written]], Callable[..., Written]]:
    """Declare a rule ``build(maths, **arguments)`` in the type of the result."""

    def declare(build: Callable[..., Written]) -> Callable[..., Written]:
        def rule(context: Context, node: Node, **given: Any) -> Written:
            return _named(context, node, build(_maths(context, node), **given))

        writes(*ops)(rule)
        return build

    return declare


def _parts(context: Context, value: Written) -> tuple[Written, Written]:
    """Real and imaginary part."""
    real = torch.float64 if value.dtype == torch.complex128 else torch.float32
    found = [context.emit("Gather", [value, context.integer(index)], real, value.dims, axis=-1) for index in (0, 1)]
    return found[0], found[1]


def _pair(context: Context, node: Node, real: Written, imaginary: Written) -> Written:
    """A complex result of its parts, which may be smaller than the result."""
    shape = context.shape(node)
    last = context.integers([-1])
    both = [context.emit("Unsqueeze", [each, last], each.dtype) for each in (real, imaginary)]
    return context.emit("Concat", both, shape.dtype, shape.dims, axis=-1)


@writes("neg", takes_complex=True)
def _neg(context: Context, node: Node, x: Written) -> Written:
    return context.result(node, "Neg", [x])


@writes("abs", takes_complex=True)
def _abs(context: Context, node: Node, x: Written) -> Written:
    if not is_complex(x):
        return context.result(node, "Abs", [x])
    real, imaginary = _parts(context, x)
    maths = _maths(context, node)
    return _named(context, node, maths("Sqrt", maths("Add", maths("Mul", real, real), _square(maths, imaginary))))


def _square(maths: Maths, x: Operand) -> Written:
    return maths("Mul", x, x)


@writes("real", takes_complex=True)
def _real(context: Context, node: Node, x: Written) -> Written:
    return _named(context, node, _parts(context, x)[0]) if is_complex(x) else x


@writes("imag", takes_complex=True)
def _imag(context: Context, node: Node, x: Written) -> Written:
    return _named(context, node, _parts(context, x)[1])


@writes("_conj", "conj", takes_complex=True)
def _conj(context: Context, node: Node, x: Written) -> Written:
    if not is_complex(x):
        return x
    return context.result(node, "Mul", [x, context.constant(torch.tensor([1.0, -1.0]))])


@writes("view_as_real", takes_complex=True)
def _view_as_real(context: Context, node: Node, x: Written) -> Written:
    return _named(context, node, x)


@writes("view_as_complex")
def _view_as_complex(context: Context, node: Node, x: Written) -> Written:
    return _named(context, node, x)


@writes("complex")
def _complex(context: Context, node: Node, real: Written, imag: Written) -> Written:
    return _pair(context, node, real, imag)


@writes("polar")
def _polar(context: Context, node: Node, abs: Written, angle: Written) -> Written:
    maths = Maths(context, abs.dtype)
    return _pair(context, node, maths("Mul", abs, maths("Cos", angle)), maths("Mul", abs, maths("Sin", angle)))


@writes("add.Tensor", "add.Scalar", takes_complex=True)
def _add(context: Context, node: Node, x: Operand, other: Operand, alpha: float = 1) -> Written:
    return _sum(context, node, "Add", x, other, alpha)


@writes("sub.Tensor", "sub.Scalar", takes_complex=True)
def _sub(context: Context, node: Node, x: Operand, other: Operand, alpha: float = 1) -> Written:
    return _sum(context, node, "Sub", x, other, alpha)


@writes("rsub.Tensor", "rsub.Scalar")
def _rsub(context: Context, node: Node, x: Operand, other: Operand, alpha: float = 1) -> Written:
    return _sum(context, node, "Sub", other, x if alpha == 1 else _maths(context, node)("Mul", x, alpha), 1)


def _sum(context: Context, node: Node, op: str, x: Operand, other: Operand, alpha: float) -> Written:
    shape = context.shape(node)
    if shape.dtype.is_complex:
        if alpha != 1:
            other = _scaled(context, other, alpha)
        return context.result(node, op, [_as_complex(context, x), _as_complex(context, other)])
    if shape.dtype == torch.bool:
        return context.result(node, "Or", [context.tensor(x, torch.bool), context.tensor(other, torch.bool)])
    maths = _maths(context, node)
    return _named(context, node, maths(op, x, other if alpha == 1 else maths("Mul", other, alpha)))


def _scaled(context: Context, value: Operand, factor: float) -> Operand:
    if not isinstance(value, Written):
        raise AssertionError("numbers come without a factor")
    return context.emit("Mul", [value, context.constant(torch.tensor(float(factor)))], value.dtype, value.dims)


def _as_complex(context: Context, value: Operand) -> Written:
    if is_complex(value):
        assert isinstance(value, Written)
        return value
    real = context.tensor(value, torch.float32)
    last = context.integers([-1])
    parts = context.emit("Unsqueeze", [real, last], torch.float32)
    return context.emit("Mul", [parts, context.constant(torch.tensor([1.0, 0.0]))], torch.complex64, real.dims)


@writes("mul.Tensor", "mul.Scalar", takes_complex=True)
def _mul(context: Context, node: Node, x: Operand, other: Operand) -> Written:
    shape = context.shape(node)
    if shape.dtype == torch.bool:
        return context.result(node, "And", [context.tensor(x, torch.bool), context.tensor(other, torch.bool)])
    if not shape.dtype.is_complex:
        return context.result(node, "Mul", [context.tensor(each, shape.dtype) for each in (x, other)])
    x, other = (_number(context, each) if isinstance(each, complex) else each for each in (x, other))
    if is_complex(x) and is_complex(other):
        assert isinstance(x, Written)
        assert isinstance(other, Written)
        (a, b), (c, d) = _parts(context, x), _parts(context, other)
        maths = Maths(context, a.dtype)
        real = maths("Sub", maths("Mul", a, c), maths("Mul", b, d))
        return _pair(context, node, real, maths("Add", maths("Mul", a, d), maths("Mul", b, c)))
    whole, factor = (x, other) if is_complex(x) else (other, x)
    assert isinstance(whole, Written)
    return context.result(node, "Mul", [whole, _beside_complex(context, factor)])


def _number(context: Context, value: complex) -> Written:
    """A complex number of Python's."""
    parts = context.constant(torch.tensor([value.real, value.imag]))
    return Written(parts.name, torch.complex64, ())


def _beside_complex(context: Context, factor: Operand) -> Written:
    real = context.tensor(factor, torch.float32)
    if not isinstance(factor, Written):
        return real
    return context.emit("Unsqueeze", [real, context.integers([-1])], torch.float32)


@writes("div.Tensor", "div.Scalar", "true_divide.Tensor", takes_complex=True)
def _div(context: Context, node: Node, x: Operand, other: Operand) -> Written:
    shape = context.shape(node)
    if not shape.dtype.is_complex:
        return context.result(node, "Div", [context.tensor(each, shape.dtype) for each in (x, other)])
    if is_complex(other):
        raise CompileError("division by complex numbers: multiply by the conjugate, and divide by the square")
    assert isinstance(x, Written)
    return context.result(node, "Div", [x, _beside_complex(context, other)])


@_computed("addcmul")
def _addcmul(maths: Maths, x: Operand, tensor1: Operand, tensor2: Operand, value: float = 1) -> Written:
    product = maths("Mul", tensor1, tensor2)
    return maths("Add", x, product if value == 1 else maths("Mul", product, value))


@_computed("addcdiv")
def _addcdiv(maths: Maths, x: Operand, tensor1: Operand, tensor2: Operand, value: float = 1) -> Written:
    quotient = maths("Div", tensor1, tensor2)
    return maths("Add", x, quotient if value == 1 else maths("Mul", quotient, value))


@_computed("lerp.Tensor", "lerp.Scalar")
def _lerp(maths: Maths, x: Operand, end: Operand, weight: Operand) -> Written:
    return maths("Add", x, maths("Mul", weight, maths("Sub", end, x)))


@_computed("square")
def _squared(maths: Maths, x: Operand) -> Written:
    return _square(maths, x)


@_computed("rsqrt")
def _rsqrt(maths: Maths, x: Operand) -> Written:
    return maths("Reciprocal", maths("Sqrt", x))


@_computed("pow.Tensor_Scalar")
def _pow_number(maths: Maths, x: Operand, exponent: float) -> Written:
    if exponent == 2:
        return _square(maths, x)
    if exponent == 0.5:
        return maths("Sqrt", x)
    return maths("Pow", x, exponent)


@_computed("pow.Tensor_Tensor", "pow.Scalar")
def _pow(maths: Maths, x: Operand, exponent: Operand) -> Written:
    return maths("Pow", x, exponent)


@_computed("exp2")
def _exp2(maths: Maths, x: Operand) -> Written:
    return maths("Pow", 2.0, x)


@_computed("log2")
def _log2(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Log", x), 1.0 / math.log(2.0))


@_computed("log10")
def _log10(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Log", x), 1.0 / math.log(10.0))


@_computed("log1p")
def _log1p(maths: Maths, x: Operand) -> Written:
    """Exact for small numbers too: Kahan's way, in which the rounding of 1 + x cancels out."""
    whole = maths("Add", x, 1.0)
    rounded = maths("Sub", whole, 1.0)
    same = maths.test("Equal", rounded, 0.0)
    quotient = maths("Div", maths("Mul", x, maths("Log", whole)), maths.where(same, 1.0, rounded))
    return maths.where(same, x, quotient)


@_computed("expm1")
def _expm1(maths: Maths, x: Operand) -> Written:
    """The same the other way round, where numbers are small."""
    whole = maths("Exp", x)
    rounded, logarithm = maths("Sub", whole, 1.0), maths("Log", whole)
    same = maths.test("Equal", logarithm, 0.0)
    small = maths.where(same, x, maths("Div", maths("Mul", rounded, x), maths.where(same, 1.0, logarithm)))
    return maths.where(maths.test("Less", maths("Abs", x), 0.7), small, rounded)


@_computed("trunc")
def _trunc(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Sign", x), maths("Floor", maths("Abs", x)))


@_computed("hypot")
def _hypot(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Sqrt", maths("Add", _square(maths, x), _square(maths, other)))


@_computed("atan2")
def _atan2(maths: Maths, x: Operand, other: Operand) -> Written:
    """``atan2(y, x)``, which PyTorch calls self and other."""
    zero = maths.test("Equal", other, 0.0)
    slope = maths("Atan", maths("Div", x, maths.where(zero, 1.0, other)))
    half_turn = maths.where(maths.test("Less", x, 0.0), -math.pi, math.pi)
    turned = maths.where(maths.test("Less", other, 0.0), maths("Add", slope, half_turn), slope)
    return maths.where(zero, maths("Mul", maths("Sign", x), math.pi / 2), turned)


@_computed("silu")
def _silu(maths: Maths, x: Operand) -> Written:
    return maths("Mul", x, maths("Sigmoid", x))


@writes("gelu")
def _gelu(context: Context, node: Node, x: Written, approximate: str = "none") -> Written:
    return context.result(node, "Gelu", [x], approximate=approximate)


@writes("leaky_relu")
def _leaky_relu(context: Context, node: Node, x: Written, negative_slope: float = 0.01) -> Written:
    return context.result(node, "LeakyRelu", [x], alpha=float(negative_slope))


@_computed("elu")
def _elu(maths: Maths, x: Operand, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Written:
    below = maths("Mul", _expm1(maths, maths("Mul", maths("Min", x, 0.0), input_scale)), alpha * scale)
    return maths.where(maths.test("Greater", x, 0.0), x if scale == 1 else maths("Mul", x, scale), below)


@_computed("softplus")
def _softplus(maths: Maths, x: Operand, beta: float = 1, threshold: float = 20) -> Written:
    scaled = maths("Mul", x, beta)
    steep = maths.test("Greater", scaled, threshold)
    return maths.where(steep, x, maths("Div", _log1p(maths, maths("Exp", maths.where(steep, 0.0, scaled))), beta))


@_computed("hardshrink")
def _hardshrink(maths: Maths, x: Operand, lambd: float = 0.5) -> Written:
    return maths.where(maths.test("LessOrEqual", maths("Abs", x), lambd), 0.0, x)


@writes("prelu", "_prelu_kernel")
def _prelu(context: Context, node: Node, x: Written, weight: Written) -> Written:
    if weight.rank == 1 and x.rank > 1:
        weight = context.reshaped(weight, [weight.dims[0], *[1] * (x.rank - 2)])
    maths = _maths(context, node)
    return _named(context, node, maths.where(maths.test("Greater", x, 0.0), x, maths("Mul", weight, x)))


@_computed("clamp", "clip", "clamp.Tensor", "hardtanh", "clamp_min", "clamp_max")
def _clamp(
    maths: Maths,
    x: Operand,
    min: Operand | None = None,
    max: Operand | None = None,
    min_val: float | None = None,
    max_val: float | None = None,
) -> Written:
    if min_val is None and max_val is None and min is None and max is None:
        return maths.of(x)
    low, high = (min if min is not None else min_val), (max if max is not None else max_val)
    found = maths.of(x)
    if low is not None:
        found = maths("Max", found, low)
    return found if high is None else maths("Min", found, high)


@_computed("maximum", "max.other")
def _maximum(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Max", x, other)


@_computed("minimum", "min.other")
def _minimum(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Min", x, other)


@_computed("fmod.Tensor", "fmod.Scalar")
def _fmod(maths: Maths, x: Operand, other: Operand) -> Written:
    operands = [maths.of(x), maths.of(other)]
    return maths.context.emit("Mod", operands, maths.dtype, fmod=1)


@_computed("remainder.Tensor", "remainder.Scalar")
def _remainder(maths: Maths, x: Operand, other: Operand) -> Written:
    """Of the sign of the divisor."""
    if not maths.dtype.is_floating_point:
        return maths("Mod", x, other)
    rest = _fmod(maths, x, other)
    opposite = maths.test("Less", maths("Mul", maths("Sign", rest), maths("Sign", other)), 0.0)
    return maths.where(opposite, maths("Add", rest, other), rest)


@_computed("floor_divide", "floor_divide.Scalar")
def _floor_divide(maths: Maths, x: Operand, other: Operand) -> Written:
    if maths.dtype.is_floating_point:
        return maths("Floor", maths("Div", x, other))
    return maths("Div", maths("Sub", x, maths("Mod", x, other)), other)


@_computed("where.self", "where.ScalarSelf", "where.ScalarOther", "where.Scalar")
def _where(maths: Maths, condition: Written, x: Operand, other: Operand) -> Written:
    return maths.where(maths.context.cast(condition, torch.bool), x, other)


@_computed("masked_fill.Scalar", "masked_fill.Tensor")
def _masked_fill(maths: Maths, x: Operand, mask: Written, value: Operand) -> Written:
    return maths.where(mask, value, x)


_COMPARISONS = {
    "eq": "Equal",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt": "Less",
    "le": "LessOrEqual",
    "ne": "Equal",
}


def _comparison(name: str, op: str) -> Build:
    def rule(context: Context, node: Node, x: Written, other: Operand) -> Written:
        dtype = torch.promote_types(x.dtype, _own_type(x, other))
        if dtype == torch.bool:
            dtype = torch.uint8 if op != "Equal" else torch.bool
        operands = [context.tensor(each, dtype) for each in (x, other)]
        if name != "ne":
            return context.result(node, op, operands)
        return context.result(node, "Not", [context.emit(op, operands, torch.bool)])

    return rule


def _own_type(x: Written, other: Operand) -> torch.dtype:
    if isinstance(other, Written):
        return other.dtype
    if isinstance(other, float) and not x.dtype.is_floating_point:
        return torch.float32
    return torch.int64 if x.dtype == torch.bool and not isinstance(other, bool) else x.dtype


for _aten, _onnx in _COMPARISONS.items():
    writes(f"{_aten}.Tensor", f"{_aten}.Scalar")(_comparison(_aten, _onnx))


def _logic(op: str) -> Build:
    def rule(context: Context, node: Node, x: Written, other: Written) -> Written:
        dtype = context.shape(node).dtype
        if dtype == torch.bool:
            return context.result(node, op, [context.cast(each, torch.bool) for each in (x, other)])
        return context.result(node, f"Bitwise{op}", [context.cast(each, dtype) for each in (x, other)])

    return rule


writes("logical_and", "bitwise_and.Tensor", "__and__.Tensor")(_logic("And"))
writes("logical_or", "bitwise_or.Tensor", "__or__.Tensor")(_logic("Or"))


@writes("logical_not", "bitwise_not")
def _not(context: Context, node: Node, x: Written) -> Written:
    boolean = context.shape(node).dtype == torch.bool
    return context.result(node, "Not" if boolean else "BitwiseNot", [context.cast(x, torch.bool) if boolean else x])


@writes("isnan")
def _isnan(context: Context, node: Node, x: Written) -> Written:
    return context.result(node, "IsNaN", [x])


@writes("to.dtype", "to.device", "to.dtype_layout", "to.other", "_to_copy", "double", "float", "type_as")
def _to(context: Context, node: Node, x: Written, **_: Any) -> Written:
    shape = context.shape(node)
    if shape.dtype not in ONNX_TYPES and shape.dtype != x.dtype:
        raise CompileError(f"tensors of {shape.dtype}")
    return context.cast(x, shape.dtype)
