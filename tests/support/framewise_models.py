"""Models that are no filters: they work in frames, follow pitch or level, choose code words, or roll dice."""

from typing import Any

import torch
from torch import Tensor

from neutone_like import ModelMetadata, WaveformToWaveformBase

FRAME = 512


def named(name: str) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests")


class _Base(WaveformToWaveformBase):
    in_channels = 1
    out_channels = 1
    sample_rates: Any = (48000,)
    block_sizes: Any = (FRAME,)

    def __init__(self) -> None:
        super().__init__(torch.nn.Identity())


class PitchFollower(_Base):
    """A sine at the pitch that a frame's difference function (as in YIN) shows, as loud as the frame."""

    metadata = named("Pitch follower")

    def __init__(self) -> None:
        super().__init__()
        self.phase = torch.zeros(1)

    @torch.jit.export
    def reset_model(self) -> None:
        self.phase = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        half = x.size(1) // 2
        windows = x[0].unfold(0, half, 1)[1 : half + 1]
        difference = (windows - x[0, :half]).square().sum(1)
        average = difference.cumsum(0) / torch.arange(1, half + 1)
        period = (difference / (average + 1e-9))[20:].argmin() + 21
        step = 6.2831853 / period.to(torch.float32)
        phases = self.phase + step * torch.arange(1, x.size(1) + 1)
        self.phase = torch.remainder(phases[-1:], 6.2831853)
        return (torch.sin(phases) * x.square().mean().sqrt()).unsqueeze(0)


class BlockCodec(_Base):
    """A cosine transform of every frame, coarsely quantised: what any block codec does."""

    metadata = named("Block codec")
    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        n = torch.arange(FRAME).to(torch.float64)
        basis = torch.cos(torch.pi / FRAME * (n + 0.5) * n.unsqueeze(1)) * (2.0 / FRAME) ** 0.5
        basis[0] *= 0.5**0.5
        self.register_buffer("basis", basis.to(torch.float32))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.round(x @ self.basis.t() / 0.4) * 0.4 @ self.basis


class LateCodec(BlockCodec):
    """The same, three frames late, and it says nothing of it."""

    metadata = named("Late codec")

    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(1, 1536)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(1, 1536)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, 512:].clone()
        return torch.round(joined[:, :512] @ self.basis.t() / 0.4) * 0.4 @ self.basis


class EarlyVocoder(_Base):
    """Noise as loud as the frame, which declares a delay that is not there."""

    metadata = named("Early vocoder")

    def __init__(self) -> None:
        super().__init__()
        self.seed = 1

    @torch.jit.export
    def reset_model(self) -> None:
        self.seed = 1

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 4096

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        n = torch.arange(x.size(1)) + self.seed
        self.seed += x.size(1)
        noise = torch.frac(torch.sin(n.to(torch.float64) * 12.9898) * 43758.5453).to(torch.float32)
        return noise.unsqueeze(0) * x.square().mean().sqrt()


class NoiseVocoder(EarlyVocoder):
    metadata = named("Noise vocoder")

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 0


class VectorQuantised(_Base):
    """Eight samples at a time become the nearest of 64 fixed shapes."""

    metadata = named("Vector quantised")
    book: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("book", 0.2 * torch.randn(64, 8, generator=torch.Generator().manual_seed(4)))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        shapes = x.reshape(-1, 8)
        nearest = (shapes.unsqueeze(1) - self.book).square().sum(2).argmin(1)
        return self.book[nearest].reshape(1, -1)


class EnvelopeFollower(_Base):
    """The level of the input as a sound below hearing."""

    metadata = named("Envelope follower")

    def __init__(self) -> None:
        super().__init__()
        self.level = torch.zeros(1)

    @torch.jit.export
    def reset_model(self) -> None:
        self.level = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        target = x.abs().mean(1)
        ramp = torch.linspace(1.0 / x.size(1), 1.0, x.size(1))
        y = self.level + (target - self.level) * ramp
        self.level = target
        return y.unsqueeze(0)


class SampleAndHold(_Base):
    metadata = named("Sample and hold")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:, ::16].repeat_interleave(16, 1)


class RingModulator(_Base):
    metadata = named("Ring modulator")

    def __init__(self) -> None:
        super().__init__()
        self.position = 0

    @torch.jit.export
    def reset_model(self) -> None:
        self.position = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        n = torch.arange(x.size(1)) + self.position
        self.position += x.size(1)
        return x * torch.sin(n.to(torch.float64) * 0.0917).to(torch.float32)


class Generator(_Base):
    """Dice, whatever comes in."""

    metadata = named("Generator")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.2 * torch.randn(x.size(0), x.size(1))


class Identity(_Base):
    metadata = named("Identity")
    block_sizes = ()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * 1.0


class LateGain(_Base):
    """Ten samples late, and it says nothing of it."""

    metadata = named("Late gain")

    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(1, 10)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(1, 10)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, -10:].clone()
        return 0.5 * joined[:, :-10]


class Hashed(_Base):
    """Noise that hangs on the last bits of the input: not continuous at all."""

    metadata = named("Hashed")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.3 * torch.sin(x.to(torch.float64) * 1e10).to(torch.float32)
