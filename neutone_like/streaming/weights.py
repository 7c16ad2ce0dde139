"""Weights of an ordinary convolution, for its counterpart that streams."""

from torch import Tensor, nn
from torch.nn.utils.weight_norm import WeightNorm

from neutone_like.streaming.layer import StreamingLayer


def copy_weights(to: StreamingLayer, layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Copies, folded where the layer computes its weight (weight norm), on the layer's device and in its type."""
    to.to(device=layer.weight.device, dtype=layer.weight.dtype)
    to.weight = nn.Parameter(_weight_now(layer).detach().clone(), layer.weight.requires_grad)
    if layer.bias is not None:
        to.bias = nn.Parameter(layer.bias.detach().clone(), layer.bias.requires_grad)
    to.train(layer.training)


def _weight_now(layer: nn.Conv1d | nn.ConvTranspose1d) -> Tensor:
    """The old weight norm leaves the weight as it was at the last call, whatever has been loaded since."""
    for hook in vars(layer)["_forward_pre_hooks"].values():
        if isinstance(hook, WeightNorm) and hook.name == "weight":
            return hook.compute_weight(layer)
    return layer.weight
