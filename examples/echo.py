"""Echo: a delay line with feedback, and how to keep state in a model.

What it shows:

- **Any rate.** ``sample_rates = ()``: the host's rate is told to ``prepare_model``, which sizes the delay line.
- **Any block.** Blocks may be longer than the delay. An echo can't be computed before the sound it repeats, so such a
  block is cut into pieces no longer than the shortest delay in it. Within a piece all samples are independent: a
  handful of tensor operations, not a loop over samples. A compiled model can't decide by what a tensor holds: it cuts
  long blocks by itself, into pieces shorter than any delay.
- **Moving knobs.** All parameters are declared ``rate="sample"``: one value for each sample. The delay glides as a tape
  machine's does, and the result does not depend on where blocks begin.
- **State.** The line is cut at one end and grows at the other, so that a delay is a place counted from its end; a
  compiled model makes a ring of that, which nothing moves. It is made at the first block after ``prepare_model`` or
  ``reset_model``: an artifact then does not carry a second of zeros.

Run ``python examples/echo.py`` for the artifact, or ``neutone-like export examples/echo.py --out DIR``.
"""

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase

SHORTEST_MS = 10.0
LONGEST_MS = 1000.0


class Echo(WaveformToWaveformBase):
    """``line[n] = x[n] + feedback * line[n - d]``; the output is a mix of ``x[n]`` and ``line[n - d]``."""

    metadata = ModelMetadata(
        name="Echo",
        authors=("Ada",),
        version="1.0.0",
        short_description="A delay line with feedback, whose time glides like a tape machine's",
        tags=("delay", "echo"),
    )
    parameters = (
        ContinuousParameter(
            "time", "Between repeats", default=300.0, minimum=SHORTEST_MS, maximum=LONGEST_MS, unit="ms", rate="sample"
        ),
        ContinuousParameter(
            "feedback", "How much of a repeat is repeated", default=0.4, minimum=0.0, maximum=0.95, rate="sample"
        ),
        ContinuousParameter("mix", "0 = input, 1 = repeats", default=0.35, rate="sample"),
    )
    in_channels = 2
    out_channels = 2
    sample_rates = ()
    block_sizes = ()

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.shortest_ms: float = SHORTEST_MS  # TorchScript sees attributes, not this file's constants
        self.longest_ms: float = LONGEST_MS
        self.samples_per_ms: float = 48.0
        self.shortest_delay: int = 1
        self.line_samples: int = 0
        self.register_buffer("line", torch.zeros(2, 0))
        self.prepare_model(48000, 512)

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Size the line for the longest delay at this rate, and remember the shortest."""
        self.samples_per_ms = sample_rate / 1000.0
        self.shortest_delay = max(1, int(self.shortest_ms * self.samples_per_ms))
        self.line_samples = int(self.longest_ms * self.samples_per_ms) + 2
        self.reset_model()

    def reset_model(self) -> None:
        """Silence the line."""
        self.line = torch.zeros(2, 0)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[2, N]`` to ``[2, N]``."""
        if self.line.size(1) == 0:
            self.line = torch.zeros(2, self.line_samples)
        # float64: at 192 kHz a float32 delay of a second would be a 64th of a sample coarse.
        delay = params["time"].to(torch.float64).mul(self.samples_per_ms).expand(x.size(1))
        delay = delay.clamp(self.shortest_delay, self.line_samples - 1)  # whatever it is told
        whole = torch.floor(delay)
        fraction = (delay - whole).to(x.dtype)
        feedback = params["feedback"].expand(x.size(1))
        # No decision by what a tensor holds where a block is shorter than any delay: that is what compiles.
        piece = x.size(1) if x.size(1) <= self.shortest_delay else int(whole.min())
        echoes = [
            self._advance(
                x[:, start : start + piece],
                whole[start : start + piece],
                fraction[start : start + piece],
                feedback[start : start + piece],
            )
            for start in range(0, x.size(1), piece)
        ]
        return torch.lerp(x, torch.cat(echoes, 1), params["mix"])

    def _advance(self, x: Tensor, whole: Tensor, fraction: Tensor, feedback: Tensor) -> Tensor:
        """Read a piece's echoes, write its sound: no sample read here may be one that is written here."""
        here = torch.arange(self.line_samples, self.line_samples + x.size(1))
        read = here - whole.to(torch.long)
        echoes = torch.lerp(self.line.index_select(1, read), self.line.index_select(1, read - 1), fraction)
        self.line = torch.cat((self.line[:, x.size(1) :], torch.addcmul(x, echoes, feedback)), 1)
        return echoes


def build_model() -> Echo:
    """What ``neutone-like export examples/echo.py`` calls."""
    return Echo(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/echo")
    print(f"Wrote {result.model_path}")
