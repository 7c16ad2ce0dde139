"""What of a model is compiled: one call for a block, of a live model or of an offline one that is played in blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.reading.module_loading import load_module
from neutone_like.artifact.writing.captured_model import played_core
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import CompileError
from neutone_like.model import NumericalParameter
from neutone_like.signal.offline_plan import ANY_BLOCK_SAMPLES
from neutone_like.streaming.whole_in_programs import make_recurrences_whole
from neutone_like.torch_settings import plain_settings

USUAL_RATES = (48000, 44100, 88200, 96000)
"""Hz: those of hosts, for a model of any rate that is prepared for each."""

EXAMPLE_BLOCK = 64


@dataclass(frozen=True)
class Core:
    """A model as a function of one block.

    Attributes:
        model: To be prepared and reset: a copy of the original, or the artifact's own module.
        played: The same, called with ``[in_channels, look_behind_samples + N]`` and the parameters one by one.
        parameters: As declared, in that order.
        in_channels: Of all inputs together.
        prepared_block: Samples that ``prepare_model`` is told.
        rates: Hz: those to compile for, each by itself; ``()``: one compilation is right for all that the model has.
    """

    model: Any
    played: nn.Module
    parameters: tuple[NumericalParameter, ...]
    in_channels: int
    prepared_block: int
    rates: tuple[int, ...]


def core_of(artifact: Artifact, model: Model | None = None, *, recurrences: bool = False) -> Core:
    """The core of an artifact's model.

    Args:
        artifact: What is compiled.
        model: What it was exported from, so that messages can say lines; it stays as it is.
        recurrences: Whether linear recurrences are single operations in the artifact's own program too.

    Raises:
        CompileError: It is none of ours, or an offline one that can't be played block by block.
    """
    if artifact.metadata.neutone_like is None:
        raise CompileError(f"{artifact.path} was not made by neutone_like; only its own models compile.")
    module: Any = _with_whole_recurrences(artifact) if recurrences and model is None else artifact.fresh_module()
    scripted = module.w2w_base if artifact.is_realtime else module.nrb
    if not artifact.is_realtime:
        _require_blocks(artifact, scripted)
    own = scripted if model is None else working_copy(model)
    names = [parameter.name for parameter in artifact.numerical_parameters]
    whole = own if artifact.is_realtime else JoinedTracks(own, artifact.audio_in_channels)
    usual_block = EXAMPLE_BLOCK if artifact.is_realtime else ANY_BLOCK_SAMPLES
    return Core(
        model=own,
        played=played_core(whole, names),
        parameters=artifact.numerical_parameters,
        in_channels=sum(artifact.audio_in_channels),
        prepared_block=max(artifact.block_sizes) if artifact.block_sizes else usual_block,
        rates=(artifact.sample_rates or USUAL_RATES) if reads_argument(scripted.prepare_model, 1) else (),
    )


@plain_settings()
def _with_whole_recurrences(artifact: Artifact) -> ScriptModule:
    return load_module(
        artifact.path, artifact.metadata, artifact.allow_operators, before_it_runs=make_recurrences_whole
    )


class JoinedTracks(nn.Module):
    """An offline model with all its inputs as one, and so its outputs.

    Args:
        core: The model.
        in_channels: Of each input.
    """

    def __init__(self, core: Any, in_channels: Sequence[int]) -> None:
        super().__init__()
        self.core = core
        self.in_channels = list(in_channels)
        self.original_name = str(getattr(core, "original_name", type(core).__name__))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[all channels in, look_behind_samples + N]`` to ``[all channels out, N]``."""
        tracks = list(torch.split(x, self.in_channels)) if len(self.in_channels) > 1 else [x]
        outputs: list[Tensor] = self.core.do_forward_pass(0, tracks, params, [], [])
        return torch.cat(outputs, 0) if len(outputs) > 1 else outputs[0]


def _require_blocks(artifact: Artifact, scripted: Any) -> None:
    """Refuse offline models that are more than a function of a block and what was before it."""
    texts = [each.name for each in (*artifact.text_parameters, *artifact.tokens_parameters)]
    if bool(scripted.is_one_shot_model()):
        why = (
            "is a one-shot model, called once with all of the sound, and a compiled model plays blocks. Declare "
            "block_sizes, and return False from is_one_shot_model, where it can be played block by block"
        )
    elif not artifact.audio_in_channels:
        why = "is a generator, and a compiled model begins with sound that comes in"
    elif texts:
        why = f"takes texts or tokens ({', '.join(texts)}), and a compiled model takes sound and numbers"
    elif reads_argument(scripted.do_forward_pass, 1):
        why = (
            "reads curr_block_idx in do_forward_pass, which a compiled model is not told. Keep what it needs to know "
            "of earlier blocks in a buffer, and reset that in reset_model"
        )
    elif len(artifact.block_sizes) > 1 and reads_argument(scripted.prepare_model, 2):
        why = (
            f"reads the block's length in prepare_model, and has several: {artifact.block_sizes}. Declare one, as in "
            f"block_sizes = ({max(artifact.block_sizes)},)"
        )
    else:
        return
    raise CompileError(f"{artifact.metadata.model_name} {why}. TorchScript plays it.")


def reads_argument(method: Any, index: int) -> bool:
    """Whether a scripted method does anything with one of its arguments; 0 is ``self``."""
    return len(list(method.graph.inputs())[index].uses()) > 0
