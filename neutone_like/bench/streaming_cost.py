"""What a block costs a network that keeps state, beside the same network that hears its past again for each block."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from rich.table import Table
from torch import Tensor, nn

from neutone_like.bench.streaming_networks import Codec, DilatedNetwork, UNet
from neutone_like.graph import capture, to_torchscript
from neutone_like.streaming import Attention, block_multiple, to_streaming

SAMPLE_RATE = 48000
ROUNDS = 200
ATTENTION_FRAMES_PER_SECOND = 75
_UNBOUNDED_PAST_SECONDS = 0.5  # of a network with an LSTM, as look-behind wrappers give it

Call = Callable[[], object]


@dataclass(frozen=True)
class StreamingCost:
    """Seconds a call, two ways by turns. No outlier is dropped."""

    name: str
    block_samples: int
    past_samples: int
    streaming: tuple[float, ...]
    again: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times cheaper the streaming network is: median over the rounds."""
        return statistics.median(b / a for a, b in zip(self.streaming, self.again, strict=True))


def networks() -> list[tuple[str, nn.Module, int]]:
    """Those of :mod:`neutone_like.bench.streaming_networks`, with the blocks that they play."""
    torch.manual_seed(0)
    return [
        ("TCN, 10 layers", DilatedNetwork(), 64),
        ("U-Net with LSTM", UNet(), 512),
        ("codec with LSTMs, stride 320", Codec(), 640),
    ]


def measure_cost(name: str, network: nn.Module, block_samples: int, rounds: int = ROUNDS) -> StreamingCost:
    """A network of whole signals both ways, as TorchScript."""
    network = network.eval()
    streaming = to_streaming(network)
    multiple = block_multiple(streaming)
    reach = streaming.receptive_field_samples or int(_UNBOUNDED_PAST_SECONDS * SAMPLE_RATE)
    block = -(-block_samples // multiple) * multiple
    past = -(-reach // multiple) * multiple
    ordinary = to_torchscript(capture(network, torch.randn(1, 1, block + past)))
    scripted = torch.jit.script(streaming)
    new, whole = torch.randn(1, 1, block), torch.randn(1, 1, block + past)
    a, b = by_turns([lambda: scripted(new), lambda: ordinary(whole)], rounds)
    return StreamingCost(name, block, past, a, b)


def by_turns(
    calls: Sequence[Call], rounds: int, before: Callable[[Call], object] | None = None
) -> list[tuple[float, ...]]:
    """Seconds of each call, one after another in every round, so that what disturbs a round disturbs all.

    Args:
        calls: What is timed.
        rounds: How often.
        before: Is called, untimed, with each before it.
    """
    times: list[list[float]] = [[] for _ in calls]
    with torch.inference_mode():
        for number in range(rounds + 5):
            for call, own in zip(calls, times, strict=True):
                if before is not None:
                    before(call)
                start = time.perf_counter()
                call()
                if number >= 5:
                    own.append(time.perf_counter() - start)
    return [tuple(each) for each in times]


def measure_attention(histories_seconds: Sequence[float], rounds: int = ROUNDS) -> list[tuple[float, ...]]:
    """Seconds for a frame of attention over the last two, after so much history."""
    layers = [_warm_attention(int(seconds * ATTENTION_FRAMES_PER_SECOND)) for seconds in histories_seconds]
    frame = torch.randn(1, 64, 1)
    return by_turns([lambda layer=layer: layer(frame) for layer in layers], rounds)


def _warm_attention(frames: int) -> Callable[[Tensor], Tensor]:
    torch.manual_seed(0)
    layer = torch.jit.script(Attention(64, 4, 2 * ATTENTION_FRAMES_PER_SECOND, "rotary").eval())
    with torch.inference_mode():
        for start in range(0, frames, 64):
            layer(torch.randn(1, 64, min(64, frames - start)))
    return layer


def streaming_tables(rounds: int = ROUNDS) -> list[Table]:
    """Both measurements, for all networks."""
    costs = [measure_cost(name, network, block, rounds) for name, network, block in networks()]
    return [cost_table(costs), attention_table((1.0, 10.0, 60.0), rounds)]


def _microseconds(times: Sequence[float]) -> list[str]:
    ordered = sorted(times)
    ranks = [ordered[min(len(ordered) - 1, int(part * len(ordered)))] for part in (0.0, 0.5, 0.99, 0.999, 1.0)]
    return [f"{1e6 * each:.0f}" for each in ranks]


def cost_table(costs: Sequence[StreamingCost]) -> Table:
    table = Table(title="A block of a streaming network, and of one that hears its past again (us)")
    for column in ("network", "block", "past", "way", "min", "median", "p99", "p99.9", "max", "times cheaper"):
        table.add_column(column, justify="left" if column in ("network", "way") else "right")
    for cost in costs:
        sizes = (cost.name, str(cost.block_samples), str(cost.past_samples))
        table.add_row(*sizes, "streaming", *_microseconds(cost.streaming), f"{cost.ratio:.1f}")
        table.add_row("", "", "", "its past again", *_microseconds(cost.again), "")
    return table


def attention_table(histories_seconds: Sequence[float], rounds: int = ROUNDS) -> Table:
    table = Table(title="One frame of attention with a window of 2 s, after so much history (us)")
    for column in ("history", "min", "median", "p99", "p99.9", "max"):
        table.add_column(column, justify="right")
    for seconds, times in zip(histories_seconds, measure_attention(histories_seconds, rounds), strict=True):
        table.add_row(f"{seconds:.0f} s", *_microseconds(times))
    return table
