"""Recursive filters with a float64 state, constant or with new coefficients at every sample."""

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.graph.whole_recurrences import recurrences_are_whole, whole_linear_scan
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.scan import linear_scan


class IIR(StreamingLayer):
    """``a[0] y[n] = sum b[k] x[n - k] - sum a[k] y[n - k]``, every channel alike, in transposed direct form II.

    The arithmetic and the state are float64 whatever the audio is. Constant coefficients run in pieces, each one
    product with a matrix made beforehand; a set for every sample, ``forward(x, coefficients)`` with
    ``[batch or 1, channels or 1, 2 * (order + 1), samples]`` (``b``, then ``a``), as a scan over samples. Orders above
    four keep more digits as :class:`Biquad` sections.

    Args:
        numerator: ``b``, one number or more.
        denominator: ``a``, its first not zero. The shorter of the two is filled with zeros.

    Raises:
        ModelError: Coefficients of another shape, not finite, or ``a[0]`` zero.
    """

    piece_matrix: Tensor
    transition_powers: Tensor
    registers: Tensor
    initial_registers: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, numerator: Tensor, denominator: Tensor) -> None:
        super().__init__()
        coefficients = _coefficients(numerator, denominator)
        self.order = coefficients.numel() // 2 - 1
        # More samples in a piece are fewer calls, but work that grows with the square.
        self.piece_samples = 64
        self.register_buffer("piece_matrix", _piece_matrix(coefficients, self.piece_samples))
        self.register_buffer("transition_powers", _transition_powers(coefficients, self.piece_samples))
        self.register_state("registers", torch.zeros(1, 1, self.order, dtype=torch.float64))
        self.receptive_field_samples = None
        self.source = "Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 6; Smith, Digital Filters, 2007"

    def forward(self, x: Tensor, coefficients: Tensor | None = None) -> Tensor:
        registers = self.registers.double().expand(x.size(0), x.size(1), -1)
        if coefficients is None:
            matrix, powers = self.piece_matrix.double(), self.transition_powers.double()
            y, self.registers = unvarying(x.double(), registers, matrix, powers)
        else:
            y, self.registers = varying(x.double(), coefficients.double(), registers)
        return y.to(x.dtype)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.registers = self.initial_registers.clone()


class Biquad(StreamingLayer):
    """A cascade of second-order :class:`IIR` sections, ``[batch, channels, samples]`` to the same.

    ``forward(x, sections)`` with ``[batch or 1, channels or 1, sections, 6, samples]`` has a set for every sample.

    Args:
        sections: ``[sections, 6]`` as in SciPy: ``b0, b1, b2, a0, a1, a2``.

    Raises:
        ModelError: Coefficients of another shape, not finite, or ``a0`` zero.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, sections: Tensor) -> None:
        super().__init__()
        if sections.dim() != 2 or sections.size(1) != 6 or sections.size(0) == 0:
            raise ModelError(f"Biquad: sections of shape {list(sections.shape)}; expected [sections, 6]")
        self.sections = nn.ModuleList(IIR(section[:3], section[3:]) for section in sections)
        self.receptive_field_samples = None
        self.source = "Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 6"

    def forward(self, x: Tensor, sections: Tensor | None = None) -> Tensor:
        y = x.double()
        for index, section in enumerate(self.sections):
            y = section(y, None if sections is None else sections[:, :, index])
        return y.to(x.dtype)


def unvarying(x: Tensor, registers: Tensor, matrix: Tensor, powers: Tensor) -> tuple[Tensor, Tensor]:
    """The filter with the coefficients that it was made with, and the registers after it; all float64.

    What the first ``n`` samples of a piece give, and the last ``n`` leave, are corners of the matrix.

    Args:
        x: ``[batch, channels, samples]``.
        registers: ``[batch, channels, order]``.
        matrix: As :class:`IIR` makes it, from registers and samples of a piece to output and registers.
        powers: Of the step that registers take by themselves, from none to as many as the piece has samples.
    """
    if not torch.jit.is_scripting():  # noqa: SIM102  # pyright: ignore[reportPrivateImportUsage]
        if recurrences_are_whole():  # which TorchScript doesn't know: a condition of its own
            return whole_unvarying(x, registers, matrix, powers)
    order, longest = powers.size(1), powers.size(0) - 1
    pieces: list[Tensor] = []
    for piece in x.split(longest, 2):
        samples = piece.size(2)
        entering = torch.cat([registers, piece], 2)
        pieces.append(entering @ matrix[: order + samples, :samples])
        left = piece @ matrix[order + longest - samples : order + longest, longest:]
        registers = registers @ powers[samples] + left
    return torch.cat(pieces, 2), registers


def whole_unvarying(x: Tensor, registers: Tensor, matrix: Tensor, powers: Tensor) -> tuple[Tensor, Tensor]:
    """The same as one recurrence, by what one sample does to the output and the registers."""
    order, longest = powers.size(1), powers.size(0) - 1
    if order == 0:
        return x * matrix[0, 0], registers
    step = powers[1].t()
    driven = x.unsqueeze(3) * matrix[-1, longest:]
    states = whole_linear_scan(step.view(1, 1, 1, order, order), driven, registers)
    return x * matrix[order, 0] + states[:, :, :-1, 0], states[:, :, -1]


def varying(x: Tensor, coefficients: Tensor, registers: Tensor) -> tuple[Tensor, Tensor]:
    """The filter with a set of coefficients for every sample, and the registers after it; all float64."""
    order = coefficients.size(2) // 2 - 1
    if order != registers.size(2) or coefficients.size(3) != x.size(2):
        raise ModelError(
            f"IIR: coefficients of shape {coefficients.shape}; expected [batch or 1, channels or 1, "
            f"{2 * (registers.size(2) + 1)}, {x.size(2)}]"
        )
    first = coefficients[:, :, order + 1 : order + 2]
    b, a = coefficients[:, :, : order + 1] / first, coefficients[:, :, order + 2 :] / first
    direct = b[:, :, 0] * x
    if order == 0:
        return direct, registers
    driven = ((b[:, :, 1:] - a * b[:, :, :1]) * x.unsqueeze(2)).transpose(2, 3)
    shift = torch.diag(torch.ones(order - 1, dtype=x.dtype, device=x.device), 1)
    feedback = torch.cat(
        [
            a.transpose(2, 3).unsqueeze(4),
            torch.zeros_like(shift[:, 1:]).expand(a.size(0), a.size(1), a.size(3), -1, -1),
        ],
        4,
    )
    states = linear_scan(shift - feedback, driven, registers)
    return direct + states[:, :, :-1, 0], states[:, :, -1]


def _coefficients(numerator: Tensor, denominator: Tensor) -> Tensor:
    """``b`` and ``a`` of one length, float64, divided by ``a[0]``."""
    if numerator.dim() != 1 or denominator.dim() != 1 or numerator.numel() == 0 or denominator.numel() == 0:
        raise ModelError(
            f"IIR: coefficients of shapes {list(numerator.shape)} and {list(denominator.shape)}; expected two vectors"
        )
    both = torch.zeros(2, max(numerator.numel(), denominator.numel()), dtype=torch.float64)
    both[0, : numerator.numel()], both[1, : denominator.numel()] = numerator.detach(), denominator.detach()
    if not bool(both.isfinite().all()) or float(both[1, 0]) == 0.0:
        raise ModelError(f"IIR: b={both[0].tolist()}, a={both[1].tolist()}; expected finite numbers, and a[0] not zero")
    return (both / both[1, 0]).flatten()


def _transition(coefficients: Tensor) -> Tensor:
    """How registers (a row) move on by themselves in one sample."""
    order = coefficients.numel() // 2 - 1
    transition = torch.diag(torch.ones(max(order - 1, 0), dtype=torch.float64), 1) if order > 0 else torch.zeros(0, 0)
    transition = transition.double().clone()
    if order > 0:
        transition[:, 0] -= coefficients[order + 2 :]
    return transition.T.contiguous()


def _transition_powers(coefficients: Tensor, samples: int) -> Tensor:
    """``[samples + 1, order, order]``"""
    transition = _transition(coefficients)
    powers = [torch.eye(transition.size(0), dtype=torch.float64)]
    for _ in range(samples):
        powers.append(powers[-1] @ transition)
    return torch.stack(powers)


def _piece_matrix(coefficients: Tensor, samples: int) -> Tensor:
    """From registers and samples (a row) to output and registers: ``[order + samples, samples + order]``.

    Row by row it is what the filter makes of a one in that place.
    """
    order = coefficients.numel() // 2 - 1
    b, a = coefficients[: order + 1], coefficients[order + 2 :]
    transition = _transition(coefficients)
    registers = torch.eye(order + samples, order, dtype=torch.float64)
    x = torch.cat([torch.zeros(order, samples), torch.eye(samples)]).double()
    y = torch.empty(order + samples, samples, dtype=torch.float64)
    for sample in range(samples):
        y[:, sample] = b[0] * x[:, sample] + (registers[:, 0] if order > 0 else 0.0)
        registers = registers @ transition + x[:, sample : sample + 1] * (b[1:] - a * b[0])
    return torch.cat([y, registers], 1)
