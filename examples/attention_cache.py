"""Attention with and without a cache of keys and values: the same sound, and what a block costs for each.

    python examples/attention_cache.py                        # a table, in a minute

What it shows:

- **One network, two ways to play it.** A small transformer over patches of 16 samples, in which each sees a window of
  patches before it. *Without a cache* the model asks for the past that it needs (``look_behind_samples``) and computes
  all of it again for each block. *With one*, ``to_streaming`` keeps the keys and values of each layer.
- **What a block costs.** Without a cache as much as the history is long, since every layer is computed for all of it.
  With one, only the new patches are, and what grows is their attention to the keys that are kept.
- **That both are equal**, once the history is full. Before, the one sees silence where the other sees nothing.

The weights are random: neither time nor equality depends on what they are.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase, load_artifact
from neutone_like.artifact import Artifact, write_artifact
from neutone_like.optimise import PlayedCost
from neutone_like.optimise.played_cost import played_costs
from neutone_like.runtime.compiling import compile_artifact
from neutone_like.streaming import to_streaming

SAMPLE_RATE = 48000
PATCH_SAMPLES = 16
CHANNELS, HEADS, LAYERS = 32, 4, 2
BLOCK_SAMPLES = 64
WINDOWS = (16, 64, 256)  # patches that each sees, itself included


class Layer(nn.Module):
    """Attention to the patches of a window that ends with one's own, and two products."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.first_norm, self.second_norm = nn.LayerNorm(CHANNELS), nn.LayerNorm(CHANNELS)
        self.projected, self.joined = nn.Linear(CHANNELS, 3 * CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.wide, self.narrow = nn.Linear(CHANNELS, 2 * CHANNELS), nn.Linear(2 * CHANNELS, CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        batch, patches, channels = x.shape
        heads = self.projected(self.first_norm(x)).view(batch, patches, 3, HEADS, channels // HEADS)
        queries, keys, values = heads.permute(2, 0, 3, 1, 4)
        place = torch.arange(patches)
        distance = place[:, None] - place[None, :]
        seen = (distance >= 0) & (distance < self.window)
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        x = x + self.joined(attended.transpose(1, 2).reshape(batch, patches, channels))
        return x + self.narrow(F.gelu(self.wide(self.second_norm(x))))


class Transformer(nn.Module):
    """``[batch, 1, samples]`` to the same, a whole number of patches."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.embedded = nn.Conv1d(1, CHANNELS, PATCH_SAMPLES, PATCH_SAMPLES)
        self.layers = nn.Sequential(*(Layer(window) for _ in range(LAYERS)))
        self.played = nn.ConvTranspose1d(CHANNELS, 1, PATCH_SAMPLES, PATCH_SAMPLES)

    def forward(self, x: Tensor) -> Tensor:
        return self.played(self.layers(self.embedded(x).transpose(1, 2)).transpose(1, 2))


class Cached(WaveformToWaveformBase):
    """A block costs its own patches, and their attention to what is kept."""

    metadata = ModelMetadata(name="With a cache", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)
    block_sizes = (BLOCK_SAMPLES,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, N]`` to ``[1, N]``."""
        return self.model(x.unsqueeze(0))[0]


class Recomputing(WaveformToWaveformBase):
    """A block costs the whole history."""

    metadata = ModelMetadata(name="Without a cache", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)
    block_sizes = (BLOCK_SAMPLES,)

    def __init__(self, network: nn.Module, history_samples: int) -> None:
        self.look_behind_samples = history_samples
        super().__init__(network)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, history + N]`` to ``[1, N]``."""
        return self.model(x.unsqueeze(0))[0, :, self.look_behind_samples :]


def history_samples(window: int) -> int:
    """How far one output sample hears: a window less one's own patch, for each layer."""
    return LAYERS * (window - 1) * PATCH_SAMPLES


def build_pair(window: int, seed: int = 0) -> tuple[Cached, Recomputing]:
    """The same network with and without a cache."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Transformer(window).requires_grad_(False).eval()
        example = torch.randn(1, 1, 2 * history_samples(window) + BLOCK_SAMPLES)
    return Cached(to_streaming(network, example)), Recomputing(network, history_samples(window))


def compiled(model: WaveformToWaveformBase, folder: Path) -> Artifact:
    """An artifact that plays compiled."""
    written = write_artifact(model, folder, render_samples=False)
    artifact = load_artifact(written.model_path)
    compile_artifact(artifact, model=model).write(written.model_path.with_name("model.nlc"))
    return artifact


def costs(window: int, rounds: int = 100) -> tuple[PlayedCost, PlayedCost]:
    """With and without, played by turns in the engine."""
    with TemporaryDirectory(prefix="attention_") as folder:
        pair = [compiled(each, Path(folder) / str(at)) for at, each in enumerate(build_pair(window))]
        with_cache, without = played_costs(pair, SAMPLE_RATE, (BLOCK_SAMPLES,), rounds=rounds)
    return with_cache, without


def row(window: int, rounds: int = 100) -> dict[str, Any]:
    """What a block of :data:`BLOCK_SAMPLES` costs with this window."""
    with_cache, without = costs(window, rounds)
    budget_us = 1e6 * BLOCK_SAMPLES / SAMPLE_RATE
    return {
        "history_ms": 1000.0 * history_samples(window) / SAMPLE_RATE,
        "kept_kb": LAYERS * 2 * (window - 1) * CHANNELS * 4 / 1000.0,
        "with_us": with_cache.block_us[BLOCK_SAMPLES],
        "without_us": without.block_us[BLOCK_SAMPLES],
        "with_load": with_cache.block_us[BLOCK_SAMPLES] / budget_us,
        "without_load": without.block_us[BLOCK_SAMPLES] / budget_us,
    }


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """A line for each window."""
    lines = [
        "| History, ms | Kept, kB | With a cache, us | Without, us | Share of time, with | Without |",
        "|---|---|---|---|---|---|",
    ]
    for each in rows:
        lines.append(
            f"| {each['history_ms']:.1f} | {each['kept_kb']:.0f} | {each['with_us']:.0f} | {each['without_us']:.0f} | "
            f"{each['with_load']:.1%} | {each['without_load']:.0%} |"
        )
    return "\n".join(lines)


def main(
    windows: Annotated[list[int] | None, typer.Argument(min=2, help="Patches that each sees.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each block is played.")] = 100,
) -> None:
    """Time blocks of both, and print a table."""
    torch.set_num_threads(1)
    print(as_markdown([row(window, rounds) for window in windows or WINDOWS]))


if __name__ == "__main__":
    typer.run(main)
