"""Single weights that are zero: the network keeps its size, and, as it is played, its time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError, ParameterError
from neutone_like.graph import own_copy
from neutone_like.optimise.pruning.fine_tuning import FineTune, trained
from neutone_like.optimise.pruning.followed import Followed
from neutone_like.optimise.pruning.plan import layer_of
from neutone_like.optimise.pruning.result import PrunedLayers


def sparse(
    followed: Followed, ratio: float, ratios: Mapping[str, float], fine_tune: FineTune | None, checkpoint: Path | None
) -> tuple[nn.Module, tuple[PrunedLayers, ...]]:
    """A copy in which the smallest weights of each layer are zero, and stay so while it is trained.

    Raises:
        ModelError: The network multiplies with no trained weight.
        ParameterError: A layer that is not there.
    """
    model = own_copy(followed.subject.network)
    names = {each.weight for each in followed.found.products} | {name for name, _ in followed.found.made}
    own = {name.removeprefix("self.").removeprefix(followed.subject.prefix) for name in names}
    weights = {name: each for name, each in nn.Module.named_parameters(model) if name in own and each.dim() > 1}
    if not weights:
        raise ModelError(f"{type(model).__name__} multiplies with no weights, so that none can be zero.")
    layers = {layer_of(name) for name in weights}
    for layer in ratios:
        if layer not in layers:
            raise ParameterError(f"ratios: no layer {layer!r} has weights. There are {', '.join(sorted(layers)[:12])}.")
    masks: dict[str, Tensor] = {}
    table: list[PrunedLayers] = []
    for name, weight in weights.items():
        share = ratios.get(layer_of(name), ratio)
        count = min(int(share * weight.numel() + 0.5), weight.numel() - 1)
        mask = torch.ones(weight.numel(), dtype=torch.bool)
        mask[weight.detach().abs().reshape(-1).argsort()[:count]] = False
        masks[name] = mask.reshape(weight.shape)
        table.append(PrunedLayers((name,), "weights", weight.numel(), weight.numel() - count))
    _silence(weights, masks)
    if fine_tune is not None:
        frozen = {name: weight.requires_grad for name, weight in weights.items()}
        hooks: list[Any] = []
        for name, weight in weights.items():
            weight.requires_grad_(True)
            hooks.append(weight.register_hook(lambda gradient, mask=masks[name]: gradient * mask))
        inside = None if checkpoint is None else checkpoint / "training-1.pt"
        trained(model, fine_tune, inside, f"weights {ratio} {sorted(ratios.items())}")
        for hook, (name, weight) in zip(hooks, weights.items(), strict=True):
            hook.remove()
            weight.requires_grad_(frozen[name])
        _silence(weights, masks)  # an optimiser with momentum moves them even so
    return model, tuple(table)


def _silence(weights: Mapping[str, nn.Parameter], masks: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, weight in weights.items():
            weight.mul_(masks[name])
