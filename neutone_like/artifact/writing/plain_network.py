"""What only training needs is taken off a copy of a network, where that changes nothing of what it computes."""

# PyTorch has no public names for a module's own tables of weights and hooks.
# pyright: reportPrivateUsage=false

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.optim.swa_utils import AveragedModel

from neutone_like.errors import ExportError


def require_weights(model: nn.Module) -> None:
    """Refuse a network whose weights have no values yet (lazy layers that never ran, the meta device), or sparse ones.

    Raises:
        ExportError: Names the layer or the weight, and what gives it values.
    """
    for name, module in model.named_modules():
        if _is_unset(module):
            raise ExportError(
                f"{type(model).__name__}: {name or 'the model'} is a {type(module).__name__}, a lazy layer, whose "
                "weights have no shape before its first call. Run the network once on audio of the right shape "
                "before export, or use the layer that is told its channels, such as nn.Conv1d for nn.LazyConv1d."
            )
        for own, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None and tensor.is_meta:
                raise ExportError(
                    f"{type(model).__name__}: {'.'.join(filter(None, (name, own)))} is on the meta device, where "
                    'tensors have a shape and no values. Make room for them with model.to_empty(device="cpu"), then '
                    "load the weights with model.load_state_dict(...)."
                )
            if tensor is not None and tensor.layout is not torch.strided:
                raise ExportError(
                    f"{type(model).__name__}: {'.'.join(filter(None, (name, own)))} is a sparse tensor "
                    f"({tensor.layout}), which an artifact can't hold. Make it a dense one: weight.to_dense()."
                )


def _has_begun(module: Any) -> bool:
    """Whether it is a network that PyTorch knows: one whose ``__init__`` came to PyTorch's."""
    return isinstance(module, nn.Module) and "_modules" in vars(module)


def _is_unset(module: Any) -> bool:
    return bool(module.has_uninitialized_params()) if issubclass(type(module), LazyModuleMixin) else False


def make_plain(model: nn.Module) -> None:
    """Fold parametrizations, weight norms and pruning masks into the weights they stand for, and take networks out of
    what wraps them for training (``AveragedModel``, ``DataParallel``, ``torch.compile``). The model is changed.

    Raises:
        ExportError: A parametrization gives another weight with every call, so that no plain weight stands for it.
    """
    _unwrap_children(model, set())
    for module in list(model.modules()):
        if isinstance(module, torch.jit.ScriptModule):
            continue
        _fold_parametrizations(model, module)
        _fold_hooks(module)


def _unwrap_children(module: nn.Module, seen: set[int]) -> None:
    if id(module) in seen or isinstance(module, torch.jit.ScriptModule):
        return
    seen.add(id(module))
    for name, child in module._modules.items():
        if child is not None:
            plain = module._modules[name] = unwrapped(child)
            _unwrap_children(plain, seen)


def unwrapped(module: nn.Module) -> nn.Module:
    """The network that a wrapper calls, and nothing else, with the arguments that it is given."""
    while _has_begun(module) and not (module._forward_hooks or module._forward_pre_hooks):
        if type(module) in (AveragedModel, nn.DataParallel, nn.parallel.DistributedDataParallel):
            inner: Any = module.module
        elif type(module).__module__.startswith("torch._dynamo"):
            inner = getattr(module, "_orig_mod", None)
        else:
            break
        if not isinstance(inner, nn.Module):
            break
        module = inner
    return module


def _fold_parametrizations(model: nn.Module, module: nn.Module) -> None:
    if not parametrize.is_parametrized(module):
        return
    lists: Any = module.parametrizations
    values = {name: _settled_value(model, module, name) for name in lists}
    # PyTorch's own remove_parametrizations also changes the class, which the user's model and this copy share.
    module.__class__ = type(module).__bases__[0]
    del module._modules["parametrizations"]
    for name, value in values.items():
        if "original" in lists[name]._buffers:
            module._buffers[name] = value
        else:
            module._parameters[name] = nn.Parameter(value, requires_grad=False)
    if isinstance(module, nn.RNNBase):
        module._init_flat_weights()  # it keeps a list of its weights beside them


def _settled_value(model: nn.Module, module: nn.Module, name: str) -> Tensor:
    with torch.no_grad():
        value, again = getattr(module, name).detach().clone(), getattr(module, name)
    if not torch.equal(value, again):
        raise ExportError(
            f"{type(model).__name__}: the parametrization of {type(module).__name__}.{name} gives another weight with "
            "every call, in evaluation mode too, so it can't be folded into one. Remove it before export: "
            f'torch.nn.utils.parametrize.remove_parametrizations(layer, "{name}").'
        )
    return value


def _fold_hooks(module: nn.Module) -> None:
    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, WeightNorm):
            remove_weight_norm(module, hook.name)
        elif isinstance(hook, SpectralNorm):
            remove_spectral_norm(module, hook.name)
        elif isinstance(hook, prune.BasePruningMethod):
            name = hook._tensor_name
            original = module._parameters[f"{name}_orig"]
            assert original is not None
            # prune.remove writes over it, and another layer may share it
            module._parameters[f"{name}_orig"] = nn.Parameter(original.detach().clone(), requires_grad=False)
            prune.remove(module, name)
        else:
            continue
        if isinstance(module, nn.RNNBase):
            module._init_flat_weights()
