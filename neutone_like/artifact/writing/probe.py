"""Run a model once, as plain Python, so that a mistake in it shows with its own line before TorchScript sees it."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.writing.probe_calls import call, check_delay, describe, require_forward_pass
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ExportError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.user_code import UserLine

ANY_RATE = 48000
# A usual block, one that nothing divides, and the shortest there is.
ANY_SIZES = (512, 331, 1)


def probe_model(model: WaveformToWaveformBase) -> None:
    """Call every method a host calls, at each declared block size, on a copy; check what comes back.

    Raises:
        ExportError: A method raised, or returned the wrong type, shape or dtype; with the user's own line.
    """
    declaration = model.declaration()
    require_forward_pass(model)
    rate = declaration.sample_rates[0] if declaration.sample_rates else ANY_RATE
    for size in declaration.block_sizes or ANY_SIZES:
        probed = working_copy(model)
        with torch.no_grad():
            call(probed, "prepare_model", rate, size)
            call(probed, "reset_model")
            delay, line = call(probed, "model_delay_samples")
            check_delay(probed, delay, line)
            _probe_forward_pass(probed, size)


def example_arguments(model: WaveformToWaveformBase, samples: int) -> tuple[Tensor, dict[str, Tensor]]:
    """What a host may call ``do_forward_pass`` with: a block of noise, and every parameter at its default."""
    generator = torch.Generator().manual_seed(samples)
    x = torch.rand((model.in_channels, model.look_behind_samples + samples), generator=generator) - 0.5
    return x, model.default_parameter_values(samples)


def _probe_forward_pass(model: WaveformToWaveformBase, size: int) -> None:
    x, values = example_arguments(model, size)
    try:
        for _ in range(2):  # the second block meets the state that the first one left
            result, line = call(model, "do_forward_pass", x.clone(), values)
            _check_output(model, result, size, line)
    except ExportError as error:
        if not model.block_sizes and size != ANY_SIZES[0]:
            raise ExportError(
                f"{error}\nBlocks of {ANY_SIZES[0]} samples work, this one has {size}: with block_sizes = () a model "
                "takes any length. If it can't, declare the lengths it takes, as in block_sizes = (512,)."
            ) from error
        raise


def _check_output(model: WaveformToWaveformBase, result: Any, size: int, line: UserLine | None) -> None:
    expected = (model.out_channels, size)
    if isinstance(result, Tensor) and tuple(result.shape) == expected and result.dtype == torch.float32:
        return
    raise ExportError(
        f"{type(model).__name__}.do_forward_pass must return a float32 tensor of shape [out_channels, N] = "
        f"{list(expected)}, got {describe(result)}.\n{line}\n{_advice_for_output(model, result, size)}"
    )


def _advice_for_output(model: WaveformToWaveformBase, result: Any, size: int) -> str:
    if not isinstance(result, Tensor):
        return "Return one Tensor."
    if result.dtype != torch.float32:
        return "Convert with .float(), or make weights and constants float32 with model.float()."
    if result.dim() == 3:
        return "There is no batch dimension: give the network x.unsqueeze(0) and return y.squeeze(0)."
    if result.dim() != 2:
        return "Return two dimensions, channels first."
    channels, length = result.shape
    if channels != model.out_channels:
        return f"Set out_channels = {channels}, or return {model.out_channels} of them."
    if length == size + model.look_behind_samples:
        return f"Return the output for the new samples only: y[:, {model.look_behind_samples}:]."
    return (
        f"Return as many samples as came in, {size}: a convolution without padding needs look_behind_samples or a "
        "state of past samples; a model that works in frames needs its block_sizes declared."
    )
