"""Vocos by streaming layers: what the inverse STFT divides by at the start is overlapped and added beside the sound."""

import torch
from torch import Tensor, nn

from neutone_like.streaming import Conv1d, ConvTranspose1d, Residual, Sequential, StreamingLayer
from support.architectures.vocos import ConvNeXtBlock, ISTFTHead, Vocos
from support.streamed_architectures.frames import EachFrame


class Scale(nn.Module):
    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.factor = nn.Parameter(factor.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class WindowedFrames(nn.Module):
    """Magnitudes and phases to frames of samples, and below them a row of ones: one for each frame."""

    window: Tensor

    def __init__(self, head: ISTFTHead) -> None:
        super().__init__()
        self.fft_samples = head.fft_samples
        self.register_buffer("window", head.window.clone())

    def forward(self, x: Tensor) -> Tensor:
        magnitude, phase = x.chunk(2, dim=1)
        spectrum = torch.polar(torch.exp(magnitude).clamp(max=1e2), phase)
        frames = torch.fft.irfft(spectrum, self.fft_samples, 1) * self.window.unsqueeze(1)
        return torch.cat([frames, torch.ones_like(frames[:, :1])], 1)


class Divided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1] / x[:, 1:].clamp(min=1e-11)


def overlap_add(window: Tensor, hop_samples: int) -> ConvTranspose1d:
    """Samples of a frame to their places in the first channel, the squared window of each frame in the second."""
    size = window.numel()
    layer = ConvTranspose1d(size + 1, 2, size, hop_samples, padding=(size - hop_samples) // 2, bias=False)
    weight = torch.zeros(size + 1, 2, size)
    weight[:size, 0] = torch.eye(size)
    weight[size, 1] = window.square()
    layer.load_state_dict({"weight": weight})
    return layer


def block(ordinary: ConvNeXtBlock) -> StreamingLayer:
    frames = EachFrame(ordinary.norm, ordinary.pwconv1, ordinary.act, ordinary.pwconv2, Scale(ordinary.gamma))
    return Residual(Sequential(Conv1d.from_torch(ordinary.dwconv), frames))


def stream(network: Vocos) -> StreamingLayer:
    head = network.head
    return Sequential(
        Conv1d.from_torch(network.embed),
        EachFrame(network.norm),
        *(block(each) for each in network.convnext if isinstance(each, ConvNeXtBlock)),
        EachFrame(network.final_layer_norm, head.out),
        WindowedFrames(head),
        overlap_add(head.window, head.hop_samples),
        Divided(),
    )
