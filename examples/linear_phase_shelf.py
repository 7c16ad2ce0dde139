"""Linear-phase shelf: bass louder or softer, with nothing delayed against anything else.

A low pass of linear phase (window method; A. Oppenheim and R. Schafer, "Discrete-Time Signal Processing", ch. 7.5) is
half the work; what it leaves out is the input less its output, so that both together are the input again.

What it shows:

- **An ordinary network, converted.** ``Split`` is written for whole recordings: a convolution that pads on both sides,
  and a shortcut beside it. In blocks it would click, and the shortcut would come early. ``to_streaming`` makes a
  network of the same weights that keeps its past, and delays the shortcut by as much as the convolution is late.
- **A delay that is told.** The future that the padding looked at is delay now: ``delay_samples`` of the converted
  network is what ``model_delay_samples`` returns.
- **Channels as a batch.** Left and right go through the same filter: the example has a batch of two.

Run ``python examples/linear_phase_shelf.py`` for the artifact, or ``neutone-like export examples/linear_phase_shelf.py
--out DIR``.
"""

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import to_streaming

SAMPLE_RATE = 48000
CUTOFF_HZ = 400.0
TAPS = 511


def low_pass() -> Tensor:
    """A Hann-windowed sinc that passes 0 Hz at exactly 1: float64 ``[TAPS]``."""
    time = torch.arange(TAPS, dtype=torch.float64) - TAPS // 2
    window = torch.hann_window(TAPS + 2, periodic=False, dtype=torch.float64)[1:-1]
    taps = torch.sinc(2.0 * CUTOFF_HZ / SAMPLE_RATE * time) * window
    return taps / taps.sum()


class Split(nn.Module):
    """``[batch, 1, N]``, a whole recording, to ``[batch, 2, N]``: below the cutoff, and the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.low = nn.Conv1d(1, 1, TAPS, padding="same", bias=False)
        with torch.no_grad():
            self.low.weight.copy_(low_pass())

    def forward(self, x: Tensor) -> Tensor:
        low = self.low(x)
        return torch.cat((low, x - low), 1)


class LinearPhaseShelf(WaveformToWaveformBase):
    """Stereo in and out."""

    metadata = ModelMetadata(
        name="Linear-phase shelf",
        authors=("Ada",),
        version="1.0.0",
        short_description="Bass up or down, without phase shift",
        tags=("filter", "equaliser"),
    )
    parameters = (
        ContinuousParameter("bass", "Gain below 400 Hz", default=6.0, minimum=-24.0, maximum=12.0, unit="dB"),
    )
    sample_rates = (SAMPLE_RATE,)

    def __init__(self) -> None:
        network = to_streaming(Split().eval(), torch.randn(2, 1, 4096, generator=torch.Generator().manual_seed(0)))
        super().__init__(network)
        self.late_samples: int = network.delay_samples  # TorchScript sees attributes

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """What the convolution looked ahead."""
        return self.late_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, N]`` to ``[2, N]``."""
        parts = self.model(x.unsqueeze(1))
        return parts[:, 0] * torch.pow(10.0, params["bass"] / 20.0) + parts[:, 1]


def build_model() -> LinearPhaseShelf:
    """What ``neutone-like export examples/linear_phase_shelf.py`` calls."""
    return LinearPhaseShelf()


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/linear_phase_shelf")
    print(f"Wrote {result.model_path}")
