"""Activations of networks."""

from neutone_like.formats.onnx.context import Context, Operand, Written, writes
from neutone_like.formats.onnx.elementwise import expm1, log1p
from neutone_like.formats.onnx.maths import Maths, computed, maths_of, named
from neutone_like.graph import Node


@computed("silu")
def _silu(maths: Maths, x: Operand) -> Written:
    return maths("Mul", x, maths("Sigmoid", x))


@writes("gelu")
def _gelu(context: Context, node: Node, x: Written, approximate: str = "none") -> Written:
    return context.result(node, "Gelu", [x], approximate=approximate)


@writes("leaky_relu")
def _leaky_relu(context: Context, node: Node, x: Written, negative_slope: float = 0.01) -> Written:
    return context.result(node, "LeakyRelu", [x], alpha=float(negative_slope))


@computed("elu")
def _elu(maths: Maths, x: Operand, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Written:
    below = maths("Mul", expm1(maths, maths("Mul", maths("Min", x, 0.0), input_scale)), alpha * scale)
    return maths.where(maths.test("Greater", x, 0.0), x if scale == 1 else maths("Mul", x, scale), below)


@computed("softplus")
def _softplus(maths: Maths, x: Operand, beta: float = 1, threshold: float = 20) -> Written:
    scaled = maths("Mul", x, beta)
    steep = maths.test("Greater", scaled, threshold)
    return maths.where(steep, x, maths("Div", log1p(maths, maths("Exp", maths.where(steep, 0.0, scaled))), beta))


@computed("hardshrink")
def _hardshrink(maths: Maths, x: Operand, lambd: float = 0.5) -> Written:
    return maths.where(maths.test("LessOrEqual", maths("Abs", x), lambd), 0.0, x)


@writes("prelu", "_prelu_kernel")
def _prelu(context: Context, node: Node, x: Written, weight: Written) -> Written:
    if weight.rank == 1 and x.rank > 1:
        weight = context.reshaped(weight, [weight.dims[0], *[1] * (x.rank - 2)])
    maths = maths_of(context, node)
    return named(context, node, maths.where(maths.test("Greater", x, 0.0), x, maths("Mul", weight, x)))
