"""Models whose output is known to the sample, and hosts that play them, for the tests of the host floor."""

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, SampleQueueWrapper, WaveformToWaveformBase


def metadata(name: str) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests")


class DelayModel(WaveformToWaveformBase):
    """Delays by ``delay`` samples and says so; 0 is the identity. The delay may be set before a reset."""

    metadata = metadata("Delay")

    def __init__(
        self,
        delay: int = 0,
        sample_rates: tuple[int, ...] = (),
        block_sizes: tuple[int, ...] = (),
        in_channels: int = 2,
        out_channels: int = 2,
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.in_channels = in_channels
        self.out_channels = out_channels
        super().__init__(nn.Identity())
        self.delay = delay
        self.past = torch.zeros(in_channels, delay)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.delay > 0:
            joined = torch.cat((self.past, x), 1)
            self.past = joined[:, x.size(1) :].clone()
            x = joined[:, : x.size(1)].contiguous()
        if self.in_channels == 1 and self.out_channels == 2:
            x = x.repeat(2, 1)
        if self.in_channels == 2 and self.out_channels == 1:
            x = x.mean(0, keepdim=True)
        return x

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(self.in_channels, self.delay)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay


class Recorder(WaveformToWaveformBase):
    """Keeps what it was given. ``block_lengths`` and ``heard`` may be read, scripted too."""

    metadata = metadata("Recorder")
    heard: list[Tensor]

    def __init__(self, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = ()) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        super().__init__(nn.Identity())
        self.heard = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.heard.append(x)
        return x

    @torch.jit.export
    def reset_model(self) -> None:
        self.heard.clear()


class KnobRecorder(WaveformToWaveformBase):
    """Outputs its ``value`` knob (0..10) on both channels: what the model was told, as audio."""

    metadata = metadata("Knob recorder")

    def __init__(
        self,
        rate: str = "block",
        smoothing_seconds: float = 0.02,
        sample_rates: tuple[int, ...] = (),
        block_sizes: tuple[int, ...] = (),
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.parameters = (
            ContinuousParameter(
                "value",
                default=5.0,
                minimum=0.0,
                maximum=10.0,
                rate="sample" if rate == "sample" else "block",
                smoothing_seconds=smoothing_seconds,
            ),
        )
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.zeros_like(x) + params["value"]


class Smear(WaveformToWaveformBase):
    """Adds up the last ``look_behind_samples`` and the present one: needs its look-behind to be right."""

    metadata = metadata("Smear")

    def __init__(self, look_behind: int, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = ()) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.look_behind_samples = look_behind
        super().__init__(nn.Identity())
        self.window = look_behind + 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.unfold(1, self.window, 1).sum(2)


class Fragile(WaveformToWaveformBase):
    """An integrator that any NaN poisons for ever, and that answers a loud sample with infinity."""

    metadata = metadata("Fragile")

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.total = torch.zeros(2, 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = torch.cumsum(x, 1) * 0.001 + self.total
        self.total = y[:, -1:].clone()
        return torch.where(x > 10.0, torch.full_like(y, float("inf")), y)

    @torch.jit.export
    def reset_model(self) -> None:
        self.total = torch.zeros(2, 1)


def scripted(model: WaveformToWaveformBase, quality: str = "high") -> SampleQueueWrapper:
    """A scripted wrapper, typed as the wrapper whose methods it has."""
    return cast(SampleQueueWrapper, torch.jit.script(SampleQueueWrapper(model, quality)))


def inside(wrapper: SampleQueueWrapper) -> Any:
    """The model in a wrapper, scripted or not, with whatever attributes it has."""
    return wrapper.w2w_base


def play(wrapper: SampleQueueWrapper, x: Tensor, blocks: Iterable[int], params: Tensor | None = None) -> Tensor:
    """``x`` through ``forward`` in blocks of the given sizes, the last one shortened to fit."""
    outputs: list[Tensor] = []
    start = 0
    for size in blocks:
        end = min(start + size, x.size(1))
        outputs.append(wrapper.forward(x[:, start:end], None if params is None else params[:, start:end]))
        start = end
        if start == x.size(1):
            break
    return torch.cat(outputs, 1)


def play_regularly(wrapper: SampleQueueWrapper, x: Tensor, block: int) -> Tensor:
    """``x``, a whole number of blocks long, through ``forward``."""
    assert x.size(1) % block == 0
    return torch.cat([wrapper.forward(piece) for piece in x.split(block, 1)], 1)


def tone(frequency: float, sample_rate: float, samples: int, channels: int = 2, amplitude: float = 0.5) -> Tensor:
    angle = 2.0 * math.pi * frequency / sample_rate * torch.arange(samples, dtype=torch.float64)
    return (amplitude * torch.sin(angle)).to(torch.float32).repeat(channels, 1)


def noise(samples: int, channels: int = 2, seed: int = 0) -> Tensor:
    """Full-scale white noise."""
    return torch.rand(channels, samples, generator=torch.Generator().manual_seed(seed)) * 2.0 - 1.0


def whole_blocks(samples: int, block: int) -> int:
    """The least whole number of blocks that holds so many samples, in samples."""
    return -(-samples // block) * block
