"""Attention over a window of the past, with keys and values kept between blocks."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import require_positive
from neutone_like.streaming.layer import StreamingLayer

POSITIONS = ("none", "rotary", "learned")


class Attention(StreamingLayer):
    """Causal multi-head self-attention: every sample sees itself and the ``window_samples - 1`` before it.

    It is ``nn.MultiheadAttention`` with a causal band as its mask, whose weights have the same names. What it keeps
    is the window, not the history, so that a block costs the same after a second and after a day. Positions are
    relative, so none of them grows: ``"rotary"`` turns pairs of neighbouring channels by phases that wrap at a full
    turn (kept in float64), ``"learned"`` adds a bias for each head and distance, ``"none"`` leaves order out.
    Embeddings of the time since the start, which are learned too, end with their table, and so can't stream.

    Args:
        channels: Of input and output: ``[batch, channels, samples]``. A multiple of ``heads``.
        heads: How many attend side by side.
        window_samples: How far one sample sees, itself included; at least 1.
        positions: ``"none"``, ``"rotary"`` (heads of even width) or ``"learned"``.
        bias: Whether the projections have one.
        rotary_base: The slowest pair turns once in about ``2 pi rotary_base`` samples.

    Raises:
        ModelError: A size or kind that cannot be.
    """

    radians_per_sample: Tensor
    keys: Tensor
    initial_keys: Tensor
    values: Tensor
    initial_values: Tensor
    heard: Tensor
    initial_heard: Tensor
    phase: Tensor
    initial_phase: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        channels: int,
        heads: int,
        window_samples: int,
        positions: str = "none",
        bias: bool | None = True,
        rotary_base: float = 10000.0,
    ) -> None:
        super().__init__()
        require_positive(channels=channels, heads=heads)
        self.in_channels = channels
        _check(channels, heads, window_samples, positions)
        self.heads, self.window_samples, self.positions = heads, window_samples, positions
        # Long blocks are cut into pieces of queries: cost grows with block times window, not with the block's square.
        self.piece_samples = max(window_samples, 64)
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels)) if bias else None
        self.out_proj = nn.Linear(channels, channels, bool(bias))
        nn.init.xavier_uniform_(self.in_proj_weight)
        width = channels // heads
        if positions == "learned":
            self.distance_bias = nn.Parameter(torch.zeros(heads, window_samples))
        else:
            self.distance_bias = None
        turns = rotary_base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        self.register_buffer("radians_per_sample", turns, persistent=False)
        self.register_state("keys", torch.zeros(1, heads, window_samples - 1, width))
        self.register_state("values", torch.zeros(1, heads, window_samples - 1, width))
        self.register_state("heard", torch.zeros(window_samples - 1, dtype=torch.bool))
        self.register_state("phase", torch.zeros(turns.numel(), dtype=torch.float64))
        self.receptive_field_samples = window_samples
        self.source = (
            "Vaswani et al., Attention Is All You Need, 2017; rotary: Su et al., RoFormer, 2021, equation 34; learned: "
            "Raffel et al., Exploring the Limits of Transfer Learning (T5), 2020"
        )

    @staticmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(layer: nn.MultiheadAttention, window_samples: int, positions: str = "none") -> "Attention":
        """The streaming layer with a copy of the weights of an ordinary one. Its dropout is left out.

        Raises:
            ModelError: The layer has keys or values of another width, ``add_bias_kv`` or ``add_zero_attn``.
        """
        one_width = layer.kdim == layer.vdim == layer.embed_dim
        if not one_width or layer.bias_k is not None or layer.add_zero_attn:
            raise ModelError(
                f"MultiheadAttention: kdim={layer.kdim}, vdim={layer.vdim}, add_bias_kv={layer.bias_k is not None}, "
                f"add_zero_attn={layer.add_zero_attn}: only self-attention with one width streams. Make the layer "
                f"without them"
            )
        bias = layer.out_proj.bias is not None  # pyright: ignore[reportUnnecessaryComparison]
        streaming = Attention(layer.embed_dim, layer.num_heads, window_samples, positions, bias)
        streaming.load_state_dict(layer.state_dict(), strict=positions != "learned")
        return streaming.to(layer.in_proj_weight).train(layer.training)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, samples = x.size(0), x.size(1), x.size(2)
        projected = linear(x.transpose(1, 2), self.in_proj_weight, self.in_proj_bias)
        heads = projected.view(batch, samples, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        queries, keys, values = heads[0], heads[1], heads[2]
        if self.positions == "rotary":
            queries, keys = self._turned(queries, keys)
        keys = torch.cat([self.keys.expand(batch, -1, -1, -1), keys], 2)
        values = torch.cat([self.values.expand(batch, -1, -1, -1), values], 2)
        heard = torch.cat([self.heard, torch.ones(samples, dtype=torch.bool, device=x.device)])
        self.keys, self.values, self.heard = keys[:, :, samples:], values[:, :, samples:], heard[samples:]
        attended = self._attended(queries, keys, values, heard)
        return self.out_proj(attended.transpose(1, 2).reshape(batch, samples, channels)).transpose(1, 2)

    def _turned(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        turns = self.radians_per_sample.double()
        steps = torch.arange(queries.size(2) + 1, dtype=torch.float64, device=queries.device)
        phases = self.phase.double() + steps.unsqueeze(1) * turns
        # float64 at most a turn long: only the difference of two phases in one window counts, and that stays exact.
        self.phase = phases[-1].remainder(2 * math.pi)
        cosine, sine = phases[:-1].cos().to(queries.dtype), phases[:-1].sin().to(queries.dtype)
        return _turn(queries, cosine, sine), _turn(keys, cosine, sine)

    def _attended(self, queries: Tensor, keys: Tensor, values: Tensor, heard: Tensor) -> Tensor:
        pieces: list[Tensor] = []
        for start in range(0, queries.size(2), self.piece_samples):
            asked = queries[:, :, start : start + self.piece_samples]
            seen = _end_of_keys(start, asked.size(2), self.window_samples)
            mask = self._mask(asked, heard[start:seen])
            pieces.append(
                scaled_dot_product_attention(asked, keys[:, :, start:seen], values[:, :, start:seen], attn_mask=mask)
            )
        return torch.cat(pieces, 2)

    def _mask(self, queries: Tensor, heard: Tensor) -> Tensor:
        window = self.window_samples
        asking = torch.arange(window - 1, window - 1 + queries.size(2), device=heard.device).unsqueeze(1)
        distance = asking - torch.arange(heard.size(0), device=heard.device)
        visible = (distance >= 0) & (distance < window) & heard
        bias = self.distance_bias
        if bias is None:
            return visible
        return bias[:, distance.clamp(0, window - 1)].masked_fill(~visible, -math.inf)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.keys = self.initial_keys.clone()
        self.values = self.initial_values.clone()
        self.heard = self.initial_heard.clone()
        self.phase = self.initial_phase.clone()


def _end_of_keys(start: int, queries: int, window: int) -> int:
    """Where the keys end that a piece of queries may see, when the window before the block comes first."""
    return start + queries + window - 1


def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).flatten(-2)


def _check(channels: int, heads: int, window_samples: int, positions: str) -> None:
    if positions not in POSITIONS:
        raise ModelError(f"Attention: positions={positions!r}; expected one of {', '.join(POSITIONS)}")
    if window_samples < 1:
        raise ModelError(
            f"Attention: window_samples={window_samples}: a stream has no end, so attention needs a window of at least "
            f"1 sample. Give as many as the network saw in training"
        )
    if heads < 1 or channels % heads != 0:
        raise ModelError(f"Attention: {channels} channels don't divide into {heads} heads; give a divisor")
    if positions == "rotary" and channels // heads % 2 != 0:
        raise ModelError(f"Attention: rotary positions turn pairs, and {channels // heads} channels a head is odd")
