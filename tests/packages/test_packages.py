"""Published networks, as their packages make them, through capture and export: run by `make packages`."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase, export_model, load_artifact
from neutone_like.graph import GraphPlayer, capture, to_torchscript
from support.lighter_exports import without_pictures, without_times
from support.package_networks import PACKAGE_NETWORKS, PackageNetwork

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
HERE = Path(__file__).parent


@pytest.fixture(params=PACKAGE_NETWORKS, ids=lambda package: package.distribution)
def package(request: pytest.FixtureRequest) -> PackageNetwork:
    package: PackageNetwork = request.param
    require(package)
    return package


def require(package: PackageNetwork) -> None:
    """Skip where it is not installed."""
    if importlib.util.find_spec(package.module) is None:
        pytest.skip(f"{package.distribution} is not installed: `make packages` tries it")
    if importlib.util.find_spec("torchaudio") is not None:
        importlib.import_module("neutone_like.torchaudio_bridge")  # half of them import torchaudio


def network_of(package: PackageNetwork) -> nn.Module:
    torch.manual_seed(1)
    return package.build().eval()


def blocks_of(package: PackageNetwork, count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [0.3 * torch.randn(package.example[0].shape, generator=generator) for _ in range(count)]


@torch.no_grad()
def test_its_graph_and_the_torchscript_of_it_play_what_the_network_plays(package: PackageNetwork) -> None:
    network, more = network_of(package), package.example[1:]
    graph = capture(network, (blocks_of(package, 1)[0], *more))
    player, script = GraphPlayer(graph), to_torchscript(graph)
    for block in blocks_of(package, 5):
        expected = package.sound(network(block, *more), block)
        for returned in (player(block), script(block, *more)):
            torch.testing.assert_close(package.sound(returned, block), expected, rtol=1e-5, atol=1e-5)


class Live(WaveformToWaveformBase):
    """Any of them in a live model, block by block."""

    metadata = ModelMetadata(name="Package", authors=("Ada",), version="1.0.0", short_description="A published network")

    def __init__(self, package: PackageNetwork, network: nn.Module) -> None:
        shape = package.example[0].shape
        self.package, self.more = package, package.example[1:]
        self.has_channels = len(shape) == 3
        self.in_channels = self.out_channels = shape[1] if self.has_channels else 1
        self.block_sizes = (shape[-1],)
        self.sample_rates = (16000,)
        super().__init__(network)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        block = x.unsqueeze(0) if self.has_channels else x
        return self.package.sound(self.model(block, *self.more), block)[0]


@torch.no_grad()
def test_it_becomes_an_artifact_that_plays_what_the_network_plays(package: PackageNetwork, tmp_path: Path) -> None:
    network = network_of(package)
    model = Live(package, network_of(package))
    result = export_model(model, tmp_path, validate=False, render_samples=False)
    print(f"{package.distribution}: {result.way_in}")
    artifact = load_artifact(result.model_path).module
    samples = model.block_sizes[0]
    artifact.set_daw_sample_rate_and_buffer_size(16000, samples)
    for block in blocks_of(package, 5):
        given = block[0] if model.has_channels else block
        expected = package.sound(network(block, *package.example[1:]), block)[0]
        torch.testing.assert_close(artifact.forward(given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cached-conv", "silero-vad"])
def test_those_that_stream_pass_validation(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = next(each for each in PACKAGE_NETWORKS if each.distribution == name)
    require(package)
    without_times(monkeypatch)
    without_pictures(monkeypatch)
    result = export_model(Live(package, network_of(package)), tmp_path)
    assert result.validation is not None
    assert result.validation.passed, result.validation


def test_every_package_has_its_pinned_version() -> None:
    pinned = {line.partition("==")[0] for line in (HERE / "requirements.txt").read_text().splitlines() if "==" in line}
    assert pinned == {package.distribution for package in PACKAGE_NETWORKS} - {"torchaudio"}
