"""Stereo widener: one channel in, two out, and the mono sum stays what came in.

A mono sound gets width when the ears hear two versions of it that are alike in level and colour but not in phase. Here
the second signal is the input through a *decorrelator*, which is added to one side and taken from the other (H.
Lauridsen's trick of 1954, with something better than his single echo):

    left  = input + width * decorrelated        (left + right) / 2 = input
    right = input - width * decorrelated

So whatever the width, the average of both sides is the input: on a mono loudspeaker nothing is lost or coloured, and
that holds by construction, not by tuning.

The decorrelator is velvet noise (B. Alary, A. Politis and V. Valimaki, "Velvet-Noise Decorrelator", DAFx 2017): a
sequence of some 30 impulses of either sign within 30 ms, one at a random place in each millisecond, that decays by 20
dB. Its spectrum is nearly flat, and convolving with it is no more than a weighted sum of 30 delayed copies.

What it shows:

- **Mono in, stereo out.** ``in_channels = 1``, ``out_channels = 2``. A stereo host's two channels are averaged on the
  way in. A mono host gets the average of both sides, that is, its input.
- **State for any block.** The samples that the longest delay reaches back to are kept; blocks may have any length.
- **Any rate.** ``prepare_model`` places the impulses for the host's rate.

Run ``python examples/stereo_widener.py`` for the artifact, or
``neutone-like export examples/stereo_widener.py --out DIR``.
"""

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase

IMPULSES = 30
SPACING_MS = 1.0  # one impulse in each stretch of this length
DECAY_DB = 20.0
SEED = 4


def velvet_noise(impulses: int, seed: int) -> tuple[Tensor, Tensor]:
    """Times in units of the spacing, and weights of unit energy whose signs are half plus, half minus.

    Returns:
        Two float32 tensors of shape ``[impulses]``.
    """
    generator = torch.Generator().manual_seed(seed)
    times = torch.arange(impulses) + torch.rand(impulses, generator=generator)
    signs = 1.0 - 2.0 * (torch.randperm(impulses, generator=generator) % 2)
    weights = signs * torch.pow(10.0, -DECAY_DB / 20.0 * times / impulses)
    return times, weights / weights.square().sum().sqrt()


class StereoWidener(WaveformToWaveformBase):
    """``input + width * velvet(input)`` on the left, ``input - width * velvet(input)`` on the right."""

    metadata = ModelMetadata(
        name="Stereo widener",
        authors=("Ada",),
        version="1.0.0",
        short_description="Mono to stereo, and back to mono without loss",
        long_description="A decorrelated copy is added on the left and taken from the right; in mono it is gone.",
        tags=("stereo", "mono", "width"),
    )
    parameters = (
        ContinuousParameter(
            "width", "0 = in the middle, 100 = sides unlike each other", default=60.0, maximum=100.0, unit="%",
            rate="sample",
        ),
    )  # fmt: skip
    in_channels = 1
    out_channels = 2
    sample_rates = ()
    block_sizes = ()

    times: Tensor
    sides: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        times, weights = velvet_noise(IMPULSES, SEED)
        self.samples_per_ms: float = 48.0
        self.spacing_ms: float = SPACING_MS  # TorchScript sees attributes, not this file's constants
        self.past_samples: int = 0
        self.register_buffer("times", times)
        self.register_buffer("sides", 0.01 * torch.stack((weights, -weights)))  # the width is in percent
        self.register_buffer("rows", torch.zeros(IMPULSES, dtype=torch.long))
        self.register_buffer("past", torch.zeros(0))
        self.prepare_model(48000, 512)

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Place the impulses at whole samples of this rate; the first comes at least one sample late."""
        delays = (self.times * (self.spacing_ms * sample_rate / 1000.0)).to(torch.long) + 1
        self.past_samples = int(delays.max())
        self.rows = self.past_samples - delays
        self.reset_model()

    def reset_model(self) -> None:
        """Forget what was heard."""
        self.past = torch.zeros(self.past_samples)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, N]`` to ``[2, N]``."""
        samples = x.size(1)
        heard = torch.cat((self.past, x[0]))
        self.past = heard.narrow(0, samples, self.past_samples).clone()
        # Row r of this view is what was heard from its sample r on: the block, past_samples - r samples ago.
        delayed = heard.unfold(0, samples, 1).index_select(0, self.rows)
        return torch.addcmul(x, torch.mm(self.sides, delayed), params["width"])


def build_model() -> StereoWidener:
    """What ``neutone-like export examples/stereo_widener.py`` calls."""
    return StereoWidener(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/stereo_widener")
    print(f"Wrote {result.model_path}")
