"""Plans built by hand: what is only copied lies where it is needed, and states where they are worked on."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import nn

from neutone_like.compiler import Plan, write_plan
from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.file import TestVector as Vector
from neutone_like.compiler.kernels import KernelId, Operation
from neutone_like.compiler.packing import packed_rnn
from neutone_like.compiler.passes import drop_unread, keep_states_in_place, place
from neutone_like.compiler.passes.overlap import may_overlap
from neutone_like.compiler.plan import Step
from neutone_like.compiler.tensor import Kind, View, new_tensor
from neutone_like.errors import CompileError
from support.hand_plans import (
    GRANULE,
    X0,
    X1,
    N,
    Sound,
    apply,
    copy,
    noise,
    number,
    plan_of,
    played,
    pointwise,
    ring,
    rows,
    state,
    tanh,
    unchanged,
)


def channel(view: View, index: int) -> View:
    """One row of a view."""
    return view.sliced(0, Extent.of(index), ONE)


def joined(*, between: Callable[[View, View], Sequence[Step]] | None = None, after: bool = False) -> Plan:
    """``[tanh(x0), x1 * x1]``, each made by itself and copied; ``between`` gives steps before the copies."""
    x, first, second, y = rows("x"), rows("first", 1), rows("second", 1), rows("y")
    steps: list[Step] = [
        pointwise(first, tanh(X0), channel(x, 0)),
        pointwise(second, apply(Operation.MULTIPLY, X0, X0), channel(x, 1)),
        copy(channel(y, 0), first),
        copy(channel(y, 1), second),
    ]
    if between is not None:
        steps[4 if after else 2 : 4 if after else 2] = between(y, first)
    return plan_of(x, y, steps)


def expected_join(sound: Sound) -> Sound:
    return np.stack([np.tanh(sound[0]), sound[1] * sound[1]])


def test_parts_are_made_in_the_whole() -> None:
    plan, sound = joined(), noise(200)
    place(plan)
    assert [str(step) for step in plan.steps] == [
        "y[1,n|1r0,1] = hyperbolic_tangent(x0) x0=x[1,n|1r0,1]",
        "y+1r0c[1,n|1r0,1] = multiply(x0, x0) x0=x+1r0c[1,n|1r0,1]",
    ]
    np.testing.assert_allclose(played(plan, sound), expected_join(sound), rtol=0, atol=1e-6)


def test_sound_is_written_into_the_ring_that_keeps_it() -> None:
    x, y = rows("x"), rows("y")
    present, earlier = ring("past", 2, 3)
    plan = plan_of(x, y, [copy(present, x), pointwise(y, apply(Operation.ADD, X0, X1), x, earlier)], [present.tensor])
    place(plan)
    assert str(plan).splitlines()[1:] == [
        "audio past[2,n|1r0,1]",
        "ring past 2 x 3, walks n",
        "y[2,n|1r0,1] = add(x0, x1) x0=past[2,n|1r0,1] x1=past+0r-3c[2,n|1r0,1]",
        "output y[2,n|1r0,1]",
    ]
    sound = noise(200)
    np.testing.assert_array_equal(played(plan, sound), sound + np.pad(sound, ((0, 0), (3, 0)))[:, :200])


def overwriting(y: View, first: View) -> list[Step]:
    """The place of ``first`` in the whole is used for something else meanwhile."""
    return [pointwise(channel(y, 0), number(7.0))]


def reading(y: View, first: View) -> list[Step]:
    """What the whole holds before is read after ``first`` is made."""
    scaled = rows("scaled", 1)
    return [
        pointwise(channel(y, 1), number(0.5)),
        pointwise(scaled, apply(Operation.MULTIPLY, X0, number(2.0)), channel(y, 1)),
        pointwise(first, apply(Operation.ADD, X0, X1), first, scaled),
    ]


def changing(y: View, first: View) -> list[Step]:
    """``first`` goes on as something else after it was copied."""
    return [pointwise(first, apply(Operation.ADD, X0, number(1.0)), first)]


def replacing(y: View, first: View) -> list[Step]:
    """Its place in the whole becomes something else, and ``first`` is still read."""
    return [pointwise(channel(y, 0), number(0.25)), pointwise(channel(y, 1), tanh(X0), first)]


def steps_of(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps]


@pytest.mark.parametrize(
    ("between", "after", "first", "second"),
    [
        (overwriting, False, lambda x: np.tanh(x[0]), lambda x: x[1] ** 2),
        (reading, False, lambda x: np.tanh(x[0]) + 1.0, lambda x: x[1] ** 2),
        (changing, True, lambda x: np.tanh(x[0]), lambda x: x[1] ** 2),
        (replacing, True, lambda x: 0.25 + 0.0 * x[0], lambda x: np.tanh(np.tanh(x[0]))),
    ],
)
def test_what_is_needed_in_between_is_left_alone(
    between: Callable[[View, View], Sequence[Step]],
    after: bool,
    first: Callable[[Sound], Sound],
    second: Callable[[Sound], Sound],
) -> None:
    plan, sound = joined(between=between, after=after), noise(200)
    place(plan)
    heard = played(plan, sound)
    np.testing.assert_allclose(heard, np.stack([first(sound), second(sound)]), rtol=0, atol=1e-6)
    assert any(" = copy " in each for each in steps_of(plan))


def test_what_is_copied_twice_lies_in_one_place_and_is_copied_to_the_other() -> None:
    x, made, y = rows("x", 1), rows("made", 1), rows("y")
    plan, sound = (
        plan_of(x, y, [pointwise(made, tanh(X0), x), copy(channel(y, 0), made), copy(channel(y, 1), made)]),
        noise(200, 1),
    )
    place(plan)
    assert steps_of(plan) == [
        "y[1,n|1r0,1] = hyperbolic_tangent(x0) x0=x[1,n|1r0,1]",
        "y+1r0c[1,n|1r0,1] = copy y[1,n|1r0,1]",
    ]
    np.testing.assert_allclose(played(plan, sound), np.tanh(sound).repeat(2, 0), rtol=0, atol=1e-6)


def test_parts_of_tensors_and_the_output_are_not_moved() -> None:
    x, made, y, other = rows("x"), rows("made"), rows("y", 1), rows("other")
    unchanged(plan_of(x, y, [pointwise(made, tanh(X0), x), copy(y, channel(made, 1))]), place)
    level = state("level", [0.0, 0.0])
    steps = [pointwise(made, tanh(X0), x), copy(other, made), copy(level, other.selected(1, ZERO))]
    unchanged(plan_of(x, made, steps, [level.tensor]), place)


def recurrent(*, reads_state: bool = False, changes_after: bool = False) -> Plan:
    """A layer of two units over one channel."""
    x, y = rows("x", 1), new_tensor("y", (N, Extent.of(2)), (0, 1), GRANULE)
    held, work = state("hidden", [0.5, -0.5]), new_tensor("work", (Extent.of(2),), (0,), GRANULE)
    torch.manual_seed(0)
    layer = nn.RNN(1, 2)
    packed = packed_rnn([each.detach() for each in layer.parameters()]).values
    weights = new_tensor("weights", (Extent.of(len(packed)),), (0,), GRANULE)
    weights.tensor.kind, weights.tensor.data = Kind.CONSTANT, torch.tensor(packed, dtype=torch.float32)
    steps = [copy(work, held), Step(KernelId.RNN, [y], [x.permuted([1, 0]), work, weights], [1])]
    output = y.permuted([1, 0])
    if reads_state:
        output = rows("sum")
        steps.append(
            pointwise(
                output, apply(Operation.ADD, X0, X1), y.permuted([1, 0]), held.with_one(1).expanded([Extent.of(2), N])
            )
        )
    steps.append(copy(held, work))
    if changes_after:
        steps.append(pointwise(work, number(3.0)))
        steps.append(pointwise(y.selected(0, ZERO), apply(Operation.ADD, X0, X1), y.selected(0, ZERO), work))
    return plan_of(x, output, steps, [held.tensor])


def expected_units(sound: Sound) -> Sound:
    torch.manual_seed(0)
    layer = nn.RNN(1, 2).double()
    with torch.no_grad():
        y, _ = layer(torch.from_numpy(sound).double().T, torch.tensor([[0.5, -0.5]], dtype=torch.float64))
    return y.T.numpy()


def test_a_recurrent_layer_works_on_its_state() -> None:
    plan, sound = recurrent(), noise(200, 1)
    before = played(plan, sound)
    keep_states_in_place(plan)
    [step] = steps_of(plan)
    assert step.startswith("y[n,2|2,1] = rnn [1] x[n,1|1,1r0] hidden[2|1] weights[")
    np.testing.assert_array_equal(played(plan, sound), before)
    np.testing.assert_allclose(before, expected_units(sound), rtol=0, atol=1e-6)


def test_a_state_that_is_needed_as_it_was_stays_apart() -> None:
    sound = noise(200, 1)
    for plan in (recurrent(reads_state=True), recurrent(changes_after=True)):
        before, steps = played(plan, sound), steps_of(plan)
        keep_states_in_place(plan)
        assert steps_of(plan) == steps
        np.testing.assert_array_equal(played(plan, sound), before)


def test_what_nobody_reads_is_left_out_and_states_are_moved_on() -> None:
    plan, sound = recurrent(), noise(200, 1)
    spare = rows("spare", 1)
    plan.steps.append(pointwise(spare, tanh(X0), plan.audio))
    drop_unread(plan)
    assert [step.kernel for step in plan.steps] == [KernelId.COPY, KernelId.RNN, KernelId.COPY]
    np.testing.assert_allclose(played(plan, sound), expected_units(sound), rtol=0, atol=1e-6)


def test_views_that_may_overlap() -> None:
    y, other = rows("y", 4), rows("other", 4)
    assert may_overlap(y, channel(y, 3))
    assert not may_overlap(y, other)
    assert not may_overlap(y.sliced(0, ZERO, Extent.of(2)), y.sliced(0, Extent.of(2), Extent.of(2)))
    assert not may_overlap(channel(y, 1).flipped(1), channel(y, 2))
    present, earlier = ring("past", 2, 3)
    assert not may_overlap(present, earlier.sliced(1, ZERO, Extent.of(3)))
    assert may_overlap(present, earlier)
    flat = new_tensor("flat", (Extent.of(4), Extent.of(64)), (0, 1), GRANULE)
    flat.tensor.pinned = True
    assert may_overlap(View(flat.tensor, (Extent.of(128),), (flat.strides[1],)), channel(flat, 1))


def test_what_the_format_does_not_hold_is_said() -> None:
    x = rows("x")
    vector = Vector(np.zeros((2, GRANULE), np.float32), np.zeros(0, np.float32), np.zeros((2, GRANULE), np.float32))
    y = rows("y")
    deep = [y.with_one(0).with_one(0).with_one(0).with_one(0).with_one(0), x.with_one(0)]
    plan = plan_of(x, y, [Step(KernelId.REDUCE, [deep[0]], [deep[1]], [0])])
    with pytest.raises(CompileError, match="a tensor of 7 dimensions; at most 6"):
        write_plan(plan, "{}", vector)
    half = x.sliced(1, ZERO, (N + 1) * N.factor.__class__(1, 2))
    plan = plan_of(x, y, [Step(KernelId.REDUCE, [half], [half], [0])])
    with pytest.raises(CompileError, match="whole for some blocks only"):
        write_plan(plan, "{}", vector)
