"""Equaliser: six bells in a row, with frequency, gain and Q each: eighteen knobs.

Every band is the peaking filter of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients".
With ``a = 10^(gain / 40)``, ``w = 2 pi frequency / rate`` and ``alpha = sin(w) / (2 Q)``:

            (1 + alpha a) - 2 cos(w) z^-1 + (1 - alpha a) z^-2
    H(z) = ----------------------------------------------------
            (1 + alpha / a) - 2 cos(w) z^-1 + (1 - alpha / a) z^-2

A loop over samples is too slow in TorchScript. So the six filters are written as one system of twelve numbers,

    s[n + 1] = A s[n] + B x[n]        y[n] = C s[n] + D x[n]

and all states of a block come from ``neutone_like.streaming.scan.linear_scan``, which joins neighbouring steps into
longer ones. The compiled model has it as one step. All of it is float64.

What it shows:

- **More than four knobs.** The format of ``.nm`` files has room for four. This model is exported all the same, marked
  as for hosts of neutone_like: rendering and the runtime turn all eighteen. ``neutone-like inspect`` says so.
- **``rate="block"``.** Designing a filter is expensive, so its knobs are read once a block. The wrapper makes blocks
  short while a knob moves, so that nothing is heard of the steps.
- **Any rate.** ``prepare_model`` is told the host's rate, and bands above half of it stay below.

Run ``python examples/equaliser.py`` for the artifact, or ``neutone-like export examples/equaliser.py --out DIR``.
"""

import math

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming.scan import linear_scan

BANDS_HZ = (60.0, 180.0, 500.0, 1400.0, 4000.0, 11000.0)
SILENCE = 1e-30  # states below this are emptied: denormal numbers would make silence the slowest input of all


def knobs_of_band(number: int, frequency_hz: float) -> tuple[ContinuousParameter, ...]:
    """Frequency, gain and Q."""
    return (
        ContinuousParameter(
            f"frequency {number}", f"Middle of band {number}", default=frequency_hz, minimum=20.0, maximum=20000.0,
            unit="Hz",
        ),
        ContinuousParameter(
            f"gain {number}", f"Boost or cut of band {number}", default=0.0, minimum=-12.0, maximum=12.0, unit="dB"
        ),
        ContinuousParameter(
            f"Q {number}", f"How narrow band {number} is", default=1.0, minimum=0.2, maximum=10.0, unit="x"
        ),
    )  # fmt: skip


class Equaliser(WaveformToWaveformBase):
    """``[2, N]`` to ``[2, N]``, both channels alike."""

    metadata = ModelMetadata(
        name="Equaliser",
        authors=("Ada",),
        version="1.0.0",
        short_description="Six bells in a row, with frequency, gain and Q each",
        long_description="Eighteen knobs: more than the format has room for, so this one is for our own hosts.",
        tags=("filter", "eq"),
    )
    parameters = tuple(knob for number, hertz in enumerate(BANDS_HZ, start=1) for knob in knobs_of_band(number, hertz))
    in_channels = 2
    out_channels = 2
    sample_rates = ()
    block_sizes = ()

    names: list[str]

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.names = [knob.name for knob in Equaliser.parameters]
        self.order: int = 2 * len(BANDS_HZ)
        self.silence: float = SILENCE
        self.radians_per_hz: float = 0.0
        self.register_buffer("state", torch.zeros(2, 2 * len(BANDS_HZ), dtype=torch.float64))
        self.prepare_model(48000, 512)

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Another rate wants other coefficients."""
        self.radians_per_hz = 2.0 * math.pi / sample_rate
        self.reset_model()

    def reset_model(self) -> None:
        """Empty the states of both channels."""
        self.state = torch.zeros(2, self.order, dtype=torch.float64)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, N]`` to ``[2, N]``."""
        knobs = torch.cat([params[name] for name in self.names]).to(torch.float64)
        step, entry, exit, through = self._system(knobs.view(-1, 3))
        samples = x.to(torch.float64)
        states = linear_scan(step.view(1, 1, self.order, self.order), samples.unsqueeze(2) * entry, self.state)
        self.state = torch.nn.functional.hardshrink(states[:, -1], self.silence)
        return ((states[:, :-1] * exit).sum(-1) + through * samples).to(x.dtype)

    def _system(self, knobs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A, B, C and D of all bands in a row: what one gives is what the next one gets."""
        w = (knobs[:, 0] * self.radians_per_hz).clamp(max=0.95 * math.pi)
        a = torch.pow(10.0, knobs[:, 1] / 40.0)
        alpha = torch.sin(w) / (2.0 * knobs[:, 2])
        scale = 1.0 / (1.0 + alpha / a)
        a1, a2 = -2.0 * torch.cos(w) * scale, (1.0 - alpha / a) * scale
        b0, b2 = (1.0 + alpha * a) * scale, (1.0 - alpha * a) * scale  # and b1 is a1
        # Transposed direct form II: y = b0 x + s1, s1 = (b1 - a1 b0) x - a1 s1 + s2, s2 = (b2 - a2 b0) x - a2 s1.
        enters = torch.stack((a1 - a1 * b0, b2 - a2 * b0), 1)
        own = torch.stack((a1, a2), 1)
        direct = torch.cat((torch.ones_like(b0[:1]), torch.cumprod(b0, 0)))  # of x in what comes to each band, and out
        between = (direct[:-1].unsqueeze(1) / direct[1:]).tril(-1)  # of an earlier band's first state
        itself = torch.eye(self.order // 2, dtype=torch.float64)
        first = enters.unsqueeze(2) * between.unsqueeze(1) - own.unsqueeze(2) * itself.unsqueeze(1)
        second = torch.stack((itself, torch.zeros_like(itself)), 1)
        step = torch.stack((first, second), 3).view(self.order, self.order)
        entry = (enters * direct[:-1].unsqueeze(1)).flatten()
        heard = direct[-1] / direct[1:]
        return step, entry, torch.stack((heard, torch.zeros_like(heard)), 1).flatten(), direct[-1:]


def build_model() -> Equaliser:
    """What ``neutone-like export examples/equaliser.py`` calls."""
    return Equaliser(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/equaliser")
    print(f"Wrote {result.model_path}")
