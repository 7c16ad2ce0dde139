"""What is written in a wide convolution's place lies in memory as it did: operations that follow rely on that."""

import torch
from torch import Tensor, nn

from neutone_like.graph import capture, to_torchscript


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
