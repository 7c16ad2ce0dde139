"""Models for the validation tests: one that is right, and many that are wrong in one way each."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase


def named(name: str) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests")


class _Base(WaveformToWaveformBase):
    parameters: Any = (ContinuousParameter("gain", "Gain", default=-6.0, minimum=-30.0, maximum=6.0, unit="dB"),)
    sample_rates: Any = (48000,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())


class Gain(_Base):
    """A gain whose memory is one sample: the difference to the last one is added."""

    metadata = named("Gain")

    def __init__(self) -> None:
        super().__init__()
        self.last = torch.zeros(2, 1)

    @torch.jit.export
    def reset_model(self) -> None:
        self.last = torch.zeros(2, 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        before = torch.cat((self.last, x), 1)[:, : x.size(1)]
        self.last = x[:, -1:].clone()
        return (x + 0.3 * before) * torch.pow(10.0, params["gain"] / 20.0)


class Delayed(_Base):
    """Late by 37 samples, as it declares."""

    metadata = named("Delayed")
    block_sizes = (128,)

    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(2, 37)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 37)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 37

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, -37:].clone()
        return joined[:, : x.size(1)] * torch.pow(10.0, params["gain"] / 20.0)


class DeclaresNoDelay(Delayed):
    metadata = named("Declares no delay")

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 0


class DeclaresTooMuchDelay(Gain):
    metadata = named("Declares too much delay")

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 100


class Resonant(_Base):
    """A filter that is strongest some samples in, as a cabinet is: that is no delay to declare."""

    metadata = named("Resonant")
    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("taps", torch.tensor([0.0, 0.2, 1.0, 0.4, -0.1, 0.05]).repeat(2, 1, 1))
        self.past = torch.zeros(2, 5)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 5)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, x.size(1) :].clone()
        return torch.conv1d(joined.unsqueeze(0), self.taps.flip(2), groups=2).squeeze(0)


class OffByOne(Delayed):
    metadata = named("Off by one")

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 36


class DelayThatGrows(Gain):
    """Gives another answer each time it is asked for its delay."""

    metadata = named("Delay that moves")

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    @torch.jit.export
    def model_delay_samples(self) -> int:
        self.asked += 1
        return 5 * self.asked


class Random(_Base):
    metadata = named("Random")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + 0.01 * torch.rand(x.size(0), x.size(1))


class NeverForgets(Gain):
    """Leaves its state as it is on reset."""

    metadata = named("Never forgets")

    @torch.jit.export
    def reset_model(self) -> None:
        pass


class SharesState(_Base):
    """Keeps its state in a cache that all its Python copies share."""

    metadata = named("Shares state")
    cache: ClassVar[Any] = torch.zeros(1)

    def __init__(self) -> None:
        super().__init__()
        self.history = self.cache

    def __deepcopy__(self, memo: Any) -> "SharesState":
        return SharesState()

    @torch.jit.export
    def reset_model(self) -> None:
        self.history.zero_()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + self.history
        self.history.copy_(x[0, -1:])
        return y


class NanAtACorner(_Base):
    metadata = named("NaN at a corner")
    parameters = (ContinuousParameter("depth", default=0.5), ContinuousParameter("rate", default=0.5))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["depth"] / (params["depth"] + params["rate"])


class FeedbackWithoutLimit(Gain):
    """Triples what it remembers, block after block, without ever saying NaN."""

    metadata = named("Feedback")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + self.last
        self.last = torch.clamp(y[:, -1:] * 3.0, -1e7, 1e7)
        return y


class NormalisesByBlock(_Base):
    metadata = named("By block")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.5 * x / (x.abs().max() + 0.1)


class ForgetsBetweenBlocks(_Base):
    """A smoothing filter that pads each block with zeros."""

    metadata = named("Forgets between blocks")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return (x + torch.nn.functional.pad(x, (1, 0))[:, :-1]) * 0.5


class WritesItsArguments(_Base):
    metadata = named("Writes its arguments")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        params["gain"].mul_(0.5)
        return x.mul_(torch.pow(10.0, params["gain"] / 20.0))


class PoisonedForEver(Gain):
    """Feedback that its reset does not clear: what is NaN stays NaN."""

    metadata = named("Poisoned for ever")

    def __init__(self) -> None:
        super().__init__()
        self.level = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.level = 0.99 * self.level + 0.01 * x.abs().mean().reshape(1)
        return x * torch.exp(-self.level)


class Echo(_Base):
    """A wet echo whose time is a parameter: late on purpose, which is no latency."""

    metadata = named("Echo")
    parameters = (ContinuousParameter("time", default=20.0, minimum=5.0, maximum=40.0, unit="ms"),)

    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(2, 2048)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 2048)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, -2048:].clone()
        late = int(params["time"] * 48.0)
        return joined[:, 2048 - late : 2048 - late + x.size(1)]


class Silent(_Base):
    metadata = named("Silent")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.zeros_like(x)


class FiltersMonoToStereo(_Base):
    """A one-pole low-pass at any rate: no pure delay, mono in, stereo out."""

    metadata = named("Low-pass")
    in_channels = 1
    sample_rates = ()

    def __init__(self) -> None:
        super().__init__()
        self.z = torch.zeros(1)

    @torch.jit.export
    def reset_model(self) -> None:
        self.z = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = torch.empty_like(x)
        z = self.z
        for n in range(x.size(1)):
            z = z + 0.05 * (x[0, n] - z)
            y[0, n] = z[0]
        self.z = z
        return torch.cat((y, 0.5 * y), 0)
