"""The state-variable filter, whose cutoff and resonance may move at every sample."""

import math

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.scan import linear_scan

MODES = ("lowpass", "bandpass", "highpass", "notch")


class StateVariableFilter(StreamingLayer):
    """A second-order analog filter by the trapezoidal rule, with zero-delay feedback (TPT).

    ``forward(x, cutoff_hz, quality)``: both ``[batch or 1, channels or 1, samples or 1]``, or left out for the
    constants. However they move, the energy of the state only falls without input, so it stays stable. Cutoffs are
    held between 0.01 Hz and 0.499 of the sample rate, and quality at 0.01 or more. The arithmetic is float64.

    Args:
        sample_rate: In Hz.
        mode: ``"lowpass"``, ``"bandpass"`` (a peak of ``quality``), ``"highpass"`` or ``"notch"``.
        cutoff_hz: The constant cutoff.
        quality: The constant resonance; 0.707 has none.

    Raises:
        ModelError: A mode or sample rate that cannot be.
    """

    cutoff_hz: Tensor
    quality: Tensor
    integrators: Tensor
    initial_integrators: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self, sample_rate: float, mode: str = "lowpass", cutoff_hz: float = 1000.0, quality: float = math.sqrt(0.5)
    ) -> None:
        super().__init__()
        if mode not in MODES or not sample_rate > 0:
            raise ModelError(
                f"StateVariableFilter: mode={mode!r}, sample_rate={sample_rate}; expected one of {', '.join(MODES)}, "
                f"and a rate above zero"
            )
        self.sample_rate, self.mode = float(sample_rate), mode
        self.register_buffer("cutoff_hz", torch.full((1, 1, 1), cutoff_hz, dtype=torch.float64))
        self.register_buffer("quality", torch.full((1, 1, 1), quality, dtype=torch.float64))
        self.register_state("integrators", torch.zeros(1, 1, 2, dtype=torch.float64))
        self.receptive_field_samples = None
        self.source = "Zavalishin, The Art of VA Filter Design, 2012; Simper, Linear Trapezoidal Integrated SVF, 2011"

    def forward(self, x: Tensor, cutoff_hz: Tensor | None = None, quality: Tensor | None = None) -> Tensor:
        cutoff = self.cutoff_hz if cutoff_hz is None else cutoff_hz
        warped = cutoff.double().clamp(0.01, 0.499 * self.sample_rate) * (math.pi / self.sample_rate)
        damping = 1.0 / (self.quality if quality is None else quality).double().clamp(min=0.01)
        warped, damping, driving = torch.broadcast_tensors(warped.tan(), damping, x.double())
        states = self._states(warped, damping, driving)
        self.integrators = states[:, :, -1]
        return self._output(warped, damping, driving, states[:, :, :-1]).to(x.dtype)

    def _states(self, g: Tensor, damping: Tensor, x: Tensor) -> Tensor:
        a1 = 1.0 / (1.0 + g * (g + damping))
        a2 = g * a1
        a3 = g * a2
        rows = torch.stack([2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2, 1.0 - 2.0 * a3], -1)
        driven = torch.stack([2.0 * a2 * x, 2.0 * a3 * x], -1)
        state = self.integrators.double().expand(x.size(0), x.size(1), -1)
        return linear_scan(rows.unflatten(-1, [2, 2]), driven, state)

    def _output(self, g: Tensor, damping: Tensor, x: Tensor, states: Tensor) -> Tensor:
        first, second = states[..., 0], states[..., 1]
        band = (first + g * (x - second)) / (1.0 + g * (g + damping))
        low = second + g * band
        if self.mode == "lowpass":
            return low
        if self.mode == "bandpass":
            return band
        return x - damping * band - (low if self.mode == "highpass" else torch.zeros_like(low))

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.integrators = self.initial_integrators.clone()
