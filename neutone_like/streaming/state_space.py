"""A diagonal state-space layer: many damped oscillators a channel, run as a recurrence."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

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

    def __init__(self, channels: int, states: int = 32, step_range: tuple[float, float] = (0.001, 0.1)) -> None:
        super().__init__()
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
        real, imaginary = self._powers(samples)
        weight_real, weight_imaginary = self._input_output_weight()
        terms = weight_real.unsqueeze(-1) * real - weight_imaginary.unsqueeze(-1) * imaginary
        return 2.0 * terms.sum(1)[:, :samples]

    def forward(self, x: Tensor) -> Tensor:
        state = self.oscillators.expand(x.size(0), -1, -1, -1)
        real, imaginary = self._powers(min(x.size(2), self.piece_samples))
        kernel = self.kernel(min(x.size(2), self.piece_samples))
        pieces: list[Tensor] = []
        for piece in x.split(self.piece_samples, 2):
            samples = piece.size(2)
            ringing = self._ringing(state, real[..., 1 : samples + 1], imaginary[..., 1 : samples + 1])
            pieces.append(ringing + _convolved(piece, kernel[:, :samples]))
            state = _advanced(state, piece, real[..., : samples + 1], imaginary[..., : samples + 1])
        self.oscillators = state
        return torch.cat(pieces, 2) + x * self.direct.unsqueeze(-1)

    def _powers(self, samples: int) -> tuple[Tensor, Tensor]:
        """Real and imaginary ``exp(step A)^n`` for ``n`` from 0 to at least ``samples``, by doubling."""
        step = self.log_step.exp().unsqueeze(1)
        size, angle = torch.exp(-step * self.log_damping.exp()), step * self.frequency
        factor_real, factor_imaginary = (size * angle.cos()).unsqueeze(-1), (size * angle.sin()).unsqueeze(-1)
        real, imaginary = torch.ones_like(factor_real), torch.zeros_like(factor_real)
        while real.size(2) <= samples:
            later_real = real * factor_real - imaginary * factor_imaginary
            later_imaginary = real * factor_imaginary + imaginary * factor_real
            real, imaginary = torch.cat([real, later_real], 2), torch.cat([imaginary, later_imaginary], 2)
            squared = factor_real * factor_real - factor_imaginary * factor_imaginary
            factor_real, factor_imaginary = squared, 2.0 * factor_real * factor_imaginary
        return real, imaginary

    def _input_output_weight(self) -> tuple[Tensor, Tensor]:
        """Real and imaginary ``C (exp(step A) - 1) / A``: the zero-order hold, moved from the input to the output."""
        step = self.log_step.exp().unsqueeze(1)
        damping = self.log_damping.exp()
        size, angle = torch.exp(-step * damping), step * self.frequency
        held_real, held_imaginary = size * angle.cos() - 1.0, size * angle.sin()
        squared = damping * damping + self.frequency * self.frequency
        over_real = (self.frequency * held_imaginary - damping * held_real) / squared
        over_imaginary = -(damping * held_imaginary + self.frequency * held_real) / squared
        c_real, c_imaginary = self.output_weight[..., 0], self.output_weight[..., 1]
        return c_real * over_real - c_imaginary * over_imaginary, c_real * over_imaginary + c_imaginary * over_real

    def _ringing(self, state: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
        weight_real, weight_imaginary = self._input_output_weight()
        out_real = state[..., 0] * weight_real - state[..., 1] * weight_imaginary
        out_imaginary = state[..., 0] * weight_imaginary + state[..., 1] * weight_real
        terms = torch.cat([out_real, -out_imaginary], 2).transpose(0, 1) @ torch.cat([real, imaginary], 1)
        return 2.0 * terms.transpose(0, 1)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.oscillators = self.initial_oscillators.clone()


def _convolved(x: Tensor, kernel: Tensor) -> Tensor:
    channels, samples = kernel.size(0), kernel.size(1)
    return conv1d(pad(x, [samples - 1, 0]), kernel.flip(1).unsqueeze(1), groups=channels)


def _advanced(state: Tensor, x: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
    samples = x.size(2)
    last_real, last_imaginary = real[..., samples], imaginary[..., samples]
    kept_real = state[..., 0] * last_real - state[..., 1] * last_imaginary
    kept_imaginary = state[..., 0] * last_imaginary + state[..., 1] * last_real
    powers = torch.stack([real[..., :samples].flip(2), imaginary[..., :samples].flip(2)], -1)
    taken = torch.einsum("bcs,cnsp->bcnp", x, powers)
    return torch.stack([kept_real, kept_imaginary], -1) + taken
