"""A gain that moves to its target in a straight line, so that turning a knob makes no click."""

import torch
from torch import Tensor, nn

RAMP_SECONDS = 0.02


class GainRamp(nn.Module):
    """Multiplies audio by a linear gain; a new target is reached after ``RAMP_SECONDS``, however audio is cut up."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain
        self.target = gain
        self.start_gain = gain
        self.done_samples = 0
        self.ramp_samples = 0

    @torch.jit.export
    def set_target(self, target: float, ramp_samples: int) -> None:
        """Move to ``target`` over ``ramp_samples``; at once when that is 0."""
        if ramp_samples == 0:
            self.gain = target
        if target != self.target or ramp_samples == 0:
            self.start_gain = self.gain
            self.target = target
            self.done_samples = 0
            self.ramp_samples = ramp_samples

    @torch.jit.export
    def settle(self) -> None:
        """Jump to the target: a stream starts."""
        self.gain = self.target

    @torch.jit.export
    def is_silent(self) -> bool:
        return self.gain == 0.0 and self.target == 0.0

    @torch.jit.export
    def is_unity(self) -> bool:
        return self.gain == 1.0 and self.target == 1.0

    @torch.jit.export
    def multiply(self, x: Tensor) -> Tensor:
        """``[channels, n]`` times the gain."""
        if self.gain == self.target:
            return x if self.gain == 1.0 else x * self.gain
        step = torch.arange(self.done_samples + 1, self.done_samples + 1 + x.size(1), dtype=torch.float32)
        part = (step / float(self.ramp_samples)).clamp(max=1.0)
        self.done_samples += x.size(1)
        if self.done_samples >= self.ramp_samples:
            self.gain = self.target
        else:
            self.gain = self.start_gain + (self.target - self.start_gain) * self.done_samples / self.ramp_samples
        return x * (self.start_gain + part * (self.target - self.start_gain))


def gain_from_0to1(value: float) -> float:
    """A host's gain knob, 0..1 for -30..30 dB, as a factor."""
    return float(10.0 ** ((value - 0.5) * 60.0 / 20.0))
