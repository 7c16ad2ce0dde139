"""Hooks on a network: what of them an artifact could not do, told by name."""

# PyTorch has no public names for a module's own tables of hooks.
# pyright: reportPrivateUsage=false

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_module

from neutone_like.errors import ExportError
from neutone_like.user_code import UserLine, user_line_of_function

HOOK_ADVICE = (
    "A hook is Python that PyTorch calls beside the network, and TorchScript can't compile this one. Do what it does "
    "in forward or in do_forward_pass, and take the hook off before export: `handle.remove()`, with the handle that "
    "register_forward_hook gave."
)


def refuse_global_hooks() -> None:
    """Hooks on all modules of the process change what plain Python computes, and no artifact would have them.

    Raises:
        ExportError: There are such; names their functions.
    """
    there = (*torch_module._global_forward_hooks.values(), *torch_module._global_forward_pre_hooks.values())
    if there:
        raise ExportError(
            f"There are hooks on every module of this program ({', '.join(map(_name, there))}), set by "
            "torch.nn.modules.module.register_module_forward_hook or register_module_forward_pre_hook, and an artifact "
            "can't have them. Take them off before export: `handle.remove()`, with the handle that call gave."
        )


def describe_hooks(model: nn.Module) -> str:
    """Which layers have hooks that TorchScript would have to compile, and which functions they are; else empty."""
    return ", ".join(f"{_name(hook)} on {layer or type(model).__name__}" for layer, hook in _hooks(model))


def is_in_a_hook(line: UserLine, model: nn.Module) -> bool:
    """Whether a line belongs to the function of one of the hooks of ``model``."""
    for _, hook in _hooks(model):
        begin = user_line_of_function(hook)
        if begin is not None and begin.path == line.path and 0 <= line.line - begin.line < _length(hook):
            return True
    return False


def _hooks(model: nn.Module) -> list[tuple[str, Callable[..., Any]]]:
    return [
        (layer, hook)
        for layer, module in model.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    ]


def _length(hook: Callable[..., Any]) -> int:
    code = getattr(hook, "__code__", None)
    return 1 + max((last or 0) - code.co_firstlineno for _, _, last in code.co_lines()) if code is not None else 0


def _name(hook: Callable[..., Any]) -> str:
    return getattr(hook, "__qualname__", type(hook).__name__)
