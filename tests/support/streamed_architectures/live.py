"""Live models of the architectures: what is not sound comes from a mel front end, or from knobs."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import MelSpectrogram, Sequential, StreamingLayer, block_multiple
from support.architectures import hifigan, vocos
from support.architectures.ddsp import NOISE_BANDS
from support.streamed_architectures import Streamed


class Logarithm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.log(x.clamp(min=1e-5))


class Live(WaveformToWaveformBase):
    """A streaming network as an effect, block by block."""

    def __init__(self, streamed: Streamed, network: StreamingLayer, in_channels: int) -> None:
        self.metadata = ModelMetadata(
            name=streamed.architecture.name[:30], authors=("Ada",), version="1.0.0", short_description=streamed.title
        )
        self.in_channels = in_channels
        self.sample_rates = (streamed.architecture.sample_rate,)
        self.multiple = block_multiple(network)
        if self.multiple > 1:
            self.block_sizes = (self.multiple,)
        self.delay_samples = network.delay_samples
        super().__init__(network)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0))[0]

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay_samples


class Synthesiser(Live):
    """Pitch and loudness from knobs, and the input as noise, late by half the taps of its filter of linear phase."""

    parameters = (
        ContinuousParameter("pitch", "Of the voice", default=220.0, minimum=50.0, maximum=1000.0, unit="Hz"),
        ContinuousParameter("loudness", "Of voice and noise", default=0.5),
    )

    def __init__(self, streamed: Streamed, network: StreamingLayer, in_channels: int) -> None:
        super().__init__(streamed, network, in_channels)
        self.delay_samples = network.delay_samples + NOISE_BANDS - 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        pitch, loudness = params["pitch"].expand_as(x), params["loudness"].expand_as(x)
        return self.model(torch.cat([pitch, loudness, x]).unsqueeze(0))[0]


_MEL: dict[str, tuple[int, int, int]] = {
    "HiFi-GAN-like vocoder": (4 * hifigan.HOP_SAMPLES, hifigan.HOP_SAMPLES, hifigan.MELS),
    "Vocos-like vocoder": (vocos.FFT_SAMPLES, vocos.HOP_SAMPLES, vocos.MELS),
}


def live_model(streamed: Streamed) -> Live:
    """An effect of the network; a vocoder analyses its input first."""
    network, architecture = streamed.network(), streamed.architecture
    kind: type[Live] = Synthesiser if architecture.in_channels == 3 else Live
    channels = 2 if architecture.in_channels == 2 else 1
    if architecture.name in _MEL:
        mel: Any = MelSpectrogram(architecture.sample_rate, *_MEL[architecture.name])
        network = Sequential(mel, Logarithm(), network)
    model = kind(streamed, network, channels)
    model.out_channels = architecture.out_channels
    return model
