"""``nn.MultiheadAttention`` can't have fewer heads than its width divided by theirs: this one can."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class FewerHeads(nn.MultiheadAttention):
    """Attention whose heads together are narrower than its input; weights have the names that they had.

    It is made from an ``nn.MultiheadAttention`` in its place, and called as that is.
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """As ``nn.MultiheadAttention``; masks may be bool (true: unseen) or are added."""
        batched = query.dim() == 3
        parts = [each if batched else each.unsqueeze(0 if self.batch_first else 1) for each in (query, key, value)]
        parts = [each if self.batch_first else each.transpose(0, 1) for each in parts]
        bias: Any = self.in_proj_bias  # torch's stubs don't say that there may be none
        biases = [None] * 3 if bias is None else bias.chunk(3)
        heads = [
            linear(part, weight, own).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for part, weight, own in zip(parts, self.in_proj_weight.chunk(3), biases, strict=True)
        ]
        scores = heads[0] @ heads[1].transpose(-2, -1) / self.head_dim**0.5
        if attn_mask is not None:
            mask = attn_mask if attn_mask.dim() == 2 else attn_mask.reshape(parts[0].size(0), -1, *attn_mask.shape[1:])
            scores = _masked(scores, mask)
        if key_padding_mask is not None:
            mask = key_padding_mask if batched else key_padding_mask.unsqueeze(0)
            scores = _masked(scores, mask.unsqueeze(1).unsqueeze(1))
        weights = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        made = self.out_proj((weights @ heads[2]).transpose(1, 2).flatten(2))
        made = made if self.batch_first else made.transpose(0, 1)
        shown = weights.mean(1) if average_attn_weights else weights
        if not batched:
            made, shown = made.squeeze(0 if self.batch_first else 1), shown.squeeze(0)
        return made, shown if need_weights else None


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask


def tell_attention(module: Any) -> None:
    """The new sizes; where torch's own code would take another width of a head from them, it plays as above."""
    if module.in_proj_weight is None:
        return  # keys and values of other widths: its code takes none but the old sizes
    rows, width = module.in_proj_weight.shape
    if rows == 3 * module.embed_dim and width == module.embed_dim:
        return
    module.num_heads = rows // 3 // module.head_dim
    module.embed_dim = module.kdim = module.vdim = width
    if rows != 3 * width:
        module.__class__ = FewerHeads
        module._qkv_same_embed_dim = False  # encoder layers would take their own fast way, which has the old sizes
