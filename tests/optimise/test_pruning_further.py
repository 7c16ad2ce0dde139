"""Pruning beyond one cut: torch's attention, whole layers, single weights, and training in steps."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import streaming
from neutone_like.errors import ModelError, ParameterError, TrainingError
from neutone_like.optimise import FineTuning, PruneResult, prune
from neutone_like.optimise.pruning.fewer_heads import FewerHeads
from support.prunable_networks import Built, WaveNetLike, conv

X = torch.randn(1, 1, 96, generator=torch.Generator().manual_seed(1))


class Block(nn.Module):
    """What passes, and something of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a, self.b = conv(channels, channels), conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(torch.tanh(self.a(x)))


def stack(blocks: int = 4) -> Any:
    return Built(
        lambda s, x: s.last(s.blocks(s.first(x))),
        first=conv(1, 6),
        blocks=nn.Sequential(*(Block(6) for _ in range(blocks))),
        last=conv(6, 1),
    )


def _attended(s: Any, x: Tensor) -> Tensor:
    y = torch.tanh(s.a(x)).transpose(1, 2)
    return s.b((y + s.m(y, y, y)[0]).transpose(1, 2))


def test_heads_of_torchs_attention() -> None:
    network = Built(_attended, a=conv(1, 16), m=nn.MultiheadAttention(16, 4, batch_first=True), b=conv(16, 1))
    result = prune(network, X)  # its reference is torch's own attention, with silenced heads
    small: Any = result.model
    assert result.equality <= 1e-6
    assert [(each.kind, each.before, each.after) for each in result.layers] == [("channels", 16, 8), ("heads", 4, 2)]
    assert (small.m.num_heads, small.m.head_dim, tuple(small.m.in_proj_weight.shape)) == (2, 4, (24, 8))
    layer = Built(
        lambda s, x: s.b(s.m(s.a(x).transpose(1, 2)).transpose(1, 2)),
        a=conv(1, 16),
        m=nn.TransformerEncoderLayer(16, 4, 32, batch_first=True),
        b=conv(16, 1),
    )
    found = prune(layer, X)
    assert [(each.kind, each.after) for each in found.layers] == [("heads", 2), ("channels", 16)]
    assert {each.layer for each in found.kept_whole} >= {"a", "m.linear2"}


def test_fewer_heads_are_called_as_torchs_attention_is() -> None:
    torchs = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    ours: Any = copy.deepcopy(torchs)
    ours.__class__ = FewerHeads
    q, kv = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    unseen = torch.zeros(5, 7, dtype=torch.bool)
    unseen[0, 3:] = True
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[1, 5:] = True
    for named in (
        {},
        {"attn_mask": unseen},
        {"attn_mask": torch.randn(5, 7)},
        {"attn_mask": torch.randn(8, 5, 7), "average_attn_weights": False},
        {"key_padding_mask": padding},
    ):
        for mine, theirs in zip(ours(q, kv, kv, **named), torchs(q, kv, kv, **named), strict=True):
            torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(ours(q[0], kv[0], kv[0])[0], torchs(q[0], kv[0], kv[0])[0])
    assert ours(q, kv, kv, need_weights=False)[1] is None


def test_blocks_that_change_least_are_left_out() -> None:
    network = stack()
    with torch.no_grad():
        for at in (1, 2):
            network.blocks[at].b.weight.mul_(0.01)
            network.blocks[at].b.bias.mul_(0.01)
    result = prune(network, X, kinds=("layers",), ratio=0.5)
    small: Any = result.model
    assert [(each.layers, each.before, each.after) for each in result.layers] == [(("blocks",), 4, 2)]
    kept = [network.blocks[0], network.blocks[3]]
    expected = network.last(kept[1](kept[0](network.first(X))))
    torch.testing.assert_close(small(X), expected)
    both = prune(network, X, kinds=("layers", "channels"), ratio=0.5).model
    assert len(both.get_submodule("blocks")) == 2  # pyright: ignore[reportArgumentType]
    assert both.get_submodule("first").out_channels == 3
    with pytest.raises(ParameterError, match=r"\['first'\] are no lists of layers"):
        prune(network, X, kinds=("layers",), ratios={"first": 0.5})
    with pytest.raises(ParameterError, match=r"ratios\['blocks'\] must be a number from 0"):
        prune(network, X, kinds=("layers",), ratios={"blocks": 1.0})
    with pytest.raises(ModelError, match="no block in a list(.|\n)*gates . residuals . skips: .* does not run"):
        prune(WaveNetLike("chunk"), X, kinds=("layers",))  # each of them makes the output shorter


def test_single_weights_become_zero_and_stay_so() -> None:
    network = stack(1)

    def fine_tune(model: Any) -> None:
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            model(X).square().mean().backward()
            optimiser.step()

    result = prune(network, X, kinds=("weights",), ratio=0.25, ratios={"last": 0.0}, fine_tune=fine_tune)
    small = dict(result.model.named_parameters())
    for name, whole in network.named_parameters():
        if whole.dim() > 1:
            wanted = 0 if name.startswith("last") else int(whole.numel() * 0.25 + 0.5)
            smallest = whole.detach().abs().reshape(-1).argsort()[:wanted]
            assert int((small[name] == 0).sum()) == wanted
            assert bool((small[name].reshape(-1)[smallest] == 0).all())
    assert not torch.equal(small["last.weight"], dict(network.named_parameters())["last.weight"])
    assert result.parameters_after == result.parameters_before
    assert "are zero" in repr(result)
    with pytest.raises(ParameterError, match=r"no layer 'z' has weights. There are blocks.0.a, blocks.0.b"):
        prune(network, X, kinds=("weights",), ratios={"z": 0.5})
    with pytest.raises(ParameterError, match="chosen by their size alone"):
        prune(network, X, kinds=("weights",), calibration=[X])
    with pytest.raises(ParameterError, match="one after another"):
        prune(network, X, kinds=("weights", "channels"))


def test_time_is_told_and_what_is_no_faster_is_not_called_an_improvement() -> None:
    result = prune(stack(1), X, measure=True)
    assert result.call_us_before is not None
    assert result.call_us_after is not None
    assert result.time_ratio == result.call_us_after / result.call_us_before
    told = replace(result, call_us_before=10.0, call_us_after=6.0)
    assert "x 0.60 of what it was, faster" in repr(told)
    assert "NOT faster: an improvement in nothing but its size" in repr(replace(told, call_us_after=11.0))
    same = replace(told, call_us_after=11.0, parameters_after=told.parameters_before)
    assert "NOT faster: an improvement in nothing" in repr(same)
    assert replace(told, call_us_before=None).time_ratio is None


class Killed(Exception):
    pass


def recovery(whole: nn.Module, killed_at: int | None = None) -> FineTuning:
    batches = 0

    def draw(generator: torch.Generator) -> Tensor:
        nonlocal batches
        batches += 1
        if batches == killed_at:
            raise Killed
        return torch.randn(4, 1, 64, generator=generator)

    def loss(model: Any, batch: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = whole(batch)
        return (model(batch) - wanted).square().mean() / wanted.square().mean()

    return FineTuning(loss, draw, updates=60, learning_rate=3e-3, seed=5)


def test_little_by_little_with_training_and_after_a_kill(tmp_path: Path) -> None:
    network = stack(2).eval().requires_grad_(False)

    def pruned(tuning: FineTuning | None, folder: Path | None, steps: int = 2) -> PruneResult:
        return prune(network, X, fine_tune=tuning, steps=steps, checkpoint=folder)

    result = pruned(recovery(network), None)
    assert not any(each.requires_grad for each in result.model.parameters())
    assert {(each.before, each.after) for each in result.layers} == {(6, 3)}
    assert result.equality <= 1e-6
    untrained = pruned(None, None, steps=1)
    fresh = torch.randn(1, 1, 500)
    errors = [float((each.model(fresh) - network(fresh)).square().sum()) for each in (result, untrained)]
    assert errors[0] < 0.5 * errors[1]
    for killed_at in (30, 115):  # within the first step, before a checkpoint of its own; within the second
        with pytest.raises(Killed):
            pruned(recovery(network, killed_at), tmp_path / "kept")
    again = pruned(recovery(network), tmp_path / "kept")
    for one, other in zip(again.model.parameters(), result.model.parameters(), strict=True):
        assert torch.equal(one, other)
    done = pruned(recovery(network, killed_at=1), tmp_path / "kept")  # nothing is left to train
    assert torch.equal(done.model(fresh), result.model(fresh))
    assert done.equality == again.equality
    with pytest.raises(TrainingError, match="of another pruning"):
        prune(network, X, ratio=0.3, fine_tune=recovery(network), steps=2, checkpoint=tmp_path / "kept")
    (tmp_path / "kept" / "step-2.pt").write_bytes(b"half")
    with pytest.raises(TrainingError, match="no checkpoint that can be read"):
        pruned(recovery(network), tmp_path / "kept")


def test_training_that_fails() -> None:
    network = stack(1)

    def diverges(model: Any) -> None:
        model.first.weight.data.fill_(float("nan"))

    def takes_apart(model: Any) -> None:
        model.first.weight = nn.Parameter(torch.zeros(1))

    with pytest.raises(TrainingError, match=r"first.weight is not finite after fine_tune"):
        prune(network, X, fine_tune=diverges)
    with pytest.raises(TrainingError, match=r"fine_tune changed first.weight"):
        prune(network, X, fine_tune=takes_apart)
    nan = FineTuning(lambda model, batch: model(batch).sum() * float("nan"), lambda generator: X, updates=3)
    with pytest.raises(TrainingError, match="loss became nan at update 0"):
        prune(network, X, fine_tune=nan)
    with pytest.raises(ParameterError, match="steps=3 without fine_tune"):
        prune(network, X, steps=3)
    for kind in ("layers", "weights"):
        with pytest.raises(ParameterError, match=f"steps=2: {kind} go in one step"):
            prune(network, X, kinds=(kind,), steps=2, fine_tune=nan)
    with pytest.raises(ParameterError, match="checkpoint keeps what fine_tune made"):
        prune(network, X, checkpoint="nowhere")
    with pytest.raises(ParameterError, match="updates must be a whole number from 1, got 0"):
        replace(nan, updates=0)
    with pytest.raises(ParameterError, match="learning_rate must be a finite number above 0, got nan"):
        replace(nan, learning_rate=float("nan"))
    with pytest.raises(ParameterError, match="steps must be a whole number from 1"):
        prune(network, X, steps=0)


@pytest.mark.parametrize("by_itself", [True, False])
def test_streaming_layers_are_trained_from_rest(by_itself: bool, tmp_path: Path) -> None:
    """No batch goes on from the one before, whose graph is gone, and no state of training is left."""
    layers = (streaming.Conv1d(1, 16, 9), nn.Tanh(), streaming.Conv1d(16, 16, 3), nn.Tanh(), streaming.Conv1d(16, 1, 1))
    tuning = FineTuning(
        lambda network, batch: (network(batch) - batch).square().mean(),
        lambda generator: torch.randn(8, 1, 64, generator=generator),
        updates=2,
    )

    def once(network: Any) -> None:
        network(torch.ones(8, 1, 64)).square().mean().backward()

    result = prune(nn.Sequential(*layers), X, fine_tune=tuning if by_itself else once, checkpoint=tmp_path)
    states = [(name, each) for name, each in result.model.named_buffers() if name.endswith(".past")]
    assert len(states) == 3
    for name, each in states:
        assert each.size(0) == 1, name
        assert not each.any(), name
        assert not each.requires_grad, name
