"""Arithmetic, which complex numbers have too, and what only they have."""

import math

import torch

from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Context, Operand, Written, is_complex, writes
from neutone_like.formats.onnx.elementwise import atan2
from neutone_like.formats.onnx.maths import Maths, maths_of, named, square
from neutone_like.graph import Node


def parts_of(context: Context, value: Written) -> tuple[Written, Written]:
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
    real, imaginary = parts_of(context, x)
    maths = maths_of(context, node)
    return named(context, node, maths("Sqrt", maths("Add", maths("Mul", real, real), square(maths, imaginary))))


@writes("real", takes_complex=True)
def _real(context: Context, node: Node, x: Written) -> Written:
    return named(context, node, parts_of(context, x)[0]) if is_complex(x) else x


@writes("imag", takes_complex=True)
def _imag(context: Context, node: Node, x: Written) -> Written:
    return named(context, node, parts_of(context, x)[1])


@writes("angle", takes_complex=True)
def _angle(context: Context, node: Node, x: Written) -> Written:
    maths = maths_of(context, node)
    if is_complex(x):
        real, imaginary = parts_of(context, x)
        return named(context, node, atan2(maths, imaginary, real))
    turned = maths.where(maths.test("Less", x, 0.0), math.pi, 0.0)
    return named(context, node, maths.where(maths.test("IsNaN", x), x, turned))


@writes("_conj", "conj", takes_complex=True)
def _conj(context: Context, node: Node, x: Written) -> Written:
    if not is_complex(x):
        return x
    return context.result(node, "Mul", [x, context.constant(torch.tensor([1.0, -1.0]))])


@writes("view_as_real", takes_complex=True)
def _view_as_real(context: Context, node: Node, x: Written) -> Written:
    return named(context, node, x)


@writes("view_as_complex")
def _view_as_complex(context: Context, node: Node, x: Written) -> Written:
    return named(context, node, x)


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
    return _sum(context, node, "Sub", other, x if alpha == 1 else maths_of(context, node)("Mul", x, alpha), 1)


def _sum(context: Context, node: Node, op: str, x: Operand, other: Operand, alpha: float) -> Written:
    shape = context.shape(node)
    if shape.dtype.is_complex:
        if alpha != 1:
            other = _scaled(context, other, alpha)
        return context.result(node, op, [_as_complex(context, x), _as_complex(context, other)])
    if shape.dtype == torch.bool:
        return context.result(node, "Or", [context.tensor(x, torch.bool), context.tensor(other, torch.bool)])
    maths = maths_of(context, node)
    return named(context, node, maths(op, x, other if alpha == 1 else maths("Mul", other, alpha)))


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
        (a, b), (c, d) = parts_of(context, x), parts_of(context, other)
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
