"""Plans built by hand: tensors, views and steps, with names that a reader of a printed plan sees."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from neutone_like.compiler import Plan
from neutone_like.compiler.extent import Extent
from neutone_like.compiler.kernels import KernelId, Operation
from neutone_like.compiler.plan import Affine, Expression, Pointwise, Step
from neutone_like.compiler.tensor import Kind, Tensor, View, new_tensor
from neutone_like.graph import Lengths
from support.compiled_networks import opened

Sound = NDArray[np.float32]
N = Extent(Fraction(0), Fraction(1))
GRANULE = 64
X0, X1 = (Expression(Operation.LOAD, (index,)) for index in range(2))


def rows(name: str, count: int = 2) -> View:
    """``[count, samples]``."""
    return new_tensor(name, (Extent.of(count), N), (0, 1), GRANULE)


def number(value: float) -> Expression:
    """A number in an expression."""
    return Expression(Operation.NUMBER, (value,))


def apply(operation: Operation, *operands: Expression) -> Expression:
    """An operation in an expression."""
    return Expression(operation, operands)


def tanh(x: Expression) -> Expression:
    """The hyperbolic tangent of an expression."""
    return apply(Operation.HYPERBOLIC_TANGENT, x)


def pointwise(out: View, expression: Expression, *inputs: View) -> Pointwise:
    """An elementwise step."""
    return Pointwise(KernelId.POINTWISE, [out], list(inputs), expression=expression)


def product(out: View, weights: Sequence[Sequence[float]], x: View) -> Affine:
    """``out = weights x`` for one group."""
    matrix = np.asarray(weights, dtype=np.float64)[None]
    bias = np.zeros(matrix.shape[:2])
    return Affine(KernelId.AFFINE, [out.with_one(0)], [x.with_one(0)], weights=[matrix], bias=bias)


def copy(out: View, source: View) -> Step:
    """A copy."""
    return Step(KernelId.COPY, [out], [source])


def state(name: str, values: Sequence[float]) -> View:
    """A state of one dimension that begins with these values."""
    view = new_tensor(name, (Extent.of(len(values)),), (0,), GRANULE)
    view.tensor.kind, view.tensor.data = Kind.STATE, torch.tensor(values)
    return view


def ring(name: str, count: int, history: int) -> tuple[View, View]:
    """A ring of ``count`` rows: the present block's place in it, and the same so many samples earlier."""
    tensor = Tensor(
        name, count, Extent.of(history), kind=Kind.RING, data=torch.zeros(count, history), history=history,
        written=N, advance=N,
    )  # fmt: skip
    shape = rows(name, count)
    present = View(tensor, shape.dims, shape.strides)
    return present, present.moved(1, Extent.of(-history))


def plan_of(audio: View, output: View, steps: Sequence[Step], tensors: Sequence[Tensor] = ()) -> Plan:
    """A plan for blocks of any length; ``tensors`` are its rings and states."""
    return Plan(
        Lengths(1, 1), GRANULE, 0, audio, {}, output, list(steps),
        rings=[each for each in tensors if each.kind is Kind.RING],
        states=[each for each in tensors if each.kind is Kind.STATE],
    )  # fmt: skip


def noise(samples: int, channels: int = 2) -> Sound:
    """``[channels, samples]``."""
    return np.random.default_rng(samples).uniform(-1, 1, (channels, samples)).astype(np.float32)


def played(plan: Plan, sound: Sound) -> Sound:
    """In blocks of several lengths."""
    native = opened(plan)
    pieces = np.split(sound, [1, 18, 82, 83], axis=1)
    return np.concatenate([native.play(np.ascontiguousarray(each), []) for each in pieces], axis=1)


def unchanged(plan: Plan, *passes: Callable[[Plan], None]) -> Sound:
    """What a plan plays before and after these passes, which leave it as it is."""
    sound = noise(200)
    before, steps = played(plan, sound), [str(step) for step in plan.steps]
    for each in passes:
        each(plan)
    assert [str(step) for step in plan.steps] == steps
    np.testing.assert_array_equal(played(plan, sound), before)
    return before
