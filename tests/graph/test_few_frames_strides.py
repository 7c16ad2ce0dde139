"""What is written in a convolution's place does for others what it did: it lies in memory as before, it compiles, and
it takes no name that the network has."""

import torch
from torch import Tensor, nn

from neutone_like.graph import capture, to_torchscript
from neutone_like.streaming import to_streaming
from support.compiled_networks import play_beside


class Spectrum(nn.Module):
    """A strided convolution as a Fourier transform, whose two halves are taken for one complex number."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 1, 256))
        self.bins = nn.Conv1d(1, 128, 512, 256, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.past, x), 2)
        self.past = joined[:, :, -256:]
        halves = self.bins(joined).view(1, 64, -1, 2)
        return torch.view_as_complex(halves).abs()


@torch.no_grad()
def test_views_of_a_wide_convolution_play_as_the_network_does() -> None:
    torch.manual_seed(0)
    network = Spectrum().eval()
    script = to_torchscript(capture(network, torch.randn(1, 1, 1024)))
    assert "linear" in str(script.graph), "it was not written as a product"
    for samples in (1024, 512, 1024):
        x = torch.randn(1, 1, samples)
        torch.testing.assert_close(script(x), network(x))


def test_a_network_written_with_products_compiles() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(1, 64, 3), nn.Conv1d(64, 80, 7, 4), nn.Tanh(), nn.ConvTranspose1d(80, 64, 8, 4), nn.Conv1d(64, 1, 1)
    )
    streaming = to_streaming(network.eval())
    code = streaming.player.code
    assert ("torch.linear" in code, "torch.conv_transpose1d" in code) == (True, False)
    multiple = streaming.block_multiple_samples
    graph = capture(streaming, torch.randn(1, 1, multiple))
    found = play_beside(graph, [torch.randn(1, 1, size * multiple) for size in (8, 1, 3, 40, 1, 16)])
    assert found.good, found


class Named(nn.Module):
    """Weights whose names are what others' names with something behind them would be."""

    past: Tensor
    weight_flat: Tensor
    bias_column: Tensor
    dilated_taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 64, 4))
        self.weight = nn.Parameter(0.05 * torch.randn(64, 64, 8))
        self.dilated = nn.Parameter(0.05 * torch.randn(64, 64, 2))
        self.bias = nn.Parameter(torch.randn(64))
        for name in ("weight_flat", "bias_column", "dilated_taps"):
            self.register_buffer(name, torch.randn(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.past, x), 2)
        self.past = joined[:, :, -4:]
        y = torch.conv1d(joined, self.weight, self.bias, 4) * self.weight_flat
        y = torch.conv_transpose1d(y, self.weight, self.bias, 4) * self.bias_column
        return torch.conv1d(y, self.dilated, self.bias, dilation=3) * self.dilated_taps


@torch.no_grad()
def test_names_of_products_are_no_others() -> None:
    torch.manual_seed(0)
    network = Named().eval()
    script = to_torchscript(capture(network, torch.randn(1, 64, 32)))
    assert "matmul" in script.code, "they were not written as products"
    for samples in (32, 16, 64):
        x = torch.randn(1, 64, samples)
        torch.testing.assert_close(script(x), network(x))
