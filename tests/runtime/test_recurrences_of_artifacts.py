"""Layers that look back along the whole stream, compiled from an artifact alone, whose program has them written out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import Tensor, nn

from neutone_like import load_artifact
from neutone_like.artifact import write_artifact
from neutone_like.compiler.kernels import KernelId
from neutone_like.optimise.distilling.students import StudentModel
from neutone_like.runtime.compiling import compile_artifact, plan_artifact
from neutone_like.streaming import IIR, Attention, Biquad, DiagonalStateSpace, LinearAttention, StateVariableFilter
from neutone_like.streaming.scan import linear_scan
from neutone_like.streaming.whole_in_programs import make_recurrences_whole
from support.compiled_networks import opened

CHANNELS = 4
SIZES = (64, 1, 17, 150, 64, 63, 2, 300)


class Swept(nn.Module):
    """A filter whose cutoff follows the sound, and one whose coefficients do."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = StateVariableFilter(48000)
        self.varying = IIR(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([1.0, 0.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        y = self.filter(x, 3000.0 + 2000.0 * x[:, :1], 1.0 + x[:, 1:2])
        radius = 0.8 + 0.2 * x[:, :1].double()
        ones = torch.ones_like(radius)
        rows = [ones, 0.3 * ones, 0.1 * ones, ones, -1.2 * radius, radius * radius]
        return y + self.varying(x, torch.stack(rows, 2))


class Average(nn.Module):
    """A mean that fades, for each channel at a rate of its own."""

    kept: Tensor
    leaks: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.zeros(1, CHANNELS, 1))
        self.register_buffer("leaks", torch.linspace(0.9, 0.999, CHANNELS).view(1, CHANNELS, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        states = linear_scan(self.leaks, (1.0 - self.leaks[..., 0]) * x.unsqueeze(3), self.kept)
        self.kept = states[:, :, -1]
        return states[:, :, 1:, 0]


def biquad() -> nn.Module:
    return Biquad(torch.from_numpy(np.asarray(signal.ellip(8, 0.5, 70, 0.2, output="sos"))))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "sections": (lambda: nn.Sequential(nn.Conv1d(CHANNELS, CHANNELS, 1), biquad()), 4),
    "without memory": (lambda: nn.Sequential(IIR(torch.tensor([0.5]), torch.tensor([1.0])), biquad()), 4),
    "swept": (Swept, 2),
    "an average": (Average, 1),
    "a state space": (lambda: DiagonalStateSpace(CHANNELS, 3), 0),
    "linear attention": (lambda: LinearAttention(CHANNELS, 2, [5.0, 300.0]), 0),
    "attention": (lambda: Attention(CHANNELS, 2, 40, "rotary"), 0),
}
"""What is made, and how many recurrences it is."""


def exported(network: nn.Module, folder: Path) -> Path:
    model = StudentModel(network.eval(), sample_rate=48000, in_channels=CHANNELS, out_channels=CHANNELS)
    return write_artifact(model, folder / "model", render_samples=False).directory / "model.nm"


def made(name: str) -> nn.Module:
    torch.manual_seed(1)
    return NETWORKS[name][0]()


def in_double(network: nn.Module, x: NDArray[np.float32]) -> NDArray[np.float64]:
    with torch.no_grad():
        return network.double()(torch.from_numpy(x).double().unsqueeze(0))[0].numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_block_is_played_at_once(name: str, tmp_path: Path) -> None:
    network = made(name)
    plan = plan_artifact(exported(network, tmp_path))
    assert plan.granule == 64, "not sample by sample"
    assert sum(step.kernel is KernelId.RECURRENCE for step in plan.steps) == NETWORKS[name][1]
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (CHANNELS, sum(SIZES))).astype(np.float32)
    blocks = np.split(x, np.cumsum(SIZES)[:-1], 1)
    native = opened(plan)
    got = np.concatenate([np.asarray(native.play(np.ascontiguousarray(each), [])) for each in blocks], 1)
    expected = in_double(network, x)
    np.testing.assert_allclose(got, expected, atol=3e-6 * float(np.abs(expected).max()))


def test_what_is_written_is_proven(tmp_path: Path) -> None:
    compiled = compile_artifact(load_artifact(exported(made("linear attention"), tmp_path)))
    assert compiled.report is not None
    assert compiled.report.accuracy.is_good
    assert 256 in compiled.report.accuracy.blocks


def test_the_artifact_itself_plays_as_before(tmp_path: Path) -> None:
    """Its program is changed in the compiler's copy alone, and gives the same there."""
    network = made("an average")
    path = exported(network, tmp_path)
    before = path.read_bytes()
    plan_artifact(path)
    assert path.read_bytes() == before
    x = torch.randn(CHANNELS, 150)
    module: Any = load_artifact(path).fresh_module()
    with torch.no_grad():
        got = module.w2w_base.do_forward_pass(x, {})
    np.testing.assert_allclose(got, in_double(network, x.numpy()), atol=1e-5)


class InPieces(nn.Module):
    """A program that cuts its block itself, as filters of earlier releases did, and pieces by their number."""

    last: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", torch.zeros(1, CHANNELS, 1))

    def forward(self, x: Tensor) -> Tensor:
        pieces: list[Tensor] = []
        for piece in x.split(64, 2):
            joined = torch.cat([self.last, piece.chunk(1, 2)[0]], 2)
            pieces.append(piece - 0.5 * joined[:, :, :-1])
            self.last = piece[:, :, -1:]
        return torch.cat(pieces, 2)


def test_what_has_no_plan_in_one_piece_goes_sample_by_sample(tmp_path: Path) -> None:
    plan, x = plan_artifact(exported(InPieces(), tmp_path)), torch.randn(CHANNELS, 150)
    assert plan.granule == 1
    np.testing.assert_allclose(opened(plan).play(x.numpy(), []), in_double(InPieces(), x.numpy()), atol=1e-6)


class EarlierIIR(nn.Module):
    """A filter's program as earlier releases wrote it into artifacts: a method of its own, with products in float64."""

    piece_matrix: Tensor
    transition_powers: Tensor
    registers: Tensor

    def __init__(self, numerator: Tensor, denominator: Tensor) -> None:
        super().__init__()
        now = IIR(numerator, denominator)
        self.order, self.piece_samples = now.order, now.piece_samples
        self.register_buffer("piece_matrix", now.piece_matrix)
        self.register_buffer("transition_powers", now.transition_powers)
        self.register_buffer("registers", torch.zeros(1, 1, self.order, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        registers = self.registers.double().expand(x.size(0), x.size(1), -1)
        y, self.registers = self.constant(x.double(), registers)
        return y.to(x.dtype)

    def constant(self, x: Tensor, registers: Tensor) -> tuple[Tensor, Tensor]:
        matrix, powers = self.piece_matrix.double(), self.transition_powers.double()
        longest = self.piece_samples
        pieces: list[Tensor] = []
        for piece in x.split(longest, 2):
            samples = piece.size(2)
            entering = torch.cat([registers, piece], 2)
            pieces.append(entering @ matrix[: self.order + samples, :samples])
            left = piece @ matrix[self.order + longest - samples : self.order + longest, longest:]
            registers = registers @ powers[samples] + left
        return torch.cat(pieces, 2), registers


def test_filters_in_artifacts_of_earlier_releases_compile(tmp_path: Path) -> None:
    sections: Any = signal.ellip(4, 0.5, 70, 0.2, output="sos")
    network = nn.Sequential(*(EarlierIIR(*torch.from_numpy(each).split(3)) for each in sections))
    plan = plan_artifact(exported(network, tmp_path))
    assert plan.granule == 64, "in one piece"
    native = opened(plan)
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (CHANNELS, sum(SIZES))).astype(np.float32)
    got = np.concatenate([native.play(each, []) for each in np.split(x, np.cumsum(SIZES)[:-1], 1)], 1)
    np.testing.assert_allclose(got, signal.sosfilt(sections, x.astype(np.float64)), atol=1e-6)


def halved(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """Another recurrence."""
    return linear_scan(0.5 * matrices, inputs, state)


def same(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    return linear_scan(1.0 * matrices, inputs, state)


class Program:
    """One whose only function is called as a layer's is."""

    def __init__(self, function: Any) -> None:
        self.function = torch.jit.script(function)

    def find_function(self, name: str) -> Any:
        return self.function if name.endswith(".linear_scan") else None


def test_only_a_function_that_does_the_same_is_taken_whole() -> None:
    for function, taken in ((same, True), (halved, False)):
        program = Program(function)
        make_recurrences_whole(program)
        assert ("neutone_like::linear_scan" in str(program.function.graph)) == taken
