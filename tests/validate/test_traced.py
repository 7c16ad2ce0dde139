"""State that tracing freezes is found by name: beside the untraced network, in its source, and in the graph."""

import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate.checks.traced import check_traced_networks
from neutone_like.validate.conditions import optimiser, steady_conditions
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome
from neutone_like.validate.traces.forward_state import remembered_attributes
from support import traced_models as networks

STATEFUL: list[tuple[Callable[[], nn.Module], str]] = [
    (networks.KeepsHidden, "forward of KeepsHidden keeps self.h"),
    (networks.HiddenAtFirstNone, "forward of HiddenAtFirstNone keeps self.state"),
    (networks.ReplacedBuffer, "forward of ReplacedBuffer keeps self.h"),
    (networks.CachedPadding, "forward of CachedPadding keeps self.past"),
    (networks.Counts, "forward of Counts keeps self.position"),
    (networks.ListOfPast, "forward of ListOfPast keeps self.blocks"),
    (lambda: networks.Inner(networks.CachedPadding()), "forward of CachedPadding in memory keeps self.past"),
]
SOUND: list[Callable[[], nn.Module]] = [networks.StartsAfresh, networks.LearnedStart, networks.Table]


def traced(network: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = torch.randn(1, networks.BLOCK, generator=torch.Generator().manual_seed(1))
        return torch.jit.trace(network.eval().requires_grad_(False), example, check_trace=False)


def judge(model: networks.Live, folder: Path, *, with_model: bool = True) -> Outcome:
    with optimiser(False):
        write_artifact(model, folder, render_samples=False)
    with steady_conditions():
        return check_traced_networks(LiveSubject(load_artifact(folder), model if with_model else None, quick=True))


@pytest.mark.parametrize(("make", "reason"), STATEFUL)
def test_state_that_a_trace_froze_is_named_beside_the_untraced_network(
    make: Callable[[], nn.Module], reason: str, tmp_path: Path
) -> None:
    network = make()
    outcome = judge(networks.Live(traced(network)), tmp_path)
    assert outcome.status == "failed", outcome
    assert f"model, traced: {reason}" in outcome.measured
    assert "from the untraced network" in outcome.measured, "it was compared as well"
    assert "register_buffer" in outcome.advice
    assert network is not None, "held until here"


def test_a_class_whose_name_torchscript_refuses_is_in_nobodys_way(tmp_path: Path) -> None:
    """A captured model's goes by one that messages have for it."""
    odd = type("Gain.do_forward_pass", (nn.Module,), {})
    network = networks.Counts()
    outcome = judge(networks.Live(traced(network)), tmp_path)
    assert "from the untraced network" in outcome.measured
    assert odd is not None, "held until here"


@pytest.mark.parametrize(("make", "reason"), STATEFUL)
def test_state_that_a_trace_froze_is_named_when_the_network_is_gone(
    make: Callable[[], nn.Module], reason: str, tmp_path: Path
) -> None:
    model = networks.Live(traced(make()))
    gc.collect()
    outcome = judge(model, tmp_path)
    assert outcome.status == "failed", outcome
    assert f"model, traced: {reason}" in outcome.measured
    assert outcome.information == ("model: no untraced network to compare with",)


@pytest.mark.parametrize("held", [True, False], ids=["held", "gone"])
@pytest.mark.parametrize("make", SOUND)
def test_what_keeps_no_state_passes(make: Callable[[], nn.Module], held: bool, tmp_path: Path) -> None:
    network: nn.Module | None = make()
    assert network is not None
    model = networks.Live(traced(network))
    network = network if held else None
    gc.collect()
    outcome = judge(model, tmp_path)
    assert outcome.status == "passed", outcome
    assert outcome.measured == "model: nothing was lost by tracing"
    assert outcome.information == (f"model: {'equal' if held else 'no untraced network to compare with'}",)


@pytest.mark.parametrize("held", [True, False], ids=["held", "gone"])
def test_state_in_a_buffer_that_is_written_into_passes(held: bool, tmp_path: Path) -> None:
    network: nn.Module | None = networks.WritesIntoBuffer()
    assert network is not None
    model = networks.ClearsBuffer(traced(network))
    network = network if held else None
    gc.collect()
    outcome = judge(model, tmp_path)
    assert outcome.status == "passed", outcome


def test_an_artifact_alone_tells_of_recurrent_layers(tmp_path: Path) -> None:
    outcome = judge(networks.Live(traced(networks.KeepsHidden())), tmp_path / "one", with_model=False)
    assert outcome.status == "failed"
    assert "the recurrent layer model.gru begins every call with the same state" in outcome.measured
    for number, make in enumerate((networks.StartsAfresh, networks.LearnedStart)):
        assert judge(networks.Live(traced(make())), tmp_path / f"good {number}", with_model=False).status == "passed"


def test_a_trace_that_was_saved_and_loaded_is_known_by_its_graph(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(traced(networks.KeepsHidden()), str(tmp_path / "network.pt"))
        loaded: Any = torch.jit.load(str(tmp_path / "network.pt"))
    outcome = judge(networks.Live(loaded), tmp_path)
    assert "the recurrent layer model.gru begins every call with the same state" in outcome.measured


def test_a_network_without_a_source_is_seen_in_its_graph(tmp_path: Path) -> None:
    made: dict[str, Any] = {"networks": networks}
    exec("class Hidden(networks.KeepsHidden):\n    pass\nHidden.forward = eval('networks.KeepsHidden.forward')", made)
    code = "def forward(self, x):\n    y, self.h = self.gru(x.t().unsqueeze(1), self.h)\n    return y.mean(2).t()"
    exec(code, made)
    made["Hidden"].forward = made["forward"]
    model = networks.Live(traced(made["Hidden"]()))
    gc.collect()
    outcome = judge(model, tmp_path)
    assert "model, traced: the recurrent layer gru begins every call with the same state" in outcome.measured


def test_a_length_that_became_a_number_is_named(tmp_path: Path) -> None:
    """A ramp as long as the example was has no place for blocks of another length, which the file promises to take."""
    model = networks.Live(traced(networks.RampOfNumbers()))
    with optimiser(False):
        write_artifact(model, tmp_path, render_samples=False)
    artifact = load_artifact(tmp_path)
    artifact.metadata = artifact.metadata.model_copy(update={"native_buffer_sizes": (networks.BLOCK, 128)})
    with steady_conditions():
        outcome = check_traced_networks(LiveSubject(artifact, model, quick=True, module=artifact.module))
    assert outcome.status == "failed"
    assert "model, traced with 64 samples, fails on blocks of 128: " in outcome.measured


def test_a_model_without_traces_has_nothing_to_lose(tmp_path: Path) -> None:
    outcome = judge(networks.Live(nn.Identity()), tmp_path)
    assert (outcome.status, outcome.measured) == ("passed", "nothing inside was traced")


class Tricky(nn.Module):
    """Attributes that look like state, and some that are, in less usual ways."""

    def helper(self, value: Tensor) -> None:
        self.through_helper = value

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        length = x.shape[-1]
        if getattr(self, "ramp", None) is None:
            self.ramp = torch.arange(length)  # of the length alone
        self.written_first = x * scale  # and read after
        y = self.written_first + self.through_helper
        self.helper(y[..., -1:])
        self.level = 0.9 * self.level + 0.1 * y.abs().mean()
        for index in range(3):
            z = torch.cat((self.caches[index], y), -1)  # pyright: ignore[reportIndexIssue]
            self.caches[index] = z[..., -2:]  # pyright: ignore[reportIndexIssue]
        self.seen = self.seen + 1  # a statistic that nobody hears
        return y / self.level + self.ramp


def test_the_source_tells_state_from_tables_and_notes() -> None:
    assert remembered_attributes(Tricky) == ["caches", "level", "through_helper"]
