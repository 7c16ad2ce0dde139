"""Run an offline model once, as plain Python, before TorchScript sees it."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.writing.probe_calls import call, check_delay, describe, require_forward_pass
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ExportError
from neutone_like.model import NonRealtimeBase, OfflineDeclaration
from neutone_like.user_code import UserLine

_ANY_RATE = 48000
_ANY_LENGTHS = (24_000, 30_011)  # of a whole sound: half a second, and one that nothing divides
_ANY_BLOCK = 65_536  # what a blocked model of any block size is given


def example_lengths(declaration: OfflineDeclaration) -> tuple[int, ...]:
    """Lengths in samples that a host may call such a model with."""
    return declaration.block_sizes or (_ANY_LENGTHS if declaration.is_one_shot else (_ANY_BLOCK,))


def probe_offline_model(model: NonRealtimeBase) -> None:
    """Call every method a host calls, at each length it may meet, on a copy; check what comes back.

    Raises:
        ExportError: A method raised, or returned the wrong type, count, shape or dtype; with the user's own line.
    """
    declaration = model.declaration()
    require_forward_pass(model)
    rate = declaration.sample_rates[0] if declaration.sample_rates else _ANY_RATE
    for length in example_lengths(declaration):
        probed = working_copy(model)
        any_length = declaration.is_one_shot and not declaration.block_sizes
        with torch.no_grad():
            call(probed, "prepare_model", rate, 0 if any_length else length)
            call(probed, "reset_model")
            delay, line = call(probed, "model_delay_samples")
            check_delay(probed, delay, line)
            for block in range(1 if declaration.is_one_shot else 2):  # the second meets what the first one left
                _probe_forward_pass(probed, declaration, block, length)


def example_arguments(declared: OfflineDeclaration, block: int, length: int) -> tuple[Any, ...]:
    """What a host may call ``do_forward_pass`` with: noise of that length, and every parameter at its default."""
    generator = torch.Generator().manual_seed(length + block)
    audio_in = [
        torch.rand((channels, declared.look_behind_samples + length), generator=generator) - 0.5
        for channels in declared.audio_in_channels
    ]
    values = {
        parameter.name: torch.full((length if parameter.rate == "sample" else 1,), float(parameter.default))
        for parameter in declared.numerical_parameters
    }
    texts = [parameter.default for parameter in declared.text_parameters]
    tokens = [list(parameter.default) for parameter in declared.tokens_parameters]
    return block, audio_in, values, texts, tokens


def _probe_forward_pass(model: NonRealtimeBase, declared: OfflineDeclaration, block: int, length: int) -> None:
    result, line = call(model, "do_forward_pass", *example_arguments(declared, block, length))
    _check_outputs(model, declared, result, length, line)


def _check_outputs(
    model: NonRealtimeBase, declared: OfflineDeclaration, result: Any, length: int, line: UserLine | None
) -> None:
    free = declared.is_one_shot and (declared.is_generator or not declared.keeps_length)
    if _fits(result, declared.audio_out_channels, None if free else length):
        return
    shapes = [f"[{channels}, {'N' if free else length}]" for channels in declared.audio_out_channels]
    raise ExportError(
        f"{type(model).__name__}.do_forward_pass must return a list of float32 tensors of shape {', '.join(shapes)}"
        f"{', of any one length N' if free else ''}, got {describe(result)}.\n{line}\n"
        f"{_advice(declared, result, length)}"
    )


def _fits(result: Any, channels: tuple[int, ...], length: int | None) -> bool:
    """Whether these are the outputs declared, of that length, or of any where it is free."""
    if not isinstance(result, list) or len(result) != len(channels):
        return False
    if not all(isinstance(output, Tensor) and output.dim() == 2 and output.dtype == torch.float32 for output in result):
        return False
    wanted = result[0].size(1) if length is None else length
    shapes = [tuple(output.shape) for output in result]
    return wanted > 0 and shapes == [(count, wanted) for count in channels]


def _advice(declared: OfflineDeclaration, result: Any, length: int) -> str:
    if not isinstance(result, list):
        return "Return a list, even of one output: [y]."
    if len(result) != len(declared.audio_out_channels):
        return f"Set audio_out_channels to {len(result)} entries, or return {len(declared.audio_out_channels)} outputs."
    tensors = [output for output in result if isinstance(output, Tensor)]
    if any(output.dtype != torch.float32 for output in tensors):
        return "Convert with .float(), or make weights and constants float32 with model.float()."
    if any(output.dim() == 3 for output in tensors):
        return "There is no batch dimension: give the network x.unsqueeze(0) and return y.squeeze(0)."
    if declared.look_behind_samples and any(output.size(-1) > length for output in tensors):
        return f"Return the output for the new samples only: y[:, {declared.look_behind_samples}:]."
    if declared.is_one_shot and any(output.size(-1) != length for output in tensors):
        return "Return as many samples as came in, or set keeps_length = False."
    return "Return every output channels first, as many channels and samples as declared."
