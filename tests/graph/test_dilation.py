"""Dilated convolutions as products, against PyTorch's own."""

import torch
from torch import nn

from neutone_like.graph import GraphPlayer, capture, fold_constants
from neutone_like.graph.dilation import without_dilation


def test_a_product_gives_what_the_convolution_gives_and_others_stay() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(2, 4, 3, dilation=5),
        nn.Conv1d(4, 4, 2, dilation=2, bias=False),
        nn.Conv1d(4, 4, 3, dilation=2, groups=2),
        nn.Conv1d(4, 4, 3, dilation=2, stride=2),
        nn.Conv1d(4, 4, 9, dilation=2),
        nn.Conv1d(4, 4, 3),
    )
    x = torch.randn(2, 2, 97)
    graph = fold_constants(capture(network, x))
    lowered = without_dilation(graph)
    count = [sum(node.op == "aten::conv1d.default" for node in each.nodes) for each in (graph, lowered)]
    assert count == [6, 4]
    expected = network(x).detach()
    assert torch.allclose(GraphPlayer(lowered)(x), expected, atol=1e-6 * float(expected.abs().max()), rtol=0.0)
