"""A copy of the network without what was cut: its tensors are shorter, and its layers know."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from neutone_like.graph import own_copy
from neutone_like.graph.slots import read_slots, write_slot
from neutone_like.optimise.pruning.fewer_heads import tell_attention
from neutone_like.optimise.pruning.labels import Ids

Kept = Mapping[tuple[str, int], Ids]


def without_norms_of_weights(network: nn.Module) -> list[str]:
    """Weights become what they are now: weight norm, spectral norm and other parametrizations are taken off.

    Returns:
        The layers that had one.
    """
    layers: list[str] = []
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module):
            # The class with the computed weight is shared with the original, which would lose it too.
            own = type(module)
            apart: Any = type(own.__name__, own.__bases__, dict(vars(own)))
            module.__class__ = apart
            for weight in list(module.parametrizations):  # pyright: ignore[reportArgumentType, reportCallIssue]
                originals: Any = module.parametrizations
                trained = any(each.requires_grad for each in originals.parameters())
                parametrize.remove_parametrizations(module, weight, leave_parametrized=True)
                now = getattr(module, weight).detach()
                delattr(module, weight)
                module.register_parameter(weight, nn.Parameter(now, trained))
            layers.append(name)
        hooks = [each for each in vars(module)["_forward_pre_hooks"].values() if _computes_weight(each)]
        for hook in hooks:
            remove = (
                nn.utils.remove_weight_norm if "WeightNorm" in type(hook).__name__ else nn.utils.remove_spectral_norm
            )
            remove(module, hook.name)
            layers.append(name)
    return layers


def _computes_weight(hook: Any) -> bool:
    return type(hook).__name__ in ("WeightNorm", "SpectralNorm")


def cut(network: nn.Module, kept: Kept, states: Mapping[str, Mapping[int, Ids]]) -> nn.Module:
    """A copy with shorter tensors. Layers of torch's kinds know their new sizes; attributes of others don't yet."""
    smaller = own_copy(network)
    by_tensor = _new_tensors(smaller, kept)
    for module in smaller.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if id(parameter) in by_tensor:
                setattr(module, name, by_tensor[id(parameter)])
        for name, buffer in list(module.named_buffers(recurse=False)):
            if id(buffer) in by_tensor:
                setattr(module, name, by_tensor[id(buffer)])
    _cut_states(smaller, states)
    return smaller


def _new_tensors(network: nn.Module, kept: Kept) -> dict[int, Any]:
    """The new tensor in the place of each; a tensor that two layers share stays shared."""
    named = {**dict(network.named_buffers()), **dict(network.named_parameters())}
    found: dict[int, Any] = {}
    for (name, axis), index in kept.items():
        old = named[name.removeprefix("self.") if name not in named else name]
        now = found.get(id(old), old)
        shorter = now.detach().index_select(axis, torch.from_numpy(index).to(now.device)).clone()
        found[id(old)] = nn.Parameter(shorter, old.requires_grad) if isinstance(old, nn.Parameter) else shorter
    return found


def _cut_states(network: nn.Module, states: Mapping[str, Mapping[int, Ids]]) -> None:
    slots = {str(slot): (slot, value) for slot, value in read_slots(network).items()}
    for name, axes in states.items():
        whole, _, attribute = name.rpartition(".")
        beside = f"{whole}.initial_{attribute}" if whole else f"initial_{attribute}"
        for each in (name, beside):
            if each in slots and isinstance(slots[each][1], Tensor):
                slot, value = slots[each]
                if all(axis < value.dim() and value.shape[axis] > int(index.max()) for axis, index in axes.items()):
                    write_slot(network, slot, _shorter(value, axes))


def _shorter(value: Tensor, axes: Mapping[int, Ids]) -> Tensor:
    for axis, index in axes.items():
        value = value.index_select(axis, torch.from_numpy(index).to(value.device))
    return value.clone()


def zeroed(network: nn.Module, kept: Kept, weights: frozenset[str]) -> nn.Module:
    """A copy of the old size in which the weights of what was cut are zero, so that nothing hears it."""
    silent = own_copy(network)
    named = dict(silent.named_parameters())
    with torch.no_grad():
        for (name, axis), index in kept.items():
            if name in weights:
                gone = np.setdiff1d(np.arange(named[name].shape[axis]), index)
                named[name].index_fill_(axis, torch.from_numpy(gone).to(named[name].device), 0.0)
    return silent


def tell_layers(before: nn.Module, after: nn.Module, norms: Mapping[str, Ids], dead: Ids) -> None:
    """Layers of known kinds learn their new sizes from their new tensors."""
    old = dict(before.named_modules())
    for name, module in after.named_modules():
        _tell_known(old[name], module)
        if name in norms:
            _tell_norm(module, norms[name], dead)


def _tell_known(before: nn.Module, module: Any) -> None:
    if isinstance(module, nn.MultiheadAttention):
        tell_attention(module)
    elif isinstance(module, nn.RNNBase):
        _tell_recurrent(module)
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, nn.Embedding):
        module.num_embeddings, module.embedding_dim = module.weight.shape
    elif isinstance(module, nn.PReLU):
        module.num_parameters = module.weight.numel()
    elif isinstance(getattr(module, "weight", None), Tensor) and isinstance(getattr(module, "groups", None), int):
        _tell_convolution(before, module)


def _tell_recurrent(module: Any) -> None:
    weights: dict[str, Tensor] = dict(module.named_parameters())
    gates = {"LSTM": 4, "GRU": 3}.get(module.mode, 1)
    module.input_size = weights["weight_ih_l0"].shape[1]
    module.hidden_size = weights["weight_ih_l0"].shape[0] // gates
    if "weight_hr_l0" in weights:
        module.proj_size = weights["weight_hr_l0"].shape[0]


def _tell_convolution(before: Any, after: Any) -> None:
    """Channels in and out, and groups: of a depthwise one as many as it has rows."""
    transposed = "Transpose" in type(after).__name__
    old, new = before.weight.shape, after.weight.shape
    if not isinstance(getattr(after, "in_channels", None), int) or old == new:
        return
    rows = before.in_channels if transposed else before.out_channels
    depthwise = before.groups > 1 and before.in_channels == before.groups
    if depthwise:
        after.groups = new[0] * before.groups // rows
    channels = (new[0], new[1] * after.groups) if transposed else (new[1] * after.groups, new[0])
    after.in_channels, after.out_channels = (int(each) for each in channels)
    for name, buffer in list(after.named_buffers(recurse=False)):
        if buffer.dim() == 3 and not buffer.numel():  # a past of no samples, which only has its shape
            width = after.out_channels if name.endswith("tail") else after.in_channels
            setattr(after, name, buffer.new_zeros(buffer.shape[0], width, buffer.shape[2]))


def _tell_norm(module: Any, channels: Ids, dead: Ids) -> None:
    gone = np.isin(channels, dead)
    left = int((~gone).sum())
    if isinstance(module, nn.GroupNorm):
        per_group = module.num_channels // module.num_groups
        module.num_groups, module.num_channels = left // per_group, left
    elif hasattr(module, "num_features"):
        module.num_features = left
