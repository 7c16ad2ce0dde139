"""Like the causal Demucs: strided encoder with GLU, LSTM in the middle, transposed decoder, skips concatenated."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Demucs(nn.Module):
    def __init__(self, channels: int = 8, depth: int = 3, kernel_size: int = 8, stride: int = 4) -> None:
        super().__init__()
        self.overlap = kernel_size - stride
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        given = 1
        for level in range(depth):
            wide = channels * 2**level
            down = nn.Conv1d(given, wide, kernel_size, stride)
            self.encoder.append(nn.Sequential(down, nn.ReLU(), nn.Conv1d(wide, 2 * wide, 1), nn.GLU(dim=1)))
            up: list[nn.Module] = [nn.Conv1d(2 * wide, 2 * wide, 1), nn.GLU(dim=1)]
            up += [nn.ConvTranspose1d(wide, given, kernel_size, stride)]
            self.decoder.insert(0, nn.Sequential(*up, nn.ReLU()) if level > 0 else nn.Sequential(*up))
            given = wide
        self.lstm = nn.LSTM(given, given, num_layers=2)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for encode in self.encoder:
            x = encode(F.pad(x, (self.overlap, 0)))
            skips.append(x)
        x = self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)
        for decode in self.decoder:
            x = decode(torch.cat([x, skips.pop()], dim=1))
            x = x[..., : x.shape[-1] - self.overlap]
        return x


def build() -> nn.Module:
    return Demucs()
