"""Which of a wrapper's buffers are state: those that change while it plays."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.probe import probe_model
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.model import WaveformToWaveformBase

_ANY_RATE = 48000
_ANY_BLOCK = 512
_BLOCKS = 3


def named_buffers(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every buffer, named ``submodule.path.buffer``; ``.buffer`` for the module's own, as TorchScript can name it."""
    for module_name, submodule in module.named_modules():
        for name, buffer in submodule.named_buffers(recurse=False):
            yield f"{module_name}.{name}", buffer


def changing_buffers(model: WaveformToWaveformBase) -> tuple[str, ...]:
    """Names of the buffers of ``model.model`` that playing some noise changes.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: It fails on what it declares; the message has the user's own line.
    """
    if next(named_buffers(model.model), None) is None:
        return ()
    with torch.no_grad():  # a network that is already scripted is copied with its graph otherwise
        probe_model(model)
        copy = working_copy(model)
    declaration = copy.declaration()
    rate = declaration.sample_rates[0] if declaration.sample_rates else _ANY_RATE
    size = declaration.block_sizes[0] if declaration.block_sizes else _ANY_BLOCK
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        copy.prepare_model(rate, size)
        before = {name: buffer.clone() for name, buffer in named_buffers(copy.model)}
        for _ in range(_BLOCKS):
            x = torch.rand(declaration.in_channels, declaration.look_behind_samples + size, generator=generator) - 0.5
            copy.do_forward_pass(x, copy.default_parameter_values(size))
    after = dict(named_buffers(copy.model))
    return tuple(name for name, buffer in before.items() if not torch.equal(buffer, after[name]))
