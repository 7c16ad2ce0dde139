"""Captured networks: the same sound as the network itself, block after block, with nothing lost."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError
from neutone_like.graph import Graph, GraphPlayer, capture, drop_unused, fold_constants, to_torchscript
from support.graph_networks import KEEPING, REPLAYED, Counting, InBuffer, InList, InTuple, Strided

LENGTHS = (64, 64, 1, 37, 129, 2, 64)


def blocks(graph: Graph) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    lengths = [length for length in LENGTHS if graph.lengths.accepts(length)]
    return [torch.randn(1, 1, length, generator=generator) for length in lengths]


def seeded(kind: Callable[[], Any]) -> Any:
    torch.manual_seed(1)
    return kind().eval()


@torch.no_grad()
def played(network: Callable[[Tensor], Tensor], given: list[Tensor]) -> list[Tensor]:
    return [network(each.clone()) for each in given]


@pytest.fixture(scope="module")
def graphs() -> dict[str, Graph]:
    return {kind.__name__: capture(seeded(kind), torch.randn(1, 1, 64)) for kind in REPLAYED}


@pytest.mark.parametrize("kind", REPLAYED)
def test_a_graph_plays_what_its_network_plays(kind: type[nn.Module], graphs: dict[str, Graph]) -> None:
    graph = graphs[kind.__name__]
    given = blocks(graph)
    assert len(given) >= 3
    expected = played(seeded(kind), given)
    torch.testing.assert_close(played(GraphPlayer(graph), given), expected, rtol=1e-5, atol=1e-6)
    for passed in (drop_unused(graph), fold_constants(graph)):
        torch.testing.assert_close(played(GraphPlayer(passed), given), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", REPLAYED)
def test_as_torchscript_it_plays_the_same_and_begins_anew(kind: type[nn.Module], graphs: dict[str, Graph]) -> None:
    script = to_torchscript(graphs[kind.__name__])
    given = blocks(graphs[kind.__name__])
    expected = played(seeded(kind), given)
    for _ in range(2):
        torch.testing.assert_close(played(script, given), expected, rtol=1e-5, atol=1e-6)
        script.reset_streaming_state()


@pytest.mark.parametrize("kind", KEEPING)
def test_what_is_kept_has_the_name_of_its_attribute(kind: type[nn.Module], graphs: dict[str, Graph]) -> None:
    graph = graphs[kind.__name__]
    names = [each.name for each in (*graph.states, *graph.counters)]
    expected = {
        "InBuffer": ["past"],
        "InTuple": ["state.0", "state.1"],
        "InList": ["held.pasts.0", "held.pasts.1"],
        "InObject": ["memory.level"],
        "Counting": ["position"],
    }
    assert names == expected[kind.__name__]
    assert str(graph.lengths) == "any length"


def test_initial_values_are_those_before_the_first_call(graphs: dict[str, Graph]) -> None:
    torch.testing.assert_close(graphs["InBuffer"].states[0].initial, torch.full((1, 1, 3), 0.25))
    assert not graphs["InTuple"].states[0].initial.any()


def test_the_network_stays_as_it_was() -> None:
    network = seeded(InList)
    before = copy.deepcopy(network.held["pasts"])
    capture(network, torch.randn(1, 1, 32))
    torch.testing.assert_close(network.held["pasts"], before, rtol=0, atol=0)


def test_weights_keep_their_names_until_they_are_folded(graphs: dict[str, Graph]) -> None:
    graph = graphs["InObject"]
    assert "convolution.parametrizations.weight.original1" in graph.parameters
    assert any("_weight_norm" in node.op for node in graph.nodes)
    folded = fold_constants(graph)
    assert not any("_weight_norm" in node.op for node in folded.nodes)
    assert "convolution.parametrizations.weight.original1" not in folded.parameters


def test_lengths_that_a_network_does_not_take_are_refused(graphs: dict[str, Graph]) -> None:
    graph = graphs["Strided"]
    assert str(graph.lengths) == "multiples of 64 samples"
    with pytest.raises(CaptureError, match="takes blocks of multiples of 64 samples, got 63 samples"):
        GraphPlayer(graph)(torch.zeros(1, 1, 63))
    with pytest.raises(torch.jit.Error, match="takes blocks of multiples of 64 samples, got 63 samples"):
        to_torchscript(graph)(torch.zeros(1, 1, 63))


def test_in_double_precision_the_error_is_single_precisions_own(graphs: dict[str, Graph]) -> None:
    given = blocks(graphs["InTuple"])
    exact = played(seeded(InTuple).double(), [each.double() for each in given])
    found = played(GraphPlayer(graphs["InTuple"], torch.float64), [each.double() for each in given])
    torch.testing.assert_close(found, exact, rtol=1e-12, atol=1e-12)


class Growing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(1, 1, 0)

    def forward(self, x: Tensor) -> Tensor:
        self.past = torch.cat((self.past, x), -1)
        return x + self.past.mean()


class Appending(Growing):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.mean())
        return x * len(self.seen)


class Deciding(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.max() > 10:  # the line that the message must show
            return x * 2
        return x


class Reading(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * float(x.abs().max())


class CountingFloat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.phase = 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.phase += 0.25
        return x * self.phase


class Wrapping(nn.Module):
    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.index = 0
        self.register_buffer("table", torch.arange(5.0))

    def forward(self, x: Tensor) -> Tensor:
        self.index = (self.index + 2) % 5
        return x * self.table[self.index]


class FromOnes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.level: Any = None

    def forward(self, x: Tensor) -> Tensor:
        self.level = torch.ones(1) if self.level is None else self.level * 0.5
        return x * self.level


_OUTSIDE: list[Tensor] = []


class InGlobal(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        last = _OUTSIDE[-1] if _OUTSIDE else torch.zeros(1)
        _OUTSIDE[:] = [x.detach()[..., -1:].clone().reshape(1)]
        return x + last


class ThroughNumpy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.from_numpy(x.numpy() * 2)


class Described(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return x, "loud"


class Asserting(nn.Module):
    """Looks at its weights, and asserts what holds for its input: neither decides."""

    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(2))

    def forward(self, x: Tensor) -> Tensor:
        y = x.roll(-round(self.shift.item()), -1)
        assert y.isfinite().all()
        if y.abs().max() > 1e6 or y.isnan().any():
            raise ValueError("louder than any sound")
        return y


def test_values_of_constants_may_be_read_and_assertions_made() -> None:
    x = torch.randn(1, 1, 20)
    torch.testing.assert_close(GraphPlayer(capture(Asserting(), torch.randn(1, 1, 32)))(x), Asserting()(x))


class DecidingByWhatIsWritten(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        table = torch.zeros(4)
        other = table.view(2, 2)
        table[1:3].copy_(x[0, 0, :2])
        return x * 2 if other.sum() > 0 else x


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Growing, r"Growing keeps past between calls, and its shape changes from \[1, 1, 96\] to \[1, 1, 144\]"),
        (Appending, r"Appending keeps seen.2 between calls"),
        (Deciding, r"decides by the values of a tensor(.|\n)*if x.max\(\) > 10"),
        (Reading, r"decides by the values of a tensor(.|\n)*float\(x.abs"),
        (DecidingByWhatIsWritten, r"decides by the values of a tensor(.|\n)*if other.sum"),
        (CountingFloat, r"CountingFloat keeps phase between calls: 0.5 after two calls, 0.75"),
        (Wrapping, r"index"),
        (FromOnes, r"level has another value then. It is not there before the first call"),
        (InGlobal, r"something outside its attributes"),
        (ThroughNumpy, r"leave PyTorch for NumPy"),
        (Described, r"Described returned 'loud' of type str"),
    ],
)
def test_what_would_be_lost_is_refused_by_name(kind: type[nn.Module], words: str) -> None:
    _OUTSIDE.clear()
    with pytest.raises(CaptureError, match=words):
        capture(kind(), torch.rand(1, 1, 48) + 0.1)


def test_an_example_without_time_is_refused() -> None:
    with pytest.raises(CaptureError, match="got no tensor"):
        capture(InBuffer(), (3,))


def test_arguments_by_name_and_constants_stay_what_they_were() -> None:
    network = seeded(InBuffer)
    graph = capture(network, torch.randn(1, 1, 32), {"scale": 0.5})
    x = torch.randn(1, 1, 20)
    torch.testing.assert_close(GraphPlayer(graph)(x), network(x, scale=0.5).detach())


class Optional(nn.Module):
    def forward(self, x: Tensor, mask: Any, name: str, gain: Tensor) -> Tensor:
        return x * gain + len(name)


def test_arguments_of_every_kind_stand_in_their_order_and_are_held_to() -> None:
    name = 'it\'s "loud"\\'
    x, gain = torch.randn(1, 1, 32), torch.tensor([2.0])
    script = to_torchscript(capture(Optional(), (x, None, name, gain)))
    torch.testing.assert_close(script(x, None, name, gain), Optional()(x, None, name, gain))
    with pytest.raises(torch.jit.Error, match="captured with name = 'it"):
        script(x, None, "quiet", gain)
    with pytest.raises(torch.jit.Error, match="captured with mask = None"):
        script(x, x, name, gain)


class Quiet(nn.Module):
    """A thousandth of it is frozen, which is nothing beside one, and much beside its own level."""

    def forward(self, x: Tensor) -> Tensor:
        return 1e-5 * x * (1.0 + 0.001 * float(x.numpy().mean()))


def test_quiet_networks_are_judged_by_their_own_level() -> None:
    with pytest.raises(CaptureError, match="leave PyTorch for NumPy"):
        capture(Quiet(), torch.rand(1, 1, 48))


def test_a_graph_lists_itself(graphs: dict[str, Graph]) -> None:
    text = str(graphs["Counting"])
    assert "counter position = 0 -> samples + position" in text
    assert "aten::arange.start" in text
    assert text.endswith("blocks: any length")
    assert all("test" not in node.line or ".py:" in node.line for node in graphs["Counting"].nodes)


def test_unlike_lengths_show(graphs: dict[str, Graph]) -> None:
    """The control: a player of the wrong graph is heard."""
    given = blocks(graphs["InBuffer"])
    with pytest.raises(AssertionError):
        torch.testing.assert_close(played(GraphPlayer(graphs["InList"]), given), played(seeded(InBuffer), given))


def test_counters_run_on(graphs: dict[str, Graph]) -> None:
    player = GraphPlayer(graphs["Counting"])
    player(torch.zeros(1, 1, 10))
    player(torch.zeros(1, 1, 7))
    assert player.counters == {"position": 17}
    player.reset()
    assert player.counters == {"position": 0}
    assert isinstance(Counting().position, int)
    assert isinstance(Strided(), nn.Module)


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
def test_what_is_kept_and_never_read_is_no_state() -> None:
    """Old weight norm computes its weight in every call: after a checkpoint was loaded the first call changes it."""

    class Metered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution: Any = nn.utils.weight_norm(nn.Conv1d(1, 1, 1))
            self.loudest = torch.zeros(1)

        def forward(self, x: Tensor) -> Tensor:
            self.loudest = torch.maximum(self.loudest, x.abs().max())
            return self.convolution(x)

    network = Metered()
    network.convolution.weight_g.data.mul_(3.0)
    graph = capture(network, torch.randn(1, 1, 64))
    assert [state.name for state in graph.states] == []
    x = torch.randn(1, 1, 64)
    torch.testing.assert_close(GraphPlayer(graph)(x), network(x))


class Holding(nn.Module):
    """Plays each fourth block four times, four blocks later: what it holds is zero for as long as capturing looks."""

    def __init__(self, in_place: bool = False) -> None:
        super().__init__()
        self.in_place = in_place
        self.register_buffer("turn", torch.eye(4)[:1])
        self.register_buffer("held", torch.zeros(1, 1, 64))
        self.register_buffer("last", torch.zeros(1, 1, 64))

    def forward(self, x: Tensor) -> Tensor:
        held = torch.where(self.turn[:, :1] > 0.5, self.last, self.held)
        if self.in_place:
            self.held.copy_(held)
        else:
            self.held = held
        self.turn = torch.cat((self.turn[:, -1:], self.turn[:, :-1]), 1)
        self.last = 1.0 * x
        return held + 0.5 * x


@pytest.mark.parametrize("in_place", [False, True])
def test_what_is_written_with_the_same_values_at_first_is_state(in_place: bool) -> None:
    graph = capture(Holding(in_place), torch.randn(1, 1, 64))
    assert "held" in {state.name for state in graph.states}
    given = list(torch.randn(12, 1, 1, 64, generator=torch.Generator().manual_seed(3)))
    torch.testing.assert_close(played(GraphPlayer(graph), given), played(Holding(in_place), given))


class SameNames(nn.Module):
    """Arguments, weights, states and a counter that share names, and weights called as operations are."""

    v0: Tensor
    v2: Tensor
    gain: Tensor
    hidden: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("v0", torch.tensor(2.0))
        self.register_buffer("v2", torch.tensor(3.0))
        self.register_buffer("gain", torch.tensor(0.5))
        self.register_buffer("hidden", torch.zeros(1))
        self.samples = 0

    def forward(self, gain: Tensor, hidden: Tensor) -> Tensor:
        self.samples += 1
        self.hidden = self.hidden + gain.mean()
        return torch.tanh(gain * self.v0) * self.gain + hidden * self.v2 + self.hidden + self.samples


def test_things_that_share_a_name_stay_apart() -> None:
    blocks = [(torch.randn(1, 8), torch.randn(1, 8)) for _ in range(3)]
    graph = capture(SameNames(), blocks[0])
    assert {state.name for state in graph.states} == {"self.hidden"}
    eager, player, scripted = SameNames(), GraphPlayer(graph), to_torchscript(graph)
    for block in blocks:
        expected = eager(*block)
        assert torch.allclose(player(*block), expected, atol=1e-6)
        assert torch.allclose(scripted(*block), expected, atol=1e-6)
