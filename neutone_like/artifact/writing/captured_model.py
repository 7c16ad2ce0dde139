"""All that a live model's ``do_forward_pass`` does, captured, in the place of the model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.probe import ANY_RATE, ANY_SIZES, example_arguments
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import CaptureError
from neutone_like.graph import Graph, capture_call, take_apart, to_torchscript
from neutone_like.model import WaveformToWaveformBase


class CapturedModel(WaveformToWaveformBase):
    """Declares what the original does, and plays its graph.

    Args:
        original: Whose declaration is taken over; prepared for the only rate that it is captured at.
        graph: Of its ``do_forward_pass``.
    """

    def __init__(self, original: WaveformToWaveformBase, graph: Graph) -> None:
        for name in self._declarable:
            setattr(self, name, getattr(original, name))
        names = [parameter.name for parameter in original.declaration().parameters]
        values = "".join(f", params[{name!r}]" for name in names)
        play = f"def play(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:\n    return self.forward(x{values})\n"
        super().__init__(to_torchscript(graph, [play]))
        self.delay = original.model_delay_samples()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        played: Tensor = self.model.play(x, params)  # pyright: ignore[reportCallIssue]
        return played

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay


def capture_model(model: WaveformToWaveformBase) -> CapturedModel:
    """Capture ``do_forward_pass`` as a whole, at the model's rate.

    Raises:
        CaptureError: It can't be captured, or is prepared anew for each of several rates.
    """
    if type(model).prepare_model is not WaveformToWaveformBase.prepare_model and len(model.sample_rates) != 1:
        raise CaptureError(
            f"{type(model).__name__}.prepare_model is called at every rate, and a graph is captured at one. Declare "
            "one: sample_rates = (48000,)."
        )
    prepared = working_copy(model)
    prepare_example(prepared)
    x, params = example_arguments(prepared, example_block(prepared))
    played = played_core(prepared, list(params))
    per_sample = [each.rate == "sample" for each in prepared.declaration().parameters]
    graph = graph_of_block(played, x, list(params.values()), per_sample)
    require_lengths(model, f"{type(model).__name__}.do_forward_pass", graph, model.look_behind_samples)
    return CapturedModel(prepared, graph)


def graph_of_block(
    played: nn.Module,
    x: Tensor,
    values: Sequence[Tensor],
    per_sample: Sequence[bool],
    *,
    only_length: bool = False,
    longest: int | None = None,
) -> Graph:
    """The graph of ``played(x, *values)``, where ``x`` is a block of sound and each value a parameter's.

    Args:
        played: Called with its parameters one by one.
        x: ``[channels, samples]``.
        values: Of one element, or one for each sample.
        per_sample: Which of them grow with the block.
        only_length: Blocks of another length are never played: it takes a part of the time to find out about one.
        longest: Longer blocks are never played, and ``x`` is less than half as long.

    Raises:
        CaptureError: It can't be captured.
    """
    example = take_apart(played, (x, *values), {})
    varying = [name for name, varies in zip(example.tensors, [True, *per_sample], strict=True) if varies]
    example = replace(example, varying=frozenset(varying))
    return capture_call(played, example, only_length=only_length, longest=longest)


class PlayedCore(nn.Module):
    """``do_forward_pass`` of a model, or of an artifact's, with its parameters one by one."""

    def __init__(self, core: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.core = core
        self.names = list(names)

    def forward(self, x: Tensor, *values: Tensor) -> Tensor:
        played: Tensor = self.core.do_forward_pass(x, dict(zip(self.names, values, strict=True)))
        return played


def played_core(core: Any, names: Sequence[str]) -> PlayedCore:
    """Under the name that messages have for it."""
    name = getattr(core, "original_name", type(core).__name__)
    return type(f"{name}.do_forward_pass", (PlayedCore,), {})(core, names)


def example_block(model: WaveformToWaveformBase) -> int:
    """A block length in samples that the model takes."""
    return model.block_sizes[0] if model.block_sizes else ANY_SIZES[0]


def prepare_example(model: WaveformToWaveformBase) -> None:
    """Make a copy ready for blocks of :func:`example_block`, at a rate that it takes."""
    model.prepare_model(model.sample_rates[0] if model.sample_rates else ANY_RATE, example_block(model))
    model.reset_model()


def require_lengths(model: WaveformToWaveformBase, name: str, graph: Graph, more_samples: int) -> None:
    """Whether a graph takes every block that the model declares, each ``more_samples`` longer.

    Raises:
        CaptureError: It does not; with the lengths that it takes.
    """
    for samples in model.block_sizes or (*ANY_SIZES, 2):
        if not graph.lengths.accepts(samples + more_samples):
            raise CaptureError(
                f"{name} takes {graph.lengths}, and a host's block may make that {samples + more_samples} samples. "
                f"Declare the lengths that it takes, as in block_sizes = ({example_block(model)},)."
            )
