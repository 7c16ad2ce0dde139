"""Plans built by hand: printed, improved by one pass at a time, written and played."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like.compiler import Plan, plan_graph
from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.compiler.kernels import Activation, KernelId, Operation
from neutone_like.compiler.passes import drop_unread, fuse_elementwise, fuse_products, improve
from neutone_like.compiler.plan import Affine, Step
from neutone_like.compiler.planning import granule_of
from neutone_like.compiler.tensor import View
from neutone_like.graph import Lengths, capture
from neutone_like.streaming import Attention
from support.compiled_networks import opened
from support.hand_plans import (
    X0,
    X1,
    apply,
    copy,
    noise,
    number,
    plan_of,
    played,
    pointwise,
    product,
    ring,
    rows,
    state,
    tanh,
    unchanged,
)

ADD, MULTIPLY, SUBTRACT = Operation.ADD, Operation.MULTIPLY, Operation.SUBTRACT


class LookingBack(nn.Module):
    """Convolutions over the block and what was before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(1, 5, 3, dilation=150), nn.Tanh(), nn.Conv1d(5, 1, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.unsqueeze(0)).squeeze(0)


def test_a_granule_is_as_long_as_what_is_calculated_again() -> None:
    assert granule_of(Lengths(1, 1), 0) == 64
    assert granule_of(Lengths(311, 1), 310) == 310
    assert granule_of(Lengths(5001, 1), 5000) == 1024
    assert granule_of(Lengths(20, 20), 0) == 320, "16 samples of the lowest rate"
    assert granule_of(Lengths(320, 320), 0) == 1280
    assert granule_of(Lengths(4096, 4096), 0) == 4096
    behind, network = 301, LookingBack().eval()
    plan = plan_graph(capture(network, torch.randn(1, behind + 64)), look_behind=behind)
    assert plan.granule == behind
    native, x = opened(plan), 0.5 * torch.randn(1, behind + 1700)
    with torch.no_grad():
        expected, start = network.double()(x.double()).numpy(), behind
    for samples in (1, 300, 301, 302, 700, 64):
        got = native.play(x[:, start - behind : start + samples].contiguous().numpy(), [])
        np.testing.assert_allclose(got, expected[:, start - behind : start - behind + samples], atol=1e-6)
        start += samples


def kernels(plan: Plan) -> list[str]:
    return [step.kernel.name.lower() for step in plan.steps]


def chain(*, read_twice: bool = False, output_first: bool = False) -> Plan:
    """``tanh(2 x) + x``, in two steps."""
    x, doubled, y = rows("x"), rows("doubled"), rows("y")
    steps: list[Step] = [
        pointwise(doubled, apply(MULTIPLY, X0, number(2.0)), x),
        pointwise(y, apply(ADD, tanh(X0), X1), doubled, x),
    ]
    if read_twice:
        other = rows("other")
        steps[1:] = [
            pointwise(other, apply(MULTIPLY, X0, X0), doubled),
            Step(KernelId.COPY, [y.sliced(0, ZERO, Extent.of(1))], [other.sliced(0, ZERO, Extent.of(1))]),
            Step(KernelId.COPY, [y.sliced(0, Extent.of(1), Extent.of(1))], [doubled.sliced(0, ZERO, Extent.of(1))]),
        ]
    return plan_of(x, doubled if output_first else y, steps)


def test_a_plan_prints_line_by_line() -> None:
    plan = chain()
    present, _ = ring("past", 2, 3)
    held = state("level", [0.5, 1.0])
    plan.rings, plan.states = [present.tensor], [held.tensor]
    assert str(plan).splitlines() == [
        "blocks of any length, at most 64",
        "audio x[2,n|1r0,1]",
        "ring past 2 x 3, walks n",
        "state level 1 x 2",
        "doubled[2,n|1r0,1] = multiply(x0, 2) x0=x[2,n|1r0,1]",
        "y[2,n|1r0,1] = add(hyperbolic_tangent(x0), x1) x0=doubled[2,n|1r0,1] x1=x[2,n|1r0,1]",
        "output y[2,n|1r0,1]",
    ]
    x, y = rows("x"), rows("y", 3)
    assert str(product(y, [[1.0, 2.0]] * 3, x)) == "y[1,3,n|0,1r0,1] = none(W[1, 3, 2] x[1,2,n|0,1r0,1] + b)"
    assert str(copy(y.sliced(0, Extent.of(1), Extent.of(2)), x)) == "y+1r0c[2,n|1r0,1] = copy x[2,n|1r0,1]"


def test_elementwise_steps_become_one() -> None:
    plan, sound = chain(), noise(200)
    fuse_elementwise(plan)
    assert kernels(plan) == ["pointwise"]
    assert str(plan.steps[0]) == ("y[2,n|1r0,1] = add(hyperbolic_tangent(multiply(x0, 2)), x0) x0=x[2,n|1r0,1]")
    np.testing.assert_allclose(played(plan, sound), np.tanh(2 * sound) + sound, rtol=0, atol=1e-6)


def test_elementwise_steps_of_another_order_of_dimensions_become_one() -> None:
    x, doubled, y = rows("x"), rows("doubled"), rows("y")
    steps = [pointwise(doubled, apply(MULTIPLY, X0, number(2.0)), x)]
    steps.append(pointwise(y.permuted([1, 0]), tanh(X0), doubled.permuted([1, 0])))
    plan, sound = plan_of(x, y, steps), noise(200)
    fuse_elementwise(plan)
    assert [str(step) for step in plan.steps] == ["y[n,2|1,1r0] = hyperbolic_tangent(multiply(x0, 2)) x0=x[n,2|1,1r0]"]
    np.testing.assert_allclose(played(plan, sound), np.tanh(2 * sound), rtol=0, atol=1e-6)


def mirrored() -> Plan:
    """The second channel is read in the place of the first, and the other way round."""
    x, doubled, y = rows("x"), rows("doubled"), rows("y")
    steps = [pointwise(doubled, apply(MULTIPLY, X0, number(2.0)), x), pointwise(y, tanh(X0), doubled.flipped(0))]
    return plan_of(x, y, steps)


def overwritten_operand(kernel: Callable[[View, View], Step]) -> Plan:
    """``first`` reads ``held`` before something else is written there, and is read itself after that."""
    x, held, first, y = (rows(name) for name in ("x", "held", "first", "y"))
    steps = [copy(held, x), kernel(first, held), copy(held, x.flipped(0)), pointwise(y, apply(ADD, X0, X1), first, x)]
    return plan_of(x, y, steps)


def test_elementwise_steps_stay_apart_where_one_would_be_another() -> None:
    unchanged(chain(read_twice=True), fuse_elementwise)
    heard = unchanged(mirrored(), fuse_elementwise)
    np.testing.assert_allclose(heard, np.tanh(2 * noise(200)[::-1]), rtol=0, atol=1e-6)
    heard = unchanged(overwritten_operand(lambda out, x: pointwise(out, tanh(X0), x)), fuse_elementwise)
    np.testing.assert_allclose(heard, np.tanh(noise(200)) + noise(200), rtol=0, atol=1e-6)


def test_an_output_is_not_calculated_into_who_reads_it() -> None:
    x, y, held = rows("x"), rows("y"), state("held", [0.0, 0.0])
    last = y.sliced(1, Extent.of(0), Extent.of(1)).without(1)
    plan = plan_of(x, y, [pointwise(y, tanh(X0), x), pointwise(held, tanh(X0), last)], [held.tensor])
    unchanged(plan, fuse_elementwise, drop_unread)


WEIGHTS = [[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]]


def product_then(expression: Any, *, also: Sequence[View] = (), after: Sequence[Step] = ()) -> Plan:
    """A product, and an elementwise step of it and ``also``."""
    x, mixed, y = rows("x"), rows("mixed", 3), rows("y", 3)
    return plan_of(x, y, [product(mixed, WEIGHTS, x), pointwise(y, expression, mixed, *also), *after])


def test_a_product_takes_over_factor_bias_and_activation() -> None:
    plan = product_then(tanh(apply(ADD, apply(MULTIPLY, X0, number(2.0)), number(0.5))))
    fuse_products(plan)
    [step] = plan.steps
    assert isinstance(step, Affine)
    assert step.activation is Activation.TANH
    assert step.weights[0][0].tolist() == (2 * np.asarray(WEIGHTS)).tolist()
    assert step.bias.tolist() == [[0.5] * 3]
    sound = noise(200)
    expected = np.tanh(2 * np.asarray(WEIGHTS) @ sound + 0.5)
    np.testing.assert_allclose(played(plan, sound), expected, rtol=0, atol=1e-6)


def test_a_sum_of_products_becomes_one() -> None:
    x, first, second, y = rows("x"), rows("first", 3), rows("second", 3), rows("y", 3)
    steps = [
        product(first, WEIGHTS, x),
        product(second, WEIGHTS[::-1], x),
        pointwise(y, apply(ADD, X0, X1), first, second),
    ]
    plan, sound = plan_of(x, y, steps), noise(200)
    fuse_products(plan)
    [step] = plan.steps
    assert isinstance(step, Affine)
    assert len(step.weights) == 2
    expected = (np.asarray(WEIGHTS) + np.asarray(WEIGHTS[::-1])) @ sound
    np.testing.assert_allclose(played(plan, sound), expected, rtol=0, atol=1e-6)


def test_a_subtraction_from_what_is_no_addend_leaves_the_product_as_it_is() -> None:
    """``exp(x) - product``: half of the way would be a product of the other sign."""
    x, mixed, y = rows("x"), rows("mixed"), rows("y")
    expression = apply(SUBTRACT, apply(Operation.EXP, X1), X0)
    plan = plan_of(x, y, [product(mixed, WEIGHTS[:2], x), pointwise(y, expression, mixed, x)])
    improve(plan)
    sound = noise(200)
    expected = np.exp(sound) - np.asarray(WEIGHTS[:2]) @ sound
    np.testing.assert_allclose(played(plan, sound), expected, rtol=0, atol=2e-6)


def test_a_product_that_something_else_reads_too_stays_apart() -> None:
    x, mixed, y, held = rows("x"), rows("mixed", 3), rows("y", 3), state("held", [0.0, 0.0, 0.0])
    last = mixed.sliced(1, Extent.of(0), Extent.of(1)).without(1)
    steps = [product(mixed, WEIGHTS, x), pointwise(y, tanh(X0), mixed), copy(held, last)]
    unchanged(plan_of(x, y, steps, [held.tensor]), fuse_products)


def test_a_product_whose_result_is_the_output_stays_apart() -> None:
    x, mixed, held = rows("x"), rows("mixed", 3), state("held", [0.0, 0.0, 0.0])
    squared = rows("squared", 3)
    last = squared.sliced(1, Extent.of(0), Extent.of(1)).without(1)
    steps = [product(mixed, WEIGHTS, x), pointwise(squared, tanh(X0), mixed), copy(held, last)]
    unchanged(plan_of(x, mixed, steps, [held.tensor]), fuse_products)


def test_a_product_of_what_is_overwritten_afterwards_stays_where_it_is() -> None:
    heard = unchanged(overwritten_operand(lambda out, x: product(out, WEIGHTS[:2], x)), fuse_products)
    sound = noise(200)
    np.testing.assert_allclose(heard, np.asarray(WEIGHTS[:2]) @ sound + sound, rtol=0, atol=1e-6)


def test_what_attention_keeps_is_a_ring_that_nothing_moves() -> None:
    """Keys and values are as long as the window: to move them would cost more than the few samples of a block."""
    plan = plan_graph(capture(Attention(8, 2, 33).eval(), torch.randn(1, 8, 16)))
    assert sorted(each.name for each in plan.rings) == ["keys", "values"]
    kept = {id(each) for each in plan.rings}
    copies = [step for step in plan.steps if step.kernel is KernelId.COPY]
    whole = [step for step in copies if any(id(view.tensor) in kept for view in step.inputs)]
    assert not whole, "\n".join(map(str, whole))


class Kept(nn.Module):
    """A line that is cut and grows, and is read far back."""

    line: Tensor

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.register_buffer("line", torch.zeros(1, 2, 300))

    def forward(self, x: Tensor) -> Tensor:
        n = x.size(2)
        heard = self.line[:, :, 100 : 100 + n] + 0.5 * x
        if self.way == "cut before":
            self.line = torch.cat((self.line[:, :, n:], heard), 2)
        elif self.way == "cut after":
            self.line = torch.cat((self.line, heard), 2)[:, :, n:]
        else:
            self.line = torch.cat((self.line[:, :, : 300 - n], heard), 2)
        return heard


@pytest.mark.parametrize(("way", "is_ring"), [("cut before", True), ("cut after", True), ("cut at the end", False)])
def test_a_line_is_a_ring_whether_it_is_cut_before_it_grows_or_after(way: str, is_ring: bool) -> None:
    plan = plan_graph(capture(Kept(way), torch.randn(1, 2, 16)))
    assert [each.name for each in plan.rings] == ["line"] * is_ring
    network, native = Kept(way), opened(plan)
    for samples in (64, 1, 17, 63, 64, 64, 40, 64):
        block = noise(samples)
        expected = network(torch.from_numpy(block).unsqueeze(0))[0].numpy()
        np.testing.assert_allclose(native.play(block, []), expected, rtol=0, atol=1e-6)
