"""Spectra for live models, against frames of the whole sound and sums of frames written out."""

import numpy as np
import pytest
import torch
from torch import Tensor

from neutone_like.compat.neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_like.errors import ModelError

EPS = 1e-8


def sound(samples: int, seed: int = 0) -> Tensor:
    return torch.rand(2, samples, generator=torch.Generator().manual_seed(seed)) - 0.5


def mirrored_frames(heard: np.ndarray, n_fft: int, hop: int, count: int) -> np.ndarray:
    """``[2, bins, count]``: the last centred frames of all that was heard, after its end mirrored."""
    padded = np.concatenate([np.zeros((2, 4 * n_fft)), heard], 1)
    padded = np.concatenate([padded, padded[:, -2 : -n_fft // 2 - 2 : -1]], 1)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
    starts = [padded.shape[1] - n_fft - hop * back for back in reversed(range(count))]
    return np.stack([np.fft.rfft(padded[:, at : at + n_fft] * window) for at in starts], 2)


def overlap_added(frames: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """Audio from the middle of the first frame to that of the last, by the windows' squares."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
    length = (frames.shape[2] - 1) * hop + n_fft
    total, cover = np.zeros((2, length)), np.zeros(length)
    for index in range(frames.shape[2]):
        at = slice(index * hop, index * hop + n_fft)
        total[:, at] += np.fft.irfft(frames[:, :, index]) * window
        cover[at] += window**2
    inner = slice(n_fft // 2, length - n_fft // 2)
    return total[:, inner] / cover[inner]


@pytest.mark.parametrize("io_n_frames", [1, 2, 5])
def test_spectra_and_audio_are_those_of_the_mirrored_sound(io_n_frames: int) -> None:
    """With a network between that damps a band; crossfaded from block to block."""
    n_fft, hop, fade = 64, 16, 12
    overlap, block = n_fft // 2 // hop, io_n_frames * hop
    damp = np.where((np.arange(n_fft // 2 + 1) > 5) & (np.arange(n_fft // 2 + 1) < 12), 0.25, 1.0)[:, None]
    stft = RealtimeSTFT(9, 2, hop, n_fft, hop, logarithmize=False, fade_n_samples=fade)
    stft.set_buffer_size(block)
    x, tail = sound(block * 12), np.zeros((2, fade))
    rise = np.linspace(0.0, 1.0, fade)
    for end in range(block, x.size(1) + 1, block):
        spectra = stft.audio_to_spec(x[:, end - block : end])
        frames = mirrored_frames(x[:, :end].double().numpy(), n_fft, hop, 9)
        current = overlap + io_n_frames
        np.testing.assert_allclose(spectra[:, :, -current:], np.abs(frames[:, :, -current:]), atol=1e-5)
        y = stft.spec_to_audio(spectra * torch.from_numpy(damp).float())
        newest = overlap_added(frames[:, :, -current:] * damp, n_fft, hop)[:, -block - fade :]
        newest[:, :fade] = newest[:, :fade] * rise + tail * rise[::-1]
        np.testing.assert_allclose(y, newest[:, :block], atol=1e-5)
        tail = newest[:, block:]


def test_older_frames_are_those_of_the_whole_sound() -> None:
    stft = RealtimeSTFT(12, 2, 32, 64, 16, logarithmize=False)
    x = sound(32 * 20)
    spectra = torch.zeros(0)
    for block in x.split(32, 1):
        spectra = stft.audio_to_spec(block)
    whole = torch.stft(x, 64, 16, window=torch.hann_window(64), center=True, return_complex=True).abs()
    torch.testing.assert_close(spectra[:, :, :-2], whole[:, :, -12:-2], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"logarithmize": False, "fade_n_samples": 384},
        {"power": 2.0, "ensure_pos_spec": False},
        {"power": None, "logarithmize": False, "fade_n_samples": 100},
    ],
)
def test_untouched_spectra_give_the_sound_back_late_by_the_fade(options: dict[str, object]) -> None:
    for block in (512, 1536, 7168):
        stft = torch.jit.script(RealtimeSTFT(**options))  # pyright: ignore[reportArgumentType]
        stft.set_buffer_size(block)
        x = sound(block * 4)
        for _ in range(2):
            y = torch.cat([stft.spec_to_audio(stft.audio_to_spec(part)) for part in x.split(block, 1)], 1)
            delay = stft.calc_model_delay_samples()
            torch.testing.assert_close(y[:, delay:], x[:, : x.size(1) - delay], atol=2e-4, rtol=0)
            stft.reset()


def test_a_reset_forgets_everything() -> None:
    stft = RealtimeSTFT(fade_n_samples=384)
    x = sound(512 * 6)

    def played() -> Tensor:
        return torch.cat([stft.spec_to_audio(stft.audio_to_spec(part) * 0.9) for part in x.split(512, 1)], 1)

    first = played()
    assert not torch.equal(played(), first)
    stft.reset_streaming_state()
    assert torch.equal(played(), first)


def test_logarithms_are_of_magnitudes_and_silence_is_their_least() -> None:
    x = sound(4096)
    for power in (1.0, 2.0):
        positive = RealtimeSTFT(power=power)
        plain = RealtimeSTFT(power=power, ensure_pos_spec=False)
        magnitudes = torch.stft(x, 2048, 512, window=torch.hann_window(2048), return_complex=True).abs() ** power
        expected = torch.log10(magnitudes.clamp(min=EPS))
        torch.testing.assert_close(plain.audio_to_spec_offline(x), expected, atol=1e-4, rtol=0)
        torch.testing.assert_close(positive.audio_to_spec_offline(x), expected + 8.0, atol=1e-4, rtol=0)
        assert float(positive.audio_to_spec(torch.zeros(2, 512)).abs().max()) < 1e-5
        assert float((plain.audio_to_spec(torch.zeros(2, 512)) + 8.0).abs().max()) < 1e-5


def test_without_phases_every_frame_is_symmetric_about_its_middle() -> None:
    stft = RealtimeSTFT(4, 1, 32, 64, 32, logarithmize=False, use_phase_info=False)
    spectra = torch.zeros(1, 33, 4)
    spectra[:, 3, -1] = 1.0  # only the frame whose middle is the end of the block
    y = stft.spec_to_audio(spectra)
    assert not stft.phase_buf.any()
    ramp = torch.arange(32) * (2.0 * np.pi * 3 / 64)
    window = torch.hann_window(64)
    expected = torch.cos(ramp) / 32.0 * window[:32] / (window[:32] ** 2 + window[32:] ** 2)
    torch.testing.assert_close(y[0], expected.float(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"center": False}, "center=False is not offered. Use neutone_like.streaming.STFT"),
        ({"n_fft": 2047}, "n_fft must be even.*got n_fft=2047"),
        ({"hop_len": 500}, "hop_len must divide its half.*hop_len=500"),
        ({"window": torch.ones(10)}, r"a window of shape \[10\]; expected \[n_fft\] = \[2048\]"),
        ({"window": torch.eye(1, 2048)[0]}, "the window leaves samples that no frame covers"),
        ({"power": 0.5}, "power must be None or at least 1, got 0.5"),
        ({"power": None}, "Set logarithmize=False"),
        ({"io_n_samples": 500}, "a block of 500 samples; expected a multiple of hop_len=512 up to 7168"),
        ({"io_n_samples": 8192}, "expected a multiple of hop_len=512 up to 7168"),
        ({"fade_n_samples": 513}, "fade_n_samples must be from 0 to 512"),
        ({"model_io_n_frames": 2}, "among model_io_n_frames=2 too"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        RealtimeSTFT(**options)  # pyright: ignore[reportArgumentType]


def test_other_shapes_are_refused() -> None:
    stft = RealtimeSTFT()
    with pytest.raises(ModelError, match=r"expected \[2, 512\]. Call set_buffer_size"):
        stft.audio_to_spec(torch.zeros(2, 1024))
    with pytest.raises(ModelError, match="as of audio_to_spec"):
        stft.spec_to_audio(torch.zeros(2, 1025, 4))
    with pytest.raises(ModelError, match="a multiple of hop_len=512"):
        stft.audio_to_spec_offline(torch.zeros(2, 2049))


def test_block_sizes_are_those_at_which_the_network_sees_all_that_overlaps() -> None:
    stft = RealtimeSTFT(6, 2, 32, 64, 32)
    assert stft.calc_supported_buffer_sizes() == [32, 64, 96, 128, 160]
    assert (stft.calc_min_buffer_size(), stft.calc_max_buffer_size()) == (32, 160)
    x = sound(160 * 3)
    for block in stft.calc_supported_buffer_sizes():
        stft.set_buffer_size(block)
        stft.spec_to_audio(stft.audio_to_spec(x[:, :block]))
