"""A delay line whose time is any number of samples, and may move at every sample."""

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.layer import StreamingLayer

KINDS = ("lagrange", "linear")


class FractionalDelay(StreamingLayer):
    """``y[n] = x[n - time[n]]``, between samples by interpolation, ``[batch, channels, samples]`` to the same.

    ``forward(x, time_samples)`` with times of ``[batch or 1, channels or 1, samples or 1]``, held between 0 and
    ``longest_samples``; left out, the longest. The delay is what the layer does to the sound, so none is declared.
    float32 times above some 16000 samples are coarser than a thousandth of a sample; float64 ones are not.

    Args:
        longest_samples: The longest time, a whole number.
        kind: ``"lagrange"``: a cubic through four samples, flat to about a quarter of the sample rate; ``"linear"``.

    Raises:
        ModelError: A length or kind that cannot be.
    """

    past: Tensor
    initial_past: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, longest_samples: int, kind: str = "lagrange") -> None:
        super().__init__()
        if kind not in KINDS or longest_samples < 1:
            raise ModelError(
                f"FractionalDelay: longest_samples={longest_samples}, kind={kind!r}; expected at least 1 sample, and "
                f"{' or '.join(KINDS)}"
            )
        self.longest_samples, self.kind = longest_samples, kind
        # A cubic reads up to two samples older than the one before the time.
        self.past_samples = longest_samples + 2
        self.register_state("past", torch.zeros(1, 1, self.past_samples))
        self.receptive_field_samples = longest_samples + (3 if kind == "lagrange" else 2)
        self.receptive_field_is_exact = False  # of a delay that stays, a few samples alone
        self.source = "Laakso et al., Splitting the Unit Delay, 1996"

    def forward(self, x: Tensor, time_samples: Tensor | None = None) -> Tensor:
        heard = torch.cat([self.past.expand(x.size(0), x.size(1), -1), x], 2)
        self.past = heard[:, :, x.size(2) :]
        time = torch.full([1, 1, 1], float(self.longest_samples), device=x.device)
        time = (time if time_samples is None else time_samples).clamp(0.0, float(self.longest_samples)).expand(x.shape)
        # A cubic is best between its middle two samples; below one sample it has only newer ones to one side.
        whole = time.floor().clamp(min=1.0) if self.kind == "lagrange" else time.floor()
        place = self.past_samples + torch.arange(x.size(2), device=x.device) - whole.long()
        fraction = (time - whole).to(x.dtype)
        if self.kind == "linear":
            return torch.lerp(heard.gather(2, place), heard.gather(2, place - 1), fraction)
        return _cubic(heard, place, fraction)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()


def _cubic(heard: Tensor, place: Tensor, d: Tensor) -> Tensor:
    """Through one sample after ``place``, the one there and two before it: the value ``d`` samples before ``place``."""
    after, at = heard.gather(2, place + 1), heard.gather(2, place)
    before, two_before = heard.gather(2, place - 1), heard.gather(2, place - 2)
    newer = -after * d * (d - 1.0) * (d - 2.0) / 6.0 + at * (d + 1.0) * (d - 1.0) * (d - 2.0) / 2.0
    older = -before * (d + 1.0) * d * (d - 2.0) / 2.0 + two_before * (d + 1.0) * d * (d - 1.0) / 6.0
    return newer + older
