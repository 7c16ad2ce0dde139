"""Small networks of the kinds that audio papers publish, in their ordinary form: given a whole signal at once."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from support.architectures import (
    conv_tasnet,
    ddsp,
    demucs,
    encodec,
    gru,
    hifigan,
    hybrid,
    linear_state_space,
    lstm,
    mask_denoiser,
    rave,
    transformer,
    vocos,
    wavenet,
)


def noise(channels: int, samples: int, generator: torch.Generator) -> Tensor:
    """White noise, ``[1, channels, samples]``."""
    return 0.5 * torch.randn(1, channels, samples, generator=generator)


def synth_controls(channels: int, samples: int, generator: torch.Generator) -> Tensor:
    """Pitch in Hz that glides, loudness that swells, and noise."""
    time = torch.arange(samples) / ddsp.SAMPLE_RATE
    pitch = 300.0 + 200.0 * torch.sin(40.0 * time)
    loudness = 0.5 + 0.5 * torch.sin(90.0 * time)
    return torch.stack((pitch, loudness, torch.randn(samples, generator=generator))).unsqueeze(0)


@torch.no_grad()
def as_if_trained(network: nn.Module) -> nn.Module:
    """Fresh networks give little but their biases: weights up, biases down, and statistics that do something."""
    for name, weight in network.named_parameters():
        last = name.rpartition(".")[2]
        if last.endswith("bias"):
            weight.mul_(0.3)
        elif last in ("weight", "weight_g", "original0") and weight.dim() > 1:
            weight.mul_(1.7)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            for statistic in (module.running_mean, module.running_var):
                assert statistic is not None
                statistic.add_(0.3 * torch.rand_like(statistic))
    return network


@dataclass(frozen=True)
class Architecture:
    """One kind of network.

    Attributes:
        build: Makes the network, with random weights.
        in_channels: Of its input, ``[batch, in_channels, samples]``; mel bands are channels too.
        out_channels: Of its output; sources are channels.
        block_multiple: Input lengths are a multiple of this.
        signal: Makes an input: ``signal(channels, samples, generator)``.
        sample_rate: Of the sound that it gives, in Hz, as networks of its kind have it.
    """

    name: str
    build: Callable[[], nn.Module]
    in_channels: int = 1
    out_channels: int = 1
    block_multiple: int = 1
    signal: Callable[[int, int, torch.Generator], Tensor] = noise
    sample_rate: int = 48000

    def network(self) -> nn.Module:
        """Always the same weights, ready to play."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            return as_if_trained(self.build()).eval()

    def example(self, samples: int = 512, seed: int = 0) -> Tensor:
        """An input of so many samples, rounded up to a multiple."""
        rounded = -(-samples // self.block_multiple) * self.block_multiple
        return self.signal(self.in_channels, rounded, torch.Generator().manual_seed(seed))


ARCHITECTURES = (
    Architecture("gated WaveNet", wavenet.build),
    Architecture("LSTM", lstm.build),
    Architecture("GRU", gru.build),
    Architecture("convolutions and LSTM", hybrid.build),
    Architecture("RAVE-like", rave.build, in_channels=2, block_multiple=32),
    Architecture("Demucs-like U-Net", demucs.build, block_multiple=64),
    Architecture("Conv-TasNet", conv_tasnet.build, out_channels=2, block_multiple=8, sample_rate=16000),
    Architecture("HiFi-GAN-like vocoder", hifigan.build, in_channels=hifigan.MELS, sample_rate=24000),
    Architecture("Vocos-like vocoder", vocos.build, in_channels=vocos.MELS, sample_rate=24000),
    Architecture("transformer", transformer.build, block_multiple=transformer.PATCH_SAMPLES),
    Architecture("linear attention and state space", linear_state_space.build),
    Architecture(
        "DDSP-like synthesiser",
        ddsp.build,
        in_channels=3,
        block_multiple=ddsp.HOP_SAMPLES,
        signal=synth_controls,
        sample_rate=ddsp.SAMPLE_RATE,
    ),
    Architecture("EnCodec-like codec", encodec.build, block_multiple=8, sample_rate=24000),
    Architecture("mask denoiser", mask_denoiser.build, block_multiple=mask_denoiser.HOP_SAMPLES, sample_rate=16000),
)
