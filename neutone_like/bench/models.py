"""The model that benchmarks run: does nothing, or waits a number of samples, so that all time is the wrapper's."""

import torch
from torch import Tensor, nn

from neutone_like.host import SampleQueueWrapper
from neutone_like.model import ModelMetadata, WaveformToWaveformBase


class Delay(WaveformToWaveformBase):
    """Delays by ``delay`` samples at its own rate, and says so; 0 is the identity."""

    metadata = ModelMetadata(name="Delay", authors=("neutone-like",), version="1.0.0")

    def __init__(
        self, delay: int = 0, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = (), channels: int = 2
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.in_channels = channels
        self.out_channels = channels
        super().__init__(nn.Identity())
        self.delay = delay
        self.past = torch.zeros(channels, delay)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(self.in_channels, self.delay)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.delay == 0:
            return x
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, x.size(1) :].clone()
        return joined[:, : x.size(1)]


class Recorder(WaveformToWaveformBase):
    """Passes everything through, and keeps what it heard at its own rate; for Python only."""

    metadata = ModelMetadata(name="Recorder", authors=("neutone-like",), version="1.0.0")
    in_channels = 1
    out_channels = 1

    def __init__(self, sample_rates: tuple[int, ...]) -> None:
        self.sample_rates = sample_rates
        super().__init__(nn.Identity())
        self.heard: list[Tensor] = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.heard.append(x.clone())
        return x


def eager_wrapper(
    host_rate: int, host_block: int, model: WaveformToWaveformBase, quality: str = "high"
) -> SampleQueueWrapper:
    """A wrapper in Python, told of its host."""
    wrapper = SampleQueueWrapper(model, quality=quality)
    wrapper.set_daw_sample_rate_and_buffer_size(host_rate, host_block)
    return wrapper
