"""The state-space recurrence against a convolution with its kernel, and the kernel against the matrix exponential."""

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

from neutone_like.streaming import DiagonalStateSpace
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play


def exact_kernel(layer: DiagonalStateSpace, samples: int) -> Tensor:
    """The impulse response from complex exponentials in float64, as the zero-order hold defines it."""
    step = layer.log_step.detach().double().exp().unsqueeze(1)
    poles = torch.complex(-layer.log_damping.detach().double().exp(), layer.frequency.detach().double())
    weights = torch.view_as_complex(layer.output_weight.detach().double()) * ((step * poles).exp() - 1) / poles
    powers = (step * poles).unsqueeze(-1) * torch.arange(samples)
    return 2 * (weights.unsqueeze(-1) * powers.exp()).sum(1).real


def convolved(layer: DiagonalStateSpace, x: Tensor) -> Tensor:
    """The whole signal with the exact kernel, in float64."""
    kernel = exact_kernel(layer, x.size(2)).flip(1).unsqueeze(1)
    ringing = conv1d(pad(x.double(), [x.size(2) - 1, 0]), kernel, groups=x.size(1))
    return ringing + x.double() * layer.direct.detach().double().unsqueeze(1)


def test_the_recurrence_equals_a_convolution_with_the_exact_kernel() -> None:
    layer = DiagonalStateSpace(3, 8)
    x = torch.randn(2, 3, 2000)
    assert error_of_peak(play(layer, x, [2000]), convolved(layer, x)) <= TOLERANCE
    in_double = DiagonalStateSpace(3, 8).double()
    assert error_of_peak(play(in_double, x.double(), [700, 1, 1299]), convolved(in_double, x)) <= 1e-12
    assert error_of_peak(in_double.kernel(500), exact_kernel(in_double, 500)) <= 1e-12


def test_the_hold_is_the_solution_of_the_differential_equation() -> None:
    layer = DiagonalStateSpace(1, 1).double()
    step = float(layer.log_step.detach().exp())
    pole = complex(-float(layer.log_damping.detach().exp()), 3.0)
    with torch.no_grad():
        layer.frequency.fill_(3.0)
        layer.output_weight.copy_(torch.tensor([[[1.0, 0.0]]]))
    # x' = pole x + u over one step of constant u, by many small Euler steps.
    x, small = 0j, 200_000
    for _ in range(small):
        x += step / small * (pole * x + 1.0)
    assert abs(float(layer.kernel(1).detach()[0, 0]) - 2 * x.real) <= 1e-5 * step


def test_streams_in_any_blocks() -> None:
    layer = DiagonalStateSpace(2, 4)
    layer.piece_samples = 20
    assert_streams(layer, torch.randn(2, 2, 80))
    assert layer.receptive_field_samples is None


def test_gradients_reach_every_parameter() -> None:
    layer = DiagonalStateSpace(2, 4)
    play(layer, torch.randn(1, 2, 80), [40, 40])[..., 40:].square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().min()) >= 0, name
        assert bool(parameter.grad.any()), name
