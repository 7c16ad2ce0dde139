"""A diagonal state-space layer: many damped oscillators a channel, run as a recurrence."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import require_positive
from neutone_like.streaming.layer import StreamingLayer


class DiagonalStateSpace(StreamingLayer):
    """A diagonal state-space model for each channel (S4D), ``[batch, channels, samples]`` to the same.

    ``dx/dt = A x + u, y = 2 Re(C x) + D u`` with complex diagonal ``A`` of negative real part, discretised by
    zero-order hold with a step for each channel. Complex numbers are kept as pairs of real ones. A convolution with
    :meth:`kernel` gives the same; here it is a recurrence whose powers never exceed one, stable over any length.

    Args:
        channels: Of input and output; channels don't mix.
        states: Complex oscillators in each channel.
        step_range: Smallest and largest step that channels begin with.
    """

    oscillators: Tensor
    initial_oscillators: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, channels: int, states: int = 32, step_range: tuple[float, float] = (0.001, 0.1)) -> None:
        super().__init__()
        require_positive(channels=channels, states=states)
        self.in_channels = channels
        # Within a piece the layer is a convolution; between pieces there is only the state.
        self.piece_samples = 64
        low, high = math.log(step_range[0]), math.log(step_range[1])
        self.log_step = nn.Parameter(torch.rand(channels) * (high - low) + low)
        self.log_damping = nn.Parameter(torch.full((channels, states), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(states).float().repeat(channels, 1))
        self.output_weight = nn.Parameter(torch.randn(channels, states, 2) * math.sqrt(0.5))
        self.direct = nn.Parameter(torch.randn(channels))
        self.register_state("oscillators", torch.zeros(1, channels, states, 2))
        self.receptive_field_samples = None
        self.source = "Gu et al., On the Parameterization and Initialization of Diagonal State Space Models, 2022"

    @torch.jit.export
    def kernel(self, samples: int) -> Tensor:
        """The impulse response, ``[channels, samples]``, without the direct path."""
        return _rung(self._input_output_weight().unsqueeze(0), self._powers(samples))[0, :, :samples]

    def forward(self, x: Tensor) -> Tensor:
        # As many for a block of any length, so that a compiled model has them as constants.
        powers = self._powers(self.piece_samples)
        weight = self._input_output_weight()
        kernel = _rung(weight.unsqueeze(0), powers)[0, :, : self.piece_samples]
        state = self.oscillators.expand(x.size(0), -1, -1, -1)
        pieces: list[Tensor] = []
        for start in range(0, x.size(2), self.piece_samples):
            piece = x[:, :, start : start + self.piece_samples]
            samples = piece.size(2)
            within = powers[..., :samples]
            # The state is read after its first step, so that every power needed is below the length of the piece.
            stepped = _product(state, _pairs(powers[..., 1]))
            pieces.append(_rung(_product(stepped, weight), within) + _convolved(piece, kernel))
            state = _product(stepped, _pairs(within[..., samples - 1])) + _correlated(piece, within)
        self.oscillators = state
        return torch.cat(pieces, 2) + x * self.direct.unsqueeze(-1)

    def _powers(self, samples: int) -> Tensor:
        """``exp(step A)^n`` for ``n`` from 0 to ``samples`` - 1 at least, by doubling: real rows, then imaginary."""
        step = self.log_step.exp().unsqueeze(1)
        size, angle = torch.exp(-step * self.log_damping.exp()), step * self.frequency
        factor_real, factor_imaginary = (size * angle.cos()).unsqueeze(-1), (size * angle.sin()).unsqueeze(-1)
        real, imaginary = torch.ones_like(factor_real), torch.zeros_like(factor_real)
        while real.size(2) < max(samples, 2):
            later_real = real * factor_real - imaginary * factor_imaginary
            later_imaginary = real * factor_imaginary + imaginary * factor_real
            real, imaginary = torch.cat([real, later_real], 2), torch.cat([imaginary, later_imaginary], 2)
            squared = factor_real * factor_real - factor_imaginary * factor_imaginary
            factor_real, factor_imaginary = squared, 2.0 * factor_real * factor_imaginary
        return torch.cat([real, imaginary], 1)

    def _input_output_weight(self) -> Tensor:
        """``C (exp(step A) - 1) / A`` as pairs: the zero-order hold, moved from the input to the output."""
        step = self.log_step.exp().unsqueeze(1)
        damping = self.log_damping.exp()
        size, angle = torch.exp(-step * damping), step * self.frequency
        held = torch.stack([size * angle.cos() - 1.0, size * angle.sin()], -1)
        conjugate = torch.stack([-damping, -self.frequency], -1)
        squared = (damping * damping + self.frequency * self.frequency).unsqueeze(-1)
        return _product(self.output_weight, _product(held, conjugate) / squared)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.oscillators = self.initial_oscillators.clone()


def _rung(start: Tensor, powers: Tensor) -> Tensor:
    """``2 Re(start powers)``, summed over states: pairs ``[batch, channels, states, 2]`` to a signal."""
    rows = torch.cat([start[..., 0], -start[..., 1]], 2).transpose(0, 1)
    return 2.0 * (rows @ powers).transpose(0, 1)


def _convolved(x: Tensor, kernel: Tensor) -> Tensor:
    channels, samples = kernel.size(0), kernel.size(1)
    return conv1d(pad(x, [samples - 1, 0]), kernel.flip(1).unsqueeze(1), groups=channels)


def _correlated(x: Tensor, powers: Tensor) -> Tensor:
    """What a piece leaves in the state: every sample times the power of the steps that come after it."""
    return _pairs((powers @ x.flip(2).permute(1, 2, 0)).permute(2, 0, 1))


def _pairs(rows: Tensor) -> Tensor:
    """Real rows, then imaginary ones, ``[..., 2 states]``, as pairs ``[..., states, 2]``."""
    return rows.unflatten(-1, [2, rows.size(-1) // 2]).transpose(-1, -2)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """The complex product of pairs ``[..., 2]``."""
    real = a[..., 0] * b[..., 0] - a[..., 1] * b[..., 1]
    return torch.stack([real, a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0]], -1)
