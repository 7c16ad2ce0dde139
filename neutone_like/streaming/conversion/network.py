"""The network that a conversion gives, and its proof beside the ordinary one."""

import inspect
import math
import random
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.arguments import is_one_of, require_kind
from neutone_like.errors import CaptureError, ModelError
from neutone_like.graph import (
    Graph,
    GraphPlayer,
    Node,
    State,
    Value,
    capture,
    fold_constants,
    own_copy,
    to_torchscript,
    without_writes,
)
from neutone_like.streaming.block_lengths import require_channels, require_multiple
from neutone_like.streaming.conversion.converting import Converted, convert
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.normalisation import refuse_training_norms
from neutone_like.streaming.trials import difference, noise_for, random_blocks
from neutone_like.torch_settings import plain_settings

TOLERANCE = 1e-5
"""Largest difference from the whole, in parts of its peak."""

_EXAMPLE_SAMPLES = (960, 1024, 7680, 16384)  # multiples of most strides, some longer than most windows
_CHUNKINGS = 6
_FEWEST_BLOCKS = 24
_FAR_SAMPLES = 2**40
"""After so long, eight months at 48 kHz, a stream must still go on."""
LOOK_AHEAD = ("delay", "refuse")


class StreamingNetwork(StreamingLayer):
    """A converted network: ``[batch, channels, samples]`` to ``[batch, channels', samples * ratio]``, in blocks.

    It declares what every :class:`StreamingLayer` does. Its batch is that of the example it was converted with.

    Attributes:
        graph: What it plays, operation by operation.
        batch_size: The batch that it takes.
        in_channels: How many channels it takes.
    """

    def __init__(self, converted: Converted, batch_size: int, in_channels: int) -> None:
        super().__init__()
        self.batch_size, self.in_channels = batch_size, in_channels
        self.ratio = converted.ratio
        self.delay_samples = converted.delay_samples
        self.receptive_field_samples = converted.receptive_field_samples
        self.receptive_field_is_exact = False  # a weight may be 0
        self.block_multiple_samples = converted.block_multiple_samples
        self.padding_value = None
        self.source = "The network that it was converted from"
        self._graph = (converted.graph,)  # a tuple, which TorchScript leaves alone
        self.player = to_torchscript(converted.graph)

    __jit_unused_properties__ = ["graph"]

    @property
    def graph(self) -> Graph:
        return self._graph[0]

    def forward(self, x: Tensor) -> Tensor:
        require_multiple("StreamingNetwork", x.size(2), self.block_multiple_samples)
        require_channels("StreamingNetwork", x, self.in_channels)
        if x.size(0) != self.batch_size:
            raise ModelError(
                f"StreamingNetwork: a batch of {x.size(0)}; it was converted for {self.batch_size}, which its example "
                "had. Convert it with an example of the batch that it is to play."
            )
        return self.player(x)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.player.reset_streaming_state()


@plain_settings()
def to_streaming(
    network: nn.Module,
    example: Tensor | None = None,
    *,
    look_ahead: str = "delay",
    attention_window_samples: int | None = None,
) -> StreamingNetwork:
    """The same network, with the same weights, for blocks: ``streamed[n + delay_samples] == network(x)[n]``.

    The network is captured, every operation is converted, branches of different delay are aligned, and the result is
    played beside the network in random blocks before it is returned. The network stays as it was.

    Args:
        network: Of standard layers, in evaluation mode; it takes and gives one tensor whose last axis is time.
        example: ``[batch, channels, samples]``, a multiple of all strides together; ``None``: noise for the first
            layer's channels.
        look_ahead: What becomes of padding that isn't causal: ``"delay"``, or ``"refuse"``.
        attention_window_samples: How many of its frames attention without a window of its own is to see.

    Raises:
        ModelError: A layer can't stream: its name, the reason, and what to use; or the result is not the network's.
        CaptureError: The network can't be captured.
    """
    if not is_one_of(look_ahead, LOOK_AHEAD):
        raise ModelError(f"look_ahead must be one of {', '.join(map(repr, LOOK_AHEAD))}, got {look_ahead!r}.")
    require_kind(network, nn.Module, ModelError)
    _require_one_input(network, example)
    if example is not None and (not isinstance(example, Tensor) or example.dim() != 3):
        came = list(example.shape) if isinstance(example, Tensor) else type(example).__name__
        raise ModelError(f"example must be a tensor [batch, channels, samples], got {came}.")
    refuse_training_norms(network)
    graph, tried = _captured_with_noise(network) if example is None else (_captured(network, example), example)
    converted = convert(graph, tried, attention_window_samples)
    if look_ahead == "refuse" and converted.delay_samples:
        _refuse_delay(converted)
    _prove(network, graph, tried, converted)
    return StreamingNetwork(converted, tried.shape[0], tried.shape[1])


def _require_one_input(network: nn.Module, example: object) -> None:
    """Raise :class:`ModelError` for a network that is to be called with more than the signal: what to do."""
    try:
        arguments = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError):  # a forward that is not Python's
        return
    named = [each for each in arguments if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    needed = sum(each.default is each.empty for each in named)
    if needed > 1 or (isinstance(example, tuple | list) and len(example) > 1):
        raise ModelError(
            f"{type(network).__name__} takes {', '.join(each.name for each in named)}, and a stream is one tensor. "
            "Wrap it in a module of one input. What goes with the signal's time is more channels of it; a condition "
            'without time is held in a buffer, or given at each time: see "A second input" in the how-to "From '
            "somebody's network to a live artifact\"."
        )


def _captured_with_noise(network: nn.Module) -> tuple[Graph, Tensor]:
    reasons: list[CaptureError] = []
    for samples in _EXAMPLE_SAMPLES:
        noise = noise_for(network, samples)
        for example in (noise, noise[:, :1]) if noise.shape[1] > 1 else (noise,):
            try:
                return _captured(network, example), example
            except CaptureError as reason:
                reasons.append(reason)
    raise CaptureError(f"{reasons[0]} (Noise was tried. Give an example: [batch, channels, samples].)") from reasons[0]


def _refuse_delay(converted: Converted) -> None:
    late: Any = converted.first_late or Node("", "", ())
    where = f" first in {late.layer or late.op} at {late.line}" if late.op else ""
    raise ModelError(
        f"The network looks ahead,{where}, so that its stream is {converted.delay_samples} samples late, and "
        "look_ahead='refuse' was asked for. Pad on the left alone and train it so, or take look_ahead='delay'."
    )


def _captured(network: nn.Module, example: Tensor) -> Graph:
    graph = fold_constants(without_writes(fold_constants(capture(network, example))))
    kept = [each.name for each in (*graph.states, *graph.counters)]
    if kept:
        raise ModelError(
            f"The network keeps state between calls already ({', '.join(kept)}), so it is no network of whole signals. "
            "Export it as it is, or take its streaming mode off before it is converted."
        )
    if not isinstance(graph.outputs, Value):
        raise ModelError(
            f"The network must give one tensor, got {graph.outputs}. Wrap it in a module whose forward returns one: "
            "the one that is heard, or several joined as channels."
        )
    return graph


@torch.no_grad()
def _prove(network: nn.Module, graph: Graph, example: Tensor, converted: Converted) -> None:
    """Play random blocks beside the whole, as the network gives it, and as it would be without rounding.

    Raises:
        ModelError: They differ from both, there is nothing to compare, or the stream would end.
    """
    reach = converted.receptive_field_samples or 0
    late = math.ceil(converted.delay_samples / converted.ratio)
    needed = _FEWEST_BLOCKS * converted.block_multiple_samples + late + reach
    x = torch.cat([example] * -(-needed // example.shape[-1]), -1)
    _require_no_end(converted, x[..., : converted.block_multiple_samples])
    whole = own_copy(network).eval()(x.clone())
    worst = _worst_error(converted, x, whole)
    if worst > TOLERANCE:
        worst = min(worst, _worst_error_without_rounding(converted, x, graph))
    if worst > TOLERANCE:
        raise ModelError(
            f"The streaming network differs from the whole one by {worst:.3g} of its peak, more than {TOLERANCE:g}. "
            "Either it is chaotic (a feedback that amplifies rounding), or the conversion is at fault: please report "
            "it with the network."
        )


def _worst_error_without_rounding(converted: Converted, x: Tensor, graph: Graph) -> float:
    """Beside the whole in float64; infinite where it has tensors of another precision that it makes itself."""
    try:
        whole = GraphPlayer(graph, torch.float64)(x)
    except RuntimeError:
        return math.inf
    return _worst_error(converted, x, whole)


def _require_no_end(converted: Converted, block: Tensor) -> None:
    """Play a block after a very long time: what counts from the start may look for its place in a table that ends."""
    states = tuple(map(_counted_far, converted.graph.states))
    try:
        GraphPlayer(replace(converted.graph, states=states))(block)
    except Exception as error:  # whatever the operation raises
        raise ModelError(
            f"The stream would end: after {_FAR_SAMPLES} samples it fails ({error}). The network looks up a table by "
            "the time since the start (learned positions), or counts to some number. Calculate with that time "
            "instead, or use positions that are relative (rotary ones, streaming.Attention)."
        ) from error


def _counted_far(state: State) -> State:
    """Where it is how many samples have come so far, a whole number: as after a very long time."""
    counts = state.initial.dim() == 0 and not state.initial.is_floating_point()
    return replace(state, initial=state.initial + _FAR_SAMPLES) if counts else state


def _worst_error(converted: Converted, x: Tensor, whole: Tensor) -> float:
    """Over random blocks, in parts of the peak; infinite where it is no number."""
    rng, multiple, delay = random.Random(3), converted.block_multiple_samples, converted.delay_samples
    x = x[..., : x.shape[-1] // multiple * multiple]
    count = min(int(x.shape[-1] * converted.ratio) - delay, whole.shape[-1])
    if converted.equal_samples is not None:
        count = min(count, int(converted.equal_samples * converted.ratio) - delay)
    if count <= 0:
        raise ModelError(
            f"The stream is {delay} samples late, and attention forgets after {converted.equal_samples}: nothing of it "
            "is equal to the whole. Give a longer attention_window_samples."
        )
    worst = 0.0
    for trial in range(_CHUNKINGS):
        player = GraphPlayer(converted.graph)
        blocks = random_blocks(x, multiple, rng, singles=trial == 0)
        streamed = torch.cat([player(block) for block in blocks], -1)[..., delay : delay + count]
        worst = max(worst, difference(streamed, whole[..., :count]))
    return worst
