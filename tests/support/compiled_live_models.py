"""Live models that the tests of compiling export: small ones, and some that can't be compiled."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase


class _Mono(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Small", authors=("Ada",), version="1.0.0")
    in_channels: Any = 1
    out_channels: Any = 1
    sample_rates: Any = (48000,)

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__(nn.Identity() if network is None else network)


class Amp(_Mono):
    """A network with a past, a knob for each block, one for each sample, and a switch."""

    parameters = (
        ContinuousParameter("drive", default=1.0, minimum=0.5, maximum=4.0),
        ContinuousParameter("level", default=0.5, rate="sample"),
        CategoricalParameter("curve", labels=("soft", "square"), default="soft"),
    )
    past: Tensor

    def __init__(self, seed: int = 0) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            super().__init__(nn.Conv1d(1, 1, 5))
        self.register_buffer("past", torch.zeros(1, 4))

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros_like(self.past)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        whole = torch.cat((self.past, x), 1)
        self.past = whole[:, x.size(1) :]
        y = self.model(whole[None] * params["drive"])[0]
        return torch.where(params["curve"] < 0.5, torch.tanh(y), y * y) * params["level"]


class Ringing(_Mono):
    """A resonance at 1 kHz, whatever the rate: prepared anew for each."""

    sample_rates = (44100, 48000)
    radius, angle = 0.9, 0.1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("held", torch.zeros(1, 1))
        self.slope = 0.5

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.slope = 1000.0 / sample_rate

    @torch.jit.export
    def reset_model(self) -> None:
        self.held = torch.zeros_like(self.held)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        whole = torch.cat((self.held, x), 1)
        self.held = whole[:, x.size(1) :]
        return whole[:, 1:] + self.slope * whole[:, : x.size(1)]


class AnyRate(Ringing):
    """The same for every rate there is."""

    sample_rates = ()


class TooSlow(AnyRate):
    """Does what can't be compiled at high rates."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.slope < 0.015:
            return torch.sort(x, dim=0)[0]
        return self.slope * x


class NeverFinite(_Mono):
    """Its state begins as NaN and stays so."""

    held: Tensor

    def __init__(self, first: float = float("nan")) -> None:
        super().__init__()
        self.register_buffer("held", torch.full((1, 1), first))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.held = 0.5 * self.held + x[:, -1:]
        return x + self.held


class LooksBehind(_Mono):
    """The mean of the last nine samples, eight of which the host gives again."""

    look_behind_samples = 8

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.unfold(1, 9, 1).mean(2)


class Spectral(_Mono):
    """Blocks of 32 samples, turned down where their spectrum is quiet."""

    block_sizes = (32,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        spectrum = torch.fft.rfft(x)
        loud = (spectrum.abs() > 0.5).to(x.dtype)
        return torch.fft.irfft(spectrum * loud, n=32)


class Decaying(_Mono):
    """An LSTM whose states get ever smaller in silence."""

    hidden: Tensor
    cell: Tensor

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            super().__init__(nn.LSTM(1, 8, bias=False))
        self.register_buffer("hidden", torch.zeros(1, 8))
        self.register_buffer("cell", torch.zeros(1, 8))

    @torch.jit.export
    def reset_model(self) -> None:
        self.hidden = torch.zeros_like(self.hidden)
        self.cell = torch.zeros_like(self.cell)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y, state = self.model(x.t(), (self.hidden, self.cell))
        self.hidden, self.cell = state[0], state[1]
        return y.t()[:1]


class Following(_Mono):
    """Turned down by how loud each block is: something else for each way to cut a sound."""

    level: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros(1, 1))

    @torch.jit.export
    def reset_model(self) -> None:
        self.level = torch.zeros_like(self.level)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.level = 0.5 * self.level + 0.5 * x.abs().mean(1, keepdim=True)
        return x / (1.0 + self.level)


class Sorted(_Mono):
    """Uses an operation that has no kernel."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.sort(x, dim=0)[0]


class Deciding(_Mono):
    """Decides by the values of its input."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if float(x.abs().max()) > 0.5:
            return 0.5 * x
        return x
