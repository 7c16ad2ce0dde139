"""The DDSP synthesiser by streaming layers: what is kept is the GRU's state, the phase, and what rings on."""

import math

import torch
from torch import Tensor

from neutone_like.streaming import GRU, ConvTranspose1d, StreamingLayer
from support.architectures.ddsp import DDSP, HARMONICS, HOP_SAMPLES, NOISE_BANDS, SAMPLE_RATE
from support.streamed_architectures.frames import EachFrame

TAPS = 2 * (NOISE_BANDS - 1)


def hann_upsampling(channels: int) -> ConvTranspose1d:
    layer = ConvTranspose1d(channels, channels, 2 * HOP_SAMPLES, HOP_SAMPLES, groups=channels, bias=False)
    layer.load_state_dict({"weight": torch.hann_window(2 * HOP_SAMPLES).repeat(channels, 1, 1)})
    return layer


def overlap_add(size: int) -> ConvTranspose1d:
    layer = ConvTranspose1d(size, 1, size, HOP_SAMPLES, bias=False)
    layer.load_state_dict({"weight": torch.eye(size).unsqueeze(1)})
    return layer


class Oscillators(StreamingLayer):
    """Pitch in Hz to the sines of its harmonics, those above half the sample rate silent."""

    turns: Tensor
    initial_turns: Tensor
    order: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.sample_rate = SAMPLE_RATE
        self.register_buffer("order", torch.arange(1, HARMONICS + 1).unsqueeze(1))
        self.register_state("turns", torch.zeros(1, 1, 1, dtype=torch.float64))
        self.receptive_field_samples = None
        self.source = "Engel et al., DDSP (2020)"

    def forward(self, pitch: Tensor) -> Tensor:
        turns = (torch.cumsum(pitch.double() / self.sample_rate, dim=2) + self.turns) % 1.0
        self.turns = turns[:, :, -1:]
        audible = pitch * self.order < self.sample_rate / 2
        return torch.sin(2 * math.pi * (turns * self.order)).to(pitch.dtype) * audible

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.turns = self.initial_turns.clone()


class FilteredNoise(StreamingLayer):
    """Noise, and the magnitudes of each frame's filter, to the noise that is heard."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(TAPS))
        self.hop_samples, self.taps, self.length = HOP_SAMPLES, TAPS, HOP_SAMPLES + TAPS
        self.added = overlap_add(self.length)
        self.block_multiple_samples = HOP_SAMPLES
        self.receptive_field_samples = HOP_SAMPLES + TAPS

    def forward(self, noise: Tensor, magnitudes: Tensor) -> Tensor:
        batch, frames, length = magnitudes.size(0), magnitudes.size(2), self.length
        spectrum = torch.complex(magnitudes, torch.zeros_like(magnitudes))
        response = torch.fft.irfft(spectrum, self.taps, 1).roll(self.taps // 2, 1) * self.window.unsqueeze(1)
        cut = noise.view(batch, frames, self.hop_samples).transpose(1, 2)
        rung = torch.fft.irfft(torch.fft.rfft(cut, length, 1) * torch.fft.rfft(response, length, 1), length, 1)
        return self.added(rung)


class StreamedDDSP(StreamingLayer):
    def __init__(self, network: DDSP) -> None:
        super().__init__()
        controls = network.controls
        self.mlp = EachFrame(controls.mlp)
        self.gru = GRU.from_torch(controls.gru)
        self.harmonics, self.noise = EachFrame(controls.harmonics), EachFrame(controls.noise)
        self.oscillators, self.filtered = Oscillators(), FilteredNoise()
        self.amplitudes_up, self.loudness_up = hann_upsampling(HARMONICS), hann_upsampling(1)
        self.block_multiple_samples = self.hop_samples = HOP_SAMPLES
        self.receptive_field_samples = None
        self.source = "Engel et al., DDSP: Differentiable Digital Signal Processing (2020)"

    def forward(self, x: Tensor) -> Tensor:
        pitch, loudness, noise = x[:, :1], x[:, 1:2], x[:, 2:]
        pitch_frames = torch.nn.functional.avg_pool1d(pitch, self.hop_samples)
        loudness_frames = torch.nn.functional.avg_pool1d(loudness, self.hop_samples)
        features = torch.cat([torch.log2(pitch_frames.clamp(min=20.0) / 440.0), loudness_frames], 1)
        hidden = self.gru(self.mlp(features))
        mix = self.harmonics(hidden)
        amplitudes = torch.sigmoid(mix[:, :1]) * torch.softmax(mix[:, 1:], 1)
        magnitudes = torch.sigmoid(self.noise(hidden) - 2.0)
        sung = (self.oscillators(pitch) * self.amplitudes_up(amplitudes)).sum(1, keepdim=True)
        return sung + self.filtered(noise, magnitudes) * self.loudness_up(loudness_frames)


def stream(network: DDSP) -> StreamingLayer:
    return StreamedDDSP(network)
