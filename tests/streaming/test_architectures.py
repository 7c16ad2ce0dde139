"""Architectures as papers publish them, in blocks: the same as the ordinary network given the whole signal."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import export_model
from neutone_like.errors import ModelError
from neutone_like.streaming import StreamingLayer, block_multiple, reset_streaming, to_streaming
from support.architectures import ARCHITECTURES, Architecture
from support.lighter_exports import only_checks, without_pictures
from support.places import PROJECT
from support.random_blocks import TOLERANCE
from support.streamed_architectures import STREAMED, Streamed
from support.streamed_architectures.live import live_model
from support.streamed_architectures.parity import parity_error

PAGE = PROJECT / "docs" / "reference" / "architectures.md"
EXPORTED_ALWAYS = ("LSTM, to_streaming", "mask denoiser, to_streaming")
CHECKS = ("scripted equals eager", "any chunking equals whole", "delay as reported", "reset repeats")
SLOW_TO_PLAY = (
    "gated WaveNet, to_streaming",
    "convolutions and LSTM, to_streaming",
    "EnCodec-like codec, to_streaming",
    "EnCodec-like codec, streaming layers",
    "linear attention and state space, streaming layers",
)
CHUNKINGS = 200


def page_rows() -> dict[tuple[str, str], list[str]]:
    """The cells of the table's rows, by architecture and way in."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").split(" | ") for line in lines[1:]]
    return {(row[0], row[1]): row for row in cells}


def titles(streamed: Streamed) -> str:
    return streamed.title


def marked(ways: Iterable[Streamed], slow: Callable[[Streamed], bool]) -> list[Any]:
    return [pytest.param(each, marks=pytest.mark.slow) if slow(each) else each for each in ways]


@pytest.mark.parametrize("streamed", marked(STREAMED, lambda each: each.title in SLOW_TO_PLAY), ids=titles)
def test_any_blocks_equal_the_ordinary_network(streamed: Streamed) -> None:
    network = streamed.network()
    assert parity_error(streamed, network, CHUNKINGS) <= TOLERANCE
    assert page_rows()[streamed.architecture.name, streamed.way_in][4] == str(network.delay_samples)


class Forgetful(StreamingLayer):
    """Begins every block anew, as an ordinary network does."""

    def __init__(self, inner: StreamingLayer) -> None:
        super().__init__()
        self.inner, self.delay_samples = inner, inner.delay_samples
        self.block_multiple_samples = block_multiple(inner)

    def forward(self, x: Tensor) -> Tensor:
        reset_streaming(self.inner)
        return self.inner(x)


def test_the_measure_of_parity_finds_a_wrong_delay_and_lost_state() -> None:
    streamed = next(each for each in STREAMED if each.title == "mask denoiser, streaming layers")
    assert parity_error(streamed, Forgetful(streamed.network()), 1) > 0.1
    late = streamed.network()
    late.delay_samples += 1
    assert parity_error(streamed, late, 1) > 0.1


@torch.no_grad()
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda each: each.name)
def test_what_an_architecture_gives_depends_on_what_it_hears(architecture: Architecture) -> None:
    """Beside a large output that biases make, errors of what matters would look small."""
    network = architecture.network()
    one, other = (network(architecture.example(seed=seed)) for seed in (0, 1))
    assert one.shape[:2] == (1, architecture.out_channels)
    assert float((one - other).abs().max()) > 0.4 * float(one.abs().max())


def test_every_architecture_streams_and_most_are_converted_as_they_are() -> None:
    assert {each.architecture.name for each in STREAMED} == {each.name for each in ARCHITECTURES}
    assert len({each.title for each in STREAMED}) == len(STREAMED)
    assert sum("to_streaming" in each.way_in for each in STREAMED) >= 13


def test_one_is_refused_by_name_in_its_ordinary_form() -> None:
    architecture = next(each for each in ARCHITECTURES if each.name == "linear attention and state space")
    with pytest.raises(ModelError, match="attention .*compares all times with all others"):
        to_streaming(architecture.network(), architecture.example())


def test_the_page_has_a_row_for_each() -> None:
    assert list(page_rows()) == [(each.architecture.name, each.way_in) for each in STREAMED]


FIRST_WAYS = {each.architecture.name: each for each in reversed(STREAMED)}.values()


@pytest.mark.parametrize("streamed", marked(FIRST_WAYS, lambda each: each.title not in EXPORTED_ALWAYS), ids=titles)
def test_it_exports_and_passes_validation(streamed: Streamed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a synthesiser sings hides how late it passes on the noise that it is given.
    sings = streamed.architecture.name == "DDSP-like synthesiser"
    only_checks(monkeypatch, *(name for name in CHECKS if not (sings and name == "delay as reported")))
    without_pictures(monkeypatch)
    result = export_model(live_model(streamed), tmp_path, render_samples=False)
    assert result.way_in == "scripted"
    assert result.validation is not None
    assert result.validation.passed, result.validation
