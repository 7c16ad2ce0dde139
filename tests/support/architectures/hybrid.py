"""Convolutions with ``padding="same"``, which hear the future, batch normalisation, then an LSTM."""

import torch
from torch import Tensor, nn


class ConvLSTM(nn.Module):
    def __init__(self, channels: int = 12, hidden_size: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, channels, 9, padding="same"),
            nn.BatchNorm1d(channels),
            nn.LeakyReLU(0.2),
            nn.Conv1d(channels, channels, 5, padding="same", dilation=3, groups=4),
            nn.Hardtanh(),
        )
        self.lstm = nn.LSTM(channels, hidden_size, batch_first=True)
        self.out = nn.Conv1d(hidden_size + channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        remembered, _ = self.lstm(features.permute(0, 2, 1))
        return x * 0.5 + self.out(torch.cat([remembered.permute(0, 2, 1), features], dim=1))


def build() -> nn.Module:
    return ConvLSTM()
