"""Three small vocoders: mel spectra to sound, as ordinary networks that are given a whole signal.

What it shows:

- **Three ways from frames to samples.** *HiFi-GAN-like*: transposed convolutions up to the sample rate, and
  convolutions there. *Multi-band*: the same up to a quarter of it, four bands of a filter bank (PQMF) at once. *iSTFT
  head*: it stays at the rate of frames and gives magnitudes and phases, which an inverse Fourier transform joins.
- **Causal convolutions**, which pad on the left alone. What looks ahead is half a window of the analysis, half of the
  filter bank, and half a window of the inverse transform; :func:`live_network` says how late each of them is.

``vocoder.py`` plays one live, ``train_vocoders.py`` trains and measures them.
"""

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from random_music import SAMPLE_RATE
from torch import Tensor, nn

from neutone_like.streaming import MelSpectrogram, PQMFSynthesis, Sequential, StreamingLayer, to_streaming

FFT_SAMPLES = 1024
HOP_SAMPLES = 256
MELS = 64
AHEAD_SAMPLES = HOP_SAMPLES  # that the analysis sees after the hop that a frame is turned into
BANDS, TAPS_PER_BAND = 4, 12  # fewer taps delay less and leak more
SLOPE = 0.1
QUIETEST = 1e-4  # of a band's magnitude, 70 dB below a sine of 0.1; what is below is silence, and 0 as padding is
LOUDNESS = 4.0  # brings a band's magnitudes to the size of their logarithms
KINDS = ("hifigan", "multiband", "istft")
TITLES = {"hifigan": "HiFi-GAN-like", "multiband": "multi-band (PQMF)", "istft": "iSTFT head"}
WEIGHTS = Path(__file__).resolve().parent / "weights" / "vocoders.pt"


class LogMel(nn.Module):
    """Magnitudes in bands to 0 for silence, and to 2 for a sine of 0.1."""

    def __init__(self) -> None:
        super().__init__()
        self.quietest: float = QUIETEST  # TorchScript sees attributes, not this file's constants

    def forward(self, mel: Tensor) -> Tensor:
        return 0.25 * torch.log(mel.clamp(min=self.quietest) / self.quietest)


def mel_layer() -> MelSpectrogram:
    """``[batch, 1, samples]`` to ``[batch, mels, frames]``, as a stream."""
    return MelSpectrogram(SAMPLE_RATE, FFT_SAMPLES, HOP_SAMPLES, MELS, scale="slaney", equal_area=True, power=1.0)


class Analysis(nn.Module):
    """The same of a whole signal between silences, with a logarithm: ``samples / hop + 1`` frames.

    A frame's middle is the start of the hop that it stands for. The first frame is of the hop before the signal.
    """

    filters: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        layer = mel_layer()
        self.logarithm = LogMel()
        self.register_buffer("filters", layer.filters.clone())
        self.register_buffer("window", layer.stft.window.clone())

    def forward(self, sound: Tensor) -> Tensor:
        padded = F.pad(sound[:, 0], (FFT_SAMPLES - HOP_SAMPLES, AHEAD_SAMPLES))
        spectra = torch.fft.rfft(padded.unfold(1, FFT_SAMPLES, HOP_SAMPLES) * self.window)
        power = spectra.real.square() + spectra.imag.square()
        magnitudes = power.clamp(min=1e-20).sqrt()  # whose gradient is infinite at 0
        return self.logarithm(self.filters @ magnitudes.transpose(1, 2))


class CausalConv(nn.Conv1d):
    """Pads on the left alone."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().forward(F.pad(x, (self.dilation[0] * (self.kernel_size[0] - 1), 0)))


class CausalUp(nn.ConvTranspose1d):
    """``rate`` samples for each; what is added to later samples than those is cut off at the end alone."""

    def __init__(self, channels_in: int, channels_out: int, rate: int) -> None:
        super().__init__(channels_in, channels_out, 2 * rate, rate)

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().forward(x)[:, :, : x.size(2) * self.stride[0]]


class Residual(nn.Module):
    """Dilated convolutions, each beside a way past it, as in HiFi-GAN."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(CausalConv(channels, channels, kernel_size, dilation=d) for d in (1, 3))

    def forward(self, x: Tensor) -> Tensor:
        for dilated in self.dilated:
            x = x + dilated(F.leaky_relu(x, SLOPE))
        return x


class Carriers(CausalUp):
    """A sound for each mel band, as loud as the band: where training begins, and what the networks below add to.

    Each is what the band's share of a spectrum sounds like with random phases, for two hops that fade. Shares are never
    negative: those of an inverse of the bands are, and drown soft bands beside loud ones. Only how loud each is can be
    learned: a step of training that changes its samples a little is heard in all bands.
    """

    def __init__(self) -> None:
        super().__init__(MELS, 1, HOP_SAMPLES)
        filters = mel_layer().filters
        shares = (filters / filters.sum(0).clamp(min=1e-9) / filters.sum(1, keepdim=True)).T
        phases = 2.0 * torch.pi * torch.rand(shares.size(0), 1, generator=torch.Generator().manual_seed(0))
        sounds = torch.fft.irfft(torch.polar(torch.ones_like(phases), phases) * shares, dim=0)[: 2 * HOP_SAMPLES]
        # Both windows take away: that of the spectra 3/8 of a power, the two that fade into each other a quarter.
        fading = torch.hann_window(2 * HOP_SAMPLES) / (0.375 * 0.75) ** 0.5
        with torch.no_grad():
            self.weight.copy_((sounds.T * fading).unsqueeze(1))
            bias: Any = self.bias
            bias.zero_()
        self.requires_grad_(False)
        self.gains = nn.Parameter(torch.zeros(MELS, 1))  # a tenth of a logarithm

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * torch.exp(10.0 * self.gains))

    @torch.no_grad()
    def fold(self) -> None:
        """Make what was learned part of the sounds, once training is over."""
        self.weight.mul_(torch.exp(10.0 * self.gains).unsqueeze(2))
        self.gains.zero_()


def magnitudes(mel: Tensor) -> Tensor:
    """Of each band, 0 for silence."""
    return QUIETEST * (torch.exp(4.0 * mel) - 1.0)


class Upsampling(nn.Module):
    """HiFi-GAN's generator: ``[batch, mels, frames]`` to ``[batch, channels out, frames * product of rates]``.

    It hears magnitudes beside their logarithms: what it makes is as loud as they are, which rectifiers hand on as it
    is, and would have to learn of logarithms bit by bit.
    """

    def __init__(self, channels: int, rates: tuple[int, ...], channels_out: int = 1) -> None:
        super().__init__()
        self.first = CausalConv(2 * MELS, channels, 5)
        self.ups, self.near, self.far = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for rate in rates:
            self.ups.append(CausalUp(channels, channels // 2, rate))
            channels //= 2
            self.near.append(Residual(channels, 3))
            self.far.append(Residual(channels, 7))
        self.last = CausalConv(channels, channels_out, 7)
        bias: Any = self.last.bias
        with torch.no_grad():  # it begins with silence
            self.last.weight.zero_()
            bias.zero_()

    def forward(self, mel: Tensor) -> Tensor:
        x = self.first(torch.cat((mel, LOUDNESS * magnitudes(mel)), 1))
        for up, near, far in zip(self.ups, self.near, self.far, strict=True):
            x = up(F.leaky_relu(x, SLOPE))
            x = 0.5 * (near(x) + far(x))
        return torch.tanh(self.last(F.leaky_relu(x, SLOPE)))


class HiFiGan(nn.Module):
    """Carriers, and what a generator at the sample rate adds."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.carriers = Carriers()
        self.generator = Upsampling(channels, (8, 8, 4))

    def forward(self, mel: Tensor) -> Tensor:
        return self.carriers(magnitudes(mel)) + self.generator(mel)


class MultiBand(nn.Module):
    """Carriers, and four bands at a quarter of the rate, joined by a filter bank that is not trained."""

    filters: Tensor

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.carriers = Carriers()
        self.bands = Upsampling(channels, (8, 8), BANDS)
        self.register_buffer("filters", PQMFSynthesis(BANDS, TAPS_PER_BAND).filters.clone(), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        half = self.filters.size(2) // 2
        joined = F.conv_transpose1d(self.bands(mel), self.filters, stride=BANDS)
        return self.carriers(magnitudes(mel)) + joined[:, :, half : half + mel.size(2) * HOP_SAMPLES]


class ConvNeXt(nn.Module):
    """A convolution over time of each channel, and two products of all channels, as in Vocos."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.depthwise = CausalConv(channels, channels, 5, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide, self.narrow = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).transpose(1, 2))
        return x + self.narrow(F.gelu(self.wide(y))).transpose(1, 2)


class ISTFTHead(nn.Module):
    """Vocos: ConvNeXt blocks at the rate of frames, magnitudes and phases, and windows that overlap."""

    window: Tensor

    def __init__(self, channels: int = 64, blocks: int = 4) -> None:
        super().__init__()
        self.first = CausalConv(MELS, channels, 5)
        self.blocks = nn.Sequential(*(ConvNeXt(channels, 3 * channels) for _ in range(blocks)))
        self.norm = nn.LayerNorm(channels)
        self.last = nn.Linear(channels, FFT_SAMPLES + 2)
        window = torch.hann_window(FFT_SAMPLES)  # four times overlapped, they add up to 2
        self.register_buffer("window", 0.5 * window, persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.norm(self.blocks(self.first(mel)).transpose(1, 2))
        level, phase = self.last(x).transpose(1, 2).chunk(2, 1)
        spectra = torch.polar(torch.exp(level.clamp(max=6.0)), phase)
        frames = torch.fft.irfft(spectra, FFT_SAMPLES, dim=1) * self.window.unsqueeze(1)
        length = (mel.size(2) - 1) * HOP_SAMPLES + FFT_SAMPLES
        added = F.fold(frames, (1, length), (1, FFT_SAMPLES), stride=(1, HOP_SAMPLES))[:, :, 0]
        half = FFT_SAMPLES // 2
        return added[:, :, half : half + mel.size(2) * HOP_SAMPLES]


def new_network(kind: str) -> nn.Module:
    """An untrained vocoder of one of :data:`KINDS`: ``[batch, mels, frames]`` to ``[batch, 1, frames * hop]``."""
    if kind == "hifigan":
        return HiFiGan()
    if kind == "multiband":
        return MultiBand()
    if kind == "istft":
        return ISTFTHead()
    raise ValueError(f"kind is one of {', '.join(KINDS)}; got {kind!r}.")


def load_network(kind: str, weights: Path = WEIGHTS) -> nn.Module:
    """A trained one."""
    network = new_network(kind)
    states = torch.load(weights, weights_only=True)
    network.load_state_dict({name: value.float() for name, value in states[kind].items()})
    return network.requires_grad_(False).eval()


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the networks were trained, and what they reached."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


class Resynthesis(nn.Module):
    """Analysis and vocoder of a whole signal, without memory: ``[batch, 1, samples]`` to the same, aligned."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.analysis = Analysis()
        self.network = network

    def forward(self, sound: Tensor) -> Tensor:
        return self.network(self.analysis(sound))[:, :, HOP_SAMPLES:]


def live_network(network: nn.Module) -> tuple[StreamingLayer, int]:
    """The same with state, for blocks of :data:`HOP_SAMPLES`, and by how many samples it is later than the sound.

    That is what the analysis has seen ahead, and what the vocoder's network looks ahead.
    """
    vocoder = to_streaming(network, torch.randn(1, MELS, 48))
    return Sequential(mel_layer(), LogMel(), vocoder), AHEAD_SAMPLES + vocoder.delay_samples
