"""Models that are hard on a backend: state of every kind, views kept, wrong output; and another tool's wrapper."""

import torch
from torch import Tensor, nn

from neutone_like import ModelError, WaveformToWaveformBase
from support.host_models import KnobRecorder, metadata


class InPlace(WaveformToWaveformBase):
    """A ring that is only ever written to in place, through views, beside state that is replaced and counted."""

    metadata = metadata("In place")

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.ring = torch.zeros(2, 200)
        self.mean = torch.zeros(2, 1)
        self.blocks = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        samples = x.size(1)
        old = self.ring[:, :samples].clone()
        self.ring[:, :samples] = x
        self.ring.mul_(0.9).add_(self.mean)
        self.mean = self.mean * 0.5 + x.mean(1, keepdim=True)
        self.blocks += 1
        return x.add_(old).add_(self.ring[:, 50 : 50 + samples]).mul_(1.0 + 0.01 * self.blocks)

    @torch.jit.export
    def reset_model(self) -> None:
        self.ring.zero_()
        self.mean.zero_()
        self.blocks = 0


class KeepsViews(WaveformToWaveformBase):
    """Remembers views of what it was given, and of what it gave."""

    metadata = metadata("Keeps views")
    parameters = KnobRecorder().parameters

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.last_in = torch.zeros(2, 1)
        self.last_out = torch.zeros(2, 1)
        self.last_knob = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + self.last_in * self.last_knob + 0.5 * self.last_out
        self.last_in = x[:, -1:]
        self.last_knob = params["value"]
        self.last_out = y[:, -1:]
        return y

    @torch.jit.export
    def reset_model(self) -> None:
        self.last_in = torch.zeros(2, 1)
        self.last_out = torch.zeros(2, 1)
        self.last_knob = torch.zeros(1)


class Troublesome(WaveformToWaveformBase):
    """Does what the first sample says."""

    metadata = metadata("Troublesome")

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        wish = int(x[0, 0])
        if wish == 1:
            raise ModelError("This model says\nno.")
        if wish == 2:
            return x @ x
        if wish == 3:
            return x[:, :-1]
        if wish == 4:
            return x.to(torch.float64)
        if wish == 5:
            return x.t().contiguous().t() + 1.0
        if wish == 6:
            return torch.where(x > 0, torch.full_like(x, float("nan")), x)
        return x


class ForeignWrapper(nn.Module):
    """The least that other tools' artifacts have. It wants four rows of parameters, as theirs do."""

    def __init__(self) -> None:
        super().__init__()
        self.block = 0

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        assert params.size(0) == 4
        return x * params[0] + params[3]

    @torch.jit.export
    def reset(self) -> None:
        pass

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: int | None = None, model_bs: int | None = None
    ) -> int:
        self.block = daw_bs
        return daw_bs

    @torch.jit.export
    def calc_buffering_delay_samples(self) -> int:
        return self.block

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 7
