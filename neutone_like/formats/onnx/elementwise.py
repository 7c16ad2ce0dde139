"""Operations that calculate each element by itself."""

import math
from typing import Any

import torch

from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import ONNX_TYPES, Context, Operand, Written, writes
from neutone_like.formats.onnx.maths import Build, Maths, computed, square
from neutone_like.graph import Node

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


def _plain(op: str) -> Build:
    def rule(context: Context, node: Node, x: Written) -> Written:
        dtype = context.shape(node).dtype
        if not dtype.is_floating_point and op in ("Floor", "Ceil", "Round"):
            return x
        if not dtype.is_floating_point and op == "Relu":
            return context.result(node, "Max", [x, context.tensor(0, dtype)])
        return context.result(node, op, [context.cast(x, dtype)])

    return rule


for _aten, _onnx in _PLAIN.items():
    writes(_aten)(_plain(_onnx))


@computed("addcmul")
def _addcmul(maths: Maths, x: Operand, tensor1: Operand, tensor2: Operand, value: float = 1) -> Written:
    product = maths("Mul", tensor1, tensor2)
    return maths("Add", x, product if value == 1 else maths("Mul", product, value))


@computed("addcdiv")
def _addcdiv(maths: Maths, x: Operand, tensor1: Operand, tensor2: Operand, value: float = 1) -> Written:
    quotient = maths("Div", tensor1, tensor2)
    return maths("Add", x, quotient if value == 1 else maths("Mul", quotient, value))


@computed("lerp.Tensor", "lerp.Scalar")
def _lerp(maths: Maths, x: Operand, end: Operand, weight: Operand) -> Written:
    return maths("Add", x, maths("Mul", weight, maths("Sub", end, x)))


@computed("square")
def _squared(maths: Maths, x: Operand) -> Written:
    return square(maths, x)


@computed("rsqrt")
def _rsqrt(maths: Maths, x: Operand) -> Written:
    return maths("Reciprocal", maths("Sqrt", x))


@computed("pow.Tensor_Scalar")
def _pow_number(maths: Maths, x: Operand, exponent: float) -> Written:
    if exponent == 2:
        return square(maths, x)
    if exponent == 0.5:
        return maths("Sqrt", x)
    return maths("Pow", x, exponent)


@computed("pow.Tensor_Tensor", "pow.Scalar")
def _pow(maths: Maths, x: Operand, exponent: Operand) -> Written:
    return maths("Pow", x, exponent)


@computed("exp2")
def _exp2(maths: Maths, x: Operand) -> Written:
    return maths("Pow", 2.0, x)


@computed("log2")
def _log2(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Log", x), 1.0 / math.log(2.0))


@computed("log10")
def _log10(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Log", x), 1.0 / math.log(10.0))


@computed("log1p")
def log1p(maths: Maths, x: Operand) -> Written:
    """Exact for small numbers too: Kahan's way, in which the rounding of 1 + x cancels out.

    Not as a sum: OpenVINO 2026.4 takes log(exp(x) + 1) for its softplus, which is negative from -18 on.
    """
    whole = maths("Sub", x, -1.0)
    rounded = maths("Sub", whole, 1.0)
    same = maths.test("Equal", rounded, 0.0)
    quotient = maths("Div", maths("Mul", x, maths("Log", whole)), maths.where(same, 1.0, rounded))
    return maths.where(same, x, quotient)


@computed("expm1")
def expm1(maths: Maths, x: Operand) -> Written:
    """The same the other way round, where numbers are small."""
    whole = maths("Exp", x)
    rounded, logarithm = maths("Sub", whole, 1.0), maths("Log", whole)
    same = maths.test("Equal", logarithm, 0.0)
    small = maths.where(same, x, maths("Div", maths("Mul", rounded, x), maths.where(same, 1.0, logarithm)))
    return maths.where(maths.test("Less", maths("Abs", x), 0.7), small, rounded)


@computed("trunc")
def _trunc(maths: Maths, x: Operand) -> Written:
    return maths("Mul", maths("Sign", x), maths("Floor", maths("Abs", x)))


@computed("hypot")
def _hypot(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Sqrt", maths("Add", square(maths, x), square(maths, other)))


@computed("atan2")
def atan2(maths: Maths, x: Operand, other: Operand) -> Written:
    """``atan2(y, x)``, which PyTorch calls self and other."""
    zero = maths.test("Equal", other, 0.0)
    slope = maths("Atan", maths("Div", x, maths.where(zero, 1.0, other)))
    half_turn = maths.where(maths.test("Less", x, 0.0), -math.pi, math.pi)
    turned = maths.where(maths.test("Less", other, 0.0), maths("Add", slope, half_turn), slope)
    return maths.where(zero, maths("Mul", maths("Sign", x), math.pi / 2), turned)


@computed("clamp", "clip", "clamp.Tensor", "hardtanh", "clamp_min", "clamp_max")
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


@computed("fake_quantize_per_tensor_affine")
def _rounded(maths: Maths, x: Operand, scale: float, zero_point: int, quant_min: int, quant_max: int) -> Written:
    """Not ``QuantizeLinear``, which divides, and puts other numbers that lie between two levels to one of them."""
    exact = torch.tensor(scale, dtype=torch.float32)
    whole = maths("Round", maths("Mul", x, float(1.0 / exact)))
    limited = maths("Min", maths("Max", whole, float(quant_min - zero_point)), float(quant_max - zero_point))
    return maths("Mul", limited, float(exact))


@computed("maximum", "max.other")
def _maximum(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Max", x, other)


@computed("minimum", "min.other")
def _minimum(maths: Maths, x: Operand, other: Operand) -> Written:
    return maths("Min", x, other)


@computed("fmod.Tensor", "fmod.Scalar")
def _fmod(maths: Maths, x: Operand, other: Operand) -> Written:
    operands = [maths.of(x), maths.of(other)]
    return maths.context.emit("Mod", operands, maths.dtype, fmod=1)


@computed("remainder.Tensor", "remainder.Scalar")
def _remainder(maths: Maths, x: Operand, other: Operand) -> Written:
    """Of the sign of the divisor."""
    if not maths.dtype.is_floating_point:
        return maths("Mod", x, other)
    rest = _fmod(maths, x, other)
    opposite = maths.test("Less", maths("Mul", maths("Sign", rest), maths("Sign", other)), 0.0)
    return maths.where(opposite, maths("Add", rest, other), rest)


@computed("floor_divide", "floor_divide.Scalar")
def _floor_divide(maths: Maths, x: Operand, other: Operand) -> Written:
    if maths.dtype.is_floating_point:
        whole = maths("Round", maths("Div", maths("Sub", x, _remainder(maths, x, other)), other))
        return maths.where(maths.test("Equal", other, 0.0), maths("Div", x, other), whole)
    return maths("Div", maths("Sub", x, maths("Mod", x, other)), other)


@computed("where.self", "where.ScalarSelf", "where.ScalarOther", "where.Scalar")
def _where(maths: Maths, condition: Written, x: Operand, other: Operand) -> Written:
    return maths.where(maths.context.cast(condition, torch.bool), x, other)


@computed("masked_fill.Scalar", "masked_fill.Tensor")
def _masked_fill(maths: Maths, x: Operand, mask: Written, value: Operand) -> Written:
    return maths.where(mask, value, x)


@writes("to.dtype", "to.device", "to.dtype_layout", "to.other", "_to_copy", "double", "float", "type_as")
def _to(context: Context, node: Node, x: Written, **_: Any) -> Written:
    shape = context.shape(node)
    if shape.dtype not in ONNX_TYPES and shape.dtype != x.dtype:
        raise CompileError(f"tensors of {shape.dtype}")
    return context.cast(x, shape.dtype)
