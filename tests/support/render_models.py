"""Models that the render tests play: what comes out of each is known to the sample."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase


def metadata(name: str, **fields: Any) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests", **fields)


class PureDelay(WaveformToWaveformBase):
    """Delays by 37 samples at its own rate, and says so."""

    metadata = metadata("Pure delay")

    def __init__(
        self, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = (), channels: int = 2, delay: int = 37
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.in_channels = channels
        self.out_channels = channels
        super().__init__(nn.Identity())
        self.delay = delay
        self.past = torch.zeros(channels, delay)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, x.size(1) :].clone()
        return joined[:, : x.size(1)].contiguous()

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros_like(self.past)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay


class Volume(WaveformToWaveformBase):
    """Multiplies by ``gain``, sample by sample and without smoothing, and by the polarity."""

    metadata = metadata("Volume")
    parameters = (
        ContinuousParameter("gain", default=1.0, minimum=0.0, maximum=4.0, rate="sample", smoothing_seconds=0.0),
        CategoricalParameter("polarity", labels=("normal", "inverted")),
    )

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"] * (1.0 - 2.0 * params["polarity"])


class Echo(WaveformToWaveformBase):
    """Keeps state for a long time: a feedback comb filter 100 samples long."""

    metadata = metadata("Echo")
    parameters = (ContinuousParameter("feedback", default=0.5, minimum=0.0, maximum=0.9, smoothing_seconds=0.0),)
    block_sizes = (100,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.past = torch.zeros(2, 100)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.past = x + params["feedback"] * self.past
        return self.past.clone()

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 100)


class Spread(WaveformToWaveformBase):
    """Mono in, stereo out: left as it is, right at half the volume."""

    metadata = metadata("Spread")
    in_channels = 1
    out_channels = 2

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.cat((x, 0.5 * x), 0)


class Downmix(WaveformToWaveformBase):
    """Five channels in, three out."""

    metadata = metadata("Downmix")
    in_channels = 5
    out_channels = 3

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:3] + 0.5 * x[4:5]


class Square(WaveformToWaveformBase):
    """Nothing but a name for a mono model."""

    metadata = metadata("Square", wet_default=0.25, dry_default=0.5, input_gain_default_db=6.0)
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * x


class Poison(WaveformToWaveformBase):
    """Gives NaN where the input is above 0.9."""

    metadata = metadata("Poison")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.where(x > 0.9, torch.full_like(x, float("nan")), x)


class Failing(WaveformToWaveformBase):
    """Raises once the audio is loud."""

    metadata = metadata("Failing")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if float(x.max()) > 0.9:
            raise ValueError("too loud for me")
        return x
