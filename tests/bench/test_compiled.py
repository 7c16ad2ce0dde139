"""The tables of compiled models measure what they say, in small; how long things take is never asserted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from neutone_like.bench import compiled, compiled_networks, compiled_peers
from neutone_like.bench.compiled import BlockCost, cost_table, measure_model, ratio
from neutone_like.bench.compiled_networks import Lstm, Tcn
from neutone_like.bench.compiled_peers import NEEDS, Explicit, PeerError, example, missing, require_same
from neutone_like.bench.streaming_cost import by_turns
from neutone_like.errors import CompileError
from neutone_like.graph import Graph, capture
from neutone_like.runtime.native_module import native_module


def shown(costs: list[BlockCost]) -> str:
    console = Console(width=200, record=True)
    console.print(cost_table(costs))
    return console.export_text()


@pytest.fixture
def no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDS, compiled_peers.ONNX_RUNTIME, ("no_such_thing",))
    monkeypatch.setitem(NEEDS, compiled_peers.LITERT, ("json", "no_such_thing"))


def test_what_is_missing_is_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the runtime, where only its converter is missing."""
    monkeypatch.setitem(NEEDS, compiled_peers.ONNX_RUNTIME, ("json", "no_such_script"))
    expected = "ONNX Runtime is left out, since no-such-script is not installed: pip install no-such-script"
    assert missing(compiled_peers.ONNX_RUNTIME) == expected
    monkeypatch.setitem(NEEDS, compiled_peers.ONNX_RUNTIME, ("no_such_thing", "no_such_script"))
    assert "since no-such-thing, no-such-script are not installed" in missing(compiled_peers.ONNX_RUNTIME)


@pytest.mark.usefixtures("no_peers")
def test_every_way_is_timed_by_turns_warm_and_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    plainest = native_module().compiled_kernels()[0]
    costs = measure_model("small", Lstm(3), (16, 5), rounds=2, kernels=plainest)
    assert {cost.kernels for cost in costs} == {plainest}
    assert [(cost.samples, cost.way) for cost in costs] == [
        (samples, way) for samples in (16, 5) for way in ("compiled", "TorchScript")
    ]
    assert all(len(cost.warm) == len(cost.cold) == 2 for cost in costs)
    text = shown(costs)
    for part in (f"kernels {plainest}", "2 rounds", "pip install no-such-thing", "6 MB"):
        assert part in text

    def refuse(*_: Any) -> list[BlockCost]:
        raise CompileError("not this one")

    monkeypatch.setattr(compiled, "measure_model", refuse)
    monkeypatch.setattr(compiled, "amp_models", lambda: {"odd": Lstm(1)})
    console = Console(width=200, record=True)
    console.print(*compiled.compiled_tables(2))
    assert "odd, 0 samples, compiled: not this one" in console.export_text()


def test_ratios_are_of_the_same_rounds() -> None:
    base = BlockCost("x", 1, "compiled", (1.0, 2.0, 4.0), (1.0, 1.0, 1.0))
    other = BlockCost("x", 1, "TorchScript", (3.0, 6.0, 4.0), (5.0, 7.0, 6.0))
    assert (ratio(other, base), ratio(other, base, cold=True)) == (3.0, 6.0)


def test_what_is_done_before_a_call_is_not_timed() -> None:
    calls: list[str] = []
    times = by_turns([lambda: calls.append("timed")], 2, before=lambda call: calls.append("before"))
    assert calls[:4] == ["before", "timed", "before", "timed"]
    assert len(times[0]) == 2


class _Remembering(nn.Module):
    """Adds what it heard before."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole = torch.cat((self.past, x), 1)
        self.past = whole[:, x.size(1) :]
        return whole[:, 2:] + whole[:, :-2]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return capture(_Remembering(), torch.randn(1, 16))


def test_states_go_in_and_out(graph: Graph) -> None:
    network, (x, *states) = Explicit(graph), example(graph, 4)
    for _ in range(3):
        x = torch.randn(1, 4)
        past = states[0]
        y, *states = network(x, *states)
        torch.testing.assert_close(y, x + torch.cat((past, x), 1)[:, :-2])
        torch.testing.assert_close(states[0], x[:, 2:])


def test_a_peer_that_plays_something_else_is_found_out(graph: Graph) -> None:
    x = np.ones((1, 4), np.float32)
    first = np.array([[1.0, 1.0, 2.0, 2.0]], np.float32)
    blocks = iter([first, 2.0 * x, 2.0 * x])
    require_same(lambda: next(blocks), graph, x)
    with pytest.raises(PeerError, match="plays something else: differs by 1"):
        require_same(lambda: first, graph, x)  # no memory of the block before


@pytest.mark.parametrize("peer", list(NEEDS))
def test_a_peer_that_is_there_plays_the_network(peer: str, graph: Graph, tmp_path: Path) -> None:
    if absent := missing(peer):
        assert absent.startswith(f"{peer} is left out, since ")
        pytest.skip(absent)
    compiled_peers.peer_call(peer, graph, np.ones((1, 4), np.float32), tmp_path)()


def test_the_networks_are_as_large_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUTONE_LIKE_SHARED", "nowhere")
    sizes = {"NAM": compiled_networks.nam_standard(), "TCN": Tcn(), "LSTM": Lstm(16)}
    weights = {name: sum(each.numel() for _, each in model.named_parameters()) for name, model in sizes.items()}
    assert weights["TCN"] == 8497
    assert weights["LSTM"] == 4 * 16 * (1 + 16 + 2) + 16 + 1
    assert weights["NAM"] == compiled_networks.NAM_STANDARD_WEIGHTS - 1  # and the scale of its head
