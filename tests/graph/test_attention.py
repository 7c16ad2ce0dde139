"""Attention written as simpler operations: what PyTorch's own gives, with the queries scaled alone."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from neutone_like.graph import capture, decompose
from neutone_like.graph.attention import attention
from neutone_like.graph.graph import Graph
from neutone_like.graph.running import GraphPlayer


def drawn(random: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["none", "choices", "numbers"])
def test_it_gives_what_pytorch_gives(kind: str) -> None:
    random = torch.Generator().manual_seed(4)
    for seen, known, width in ((1, 1, 1), (3, 7, 4), (5, 2, 8)):
        query, key, value = (
            drawn(random, 2, 3, seen, width),
            drawn(random, 2, 3, known, width),
            drawn(random, 2, 3, known, 5),
        )
        mask = None if kind == "none" else drawn(random, seen, known)
        if mask is not None and kind == "choices":
            mask = mask > 0
            mask[0] = False  # who sees nothing gets nothing
        for scale in (None, 0.3, 0.0):
            expected = scaled_dot_product_attention(query, key, value, mask, scale=scale)
            got = attention(query, key, value, mask, scale=scale)
            torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)
            named = attention(query, key, value, attn_mask=mask, dropout_p=0.0, scale=scale)
            torch.testing.assert_close(named, expected, rtol=1e-12, atol=1e-12)


class Attending(nn.Module):
    def __init__(self, is_causal: bool) -> None:
        super().__init__()
        self.is_causal = is_causal

    def forward(self, x: Tensor) -> Tensor:
        rows = x.unflatten(1, (2, 4)).transpose(-1, -2)
        return scaled_dot_product_attention(rows, rows * 2.0, rows, is_causal=self.is_causal)


def scalings(graph: Graph) -> int:
    return sum(node.op.startswith("aten::mul") for node in graph.nodes)


def test_keys_stay_as_they_are() -> None:
    """The control: with ``is_causal`` the definition is PyTorch's, which scales both."""
    x = torch.randn(1, 8, 6, generator=torch.Generator().manual_seed(1))
    counts = []
    for is_causal in (False, True):
        network = Attending(is_causal).eval()
        graph = decompose(capture(network, (x,)), lambda node: "scaled_dot" not in node.op, [[x]])
        torch.testing.assert_close(GraphPlayer(graph)(x), network(x))
        counts.append(scalings(graph))
    assert counts == [2, 3]
