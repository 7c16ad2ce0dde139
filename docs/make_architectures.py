"""Writes docs/reference/architectures.md: every architecture streamed, measured beside its ordinary form.

Run after changing to_streaming, a streaming layer or an architecture. It takes minutes; times are this machine's.
"""

import statistics
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from neutone_like.streaming import StreamingLayer, block_multiple  # noqa: E402
from support.streamed_architectures import STREAMED, Streamed  # noqa: E402
from support.streamed_architectures.parity import parity_error  # noqa: E402

PAGE = PROJECT / "docs" / "reference" / "architectures.md"
CHUNKINGS = 200
BLOCK_SAMPLES = 512
TIMED_BLOCKS = 90
HEAD = f"""# Architectures that stream

Small networks of the kinds that audio papers publish, written as in those papers: ordinary PyTorch, given a whole
signal at once. Each was made to play in blocks with the same weights, wrapped in a live model, exported and validated.
The code is in `tests/support/architectures` and `tests/support/streamed_architectures`.

- **Way in**: `to_streaming` converts the ordinary network as it is. "Streaming layers" is the network written again
  with the layers of `neutone_like.streaming`, and the weights copied.
- **Delay**: in samples of the output, the same as measured. A causal network has none; symmetric padding looks ahead.
- **Parity**: the largest difference from the ordinary network over {CHUNKINGS} random ways to cut the signal into
  blocks, in parts of its peak.
- **RTF**: processor time to compute over time of sound, in TorchScript, blocks of about {BLOCK_SAMPLES} samples at the
  rate of its kind, one thread, the median; on 2026-11-30, 2 processors with AVX-512 under a load of 6 to 11. PyTorch's
  GRU goes sample by sample on a processor, in blocks or not, and leaves no time for anything else; its LSTM does.

The [how-to](../how-to/streaming-layers.md) tells how to do the same with a network of your own. Written by
`docs/make_architectures.py`.

| architecture | way in | parameters | rate, Hz | delay, samples | parity | RTF |
|---|---|---:|---:|---:|---:|---:|
"""
TAIL = """
The transformer is converted with `attention_window_samples`, the window that it was trained with. Linear attention in
its parallel form compares all times with all others: `to_streaming` refuses it by name, and says which layer to use.
The synthesiser sings whatever it hears, so that its delay can't be measured by validation, and is measured here alone.
"""


def page() -> str:
    """The whole page, measured now."""
    return HEAD + "".join(map(row, STREAMED)) + TAIL


def row(streamed: Streamed) -> str:
    """What was measured of one network."""
    architecture, network = streamed.architecture, streamed.network()
    weights = sum(weight.numel() for weight in architecture.network().parameters())
    parity = parity_error(streamed, network, CHUNKINGS)
    cells = (
        architecture.name,
        streamed.way_in,
        f"{weights:,}",
        f"{architecture.sample_rate:,}",
        f"{network.delay_samples}",
        f"{parity:.1e}",
        f"{real_time_factor(streamed, network):.3f}",
    )
    print(*cells, sep=" | ", flush=True)
    return "| " + " | ".join(cells) + " |\n"


@torch.inference_mode()
def real_time_factor(streamed: Streamed, network: StreamingLayer) -> float:
    """Seconds of one processor for a second of sound, the median block: what else the machine does counts little."""
    multiple = block_multiple(network)
    block = streamed.architecture.example(multiple * max(1, round(BLOCK_SAMPLES / network.ratio / multiple)))
    scripted = torch.jit.script(network)
    times = [_seconds(scripted, block) for _ in range(TIMED_BLOCKS)]
    samples = block.shape[-1] * float(network.ratio)
    return statistics.median(times[TIMED_BLOCKS // 3 :]) / (samples / streamed.architecture.sample_rate)


def _seconds(network: torch.nn.Module, block: Tensor) -> float:
    begin = time.thread_time()
    network(block)
    return time.thread_time() - begin


if __name__ == "__main__":
    torch.set_num_threads(1)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
