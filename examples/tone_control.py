"""Tone control: a filter whose coefficients change at every sample, without a loop over samples.

One knob tilts the spectrum about 800 Hz: treble up and bass down, or the reverse. It is a second-order high shelf in
the trapezoidal state-variable form (A. Simper, "Linear Trapezoidal Integrated State Variable Filter", 2014;
V. Zavalishin, "The Art of VA Filter Design", ch. 5), which stays stable however fast its coefficients move:

    s[n] = A[n] s[n-1] + B[n] x[n]        A: 2 x 2, s: the two integrators
    y[n] = high[n] x[n] + m[n] . (s[n] + s[n-1]) / 2

The knob is declared ``rate="sample"``, so ``A`` differs at every sample, and that recursion looks as if it had to be a
loop: in TorchScript, slower than real time. But its steps are affine maps, and affine maps compose:

    (A2, b2) after (A1, b1)  =  (A2 A1, A2 b1 + b2)

Composition is associative, so all N running compositions take log2(N) rounds of batched 2 x 2 products (a parallel
prefix scan): ``neutone_like.streaming.scan.linear_scan``. The filter takes energy from its integrators and never adds
any, so products of ``A`` only shrink and rounding errors die out. The scan runs in float64, and the result does not
depend on where blocks begin. The compiled model has it as one step.

Run ``python examples/tone_control.py`` for the artifact, or ``neutone-like export examples/tone_control.py --out DIR``.
"""

import math

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming.scan import linear_scan

PIVOT_HZ = 800.0
DAMPING = math.sqrt(2.0)  # 1 / Q of a Butterworth filter: the steepest shelf without a bump
SILENCE = 1e-30  # integrators below this are emptied: denormal numbers would make silence the slowest input of all


class ToneControl(WaveformToWaveformBase):
    """A spectral tilt that may be turned as fast as you like."""

    metadata = ModelMetadata(
        name="Tone control",
        authors=("Ada",),
        version="1.0.0",
        short_description="Tilts the spectrum about 800 Hz, sample by sample",
        tags=("filter", "eq"),
    )
    parameters = (
        ContinuousParameter(
            "tone", "Treble up and bass down, or the reverse", minimum=-12.0, maximum=12.0, unit="dB", rate="sample"
        ),
    )
    in_channels = 2
    out_channels = 2
    sample_rates = ()
    block_sizes = ()

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.pivot_hz: float = PIVOT_HZ
        self.damping: float = DAMPING
        self.silence: float = SILENCE
        self.warped_pivot: float = 0.0
        self.register_buffer("state", torch.zeros(2, 2, dtype=torch.float64))
        self.prepare_model(48000, 512)

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Place the pivot at this rate, pre-warped so that the bilinear transform leaves it there."""
        self.warped_pivot = math.tan(math.pi * min(self.pivot_hz / sample_rate, 0.4))
        self.reset_model()

    def reset_model(self) -> None:
        """Empty both integrators of both channels."""
        self.state = torch.zeros(2, 2, dtype=torch.float64)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, N]`` to ``[2, N]``."""
        samples = x.to(torch.float64)
        high = torch.exp(params["tone"].to(torch.float64) * (math.log(10.0) / 20.0)).expand(x.size(1))
        low = 1.0 / high
        states = self._integrators(samples, self.warped_pivot * high.sqrt())
        twice_mean = states[:, 1:] + states[:, :-1]
        self.state = torch.nn.functional.hardshrink(states[:, -1], self.silence)
        y = torch.addcmul(high * samples, twice_mean[..., 0], (0.5 * self.damping) * (1.0 - high))
        return y.addcmul(twice_mean[..., 1], 0.5 * (low - high)).to(x.dtype)

    def _integrators(self, samples: Tensor, g: Tensor) -> Tensor:
        """Both integrators before the block and after each sample, ``[channels, N + 1, 2]``."""
        a1 = 1.0 / (1.0 + g * (g + self.damping))
        a2 = 2.0 * g * a1
        a3 = g * a2
        # Stacked before the samples and then moved behind them: what is side by side stays so.
        matrices = torch.stack((2.0 * a1 - 1.0, -a2, a2, 1.0 - a3)).view(1, 2, 2, -1).movedim(-1, 1)
        driving = torch.stack((a2 * samples, a3 * samples), 1).transpose(1, 2)
        return linear_scan(matrices, driving, self.state)


def build_model() -> ToneControl:
    """What ``neutone-like export examples/tone_control.py`` calls."""
    return ToneControl(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/tone_control")
    print(f"Wrote {result.model_path}")
