"""Linear attention: causal attention whose whole past is two running sums."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, linear

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import require_positive
from neutone_like.streaming.layer import StreamingLayer


class LinearAttention(StreamingLayer):
    """Causal linear attention with sums that fade, ``[batch, channels, samples]`` to the same.

    With ``f(x) = elu(x) + 1`` and a decay ``d`` for each head, sample ``n`` is the mean of all values so far, weighted
    by ``d^(n - m) f(q[n]) . f(k[m])``. It is a weighted mean and the past fades, so the sums neither overflow nor stop
    taking in what is new, however long the stream: without decay, float32 does the latter after minutes.

    Args:
        channels: Of input and output, a multiple of ``heads``.
        heads: How many attend side by side.
        half_lives_samples: For each head, after how many samples a past value counts half. Default: 16, 32, 64...
        bias: Whether the projections have one.

    Raises:
        ModelError: A size that cannot be, or a half-life that is not a positive, finite number.
    """

    halvings_per_sample: Tensor
    faded: Tensor
    since: Tensor
    sums: Tensor
    initial_sums: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self, channels: int, heads: int, half_lives_samples: Sequence[float] | None = None, bias: bool | None = True
    ) -> None:
        super().__init__()
        require_positive(channels=channels, heads=heads)
        self.in_channels = channels
        half_lives = [16.0 * 2**head for head in range(heads)] if half_lives_samples is None else half_lives_samples
        _check(channels, heads, half_lives)
        self.heads = heads
        # Within a piece every sample meets every other; between pieces there are only the sums.
        self.piece_samples = 64
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels)) if bias else None
        self.out_proj = nn.Linear(channels, channels, bool(bias))
        nn.init.xavier_uniform_(self.in_proj_weight)
        halvings = 1.0 / torch.tensor(list(half_lives), dtype=torch.float32)
        self.register_buffer("halvings_per_sample", halvings)
        faded, since = _fading(halvings, self.piece_samples)
        self.register_buffer("faded", faded, persistent=False)
        self.register_buffer("since", since, persistent=False)
        width = channels // heads
        # The last column sums the weights themselves: what the mean is divided by.
        self.register_state("sums", torch.zeros(1, heads, width, width + 1))
        self.receptive_field_samples = None
        self.source = "Katharopoulos et al., Transformers are RNNs, 2020; decay: Sun et al., Retentive Network, 2023"

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, samples = x.size(0), x.size(1), x.size(2)
        projected = linear(x.transpose(1, 2), self.in_proj_weight, self.in_proj_bias)
        heads = projected.view(batch, samples, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        queries, keys, values = elu(heads[0]) + 1, elu(heads[1]) + 1, heads[2]
        counted = torch.cat([values, torch.ones_like(values[..., :1])], -1)
        sums = self.sums.expand(batch, -1, -1, -1)
        pieces: list[Tensor] = []
        for start in range(0, samples, self.piece_samples):
            end = start + self.piece_samples
            piece, sums = self._piece(queries[:, :, start:end], keys[:, :, start:end], counted[:, :, start:end], sums)
            pieces.append(piece)
        self.sums = sums
        weighted = torch.cat(pieces, 2)
        mean = weighted[..., :-1] / (weighted[..., -1:] + 1e-9)
        return self.out_proj(mean.transpose(1, 2).reshape(batch, samples, channels)).transpose(1, 2)

    def _piece(self, queries: Tensor, keys: Tensor, counted: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
        samples = queries.size(2)
        within = (queries @ keys.transpose(2, 3) * self.faded[:, :samples, :samples]) @ counted
        before = (queries * self.since[:, 1 : samples + 1]) @ sums
        left = (keys * self.since[:, :samples].flip(1)).transpose(2, 3) @ counted
        return within + before, sums * self.since[:, samples : samples + 1] + left

    def _load_from_state_dict(self, *given: Any, **named: Any) -> None:
        """Half-lives are weights; what follows from them is not."""
        super()._load_from_state_dict(*given, **named)
        faded, since = _fading(self.halvings_per_sample, self.since.size(1) - 1)
        self.faded, self.since = faded.to(self.faded), since.to(self.since)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.sums = self.initial_sums.clone()


def _fading(halvings: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """What is left of a weight: for each head by what sample asks and which gave it, and by how long ago it was."""
    age = torch.arange(samples + 1, device=halvings.device)
    distance = age[:-1].unsqueeze(1) - age[:-1]
    faded = torch.exp2(-distance.clamp(min=0) * halvings.view(-1, 1, 1)) * (distance >= 0)
    return faded, torch.exp2(-age * halvings.unsqueeze(1)).unsqueeze(-1)


def _check(channels: int, heads: int, half_lives: Sequence[float]) -> None:
    if heads < 1 or channels % heads != 0:
        raise ModelError(f"LinearAttention: {channels} channels don't divide into {heads} heads; give a divisor")
    if len(half_lives) != heads:
        raise ModelError(f"LinearAttention: expected {heads} half-lives, one for each head, got {len(half_lives)}")
    for half_life in half_lives:
        if not 0.0 < half_life < float("inf"):
            raise ModelError(
                f"LinearAttention: a half-life of {half_life} samples: sums that never fade lose what is new after "
                f"minutes of float32. Give a positive, finite number of samples"
            )
