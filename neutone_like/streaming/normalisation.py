"""Normalisations that need no sample from the future, and the refusal of those that do."""

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.framing import require_positive
from neutone_like.streaming.layer import StreamingLayer

_BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


class CumulativeLayerNorm(StreamingLayer):
    """Each sample less the mean, over the deviation, of all channels and samples so far; then ``weight`` and ``bias``.

    Source: Luo and Mesgarani, Conv-TasNet (2019), cLN of the causal network.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, channels: int, eps: float = 1e-8) -> None:
        super().__init__()
        require_positive(channels=channels)
        self.in_channels, self.eps = channels, eps
        self.weight = nn.Parameter(torch.ones(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))
        self.receptive_field_samples = None
        self.source = "Luo and Mesgarani, Conv-TasNet (2019), cumulative layer normalisation"
        self.register_state("totals", torch.zeros(1, 3, 1))  # count, sum, sum of squares

    def forward(self, x: Tensor) -> Tensor:
        wide = x.double()  # sums over hours, in float32, would stop growing
        counts = torch.full_like(wide.narrow(1, 0, 1), float(x.size(1)))
        steps = torch.cat((counts, wide.sum(1, keepdim=True), wide.square().sum(1, keepdim=True)), 1)
        totals = steps.cumsum(2) + self.totals.double()
        self.totals = totals.narrow(2, totals.size(2) - 1, 1)
        count, total, squares = totals.chunk(3, 1)
        mean = total / count
        deviation = (squares / count - mean.square()).clamp(min=0.0).add(self.eps).sqrt()
        return ((wide - mean) / deviation).to(x.dtype) * self.weight + self.bias

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.totals = self.initial_totals.clone()


class ChannelNorm(StreamingLayer):
    """LayerNorm, or RMSNorm without ``centre``, over the channels of each sample by itself; over groups of them.

    Raises:
        ModelError: ``channels`` don't divide into ``groups``.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, channels: int, eps: float = 1e-5, *, centre: bool = True, groups: int = 1) -> None:
        super().__init__()
        require_positive(channels=channels, groups=groups)
        if channels % groups:
            raise ModelError(f"ChannelNorm: {channels} channels don't divide into {groups} groups; give a divisor.")
        self.in_channels, self.eps, self.centre, self.groups = channels, eps, centre, groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.register_parameter("bias", nn.Parameter(torch.zeros(channels)) if centre else None)
        self.receptive_field_is_exact = not (centre and groups == channels)  # less its own mean each channel is 0
        self.source = (
            "Ba et al., Layer Normalization (2016); Wu and He, Group Normalization (2018); Zhang and Sennrich, RMSNorm "
            "(2019)"
        )

    def forward(self, x: Tensor) -> Tensor:
        grouped = x.unflatten(1, (self.groups, -1))
        if self.centre:
            grouped = grouped - grouped.mean(2, keepdim=True)
        scaled = grouped * torch.rsqrt(grouped.square().mean(2, keepdim=True) + self.eps)
        y = scaled.flatten(1, 2) * self.weight.unsqueeze(1)
        bias = self.bias
        return y if bias is None else y + bias.unsqueeze(1)


def refuse_training_norms(network: nn.Module) -> None:
    """Raise :class:`ModelError` for a BatchNorm that would take its statistics from each block; its name."""
    for name, module in network.named_modules():
        if isinstance(module, _BatchNorm):
            _refuse(module, name, _batch_statistics(module))


def refuse_unstreamable(layer: nn.Module, name: str) -> None:
    """Raise :class:`ModelError` for a torch layer that needs the whole signal: its name, the reason, what to use."""
    why = ""
    if isinstance(layer, _BatchNorm):
        why = _batch_statistics(layer)
    elif isinstance(layer, nn.GroupNorm | nn.InstanceNorm1d):
        why = "takes mean and deviation over all of time; use CumulativeLayerNorm or ChannelNorm, and train with it"
    elif isinstance(layer, nn.AdaptiveAvgPool1d | nn.AdaptiveMaxPool1d):
        why = "pools over all of time; use Pool1d with a kernel of fixed length"
    elif isinstance(layer, nn.RNNBase) and layer.bidirectional:
        why = "is bidirectional, and so begins at the signal's end; train one of one direction"
    elif isinstance(layer, nn.Upsample) and layer.align_corners:
        why = "has align_corners=True, which depends on the signal's length; use align_corners=False, or Hold"
    _refuse(layer, name, why)


def _batch_statistics(layer: _BatchNorm) -> str:
    if not layer.training and layer.track_running_stats:
        return ""
    return "takes its statistics from the block in train mode; call eval() first, with running statistics"


def _refuse(layer: nn.Module, name: str, why: str) -> None:
    if why:
        raise ModelError(f"{name} ({type(layer).__name__}) can't stream: it {why}.")
