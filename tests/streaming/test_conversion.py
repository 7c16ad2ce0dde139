"""Ordinary networks converted to blocks, against themselves on the whole signal."""

import copy
import random
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like import NeutoneLikeError
from neutone_like.errors import CaptureError, ModelError
from neutone_like.streaming import (
    Delay,
    StreamingNetwork,
    block_multiple,
    reset_streaming,
    to_streaming,
    verify_streaming,
)
from neutone_like.streaming.conversion import network as network_module
from support.whole_networks import WINDOW, Built, conv, frames_last, networks, random_convolutions

NETWORKS = tuple(networks())
TOLERANCE = 1e-5


def noise(samples: int, channels: int = 1, seed: int = 0) -> Tensor:
    return torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def worst_error(network: nn.Module, streaming: StreamingNetwork, x: Tensor, chunkings: int) -> float:
    """Of the whole's peak, over random blocks; the first ones as short as can be."""
    multiple = block_multiple(streaming)
    whole, units, rng = network(x), x.size(2) // multiple, random.Random(1)
    worst = 0.0
    for trial in range(chunkings):
        cuts = range(1, units) if trial == 0 else sorted(rng.sample(range(1, units), rng.randint(0, 6)))
        sizes = (torch.tensor([0, *cuts, units]).diff() * multiple).tolist()
        reset_streaming(streaming)
        y = torch.cat([streaming(block) for block in x.split(sizes, 2)], 2)
        assert y.size(2) == x.size(2) * streaming.ratio
        late = y[..., streaming.delay_samples :]
        count = min(late.size(2), whole.size(2))
        assert count > 0
        worst = max(worst, float((late[..., :count] - whole[..., :count]).abs().max() / whole.abs().max()))
    return worst


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch says how it plays them
@pytest.mark.parametrize("name", NETWORKS)
def test_a_converted_network_is_the_network(name: str) -> None:
    torch.manual_seed(2)
    network = networks()[name]
    streaming = to_streaming(network, noise(96))
    x = noise(-(-70 // block_multiple(streaming)) * block_multiple(streaming), seed=1)
    assert worst_error(network, streaming, x, chunkings=12) <= TOLERANCE


def test_two_hundred_random_chunkings_of_convolutions_drawn_at_random() -> None:
    torch.manual_seed(0)
    chunkings = 0
    for network, up in random_convolutions(random.Random(5), 20):
        streaming = to_streaming(network, noise(24 * up))
        assert streaming.ratio == 1
        assert worst_error(network, streaming, noise(16 * up, seed=3), chunkings=10) <= TOLERANCE
        chunkings += 10
    assert chunkings >= 200


@pytest.mark.parametrize("name", ["U-Net", "GRUs after a delay", "spectra", "attention"])
def test_it_keeps_the_contract_of_streaming_layers(name: str) -> None:
    torch.manual_seed(3)
    network = networks()[name]
    streaming = to_streaming(network, noise(192))
    report = verify_streaming(streaming, network, example=noise(192, seed=4), chunkings=10)
    assert report.passed, report


def test_declared_and_measured_by_hand() -> None:
    symmetric = to_streaming(networks()["as much padding on both sides"])
    assert (symmetric.delay_samples, symmetric.receptive_field_samples, symmetric.ratio) == (2, 5, 1)
    causal = to_streaming(networks()["F.pad before"])
    assert (causal.delay_samples, causal.receptive_field_samples) == (0, 9)
    assert to_streaming(networks()["a slice after"]).delay_samples == 0
    down = to_streaming(nn.Conv1d(1, 2, 8, stride=4, padding=2).eval())
    assert (down.ratio.denominator, down.delay_samples, block_multiple(down)) == (4, 1, 4)


def test_a_delay_longer_than_the_example_is_proven_too() -> None:
    network = nn.Sequential(nn.Conv1d(1, 2, 3, dilation=900, padding=900), nn.Tanh(), nn.Conv1d(2, 1, 3, padding=1))
    streaming = to_streaming(network.eval(), noise(64))
    assert (streaming.delay_samples, streaming.receptive_field_samples) == (901, 1803)
    assert worst_error(network, streaming, noise(2000), chunkings=3) <= TOLERANCE


@pytest.mark.parametrize("wrong", [{"delay_samples": 3}, {"delay_samples": 1}], ids=str)
def test_a_wrong_conversion_does_not_leave(wrong: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control of the proof: the delay is 2."""
    right = network_module.convert
    monkeypatch.setattr(network_module, "convert", lambda *given: replace(right(*given), **wrong))
    with pytest.raises(ModelError, match=r"differs from the whole one by [\d.]+ of its peak"):
        to_streaming(networks()["as much padding on both sides"], noise(64))


def test_a_window_shorter_than_the_delay_proves_nothing_and_is_refused() -> None:
    def attend(s: Any, x: Tensor) -> Tensor:
        return frames_last(lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True), s.a(x))

    with pytest.raises(ModelError, match=r"4 samples late, and attention forgets after 3.*longer"):
        to_streaming(Built(attend, a=conv(size=9)).eval(), noise(64), attention_window_samples=3)


def test_names_of_the_network_and_of_the_conversion_do_not_meet() -> None:
    class Named(nn.Module):
        n0: Tensor
        n1: Tensor
        n4: Tensor
        v0: Tensor
        past: Tensor
        position: Tensor
        samples: Tensor

        def __init__(self) -> None:
            super().__init__()
            for name in self.__annotations__:
                self.register_buffer(name, torch.rand(1))
            self.a = conv(1)

        def forward(self, x: Tensor) -> Tensor:
            return (
                self.a(torch.tanh(x * self.n0 + self.n1)) * self.n4 + self.v0 * self.past - self.position * self.samples
            )

    network = Named().eval()
    assert worst_error(network, to_streaming(network, noise(64)), noise(64), chunkings=4) <= TOLERANCE


def test_what_comes_before_the_signal_is_silence() -> None:
    network = Built(lambda s, x: torch.log(s.a(x).abs() + 0.1), a=conv(1, padding=0, bias=False)).eval()
    streaming = to_streaming(network)
    assert streaming.delay_samples == 4
    assert torch.equal(streaming(noise(16))[..., :4], torch.zeros(1, 1, 4))


def test_look_ahead_is_refused_where_it_is_asked_for() -> None:
    network = networks()["as much padding on both sides"]
    with pytest.raises(ModelError, match=r"looks ahead, first in a at .*2 samples late"):
        to_streaming(network, look_ahead="refuse")
    assert to_streaming(networks()["F.pad before"], look_ahead="refuse").delay_samples == 0
    with pytest.raises(ModelError, match=r"'delay', 'refuse', got 'none'"):
        to_streaming(network, look_ahead="none")


def test_attention_without_end_gets_a_window() -> None:
    torch.manual_seed(1)

    def attend(s: Any, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[-1])
        return frames_last(lambda q: s.b(q, src_mask=mask, is_causal=True), s.a(x))

    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    network = Built(attend, a=conv(), b=layer).eval()
    with pytest.raises(ModelError, match=r"b.self_attn.*attends to all of the past.*attention_window_samples"):
        to_streaming(network, noise(96))
    streaming = to_streaming(network, noise(96), attention_window_samples=40)
    assert worst_error(network, streaming, noise(40), chunkings=12) <= TOLERANCE
    assert streaming.receptive_field_samples == 40 + 4


def test_the_network_stays_as_it_was_and_shares_nothing() -> None:
    network = networks()["U-Net"].train()
    before = copy.deepcopy(network.state_dict())
    streaming = to_streaming(network)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    x = noise(64)
    expected = streaming(x)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    reset_streaming(streaming)
    assert torch.equal(streaming(x), expected)


def test_scripted_copied_and_reset() -> None:
    streaming = to_streaming(networks()["LSTMs after a delay"])
    x = noise(64)
    first = streaming(x)
    second = streaming(x)
    assert not torch.equal(first, second)
    scripted = torch.jit.script(streaming)
    reset_streaming(scripted)
    assert torch.equal(scripted(x), first)
    copied = copy.deepcopy(streaming)
    reset_streaming(copied)
    assert torch.equal(copied(x), first)


def test_blocks_and_batches_that_it_does_not_take() -> None:
    streaming = to_streaming(networks()["U-Net"])
    with pytest.raises(ModelError, match=r"10 samples; expected a multiple of 8: 8, 16, 24"):
        streaming(noise(10))
    with pytest.raises(ModelError, match=r"a batch of 2; it was converted for 1"):
        streaming(torch.zeros(2, 1, 16))
    with pytest.raises(ModelError, match=r"example must be a tensor \[batch, channels, samples\], got \[96\]"):
        to_streaming(networks()["U-Net"], torch.randn(96))
    both = to_streaming(networks()["U-Net"], torch.randn(2, 1, 96))
    assert verify_streaming(both, chunkings=2).passed
    assert both(torch.zeros(2, 1, 16)).shape == (2, 1, 16)


def test_rounding_of_the_whole_is_not_held_against_the_stream() -> None:
    """PyTorch counts places between samples in float32, so that its own lines are off far from the start."""
    network = Built(lambda s, x: F.interpolate(x, scale_factor=3, mode="linear")).eval()
    x = noise(7680)
    streaming = to_streaming(network, x)
    exact = network(x.double())
    off = float((network(x) - exact).abs().max() / exact.abs().max())
    late = streaming(x)[..., streaming.delay_samples :]
    error = float((late - exact[..., : late.size(2)]).abs().max() / exact.abs().max())
    assert off > TOLERANCE
    assert error <= 1e-6


def _global_norm(s: Any, x: Tensor) -> Tensor:
    y = s.a(x)
    return y / y.std(-1, keepdim=True)


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "bidirectional": (
        Built(lambda s, x: frames_last(s.a, x), a=nn.GRU(1, 4, batch_first=True, bidirectional=True)),
        r"a \(gru\) at .*test_conversion|a \(gru\).*bidirectional",
    ),
    "reflect": (Built(lambda s, x: s.a(x), a=conv(padding_mode="reflect")), r"a \(pad\).*'reflect'.*zeros"),
    "circular": (Built(lambda s, x: s.a(x), a=conv(padding_mode="circular")), r"a \(.*circular|a \(.*end"),
    "centre": (
        Built(lambda s, x: torch.stft(x[:, 0], 32, 8, window=WINDOW, return_complex=True).abs()),
        r"'reflect'.*center=False",
    ),
    "group norm": (Built(lambda s, x: s.b(s.a(x)), a=conv(), b=nn.GroupNorm(2, 4)), r"b \(group_norm\).*ChannelNorm"),
    "instance norm": (Built(lambda s, x: s.b(s.a(x)), a=conv(), b=nn.InstanceNorm1d(4)), r"b \(instance_norm\)"),
    "deviation": (Built(_global_norm, a=conv()), r"std.*statistics over all of time"),
    "mean": (Built(lambda s, x: x * s.a(x).mean(-1, keepdim=True), a=conv()), r"mean.*pools over all of time.*Pool1d"),
    "global pooling": (
        Built(lambda s, x: x * s.a(x), a=nn.AdaptiveAvgPool1d(1)),
        r"a \(adaptive_avg_pool1d\).*fixed length",
    ),
    "align_corners": (
        Built(lambda s, x: F.interpolate(x, scale_factor=2, mode="linear", align_corners=True)),
        r"align_corners=True.*align_corners=False",
    ),
    "kernel below stride": (
        Built(lambda s, x: s.a(x), a=nn.Conv1d(1, 1, 2, 4)),
        r"a \(conv1d\).*kernel_size=2.*stride=4",
    ),
    "the last samples": (Built(lambda s, x: s.a(x)[..., -10:], a=conv()), r"slice.*fixed length"),
    "one sample": (Built(lambda s, x: x * s.a(x)[..., 5:6], a=conv()), r"slice.*fixed length"),
    "all but the last, from the end": (Built(lambda s, x: s.a(x).flip(-1), a=conv()), r"flip.*signal's end"),
    "the last state": (Built(lambda s, x: s.a(x.transpose(1, 2))[1], a=nn.GRU(1, 4, batch_first=True)), r"a \(.*state"),
    "noise": (Built(lambda s, x: s.a(x) + torch.randn_like(x), a=conv()), r"randn_like.*random"),
    "noise beside the signal": (Built(lambda s, x: s.a(x) + torch.randn(4, 1), a=conv()), r"randn .*random"),
    "dropout that stays on": (Built(lambda s, x: F.dropout(s.a(x), 0.1), a=conv()), r"dropout.*random"),
    "all with all": (
        Built(lambda s, x: frames_last(lambda q: (q @ q.transpose(1, 2)).softmax(-1) @ q, s.a(x)), a=conv()),
        r"matmul.*all times with all others.*is_causal=True",
    ),
    "attention to the future": (
        Built(lambda s, x: frames_last(lambda q: F.scaled_dot_product_attention(q, q, q), s.a(x)), a=conv()),
        r"scaled_dot_product_attention.*all times with all others",
    ),
    "the length": (Built(lambda s, x: x * (1.0 / x.shape[-1])), r"length"),
    "rates": (Built(lambda s, x: F.interpolate(x, scale_factor=1.5)), r"changes the rate by 3/2"),
    "two signals": (Built(lambda s, x: torch.cat([x, s.a(x)], 2), a=conv(1)), r"cat.*one signal behind another"),
    "state of its own": (Delay(3), r"keeps state between calls already"),
    "a table of positions": (
        Built(lambda s, x: s.a(x) + s.b.weight.t()[:, : x.shape[-1]], a=conv(), b=nn.Embedding(400, 4)),
        r"slice.*out of a table that ends.*torch\.arange",
    ),
    "positions that are looked up": (
        Built(lambda s, x: s.a(x) + s.b(torch.arange(x.shape[-1])).t(), a=conv(), b=nn.Embedding(400, 4)),
        r"The stream would end.*learned positions.*relative",
    ),
    "a mask of the signal": (
        Built(lambda s, x: s.a(x)[..., x[0, 0] > 0], a=conv()),
        r"index.*as many samples as a mask says.*torch\.where",
    ),
    "calculated times": (
        Built(lambda s, x: s.a(x)[..., (3 * x[0, 0].abs()).long().clamp(max=90)], a=conv()),
        r"index.*at times that are calculated.*FractionalDelay",
    ),
    "two outputs": (
        Built(lambda s, x: (x, s.a(x)), a=conv()),  # pyright: ignore
        r"give one tensor, got a tuple of 2\..*network\(x\)\[0\].*joined as channels",
    ),
}


@pytest.mark.parametrize("name", tuple(REFUSED))
def test_what_cannot_stream_is_refused_by_name(name: str) -> None:
    network, message = REFUSED[name]
    with pytest.raises(NeutoneLikeError, match=message) as refused:
        to_streaming(network.eval(), noise(96))
    assert re.search(r"\.$", str(refused.value))


class Conditioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(), nn.Linear(2, 4)

    def forward(self, x: Tensor, condition: Tensor, scale: float = 1.0) -> Tensor:
        return scale * self.a(x) * self.b(condition).unsqueeze(2)


class Choosing(Conditioned):
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:  # pyright: ignore
        return self.a(x) if condition is None else super().forward(x, condition)


def test_more_inputs_than_a_signal_and_a_condition_are_refused_and_an_optional_one_may_be_left_out() -> None:
    said = r"takes x, condition.*, and a stream is one tensor, with one condition.*condition=\.\.\..*\"A second input\""
    with pytest.raises(ModelError, match=said):
        to_streaming(Conditioned().eval())
    both: Any = (noise(96), torch.zeros(1, 2))
    with pytest.raises(ModelError, match=said):
        to_streaming(Choosing().eval(), both)
    network = Choosing().eval()
    assert worst_error(network, to_streaming(network, noise(64)), noise(64), chunkings=2) <= TOLERANCE


def test_batch_norm_in_training_is_refused_and_a_decision_by_values_too() -> None:
    with pytest.raises(ModelError, match=r"b \(BatchNorm1d\).*train mode; call eval"):
        to_streaming(Built(lambda s, x: s.b(s.a(x)), a=conv(), b=nn.BatchNorm1d(4)).train())
    with pytest.raises(CaptureError, match=r"decides by the values"):
        to_streaming(Built(lambda s, x: x if x.sum() > 0 else -x).eval(), noise(96))
