"""What a model's ``do_forward_pass`` does with a block, as a graph: of the model itself, or of an artifact's."""

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.format.offline_schema import OfflineSection
from neutone_like.artifact.writing.captured_model import graph_of_block
from neutone_like.compiler.planning import GRANULE
from neutone_like.errors import CaptureError, CompileError
from neutone_like.graph import Graph, whole_recurrences
from neutone_like.model import NumericalParameter
from neutone_like.model.declaration import MAXIMUM_SAMPLE_RATE
from neutone_like.numbers import whole_number
from neutone_like.runtime.compiled_core import EXAMPLE_BLOCK, USUAL_RATES, Core, core_of

_SHORT_BLOCK = 20
"""Samples: capture plays more than twice as many too."""


@dataclass(frozen=True)
class Captured:
    """A model as a graph.

    Attributes:
        graph: Of one block: sound, then one tensor for each parameter.
        parameters: As the model declares them.
        sample_rate: Hz, where the graph holds for one rate only.
        rates: Hz: those that the model has a graph of its own for each of; ``()``: this one is right for all.
        block_size: Where it is only played with blocks of one length.
        look_behind_samples: Past samples before each block.
        delay_samples: Of the model.
    """

    graph: Graph
    parameters: tuple[NumericalParameter, ...]
    sample_rate: int | None
    rates: tuple[int, ...]
    block_size: int | None
    look_behind_samples: int
    delay_samples: int


def capture_artifact(
    artifact: Artifact,
    sample_rate: int | None = None,
    model: Model | None = None,
    *,
    recurrences: bool = True,
    in_granules: bool = False,
) -> Captured:
    """The graph of an artifact's model, at one rate.

    Args:
        artifact: Of a model made by this package, live or offline and played in blocks.
        sample_rate: Hz; by default the first of those that it has.
        model: What it was exported from, so that messages can say lines; it stays as it is.
        recurrences: Keep linear recurrences whole; else, in operations that PyTorch itself has.
        in_granules: Longer blocks are played in pieces, of which each is as long as a plan takes at once.

    Raises:
        CaptureError: It can't be captured.
        CompileError: It is no such model, does not have this rate, or takes other blocks than its graph.
    """
    if sample_rate is not None:
        sample_rate = whole_number(sample_rate, "sample_rate", 1, MAXIMUM_SAMPLE_RATE, unit="Hz", error=CompileError)
    core = core_of(artifact, model, recurrences=recurrences)
    rates, sizes, behind = artifact.sample_rates, artifact.block_sizes, look_behind_of(artifact)
    if sample_rate is not None and rates and sample_rate not in rates:
        raise CompileError(f"The model has the rates {rates} Hz, and {sample_rate} Hz was asked for.")
    rate = sample_rate or (rates or USUAL_RATES)[0]
    block = min(sizes, default=EXAMPLE_BLOCK)
    core.model.prepare_model(rate, core.prepared_block)
    core.model.reset_model()
    per_sample = [parameter.rate == "sample" for parameter in core.parameters]
    values = [
        torch.full((block if varies else 1,), float(each.default), dtype=torch.float32)
        for each, varies in zip(core.parameters, per_sample, strict=True)
    ]
    generator = torch.Generator().manual_seed(block)
    audio = torch.rand((core.in_channels, behind + block), generator=generator) - 0.5
    with whole_recurrences() if recurrences else nullcontext():
        graph = graph_of_block(core.played, audio, values, per_sample, only_length=len(sizes) == 1)
    if in_granules and not sizes and not behind and not graph.lengths.multiple_of:
        graph = _in_one_piece(core, audio, values, per_sample) or graph
    if not sizes and not graph.lengths.multiple_of:
        # A loop that depends on the block's length, or a scan: sample by sample there is only one way through it.
        values = [each[:1] for each in values]
        graph = graph_of_block(core.played, audio[:, : behind + 1], values, per_sample, only_length=True)
        sizes = (1,)
    _require_blocks(graph, sizes, behind)
    return Captured(
        graph=graph,
        parameters=core.parameters,
        sample_rate=rate if len(core.rates) > 1 else None,
        rates=core.rates if len(core.rates) > 1 else (),
        block_size=sizes[0] if len(sizes) == 1 else None,
        look_behind_samples=behind,
        delay_samples=int(core.model.model_delay_samples()),
    )


def _in_one_piece(core: Core, audio: Tensor, values: Sequence[Tensor], per_sample: Sequence[bool]) -> Graph | None:
    """The graph of blocks that are no longer than a plan plays at once: attention and the like cut longer ones."""
    values = [each[:_SHORT_BLOCK] for each in values]
    with whole_recurrences(), suppress(CaptureError):
        return graph_of_block(core.played, audio[:, :_SHORT_BLOCK], values, per_sample, longest=GRANULE)
    return None


def look_behind_of(artifact: Artifact) -> int:
    """Past samples before each block, of a model of ours."""
    if artifact.is_realtime:
        return artifact.live_metadata.look_behind_samples
    ours = artifact.metadata.neutone_like
    return ours.look_behind_samples if isinstance(ours, OfflineSection) else 0


def _require_blocks(graph: Graph, sizes: Sequence[int], behind: int) -> None:
    for samples in sizes or (1, 2, EXAMPLE_BLOCK):
        if not graph.lengths.accepts(samples + behind):
            raise CompileError(
                f"The model is played in blocks of {sizes or 'any number of'} samples, and what it does with them "
                f"depends on their length: its graph takes {graph.lengths}. Calculate the same whatever the length is, "
                "or declare block_sizes = (64,)."
            )
