"""A transformer at the rate of frames: patches of samples, causal attention over a window, rotary positions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH_SAMPLES, WINDOW_FRAMES = 16, 24


def rotated(x: Tensor, base: float = 10000.0) -> Tensor:
    """Neighbouring channels of ``[batch, heads, frames, width]`` turned by the frame's position."""
    frames, width = x.shape[-2], x.shape[-1]
    turns = base ** (-torch.arange(0, width, 2, device=x.device) / width)
    angle = torch.arange(frames, device=x.device)[:, None] * turns
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()
    return torch.stack(turned, dim=-1).flatten(-2)


class CausalSelfAttention(nn.Module):
    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, frames, channels = x.shape
        q, k, v = self.qkv(x).view(batch, frames, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        position = torch.arange(frames, device=x.device)
        distance = position[:, None] - position[None, :]
        mask = (distance >= 0) & (distance < self.window)
        y = F.scaled_dot_product_attention(rotated(q), rotated(k), v, attn_mask=mask)
        return self.proj(y.transpose(1, 2).reshape(batch, frames, channels))


class TransformerBlock(nn.Module):
    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = CausalSelfAttention(channels, heads, window)
        self.mlp = nn.Sequential(nn.Linear(channels, 3 * channels), nn.GELU(), nn.Linear(3 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class FrameTransformer(nn.Module):
    def __init__(self, channels: int = 32, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.embed = nn.Conv1d(1, channels, PATCH_SAMPLES, stride=PATCH_SAMPLES)
        self.blocks = nn.ModuleList(TransformerBlock(channels, heads, WINDOW_FRAMES) for _ in range(blocks))
        self.norm = nn.LayerNorm(channels)
        self.head = nn.ConvTranspose1d(channels, 1, PATCH_SAMPLES, stride=PATCH_SAMPLES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x).transpose(1, 2)
        for block in self.blocks:
            y = block(y)
        return self.head(self.norm(y).transpose(1, 2))


def build() -> nn.Module:
    return FrameTransformer()
