"""Pruned networks against the whole ones with the same channels silenced by hand, and what must be refused."""

import copy
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import streaming
from neutone_like.errors import ModelError, ParameterError
from neutone_like.optimise import PruneResult, prune
from neutone_like.optimise.pruning import followed
from neutone_like.optimise.pruning.dependencies import dependencies
from support.prunable_networks import Built, WaveNetLike, conv, example_for, networks

NAMES = list(networks())
MULTIPLY = (nn.Conv1d, nn.ConvTranspose1d, nn.Linear, streaming.Conv1d)


def index_of(whole: Tensor, small: Tensor, axis: int) -> list[int]:
    """Which slices of ``whole`` are those of ``small``: every number of a random weight is there once."""
    flat = whole.detach().reshape(-1).numpy()
    order = np.argsort(flat)
    at = order[np.searchsorted(flat[order], small.detach().reshape(-1).numpy())]
    assert np.array_equal(flat[at], small.detach().reshape(-1).numpy()), "not a part of the whole weight"
    return sorted({int(each) for each in np.unravel_index(at, whole.shape)[axis]})


def silenced(network: nn.Module, smaller: nn.Module) -> nn.Module:
    """The whole network, in which every layer hears nothing of the channels that are gone. Independent of the pruner:
    masks on what goes in, found by comparing weights."""
    silent = copy.deepcopy(network).double()
    small = dict(smaller.named_modules())
    for name, module in dict(network.named_modules()).items():
        whole: Any = module
        groups = getattr(module, "groups", 1)
        if isinstance(module, MULTIPLY) and (groups == 1 or groups < whole.in_channels):
            axis = 0 if isinstance(module, nn.ConvTranspose1d) else 1
            kept = index_of(whole.weight, small[name].weight, axis)  # pyright: ignore[reportArgumentType]
            mask = torch.zeros(whole.weight.shape[axis], dtype=torch.float64).index_fill_(0, torch.tensor(kept), 1.0)
            _hears_only(silent.get_submodule(name), mask.repeat(groups), -1 if isinstance(module, nn.Linear) else 1)
        elif isinstance(module, nn.RNNBase):
            _silence_units(silent.get_submodule(name), whole, small[name])
    return silent


def _hears_only(layer: nn.Module, mask: Tensor, dim: int) -> None:
    shaped = mask.reshape(-1, 1) if dim == 1 else mask
    layer.register_forward_pre_hook(lambda _, given: (given[0] * shaped, *given[1:]))


@torch.no_grad()
def _silence_units(silent: Any, whole: Any, small: Any) -> None:
    """A unit whose rows are zero stays zero, in an LSTM and in a GRU."""
    gates = whole.weight_ih_l0.shape[0] // whole.hidden_size
    rows = index_of(whole.weight_ih_l0, small.weight_ih_l0, 0)
    units = [each for each in range(whole.hidden_size) if each not in rows]
    gone = torch.tensor([gate * whole.hidden_size + unit for gate in range(gates) for unit in units])
    for weight_name, weight in silent.named_parameters():
        if "_hr_" not in weight_name:
            weight.index_fill_(0, gone, 0.0)
        elif whole.proj_size:
            kept = index_of(getattr(whole, weight_name), getattr(small, weight_name), 0)
            weight.index_fill_(0, torch.tensor([each for each in range(len(weight)) if each not in kept]), 0.0)
    columns = torch.zeros(whole.input_size, dtype=torch.float64)
    columns[index_of(whole.weight_ih_l0, small.weight_ih_l0, 1)] = 1.0
    _hears_only(silent, columns, 1 if isinstance(silent, streaming.StreamingLayer) else -1)


@torch.no_grad()
def difference(network: nn.Module, smaller: nn.Module) -> float:
    """In parts of the peak, in float64, over two blocks in a row."""
    silent, small = silenced(network, smaller).eval(), copy.deepcopy(smaller).double().eval()
    worst = 0.0
    for _ in range(2):
        x = torch.randn(example_for(network).shape, dtype=torch.float64)
        whole, found = silent(x), small(x)
        worst = max(worst, float((whole - found).abs().max() / whole.abs().max()))
    return worst


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_network_with_silenced_channels(name: str) -> None:
    torch.manual_seed(NAMES.index(name))
    network = networks()[name].eval()
    ratio = (0.5, 0.3, 0.7)[NAMES.index(name) % 3]
    result = prune(network, example_for(network), ratio=ratio)
    assert result.equality <= 1e-6
    assert type(result.model) is type(network)
    assert result.parameters_after < result.parameters_before
    assert difference(network, result.model) <= 1e-7  # of weight norm; of all else 1e-15
    for row in result.layers:
        assert abs(row.before - row.after - ratio * row.before) <= 1.0
        for layer in row.layers:
            assert _outputs(result.model.get_submodule(layer), row.kind) % row.after == 0


def _outputs(layer: Any, kind: str) -> int:
    if isinstance(layer, nn.RNNBase):
        return layer.hidden_size if kind == "units" else layer.proj_size
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


def test_both_halves_of_a_gate_become_smaller_and_an_unread_residual_follows() -> None:
    network: Any = WaveNetLike("slice")
    result = prune(network, example_for(network), ratio=0.25)
    small: Any = result.model
    assert [each.weight.shape[:2] for each in small.gates] == [(12, 6)] * 3
    assert [each.weight.shape[:2] for each in small.residuals] == [(6, 6)] * 3
    assert small.channels == 6  # a size that the code keeps beside its layers
    assert (network.channels, len(network.gates[0].weight)) == (8, 16)


def test_states_become_smaller_with_their_layers() -> None:
    network = networks()["layers that stream"]
    small: Any = prune(network, example_for(network)).model
    assert small[2].body[0].past.shape == (1, 4, 12) == small[2].body[0].initial_past.shape
    assert small[3].hidden.shape == small[3].initial_hidden.shape == (1, 1, 3)
    assert (small[4].groups, small[4].past.shape) == (3, (1, 3, 3))
    first = small(torch.ones(1, 1, 40))
    for module in small.modules():
        if isinstance(module, streaming.StreamingLayer):
            module.reset_streaming_state()
    assert torch.equal(small(torch.ones(1, 1, 40)), first)


def test_the_least_weights_go_first() -> None:
    network = Built(lambda s, x: s.b(torch.relu(s.a(x))), a=conv(1, 4), b=conv(4, 1))
    with torch.no_grad():
        network.get_submodule("a").weight.copy_(torch.tensor([1.0, 0.1, 2.0, 0.2]).reshape(4, 1, 1).expand(4, 1, 3))  # pyright: ignore[reportCallIssue]
        network.get_submodule("b").weight.fill_(1.0)  # pyright: ignore[reportCallIssue]
    small: Any = prune(network, torch.randn(1, 1, 32)).model
    assert small.a.weight[:, 0, 0].tolist() == [1.0, 2.0]


def test_calibration_audio_finds_what_is_silent() -> None:
    network: Any = Built(lambda s, x: s.b(torch.relu(s.a(x))), a=conv(1, 4), b=conv(4, 1))
    with torch.no_grad():
        network.a.weight.copy_(torch.tensor([-3.0, 1.0, -3.0, 1.0]).reshape(4, 1, 1).expand(4, 1, 3))
        network.a.bias.zero_()
        network.b.weight.fill_(1.0)
    loud = [
        torch.rand(1, 1, 32) for _ in range(2)
    ]  # all above zero, which the relu makes silence of where it is turned
    small: Any = prune(network, torch.randn(1, 1, 32), calibration=loud).model
    assert small.a.weight[:, 0, 0].tolist() == [1.0, 1.0]
    with pytest.raises(ParameterError, match="silent"):
        prune(network, torch.randn(1, 1, 32), calibration=[torch.zeros(1, 1, 32)])
    with pytest.raises(ParameterError, match=r"with 32 samples.*got \[\[1, 1, 31\]\]"):
        prune(network, torch.randn(1, 1, 32), calibration=[torch.rand(1, 1, 31)])


def test_ratios_of_single_layers() -> None:
    network = networks()["concatenation"]
    result = prune(network, example_for(network), ratio=0.0, ratios={"a": 0.5})
    small: Any = result.model
    assert (small.a.out_channels, small.b.out_channels, small.c.in_channels) == (3, 4, 8)
    with pytest.raises(ParameterError, match="no layer 'z' has channels that can be cut. There are a, b"):
        prune(network, example_for(network), ratios={"z": 0.5})
    gated = WaveNetLike("chunk")
    with pytest.raises(ParameterError, match="have the same channels"):
        prune(gated, example_for(gated), ratios={"first": 0.5, "residuals.0": 0.25})


@pytest.mark.parametrize("ratio", [1.0, -0.1, 2, float("nan"), True, "half"])
def test_ratios_out_of_range(ratio: Any) -> None:
    with pytest.raises(ParameterError, match="ratio must be a number from 0"):
        prune(nn.Conv1d(1, 1, 1), ratio=ratio)
    network = networks()["FiLM"]
    with pytest.raises(ParameterError, match=r"ratios\['a'\] must be a number from 0"):
        prune(network, example_for(network), ratios={"a": ratio})


@pytest.mark.parametrize("norm", [nn.GroupNorm(1, 8), "layer"])
def test_a_norm_over_all_channels_is_refused_by_name(norm: Any) -> None:
    if norm == "layer":
        layer = nn.LayerNorm(8)
        network = Built(
            lambda s, x: s.b(s.n(s.a(x).transpose(1, 2)).transpose(1, 2)), a=conv(1, 8), n=layer, b=conv(8, 1)
        )
    else:
        network = Built(lambda s, x: s.b(s.n(s.a(x))), a=conv(1, 8), n=norm, b=conv(8, 1))
    with pytest.raises(
        ModelError, match=r"a \(8\): aten::(group|layer)_norm.*\(layer n\) joins them(.|\n)*BatchNorm1d"
    ):
        prune(network, example_for(network))


def test_what_a_norm_joins_is_kept_and_said_where_the_rest_can_be_cut() -> None:
    network = Built(
        lambda s, x: s.c(torch.relu(s.b(s.n(s.a(x))))), a=conv(1, 8), n=nn.GroupNorm(1, 8), b=conv(8, 6), c=conv(6, 1)
    )
    result = prune(network, example_for(network))
    assert [(each.layer, each.size) for each in result.kept_whole] == [("a", 8)]
    assert [(each.layers, each.before, each.after) for each in result.layers] == [(("b",), 6, 3)]
    with pytest.raises(ModelError, match="a can't be pruned: aten::group_norm"):
        prune(network, example_for(network), ratios={"a": 0.5})


def test_a_size_written_into_the_code_is_refused_with_its_line() -> None:
    network = Built(lambda s, x: s.b(s.a(x).view(1, 8, -1)), a=conv(1, 8), b=conv(8, 1))
    with pytest.raises(ModelError, match=r"does not run(.|\n)*test_pruning.py:\d+(.|\n)*view\(1, 8, -1\)"):
        prune(network, example_for(network))
    other = Built(lambda s, x: s.b(s.a(x)) + s.a(x)[:, 5:6], a=conv(1, 8), b=conv(8, 1))
    with pytest.raises(ModelError, match=r"does not run|differs"):
        prune(other, example_for(other), ratio=0.25)


def test_a_silent_network_proves_nothing() -> None:
    network: Any = networks()["FiLM"]
    nn.init.zeros_(network.b.weight)
    nn.init.zeros_(network.b.bias)
    with pytest.raises(ModelError, match="gives silence(.|\n)*Train it first"):
        prune(network, example_for(network))


def test_nothing_to_prune() -> None:
    with pytest.raises(ModelError, match="no layer with several channels"):
        prune(nn.Conv1d(1, 1, 3), torch.randn(1, 1, 32))
    network = networks()["FiLM"]
    with pytest.raises(ModelError, match="none of units that can be cut; it has channels"):
        prune(network, example_for(network), kinds=("units",))
    with pytest.raises(ParameterError, match="kinds must be some of"):
        prune(network, example_for(network), kinds=("layer",))


def test_what_is_torchscript_is_told_with_what_to_prune_instead() -> None:
    """A converted network hides its channels; the advice is followed, and what comes of it plays the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv1d(1, 8, 3, padding=1), nn.Tanh(), nn.Conv1d(8, 1, 3, padding=1)).eval()
        behind = nn.Sequential(nn.Conv1d(1, 8, 1), nn.Tanh(), nn.Conv1d(8, 1, 1)).eval()
    example = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0))
    whole = nn.Sequential(streaming.to_streaming(network, example))
    with pytest.raises(
        ModelError, match=r"- 0\.player \(\d+\): it is TorchScript(.|\n)*to_streaming\(prune\(network"
    ) as told:
        prune(whole, example)
    assert "BatchNorm1d" not in str(told.value)
    result = prune(nn.Sequential(streaming.to_streaming(network, example), behind), example)
    assert [each.layer for each in result.kept_whole] == ["0.player"]
    assert [(each.layers, each.before, each.after) for each in result.layers] == [(("1.0",), 8, 4)]
    smaller = prune(network, example)
    streamed = streaming.to_streaming(smaller.model, example)
    assert streamed.player._0_weight.shape == (4, 1, 3)
    late = streamed.delay_samples
    with torch.no_grad():
        played = torch.cat([streamed(block) for block in example.split(16, 2)], 2)
        assert torch.allclose(played[:, :, late:], smaller.model(example)[:, :, : 64 - late], atol=1e-6)


def test_a_wrong_cut_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls: another channel than was meant, of one weight alone; and a dependency that nobody saw."""
    network = networks()["gates by chunk"]
    right = followed.cut

    def wrong(whole: nn.Module, kept: Any, states: Any) -> nn.Module:
        index = kept.get(("gates.1.weight", 1))
        if index is None:
            return right(whole, kept, states)
        other = np.setdiff1d(np.arange(8), index)
        return right(whole, {**kept, ("gates.1.weight", 1): np.sort(np.append(index[1:], other[0]))}, states)

    monkeypatch.setattr(followed, "cut", wrong)
    with pytest.raises(ModelError, match=r"differs from the whole one with the same channels silenced by 0\.\d"):
        prune(network, example_for(network))
    monkeypatch.setattr(followed, "cut", right)

    def blind(*given: Any) -> Any:
        found = dependencies(*given)
        shifted = {
            key: np.roll(each, 1) if key == ("residuals.0.weight", 0) else each for key, each in found.axes.items()
        }
        object.__setattr__(found, "axes", shifted)
        return found

    monkeypatch.setattr(followed, "dependencies", blind)
    with pytest.raises(ModelError, match="differs from the whole one"):
        prune(network, example_for(network))


def test_a_network_stays_as_it_was_and_keeps_its_kind() -> None:
    network = networks()["transposed, sums, weight norm"].train()
    before = {name: each.clone() for name, each in network.state_dict().items()}
    result = prune(network, example_for(network))
    assert isinstance(result, PruneResult)
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())
    assert (network.training, result.model.training) == (True, True)
    assert "first" in result.norms_removed
    assert all(each.requires_grad for each in result.model.parameters())
    assert repr(result).startswith("Pruned GanLike: 69 % of its parameters are gone")
    assert json.loads(json.dumps(result.to_dict()))["parameters_after"] == 801


def test_weights_of_a_scripted_part_are_kept_whole() -> None:
    """They are parameters, unlike those of what to_streaming makes; a layer's sizes are constants there."""
    part: Any = torch.jit.script(nn.Sequential(nn.Conv1d(1, 8, 3), nn.Tanh(), nn.Conv1d(8, 8, 3)))
    network = nn.Sequential(part, nn.Conv1d(8, 8, 1), nn.Tanh(), nn.Conv1d(8, 1, 1)).eval()
    result = prune(network, torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0)))
    assert [each.layers for each in result.layers] == [("1",)]
    assert "0" in [each.layer for each in result.kept_whole]
