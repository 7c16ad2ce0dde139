"""Recursive filters as one step of a compiled model: against SciPy and loops over samples, however blocks are cut."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import Tensor, nn

from neutone_like.compiler import Plan, plan_graph
from neutone_like.compiler.kernels import KernelId
from neutone_like.errors import CompileError
from neutone_like.graph import capture, whole_recurrences
from neutone_like.runtime.native_module import native_module
from neutone_like.streaming import IIR, Biquad, StateVariableFilter
from neutone_like.streaming.scan import linear_scan
from support.compiled_networks import Function, opened

Audio = NDArray[np.float32]
SAMPLES = 900


def planned(network: nn.Module, channels: int) -> Plan:
    """A plan for blocks of any length, of which the recurrences are single steps."""
    with whole_recurrences():
        graph = capture(network, 0.4 * torch.randn(1, channels, 48))
    assert graph.lengths.multiple_of == 1
    plan = plan_graph(graph)
    assert any(step.kernel is KernelId.RECURRENCE for step in plan.steps)
    assert plan.granule == 64
    return plan


def noise(channels: int, seed: int = 0) -> Audio:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, SAMPLES)).astype(np.float32)


def cut(x: Audio, seed: int) -> list[Audio]:
    """Blocks of any length, one sample and more than a granule among them."""
    cuts = np.sort(np.random.default_rng(seed).choice(np.arange(1, SAMPLES), 12, replace=False))
    return [np.ascontiguousarray(each) for each in np.split(x, [1, *cuts[cuts > 1]], 1)]


def played(plan: Plan, x: Audio) -> Audio:
    """By every instruction set, cut anywhere, and once more after a reset: always the same to the last bit or so."""
    results: list[Audio] = []
    for kernels in native_module().compiled_kernels():
        native = opened(plan, kernels)
        for seed in (1, 2):
            results.append(np.concatenate([np.asarray(native.play(each, [])) for each in cut(x, seed)], 1))
            native.reset()
    for each in results[1:]:
        np.testing.assert_allclose(each, results[0], atol=3e-8 + 1e-7 * float(np.abs(results[0]).max()))
    return results[0]


def allowed(expected: NDArray[np.float64]) -> float:
    """Rounding to float32 alone."""
    return 1e-7 * float(np.abs(expected).max())


@pytest.mark.parametrize(
    "coefficients",
    [
        signal.butter(1, 0.1),
        signal.butter(2, 0.001),
        signal.ellip(4, 1, 60, 0.3),
        signal.cheby1(7, 1, 0.5),
        signal.butter(16, 0.6),
    ],
)
def test_constant_filters_are_those_of_scipy(coefficients: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    b, a = (np.asarray(each, np.float64) for each in coefficients)
    x = noise(3)
    got = played(planned(IIR(torch.from_numpy(b), torch.from_numpy(a)), 3), x)
    expected = np.asarray(signal.lfilter(b, a, x.astype(np.float64)))
    np.testing.assert_allclose(got, expected, atol=allowed(expected))


def test_sections_are_those_of_scipy() -> None:
    sections = np.asarray(signal.ellip(8, 0.5, 70, 0.2, output="sos"))
    x = noise(2)
    got = played(planned(Biquad(torch.from_numpy(sections)), 2), x)
    expected = np.asarray(signal.sosfilt(sections, x.astype(np.float64)))
    np.testing.assert_allclose(got, expected, atol=allowed(expected))


def test_a_filter_whose_coefficients_are_others_at_every_sample() -> None:
    """Two channels of sound, and three that move the poles: against the difference equation, sample by sample."""

    def coefficients(moves: Tensor) -> Tensor:
        radius, angle = 0.7 + 0.4 * moves[:, 0], 1.5 + 2.0 * moves[:, 1]
        ones = torch.ones_like(radius)
        rows = [ones, moves[:, 2], 0.3 * ones, ones, -2.0 * radius * torch.cos(angle), radius * radius]
        return torch.stack(rows, 1).unsqueeze(1)

    layer = IIR(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([1.0, 0.0, 0.0]))
    network = Function(lambda x, own: own(x[:, :2], coefficients(x[:, 2:].double())), layer)
    x = noise(5)
    got = played(planned(network, 5), x)
    rows = coefficients(torch.from_numpy(x[None, 2:]).double())[0, 0].numpy()
    expected = by_definition(x[:2].astype(np.float64), rows[:3], rows[3:])
    np.testing.assert_allclose(got, expected, atol=allowed(expected))


def by_definition(x: NDArray[np.float64], b: NDArray[np.float64], a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transposed direct form II with coefficients ``[order + 1, samples]``."""
    y, registers = np.zeros_like(x), np.zeros((len(x), len(b)))
    for n in range(x.shape[1]):
        y[:, n] = b[0, n] * x[:, n] + registers[:, 0]
        registers[:, :-1] = registers[:, 1:] + np.outer(x[:, n], b[1:, n]) - np.outer(y[:, n], a[1:, n])
    return y


@pytest.mark.parametrize("mode", ["lowpass", "notch"])
def test_a_state_variable_filter_that_is_turned_all_the_time(mode: str) -> None:
    layer = StateVariableFilter(48000, mode)
    network = Function(lambda x, own: own(x[:, :2], 3000.0 + 5000.0 * x[:, 2:3], 1.0 + x[:, 3:4]), layer)
    x = noise(4)
    got = played(planned(network, 4), x)
    moves = torch.from_numpy(x[None]).double()
    expected = StateVariableFilter(48000, mode)(moves[:, :2], 3000.0 + 5000.0 * moves[:, 2:3], 1.0 + moves[:, 3:4])
    np.testing.assert_allclose(got, expected[0].numpy(), atol=2e-6 * float(expected.abs().max()))


class Scan(nn.Module):
    """A recurrence of any order in float32, with a matrix for each sample and row, or one for all."""

    state: Tensor
    matrix: Tensor

    def __init__(self, order: int, still: bool) -> None:
        super().__init__()
        self.order, self.still = order, still
        self.register_buffer("state", torch.zeros(2, order))
        self.register_buffer("matrix", 0.9 * torch.linalg.qr(torch.randn(order, order))[0])

    def forward(self, x: Tensor) -> Tensor:
        entering = x[0].unsqueeze(-1) * torch.linspace(0.5, 1.0, self.order)
        matrices = self.matrix.view(1, 1, self.order, self.order)
        if not self.still:
            matrices = matrices * (0.5 + x[0]).view(2, -1, 1, 1)
        states = linear_scan(matrices, entering, self.state)
        self.state = states[:, -1]
        return (states[:, 1:] + 0.5 * states[:, :-1]).sum(-1).unsqueeze(0)


@pytest.mark.parametrize("order", [3, 8, 11, 16])
@pytest.mark.parametrize("still", [True, False])
def test_recurrences_of_any_order(order: int, still: bool) -> None:
    torch.manual_seed(order)
    network = Scan(order, still)
    x = noise(2)
    got = played(planned(network, 2), x)
    expected = network.double()(torch.from_numpy(x[None]).double())[0].numpy()  # the scan over whole blocks
    np.testing.assert_allclose(got, expected, atol=2e-6 * float(np.abs(expected).max()))


def test_a_recurrence_of_too_many_states_is_refused() -> None:
    with pytest.raises(CompileError, match=r"a recurrence of 17 states; 1 to 16 compile: use sections \(Biquad\)"):
        planned(Scan(17, still=True), 2)


def test_only_those_who_ask_get_whole_recurrences() -> None:
    body: Callable[[Tensor], Tensor] = lambda x: linear_scan(torch.ones(1, 1, 1, 1), x.unsqueeze(3), x[..., :1])[..., 0]  # noqa: E731
    x = torch.randn(1, 2, 16)
    plain = capture(Function(body), x)
    with whole_recurrences():
        whole = capture(Function(body), x)
    assert plain.lengths.multiple_of == 0, "written out, it depends on the block's length"
    assert [node.op for node in whole.nodes].count("neutone_like::linear_scan.default") == 1
