"""Spectral gate: what is quiet at a frequency is turned down there. A model that needs the past, but no state.

The sound is cut into overlapping windows; each becomes a spectrum, every frequency of which is left alone while its
level is above a threshold and turned down otherwise; the spectra become sound again, and the windows are added up.

What it shows:

- **Look-behind instead of state.** Each call gets ``look_behind_samples`` of past beside the new block, computes all
  windows that touch the samples it returns, and forgets everything. ``reset_model`` has nothing to do.
- **A declared delay.** A sample can't leave before the last window round it is complete. With windows of ``W`` samples,
  one every ``H``, that is ``W - H`` samples after it came in: ``model_delay_samples`` says so, and a host lines the
  output up with everything else.
- **A fixed block.** Windows begin at multiples of ``H`` of the stream, so blocks must too: ``block_sizes = (512,)``. A
  host with other blocks is served by the queue round the model, which reports the delay that this costs.
- **Exact when open.** The window is the square root of Hann's, applied before and after; its squares add up to a
  constant, so that sound above the threshold comes out as it went in.

How far back: the returned samples end ``W - H`` before the newest. The first window that touches the first of them
begins ``W - H`` earlier still, and the gate stays open for ``HOLD_WINDOWS`` more windows, whose levels must be known.

Run ``python examples/spectral_gate.py`` for the artifact, or
``neutone-like export examples/spectral_gate.py --out DIR``.
"""

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase

WINDOW_SAMPLES = 1024
HOP_SAMPLES = 256
HOLD_WINDOWS = 3
REACH_LINES = 3  # the width of a tone in a spectrum, to either side
KNEE_DB = 6.0
BLOCK_SAMPLES = 512
DELAY_SAMPLES = WINDOW_SAMPLES - HOP_SAMPLES


class SpectralGate(WaveformToWaveformBase):
    """Turns each frequency down by ``reduction`` dB while its level is below ``threshold``."""

    metadata = ModelMetadata(
        name="Spectral gate",
        authors=("Ada",),
        version="1.0.0",
        short_description="Turns down what is quiet, at each frequency by itself",
        long_description="Hum, hiss and room fade away between notes and beside them; what is loud passes unchanged.",
        tags=("gate", "noise", "restoration"),
    )
    parameters = (
        ContinuousParameter(
            "threshold", "Level of a tone that opens the gate", default=-50.0, minimum=-100.0, maximum=0.0, unit="dB"
        ),
        ContinuousParameter(
            "reduction", "How far the rest is turned down", default=24.0, minimum=0.0, maximum=60.0, unit="dB"
        ),
    )
    in_channels = 2
    out_channels = 2
    sample_rates = ()
    block_sizes = (BLOCK_SAMPLES,)
    look_behind_samples = 2 * DELAY_SAMPLES + HOLD_WINDOWS * HOP_SAMPLES

    window: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.window_samples: int = WINDOW_SAMPLES
        self.hop_samples: int = HOP_SAMPLES
        self.hold_windows: int = HOLD_WINDOWS
        self.reach_lines: int = REACH_LINES
        self.knee_db: float = KNEE_DB
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES, periodic=True).sqrt())
        # A tone of amplitude a has a spectral line of a * sum(window) / 2. The power of one at 0 dB:
        self.full_scale_power: float = float((self.window.sum() / 2.0).square())
        self.overlap_gain: float = float(self.window.square().sum()) / HOP_SAMPLES

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """What the last window round a sample makes it wait."""
        return self.window_samples - self.hop_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, look-behind + N]`` to ``[2, N]``, ``N`` a multiple of the hop."""
        spectra = torch.fft.rfft(x.unfold(1, self.window_samples, self.hop_samples) * self.window)
        gain = self._gain(spectra, params["threshold"], params["reduction"])
        windows = torch.fft.irfft(spectra[:, self.hold_windows :] * gain) * self.window
        return self._add_up(windows) / self.overlap_gain

    def _gain(self, spectra: Tensor, threshold: Tensor, reduction: Tensor) -> Tensor:
        """``[1, windows - hold, bins]``: both channels get the same, or the stereo image would wander."""
        power = torch.view_as_real(spectra).square().sum(3).amax(0, keepdim=True)
        # A line is as loud as the loudest of its neighbours, so that a tone passes with its skirts, and of its last
        # windows, so that no decay is chopped off.
        size = (self.hold_windows + 1, 2 * self.reach_lines + 1)
        held = torch.nn.functional.max_pool2d(power, size, stride=1, padding=(0, self.reach_lines))
        level = 10.0 * torch.log10(held / self.full_scale_power + 1e-20)
        closed = ((threshold - level) / self.knee_db).clamp(0.0, 1.0)
        return torch.pow(10.0, closed * reduction / -20.0)

    def _add_up(self, windows: Tensor) -> Tensor:
        """Overlap-add, ``[2, windows, W]`` to ``[2, (windows - W / H + 1) * H]``: where all windows are known."""
        overlap = self.window_samples // self.hop_samples
        hops = windows.unflatten(2, (overlap, self.hop_samples))
        count = windows.size(1) - overlap + 1
        y = hops[:, overlap - 1 :, 0]
        for part in range(1, overlap):
            y = y + hops[:, overlap - 1 - part : overlap - 1 - part + count, part]
        return y.flatten(1)


def build_model() -> SpectralGate:
    """What ``neutone-like export examples/spectral_gate.py`` calls."""
    return SpectralGate(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/spectral_gate")
    print(f"Wrote {result.model_path}")
