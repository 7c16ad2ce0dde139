"""The Neutone SDK's sounds: samples there and back, and rendered through a wrapper at any rate."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from neutone_like import (
    AudioError,
    ParameterError,
)
from neutone_like.compat.neutone_sdk.audio import (
    AudioSample,
    render_audio_sample,
)
from support import compat_wrappers


def test_sample_there_and_back() -> None:
    x = 0.5 * torch.sin(torch.arange(44100) * 0.05).unsqueeze(0)
    sample = AudioSample(x, 44100)
    assert sample.is_mono()
    back = AudioSample.from_b64(sample.to_mp3_b64())
    assert back.sr == 44100
    assert back.audio.size(0) == 1
    torch.testing.assert_close(back.audio[:, 4000:40000], x[:, 4000:40000], rtol=0.0, atol=0.02)


def test_sample_that_can_not_be(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"shape \(1 or 2 channels, samples\), got \(3, 8\)"):
        AudioSample(torch.zeros(3, 8), 44100)
    with pytest.raises(AudioError, match="at 96000 Hz can't be written as MP3"):
        AudioSample(torch.zeros(1, 8), 96000).to_mp3_bytes()
    (tmp_path / "a.wav").write_bytes(b"nothing at all")
    with pytest.raises(AudioError, match="These 14 bytes can't be read as sound"):
        AudioSample.from_file(tmp_path / "a.wav")


def tone(rate: int) -> Tensor:
    """A second of 440 Hz."""
    time = torch.arange(rate, dtype=torch.float64) / rate
    return 0.5 * torch.sin(2.0 * torch.pi * 440.0 * time).to(torch.float32).unsqueeze(0)


@pytest.mark.parametrize("rate", [48000, 44100, 22050])
def test_rendered_sample_is_aligned_at_any_rate(rate: int) -> None:
    """A delayed passthrough: what comes out is what went in, at the rate asked for."""
    x = tone(rate)
    (rendered,) = render_audio_sample(compat_wrappers.Delayed(), AudioSample(x, rate))
    expected = tone(44100).repeat(2, 1)
    assert rendered.sr == 44100
    assert rendered.audio.shape == (2, 44100)
    torch.testing.assert_close(rendered.audio[:, 1000:-1000], expected[:, 1000:-1000], rtol=0.0, atol=1e-5)


def test_rendering_with_knobs() -> None:
    wrapper = compat_wrappers.Clipper(compat_wrappers.ClipperModel())
    sample = AudioSample(torch.full((2, 4410), 0.9), 44100)
    (constant,) = render_audio_sample(wrapper, sample, params=torch.tensor([0.0, 0.5, 0.5, 0.0]))
    torch.testing.assert_close(constant.audio, torch.full((2, 4410), 0.25))
    knobs = torch.ones(4, 4410)
    knobs[1] = torch.linspace(0.0, 0.8, 4410)
    (moving,) = render_audio_sample(wrapper, sample, params=knobs)
    torch.testing.assert_close(moving.audio, knobs[1].repeat(2, 1))
    with pytest.raises(ParameterError, match=r"shape \(4,\) or \(4, 4410\), got \(2, 4410\)"):
        render_audio_sample(wrapper, sample, params=knobs[:2])
    with pytest.raises(ParameterError, match="no text and no tokens"):
        render_audio_sample(wrapper, sample, text_params=["a"])
