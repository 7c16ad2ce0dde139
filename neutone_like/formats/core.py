"""What of an artifact goes into another engine's format: a block of sound and the states in, the same out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.compiler.facts import block_lengths, example_blocks
from neutone_like.compiler.planning import at_length
from neutone_like.graph import Graph, Lengths, Node, decompose, fold_constants, functional, without_writes
from neutone_like.runtime.compiled_core import EXAMPLE_BLOCK, USUAL_RATES
from neutone_like.runtime.core_capture import Captured, capture_artifact


@dataclass(frozen=True)
class Core:
    """A model at its own rate, as a function of a block and its states.

    Attributes:
        artifact: Whose model it is.
        captured: Its parameters, delay and look-behind.
        graph: Without operations that write; of one length where it is only played with blocks of one.
        block_samples: That length in new samples; ``None``: any that the graph takes.
    """

    artifact: Artifact
    captured: Captured
    graph: Graph
    block_samples: int | None

    @property
    def lengths(self) -> Lengths:
        """Of blocks, in new samples."""
        behind, lengths = self.captured.look_behind_samples, self.graph.lengths
        return Lengths(max(1, lengths.shortest - behind), lengths.multiple_of)

    @property
    def sample_rate(self) -> int | None:
        """Hz; ``None``: it is right at any."""
        rates = self.artifact.sample_rates
        if self.captured.sample_rate is not None or not rates:
            return self.captured.sample_rate
        return USUAL_RATES[0] if USUAL_RATES[0] in rates else rates[0]


def core_of_artifact(artifact: Artifact, model: Model | None = None, *, recurrences: bool = True) -> Core:
    """The core of an artifact's model, at the first of its rates.

    Args:
        artifact: Of a live model, or an offline one that is played in blocks.
        model: What it was exported from, so that messages can say lines.
        recurrences: Keep them whole; else the core is played sample by sample.

    Raises:
        CaptureError: It can't be captured.
        CompileError: It is no model that is played in blocks.
    """
    captured = capture_artifact(artifact, None, model, recurrences=recurrences)
    graph = captured.graph
    block = captured.block_size or min(artifact.block_sizes, default=None)
    if block is not None:
        graph = at_length(graph, captured.look_behind_samples + block)
    return Core(artifact, captured, fold_constants(functional(fold_constants(graph), _blocks(graph))), block)


def at_one_length(core: Core, wanted_samples: int = EXAMPLE_BLOCK) -> Core:
    """The core for blocks of one length: its own, or the first from ``wanted_samples`` on that it takes."""
    if core.block_samples is not None:
        return core
    behind, lengths = core.captured.look_behind_samples, core.graph.lengths
    whole = max(wanted_samples + behind, lengths.shortest)
    whole = -(-whole // lengths.multiple_of) * lengths.multiple_of
    return replace(core, graph=at_length(core.graph, whole), block_samples=whole - behind)


def in_operations(graph: Graph, known: Callable[[Node], bool]) -> Graph:
    """The graph in operations that a format knows, as far as PyTorch defines the others by them."""
    return fold_constants(without_writes(decompose(graph, known, _blocks(graph))))


def initial_states(graph: Graph) -> list[Tensor]:
    """What the states are before the first block: those of tensors, then those that Python counts."""
    counters = [torch.tensor(each.initial, dtype=torch.int64) for each in graph.counters]
    return [*(each.initial.detach().contiguous() for each in graph.states), *counters]


def state_names(graph: Graph) -> list[str]:
    """The attributes of the model in which they lie, in that order."""
    names = [each.name for each in (*graph.states, *graph.counters)]
    return [each.removeprefix("core.") for each in names]


def _blocks(graph: Graph) -> Sequence[Sequence[Tensor]]:
    return [example_blocks(graph, samples) for samples in block_lengths(graph)]
