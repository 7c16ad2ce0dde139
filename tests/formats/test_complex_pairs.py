"""Complex numbers as pairs of real tensors: what PyTorch gives, and nothing complex in what is exported."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.compiler.planning import at_length
from neutone_like.errors import CompileError
from neutone_like.formats.complex_pairs import has_complex
from neutone_like.formats.fourier_tables import notes_of
from neutone_like.formats.graph_module import GraphModule
from neutone_like.graph import capture

SAMPLES = 60


class Shelf(nn.Module):
    """Bins of a spectrum by complex weights, real weights and numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer(
            "curve", torch.randn(31, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to the same."""
        bins = torch.fft.rfft(x) * self.curve + 0.5 * torch.fft.rfft(x) / 3.0 - 2.0
        return torch.fft.irfft(bins * (0.5 - 2.0j), n=x.shape[-1])


class Frames(nn.Module):
    """Windows, a gate on magnitudes, the phases kept, and back."""

    window: Tensor

    def __init__(self, size: int, hop: int) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        self.register_buffer("window", torch.hann_window(size))

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to about the same."""
        spectra = torch.stft(x, self.size, self.hop, window=self.window, return_complex=True)
        size = spectra.abs()
        bent = torch.polar(size * torch.sigmoid(10.0 * size), spectra.angle())
        return torch.istft(bent, self.size, self.hop, window=self.window, length=x.shape[-1])


class Whole(nn.Module):
    """Both-sided transforms along two dimensions, parts, conjugates, and pairs made by hand."""

    def __init__(self, norm: str) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to the same."""
        grid = torch.fft.fft2(x.reshape(6, 10), norm=self.norm)
        turned = torch.view_as_complex(torch.stack([grid.imag, -grid.real], -1)) * torch.conj(grid).roll(1, 0)
        joined = torch.cat([turned[:3], torch.flip(-turned[3:], [0])], 0).transpose(0, 1)
        back = torch.fft.ifft2(joined, norm=self.norm)
        both = torch.view_as_real(back).sum(-1) + torch.complex(x.reshape(10, 6), x.reshape(10, 6)).sum(0).real
        return both.reshape(1, -1)


class Odd(nn.Module):
    """A one-sided transform of an odd number, and back to more and to fewer points."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to other lengths."""
        bins = torch.fft.rfft(x[:, :45].reshape(5, 9), norm="ortho")
        parts = [torch.fft.irfft(bins, n=points, norm="forward").reshape(1, -1) for points in (9, 8, 5)]
        return torch.cat([*parts, torch.fft.hfft(bins, n=9).reshape(1, -1)], 1)


class Mixed(nn.Module):
    """Complex numbers beside real ones, in parts, padded with a number, summed in a type, chosen and turned."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to other lengths."""
        bins = torch.fft.rfft(x.reshape(4, 15))
        size = bins.abs()
        joined = [torch.cat([bins, size], 1), torch.stack([size, bins], 1).sum(1, dtype=torch.complex64)]
        joined += [nn.functional.pad(bins, (1, 2), value=3.0), *bins.split([3, 5], 1), *bins.chunk(2, 0)]
        joined += [1.0 - bins, bins.square(), torch.where(size > 2.0, bins, 0.5), torch.exp(1j * bins.angle()) * size]
        joined += [bins.unbind(0)[1].unfold(0, 4, 2), bins[:, torch.tensor([3, 1])], torch.zeros_like(bins) - bins]
        shadows = [torch.zeros_like(bins, dtype=torch.float32), bins.cumsum(1).real]
        return torch.cat([each.reshape(1, -1) for both in joined for each in (both.real, both.imag)] + [
            each.reshape(1, -1) for each in shadows
        ], 1)  # fmt: skip


class Phases(nn.Module):
    """Of the highest bins of even transforms, too, which are real: half of them are turned by exactly pi."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to other lengths."""
        return torch.fft.rfft(x.reshape(15, 4)).angle().reshape(1, -1)


class Signs(nn.Module):
    """Phases of real numbers, which are 0 or half a turn."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to the same."""
        return x.angle() + torch.fft.rfft(x.relu()).real.angle().sum()


class Pooled(nn.Module):
    """The loudest of neighbours in time and frequency, padded along one of them, both or none."""

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to other lengths."""
        size = torch.fft.rfft(x.reshape(1, 6, 10)).abs()
        pools = [((4, 3), (0, 1)), ((2, 1), (1, 0)), ((3, 3), (1, 1)), ((2, 2), 1), ((2, 2), 0)]
        found = [torch.max_pool2d(size, kernel, (1, 1), padding) for kernel, padding in pools]
        found.append(nn.functional.max_pool2d(size, (2, 3), (2, 2), (0, 1), ceil_mode=True))
        return torch.cat([each.reshape(1, -1) for each in found], 1)


NETWORKS = {
    "shelf": Shelf(), "frames": Frames(16, 4), "frames of 20": Frames(20, 5), "both-sided": Whole("backward"),
    "orthogonal": Whole("ortho"), "odd": Odd(), "pooled": Pooled(),
    "mixed": Mixed(), "phases": Phases(), "signs": Signs(),
}  # fmt: skip


def in_reals(network: nn.Module) -> GraphModule:
    graph = at_length(capture(network, (torch.zeros(1, SAMPLES),)), SAMPLES)
    assert has_complex(graph)
    core: Any = SimpleNamespace(graph=graph)
    return GraphModule(core, in_reals=True).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_of_reals_give_the_same(name: str) -> None:
    network = NETWORKS[name].eval()
    module = in_reals(network)
    x = torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = network.double()(x.double())
        network.float()
        (played,) = module(x)
        program = torch.export.export(module, (x,), strict=False)
        (exported,) = program.module()(x)
        eager = network(x)
    allowed = max(2.0 * float((eager - exact).abs().max()), 1e-6 * float(exact.abs().max()))
    assert float((played - exact).abs().max()) <= allowed
    assert torch.equal(played, exported)
    values = [node.meta.get("val") for node in program.graph.nodes]
    assert any(isinstance(each, Tensor) for each in values)
    assert not any(isinstance(each, Tensor) and each.is_complex() for each in values)
    assert not any(each.dtype == torch.float64 for each in program.state_dict.values())


def test_the_same_module_without_pairs_has_complex_numbers() -> None:
    graph = at_length(capture(NETWORKS["shelf"].float(), (torch.zeros(1, SAMPLES),)), SAMPLES)
    core: Any = SimpleNamespace(graph=graph)
    program = torch.export.export(GraphModule(core).eval(), (torch.zeros(1, SAMPLES),), strict=False)
    values = [node.meta.get("val") for node in program.graph.nodes]
    assert any(isinstance(each, Tensor) and each.is_complex() for each in values)


class Rooted(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sqrt(torch.fft.rfft(x)).abs()


class Divided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (1.0 / (torch.fft.rfft(x) + 3.0)).abs()


class Long(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft(x, n=8192).abs()


@pytest.mark.parametrize(
    ("network", "words"),
    [(Rooted(), "sqrt.*of complex numbers: use"), (Divided(), "complex"), (Long(), "8192 points; up to 4096")],
)
def test_what_has_no_form_in_pairs_is_named(network: nn.Module, words: str) -> None:
    with pytest.raises(CompileError, match=words):
        in_reals(network)(torch.zeros(1, SAMPLES))


def test_the_sidecar_says_that_there_are_tables() -> None:
    for network, said in ((NETWORKS["frames"], True), (Pooled(), True), (nn.Conv1d(1, 1, 3), False)):
        graph = capture(network.float(), (torch.zeros(1, SAMPLES),))
        assert notes_of(graph) == ({"fourier_transforms": "products with tables"} if said else {})
