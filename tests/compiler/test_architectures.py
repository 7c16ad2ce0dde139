"""Networks of every architecture that streams, compiled and as ONNX, beside float64 over several blocks."""

import pytest

from neutone_like.compiler import plan_graph
from neutone_like.graph import capture
from support.compiled_networks import opened, play_beside
from support.onnx_networks import play_onnx_beside
from support.streamed_architectures import STREAMED, Streamed

QUICK = ("GRU", "LSTM", "mask denoiser")
"""Recurrent layers and spectra; the others take longer to capture."""
_BLOCKS = 6


def _cases() -> list[object]:
    return [
        pytest.param(each, id=each.title, marks=[] if each.architecture.name in QUICK else [pytest.mark.slow])
        for each in STREAMED
    ]


@pytest.mark.parametrize("streamed", _cases())
def test_an_architecture_gives_what_float64_does(streamed: Streamed) -> None:
    multiple = streamed.architecture.block_multiple
    graph = capture(streamed.network(), streamed.architecture.example(multiple * max(3, -(-64 // multiple))))
    plan = plan_graph(graph)
    if plan.output.dims[-1] != plan.audio.dims[-1]:
        pytest.skip("its output has another rate than its input, so it is part of a model and none by itself")
    shortest = max(graph.lengths.shortest, graph.lengths.multiple_of)
    lengths = [plan.granule] * _BLOCKS
    if graph.lengths.multiple_of:
        lengths[1:3] = [shortest, 2 * shortest]
    blocks = [streamed.architecture.example(each) for each in lengths]
    for found in (play_beside(graph, blocks, native=opened(plan)), play_onnx_beside(graph, blocks)):
        assert found.good, found
        assert found.peak > 1e-3
