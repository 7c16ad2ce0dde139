"""Crossover: two channels in, six out: low, middle and high of both, and their sum is what came in.

Each band is a linear-phase FIR filter, designed by the window method (A. Oppenheim and R. Schafer, "Discrete-Time
Signal Processing", ch. 7.5) from two low passes:

    low = lowpass(250 Hz)        middle = lowpass(2.5 kHz) - lowpass(250 Hz)        high = impulse - lowpass(2.5 kHz)

The three add up to an impulse in the middle of the filters, by construction: what one band lacks, its neighbour has,
and after the same delay the sum is the input again, to the rounding of float32.

What it shows:

- **More than two channels.** ``out_channels = 6``: low left, low right, middle left, and so on. The format of ``.nm``
  files knows mono and stereo; this model is exported all the same, marked as for hosts of neutone_like. Rendering
  writes a file of six channels, and the runtime gives six. A mono host is heard on both sides, as ever.
- **A delay that is told.** Linear phase costs half of the filters' length, and ``model_delay_samples`` says so: hosts
  align the bands with everything else.
- **A rate of its own.** The filters are made for 48 kHz; at other rates all six channels are resampled alike.
- **A layer that streams.** ``neutone_like.streaming.FIR`` keeps the past between blocks, and the wrapper resets it.

Run ``python examples/crossover.py`` for the artifact, or ``neutone-like export examples/crossover.py --out DIR``.
"""

import torch
from torch import Tensor

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import FIR

SAMPLE_RATE = 48000
CROSSOVERS_HZ = (250.0, 2500.0)
TAPS = 1023  # odd, so that the middle is a sample; at 250 Hz the bands overlap over some 150 Hz


def low_pass(cutoff_hz: float) -> Tensor:
    """A Hann-windowed sinc that passes 0 Hz at exactly 1: float64 ``[TAPS]``."""
    time = torch.arange(TAPS, dtype=torch.float64) - TAPS // 2
    window = torch.hann_window(TAPS + 2, periodic=False, dtype=torch.float64)[1:-1]
    taps = torch.sinc(2.0 * cutoff_hz / SAMPLE_RATE * time) * window
    return taps / taps.sum()


def band_filters() -> Tensor:
    """Low, middle and high, float32 ``[3, TAPS]``."""
    lower, upper = (low_pass(hertz) for hertz in CROSSOVERS_HZ)
    impulse = torch.zeros(TAPS, dtype=torch.float64)
    impulse[TAPS // 2] = 1.0
    return torch.stack((lower, upper - lower, impulse - upper)).to(torch.float32)


class Crossover(WaveformToWaveformBase):
    """``[2, N]`` to ``[6, N]``: left and right of the low band, of the middle, of the high."""

    metadata = ModelMetadata(
        name="Crossover",
        authors=("Ada",),
        version="1.0.0",
        short_description="Stereo into three bands, whose sum is the input",
        long_description="Six channels come out: low, middle and high, left and right of each.",
        tags=("filter", "crossover", "multiband"),
    )
    in_channels = 2
    out_channels = 6
    sample_rates = (SAMPLE_RATE,)
    block_sizes = ()

    def __init__(self) -> None:
        super().__init__(FIR(band_filters().repeat_interleave(2, 0)))
        self.late_samples: int = TAPS // 2  # TorchScript sees attributes, not this file's constants

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """Half of the filters."""
        return self.late_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, N]`` to ``[6, N]``."""
        return self.model(x.repeat(3, 1).unsqueeze(0))[0]


def build_model() -> Crossover:
    """What ``neutone-like export examples/crossover.py`` calls."""
    return Crossover()


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/crossover")
    print(f"Wrote {result.model_path}")
