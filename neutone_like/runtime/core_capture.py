"""What a live model's ``do_forward_pass`` does, as a graph: of the model itself, or of an artifact's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neutone_like.artifact import Artifact
from neutone_like.artifact.writing.captured_model import graph_of_block, played_core
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import CompileError
from neutone_like.graph import Graph, whole_recurrences
from neutone_like.model import NumericalParameter, WaveformToWaveformBase

USUAL_RATE = 48000
"""Hz: the rate that a model of any rate is compiled at where that makes a difference."""

_BLOCK = 64


@dataclass(frozen=True)
class Captured:
    """A live model as a graph.

    Attributes:
        graph: Of one block: sound, then one tensor for each parameter.
        parameters: As the model declares them.
        sample_rate: Hz, where the graph holds for one rate only.
        block_size: Where it is only played with blocks of one length.
        look_behind_samples: Past samples before each block.
        delay_samples: Of the model.
    """

    graph: Graph
    parameters: tuple[NumericalParameter, ...]
    sample_rate: int | None
    block_size: int | None
    look_behind_samples: int
    delay_samples: int


def capture_artifact(
    artifact: Artifact, sample_rate: int | None = None, model: WaveformToWaveformBase | None = None
) -> Captured:
    """The graph of an artifact's model, at one rate.

    Args:
        artifact: Of a live model made by this package.
        sample_rate: Hz; by default the model's first, or :data:`USUAL_RATE`.
        model: What it was exported from, so that messages can say lines; it stays as it is.

    Raises:
        CaptureError: It can't be captured.
        CompileError: It is no live model of ours, does not have this rate, or takes other blocks than its graph.
    """
    metadata = artifact.live_metadata
    if metadata.neutone_like is None:
        raise CompileError(f"{artifact.path} was not made by neutone_like; only its own models compile.")
    rates, sizes, behind = artifact.sample_rates, artifact.block_sizes, metadata.look_behind_samples
    if sample_rate is not None and rates and sample_rate not in rates:
        raise CompileError(f"The model has the rates {rates} Hz, and {sample_rate} Hz was asked for.")
    rate = sample_rate or (rates[0] if rates else USUAL_RATE)
    core: Any = artifact.fresh_module().w2w_base if model is None else working_copy(model)
    block = sizes[0] if sizes else _BLOCK
    core.prepare_model(rate, block)
    core.reset_model()
    parameters = artifact.numerical_parameters
    per_sample = [parameter.rate == "sample" for parameter in parameters]
    values = [
        torch.full((block if varies else 1,), float(each.default), dtype=torch.float32)
        for each, varies in zip(parameters, per_sample, strict=True)
    ]
    generator = torch.Generator().manual_seed(block)
    audio = torch.rand((artifact.in_channels, behind + block), generator=generator) - 0.5
    played = played_core(core, [each.name for each in parameters])
    with whole_recurrences():
        graph = graph_of_block(played, audio, values, per_sample)
    if not sizes and not graph.lengths.multiple_of:
        # A loop that depends on the block's length, or a scan: sample by sample there is only one way through it.
        values = [each[:1] for each in values]
        graph = graph_of_block(played, audio[:, : behind + 1], values, per_sample)
        sizes = (1,)
    _require_blocks(graph, sizes, behind)
    return Captured(
        graph=graph,
        parameters=parameters,
        sample_rate=rate if len(rates) != 1 and _prepares(core) else None,
        block_size=sizes[0] if len(sizes) == 1 else None,
        look_behind_samples=behind,
        delay_samples=int(core.model_delay_samples()),
    )


def _require_blocks(graph: Graph, sizes: Sequence[int], behind: int) -> None:
    for samples in sizes or (1, 2, _BLOCK):
        if not graph.lengths.accepts(samples + behind):
            raise CompileError(
                f"The model is played in blocks of {sizes or 'any number of'} samples, and what it does with them "
                f"depends on their length: its graph takes {graph.lengths}. Calculate the same whatever the length is, "
                "or declare block_sizes = (64,)."
            )


def _prepares(core: Any) -> bool:
    """Whether ``prepare_model`` does anything."""
    if isinstance(core, WaveformToWaveformBase):
        return type(core).prepare_model is not WaveformToWaveformBase.prepare_model
    body = str(core.prepare_model.code).partition("->")[2].partition(":")[2]
    return body.strip() != "return None"
