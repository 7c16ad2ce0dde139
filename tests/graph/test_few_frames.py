"""Wide convolutions that change the rate as products over frames, against PyTorch's own."""

import pytest
import torch
from torch import nn

from neutone_like.graph import GraphPlayer, capture, fold_constants, to_torchscript
from neutone_like.graph.few_frames import with_products_of_frames
from neutone_like.streaming import to_streaming

CONVOLUTIONS = ("aten::conv1d.default", "aten::conv_transpose1d.default")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (1,), (3,)], ids=str)
def test_products_give_what_the_convolutions_give(bias: bool, batch: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(64, 96, 8, 4, bias=bias),
        nn.Conv1d(96, 130, 3, 3, bias=bias),
        nn.ConvTranspose1d(130, 50, 7, 3, bias=bias),  # not a multiple of its stride
        nn.ConvTranspose1d(50, 70, 10, 5, bias=bias),
        nn.ConvTranspose1d(70, 160, 4, 4, bias=bias),
    )
    x = torch.randn(*batch, 64, 61)
    graph = fold_constants(capture(network, x))
    products = with_products_of_frames(graph)
    assert [node.op for node in graph.nodes] == [CONVOLUTIONS[0]] * 2 + [CONVOLUTIONS[1]] * 3
    assert not {node.op for node in products.nodes} & set(CONVOLUTIONS)
    expected = network(x).detach()
    assert torch.allclose(GraphPlayer(products)(x), expected, atol=2e-6 * float(expected.abs().max()), rtol=0.0)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(64, 128, 8, 1),
        nn.Conv1d(64, 128, 8, 4, padding=2),
        nn.Conv1d(64, 128, 8, 4, dilation=2),
        nn.Conv1d(64, 1024, 8, 4, groups=2),
        nn.Conv1d(64, 512, 1, 2),
        nn.Conv1d(8, 16, 8, 4),
        nn.ConvTranspose1d(64, 128, 8, 4, padding=2),
        nn.ConvTranspose1d(64, 128, 8, 4, output_padding=1),
        nn.ConvTranspose1d(64, 1024, 8, 4, groups=2),
        nn.ConvTranspose1d(64, 128, 8, 4, dilation=2),
        nn.ConvTranspose1d(8, 16, 8, 4),
    ],
    ids=str,
)
def test_others_stay(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    graph = fold_constants(capture(layer, torch.randn(1, layer.in_channels, 64)))
    assert with_products_of_frames(graph).nodes == graph.nodes


def test_a_streaming_network_is_written_with_them_and_one_of_whole_signals_is_not() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv1d(1, 64, 3), nn.Conv1d(64, 128, 8, 4), nn.ConvTranspose1d(128, 64, 8, 4)).eval()
    whole = to_torchscript(capture(network, torch.randn(1, 1, 66)))
    assert (whole.code.count("torch.conv1d"), whole.code.count("torch.conv_transpose1d")) == (2, 1)
    streaming = to_streaming(network)
    code = streaming.player.code
    assert (code.count("torch.conv1d"), code.count("torch.conv_transpose1d")) == (1, 0)
    x = torch.randn(1, 1, 64)
    heard, delay = streaming(x), streaming.delay_samples
    expected = network(x).detach()[..., : 64 - delay]
    assert delay > 0
    assert torch.allclose(heard[..., delay:], expected, atol=1e-6, rtol=0.0)
