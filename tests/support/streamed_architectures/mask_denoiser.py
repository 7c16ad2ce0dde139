"""The denoiser by streaming layers: spectra of blocks as they come, a GRU that remembers, overlap-add."""

import torch
from torch import Tensor

from neutone_like.streaming import GRU, STFT, InverseSTFT, Sequential, StreamingLayer
from support.architectures.mask_denoiser import FFT_SAMPLES, HOP_SAMPLES, MaskDenoiser
from support.streamed_architectures.frames import EachFrame


class Masked(StreamingLayer):
    """Spectra, real parts above imaginary ones, times the mask."""

    def __init__(self, network: MaskDenoiser) -> None:
        super().__init__()
        self.gru = GRU.from_torch(network.gru)
        self.mask = EachFrame(network.mask)
        self.receptive_field_samples = None
        self.source = "A mask for spectra from a recurrent network; Weninger et al. (2015)"

    def forward(self, x: Tensor) -> Tensor:
        real, imaginary = x.chunk(2, dim=1)
        mask = self.mask(self.gru(torch.log1p(torch.hypot(real, imaginary))))
        return torch.cat([real * mask, imaginary * mask], 1)


def stream(network: MaskDenoiser) -> StreamingLayer:
    sizes = FFT_SAMPLES, HOP_SAMPLES
    return Sequential(STFT(*sizes, network.window), Masked(network), InverseSTFT(*sizes, network.window))
