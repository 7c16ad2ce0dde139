"""Conv1dGeneral, FiLM, the TCN, mel spectra and the queue, against ordinary layers and written-out sums."""

import random
from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import CircularInplaceTensorQueue
from neutone_like.compat.neutone_sdk.cached_mel_spec import CachedMelSpec
from neutone_like.compat.neutone_sdk.conv import Conv1dGeneral
from neutone_like.compat.neutone_sdk.tcn_1d import TCN1D, FiLM, TCN1DBlock, causal_crop
from neutone_like.errors import ModelError
from neutone_like.streaming import to_streaming
from support.random_blocks import error_of_peak, play, random_lengths, worst_chunking

ORDINARY: Any = nn.Conv1d


@pytest.fixture(autouse=True)
def same_weights() -> None:
    torch.manual_seed(0)


def sound(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(shape[-1])) - 0.5


# ---------------------------------------------------------------------- Conv1dGeneral


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_convolution_of_a_whole_sound_is_the_ordinary_one() -> None:
    for kernel, dilation in ((1, 1), (4, 1), (5, 3)):
        paddings: list[tuple[Any, int]] = [("same", (kernel - 1) * dilation), ("valid", 0), (0, 0), (3, 3), ((2,), 2)]
        for padding, left in paddings:
            for mode in ("zeros", "reflect", "replicate", "circular"):
                layer = Conv1dGeneral(2, 3, kernel, padding=padding, dilation=dilation, padding_mode=mode, causal=False)
                ordinary = ORDINARY(2, 3, kernel, 1, padding, dilation, padding_mode=mode)
                ordinary.load_state_dict({"weight": layer.conv1d.weight, "bias": layer.conv1d.bias})
                x = sound(2, 2, 60)
                torch.testing.assert_close(layer(x), ordinary(x))
            causal = Conv1dGeneral(2, 3, kernel, padding=padding, dilation=dilation)
            padded = F.pad(x, (left, 0))
            expected = F.conv1d(padded, causal.conv1d.weight, causal.conv1d.bias, dilation=dilation)
            torch.testing.assert_close(causal(x), expected)


def test_cached_convolution_is_the_whole_one_late_by_its_delay() -> None:
    for kernel, dilation, causal in ((1, 1, True), (5, 3, True), (5, 3, False), (4, 1, False)):
        layer = Conv1dGeneral(2, 3, kernel, dilation=dilation, causal=causal)
        x = sound(2, 2, 120)
        whole = layer(x)
        layer.prepare_for_inference()
        assert layer.is_cached()
        assert worst_chunking(layer, x, chunkings=10) < 1e-5
        delay = layer.get_delay_samples()
        assert delay == (0 if causal else -(-(kernel - 1) * dilation // 2))
        torch.testing.assert_close(play(layer, x, [120])[:, :, delay:], whole[:, :, : 120 - delay])


def test_another_batch_forgets_the_past_and_what_a_reset_announces() -> None:
    layer = torch.jit.script(Conv1dGeneral(1, 1, 5, cached=True))
    x = sound(3, 1, 40)
    fresh = layer(x)
    layer(sound(1, 1, 40))
    torch.testing.assert_close(layer(x), fresh)
    assert not torch.equal(layer(x), fresh)
    layer.set_cached(True)
    torch.testing.assert_close(layer(x), fresh)
    fixed = Conv1dGeneral(1, 1, 5, cached=True, use_dynamic_bs=False)
    with pytest.raises(ModelError, match="a batch of 3; expected 1"):
        fixed(x)
    fixed.reset(3)
    fixed(x)


def test_weights_of_the_neutone_sdk_load_without_what_it_last_heard() -> None:
    network = nn.Sequential(Conv1dGeneral(1, 2, 3))
    stored = {name: torch.ones_like(value) for name, value in network.state_dict().items()}
    assert set(stored) == {"0.conv1d.weight", "0.conv1d.bias"}
    stored |= {"0.padding_cached.pad_l_buf": torch.ones(1, 1, 2), "0.padding_cached.pad_r_buf": torch.ones(1, 1, 0)}
    network.load_state_dict(stored)
    assert float(network.state_dict()["0.conv1d.weight"].sum()) == 6.0
    with pytest.raises(RuntimeError, match="Unexpected key"):
        network.load_state_dict({**stored, "0.other": torch.ones(1)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 2}, r"stride must be 1, got 2. Use neutone_like.streaming.Conv1d\(..., stride=2\)"),
        ({"padding": "full"}, "padding must be 'same', 'valid' or a whole number from 0, got 'full'"),
        ({"padding": -1}, "got -1"),
        ({"padding_mode": "mirror"}, "padding_mode must be one of zeros, reflect, replicate, circular, got 'mirror'"),
    ],
)
def test_convolutions_that_are_not_offered_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Conv1dGeneral(1, 1, 3, **options)


# ---------------------------------------------------------------------- FiLM and the TCN


def test_film_scales_and_shifts() -> None:
    film = FiLM(3, 4).eval()
    assert film.bn is not None
    nn.init.uniform_(film.bn.running_mean)  # pyright: ignore[reportArgumentType]
    x, cond = sound(2, 4, 10), sound(2, 3)
    row = cond @ film.adaptor.weight.T + film.adaptor.bias
    normed = (x - film.bn.running_mean[:, None]) / (film.bn.running_var[:, None] + film.bn.eps).sqrt()  # pyright: ignore
    torch.testing.assert_close(film(x, cond), normed * row[:, :4, None] + row[:, 4:, None])
    torch.testing.assert_close(torch.jit.script(FiLM(3, 4, False))(x, cond * 0.0).shape, x.shape)
    with pytest.raises(ModelError, match=r"expected \[batch, cond_dim\]"):
        film(x, cond.unsqueeze(2))


def written_out(tcn: TCN1D, x: Tensor, cond: Tensor | None, padding: int | None) -> Tensor:
    """The network by its weights' names, with torch's functions."""
    weights = tcn.state_dict()
    for n in range(tcn.n_blocks):
        name, dilation = f"blocks.{n}.", tcn.dil_growth**n
        pad = (tcn.kernel_size - 1) // 2 * dilation if padding is None else padding
        y = F.conv1d(x, weights[name + "conv.weight"], weights[name + "conv.bias"], 1, pad, dilation)
        if cond is not None:
            row = F.linear(cond, weights[name + "film.adaptor.weight"], weights[name + "film.adaptor.bias"])
            scale, shift = row.unsqueeze(2).chunk(2, 1)
            y = y * scale + shift
        y = F.prelu(y, weights[name + "act.weight"])
        skipped = F.conv1d(x, weights[name + "res.weight"])
        if skipped.size(2) != y.size(2):
            skipped = skipped[:, :, -1 - y.size(2) : -1]
        x = y + skipped
    return x


@pytest.mark.parametrize(
    ("cond_dim", "padding", "kernel"), [(0, None, 5), (2, None, 5), (2, 0, 5), (0, 0, 4), (0, None, 4)]
)
def test_tcn_is_what_its_weights_say(cond_dim: int, padding: int | None, kernel: int) -> None:
    tcn = TCN1D(1, 2, 3, kernel, 6, 3, padding, cond_dim)
    x, cond = sound(2, 1, 200), sound(2, cond_dim) if cond_dim else None
    torch.testing.assert_close(tcn(x, cond), written_out(tcn, x, cond, padding))
    x.requires_grad_()
    middle = tcn(x, cond).size(2) // 2
    gradient = torch.autograd.grad(tcn(x, cond)[0, 0, middle], x)
    heard = gradient[0][0, 0].nonzero().flatten()
    assert int(heard.max() - heard.min()) + 1 == tcn.calc_receptive_field()


class Conditioned(nn.Module):
    """A cached network that is always given the same condition."""

    def __init__(self, tcn: TCN1D, cond: Tensor | None) -> None:
        super().__init__()
        self.tcn, self.cond = tcn, cond

    def forward(self, x: Tensor) -> Tensor:
        return self.tcn(x, self.cond)


def test_cached_tcn_is_the_whole_one_late_by_its_delay() -> None:
    for cond_dim, use_bn, padding in ((2, True, None), (0, True, None), (0, False, 0)):
        options: dict[str, Any] = {"cond_dim": cond_dim, "use_bn": use_bn, "padding": padding}
        whole = TCN1D(1, 1, 3, 5, 6, 2, **options).eval()
        cached = TCN1D(1, 1, 3, 5, 6, 2, **options, cached=True).eval()
        cached.load_state_dict(whole.state_dict())
        x, cond = sound(1, 1, 150), sound(1, cond_dim) if cond_dim else None
        played = Conditioned(cached, cond)
        assert worst_chunking(played, x, chunkings=10) < 1e-5
        with torch.no_grad():
            expected, streamed = whole(x, cond), play(played, x, [150])
        field, delay = cached.calc_receptive_field(), cached.get_delay_samples()
        assert delay == (0 if padding == 0 else (field - 1) // 2)
        streamed = streamed[:, :, field - 1 if padding == 0 else delay :]
        assert error_of_peak(streamed, expected[:, :, : streamed.size(2)]) < 1e-5
        assert streamed.size(2) == (expected.size(2) if padding == 0 else 150 - delay)


def test_cached_tcn_is_what_conversion_makes_of_the_whole_one() -> None:
    whole = TCN1D(1, 1, 3, 5, 6, 2, use_bn=True).eval()
    cached = TCN1D(1, 1, 3, 5, 6, 2, use_bn=True, cached=True).eval()
    cached.load_state_dict(whole.state_dict())
    converted = to_streaming(whole)
    delay = cached.get_delay_samples()
    assert converted.delay_samples == delay
    x = sound(1, 1, 128)
    with torch.no_grad():
        expected, streamed = play(converted, x, [128]), play(cached, x, [32] * 4)
    torch.testing.assert_close(streamed[:, :, delay:], expected[:, :, delay:], atol=1e-6, rtol=1e-5)


def test_what_the_tcn_cannot_do_is_refused() -> None:
    with pytest.raises(ModelError, match="cached=True takes padding=0 or one that keeps the length, here 2 .*got 1"):
        TCN1DBlock(1, 1, 5, 1, 1, cached=True)
    with pytest.raises(ModelError, match="here 1.5 .an odd kernel_size., got 1"):
        TCN1D(kernel_size=4, cached=True)
    with pytest.raises(ModelError, match=r"expected \[batch, in_ch, samples\]"):
        TCN1D(n_blocks=1)(torch.zeros(1, 5))
    x = torch.arange(6.0)
    assert torch.equal(causal_crop(x, 6), x)
    assert torch.equal(causal_crop(x, 4), torch.tensor([1.0, 2.0, 3.0, 4.0]))


# ---------------------------------------------------------------------- mel spectra


def triangles(sample_rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float) -> np.ndarray:
    """``[n_mels, bins]``, one by one."""

    def mel(hz: float) -> float:
        return 1127.01048 * np.log1p(hz / 700.0)

    points = [700.0 * np.expm1(m / 1127.01048) for m in np.linspace(mel(f_min), mel(f_max), n_mels + 2)]
    filters = np.zeros((n_mels, n_fft // 2 + 1))
    for band, (low, middle, high) in enumerate(zip(points, points[1:], points[2:], strict=False)):
        for index in range(n_fft // 2 + 1):
            hz = index * sample_rate / n_fft
            filters[band, index] = max(0.0, min((hz - low) / (middle - low), (high - hz) / (high - middle)))
    return filters


def test_mel_spectra_are_centred_ones_late_by_their_delay() -> None:
    for power, normalized, window_fn in ((2.0, False, torch.hann_window), (1.0, True, torch.hamming_window)):
        mel = CachedMelSpec(16000, 2, 256, 64, 100.0, 7000.0, 20, window_fn, power, normalized)
        x = sound(2, 64 * 30)
        window = window_fn(256)
        spectra = torch.stft(x, 256, 64, window=window, pad_mode="constant", return_complex=True).abs()
        if normalized:
            spectra = spectra / window.square().sum().sqrt()
        expected = torch.from_numpy(triangles(16000, 256, 20, 100.0, 7000.0)) @ spectra.double() ** power
        assert (mel.get_delay_samples(), mel.get_delay_frames()) == (64, 1)
        assert worst_chunking(mel, x, chunkings=10, multiple=64) < 1e-5
        mel.reset()
        played = torch.cat([mel(block) for block in x.split(64 * 3, 1)], 2)
        assert error_of_peak(played[:, :, 1:], expected[:, :, : 30 - 1]) < 1e-5
        mel.reset()
        assert torch.equal(mel(x[:, : 64 * 3]), played[:, :, :3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"center": False}, "center=False is not offered"),
        ({"n_fft": 255}, "n_fft must be even"),
        ({"hop_len": 100}, "hop_len must divide its half"),
        ({"power": 0.0}, "power must be above 0"),
        ({"n_mels": 2000}, "holds no bin"),
    ],
)
def test_mel_spectra_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"n_fft": 256, "hop_len": 64, "n_mels": 20, **options}
    with pytest.raises(ModelError, match=message):
        CachedMelSpec(16000, 1, **given)
    with pytest.raises(ModelError, match=r"expected \[1, a multiple of hop_len=64\]"):
        CachedMelSpec(16000, 1, 256, 64, n_mels=20)(torch.zeros(1, 65))


# ---------------------------------------------------------------------- the queue


class Waiting(nn.Module):
    """A queue as wrappers use it."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.queue = CircularInplaceTensorQueue(2, room)

    def forward(self, x: Tensor, wanted: int, takes: bool) -> tuple[Tensor, int]:
        self.queue.push(x)
        out = torch.full((2, wanted), -1.0)
        count = self.queue.pop(out) if takes else self.queue.fill(out)
        return out, count + 1000 * self.queue.size


def test_queue_is_a_queue_that_loses_its_oldest() -> None:
    generator = random.Random(0)
    for room in (1, 2, 7):
        eager = Waiting(room)
        scripted = torch.jit.script(Waiting(room))
        expected: deque[int] = deque(maxlen=room)
        pushed = 0
        for _ in range(200):
            samples, wanted, takes = generator.randint(0, 9), generator.randint(0, 9), generator.random() < 0.5
            numbers = list(range(pushed, pushed + samples))
            pushed += samples
            expected.extend(numbers)
            held = [expected.popleft() for _ in range(min(wanted, len(expected)))]
            if not takes:
                expected.extendleft(reversed(held))
            for module in (eager, scripted):
                out, answer = module(torch.tensor([numbers, numbers], dtype=torch.float32), wanted, takes)
                assert out.tolist() == [held + [-1] * (wanted - len(held))] * 2
                assert answer == len(held) + 1000 * len(expected)
        queue = eager.queue
        assert (queue.is_empty(), queue.is_full()) == (len(expected) == 0, len(expected) == room)
        queue.push(torch.ones(2, room))
        assert queue.is_full()
        queue.reset()
        assert queue.is_empty()
        assert queue.pop(torch.zeros(2, 3)) == 0


def test_queues_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="must be at least 1, got 2 and 0"):
        CircularInplaceTensorQueue(2, 0)
    with pytest.raises(ModelError, match=r"expected \[2, samples\]"):
        CircularInplaceTensorQueue(2, 10).push(torch.zeros(1, 4))


def test_random_lengths_reach_one() -> None:
    """The chunkings above include single samples."""
    assert 1 in random_lengths(np.random.default_rng(7), 100)
