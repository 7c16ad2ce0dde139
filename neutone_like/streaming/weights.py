"""Weights of an ordinary convolution, for its counterpart that streams."""

from torch import nn

from neutone_like.streaming.layer import StreamingLayer


def copy_weights(to: StreamingLayer, layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Copies, folded where the layer computes its weight (weight norm), on the layer's device and in its type."""
    to.to(device=layer.weight.device, dtype=layer.weight.dtype)
    to.weight = nn.Parameter(layer.weight.detach().clone(), layer.weight.requires_grad)
    if layer.bias is not None:
        to.bias = nn.Parameter(layer.bias.detach().clone(), layer.bias.requires_grad)
    to.train(layer.training)
