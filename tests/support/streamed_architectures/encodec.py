"""The codec by streaming layers. Frames are quantised each by itself; weight norm is folded into the original."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import remove_weight_norm

from neutone_like.streaming import LSTM, Conv1d, ConvTranspose1d, Parallel, Residual, Sequential, StreamingLayer
from support.architectures.encodec import (
    CausalConv1d,
    CausalConvTranspose1d,
    EnCodec,
    EuclideanCodebook,
    ResidualVectorQuantizer,
    ResnetBlock,
    SkippedLSTM,
)


class NearestWords(nn.Module):
    """The sum of the nearest words of all code books, each for what those before left over."""

    words: Tensor

    def __init__(self, ordinary: ResidualVectorQuantizer) -> None:
        super().__init__()
        books = [layer.embed for layer in ordinary.layers if isinstance(layer, EuclideanCodebook)]
        self.register_buffer("words", torch.stack(books))

    def forward(self, x: Tensor) -> Tensor:
        residual = x.transpose(1, 2)
        quantized = torch.zeros_like(residual)
        for book in self.words.unbind(0):
            distance = residual.square().sum(2, keepdim=True) - 2 * residual @ book.t() + book.square().sum(1)
            word = F.embedding(distance.argmin(2), book)
            residual = residual - word
            quantized = quantized + word
        return quantized.transpose(1, 2)


def convolution(layer: CausalConv1d) -> Conv1d:
    return Conv1d.from_torch(remove_weight_norm(layer.conv), left_padding=layer.padding)


def transposed(layer: CausalConvTranspose1d) -> ConvTranspose1d:
    return ConvTranspose1d.from_torch(remove_weight_norm(layer.convtr))


def streamed(layer: nn.Module) -> nn.Module:
    if isinstance(layer, CausalConv1d):
        return convolution(layer)
    if isinstance(layer, CausalConvTranspose1d):
        return transposed(layer)
    if isinstance(layer, ResnetBlock):
        return Parallel(streamed(layer.shortcut), streamed(layer.block))
    if isinstance(layer, SkippedLSTM):
        return Residual(LSTM.from_torch(layer.lstm))
    if isinstance(layer, ResidualVectorQuantizer):
        return NearestWords(layer)
    return Sequential(*map(streamed, layer)) if isinstance(layer, nn.Sequential) else layer


def stream(network: EnCodec) -> StreamingLayer:
    return Sequential(streamed(network.encoder), streamed(network.quantizer), streamed(network.decoder))
