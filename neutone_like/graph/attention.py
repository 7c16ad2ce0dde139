"""Attention as simpler operations, with nothing written that is as long as the history."""

import math
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph.graph import Node

_ATTENTION = "aten::scaled_dot_product_attention.default"


def is_plain_attention(node: Node) -> bool:
    """Whether :func:`attention` is what a node computes."""
    if node.op != _ATTENTION:
        return False
    given = dict(zip(("dropout_p", "is_causal"), node.args[4:], strict=False)) | dict(node.kwargs)
    return not (given.get("dropout_p") or given.get("is_causal") or given.get("enable_gqa"))


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    *_: Any,
    scale: float | None = None,
    **__: Any,
) -> Tensor:
    """``scaled_dot_product_attention``. Keys may be a long history: the queries alone are scaled.

    PyTorch's own definition scales both by the root, which writes all keys anew for every block.
    """
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.matmul(query * factor, key.transpose(-2, -1))
    if attn_mask is None:
        return torch.matmul(torch.softmax(scores, -1), value)
    scores = torch.where(attn_mask, scores, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return torch.matmul(torch.ops.aten._safe_softmax(scores, -1), value)
