"""The network that a conversion gives, and its proof beside the ordinary one."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.arguments import is_one_of, require_kind
from neutone_like.errors import CaptureError, ModelError
from neutone_like.graph import Graph, Node, Value, capture, fold_constants, own_copy, to_torchscript, without_writes
from neutone_like.numbers import whole_number
from neutone_like.streaming.block_lengths import require_channels, require_multiple
from neutone_like.streaming.conversion.converting import Converted, convert
from neutone_like.streaming.conversion.proof import prove
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.normalisation import refuse_training_norms
from neutone_like.streaming.trials import noise_for
from neutone_like.torch_settings import plain_settings

_EXAMPLE_SAMPLES = (960, 1024, 7680, 16384)  # multiples of most strides, some longer than most windows
_ONE_CHANNEL = (
    " A network of [batch, samples] is put into a module that adds the channel: network(x[:, 0]).unsqueeze(1)."
)
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
        self._require_block(x)
        return self.player(x)

    def _require_block(self, x: Tensor) -> None:
        require_multiple("StreamingNetwork", x.size(2), self.block_multiple_samples)
        require_channels("StreamingNetwork", x, self.in_channels)
        if x.size(0) != self.batch_size:
            raise ModelError(
                f"StreamingNetwork: a batch of {x.size(0)}; it was converted for {self.batch_size}, which its example "
                "had. Convert it with an example of the batch that it is to play."
            )

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.player.reset_streaming_state()

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Weights of a network that was converted from another copy of the same one.

        Raises:
            ModelError: They have other names, such as those of the ordinary network, whose weights are folded here.
        """
        own = self.state_dict()
        others = [name for name in (*state_dict, *own) if (name in state_dict) != (name in own)]
        if strict and others:
            raise ModelError(
                f"These are not the weights of this converted network, whose names are other ones ({others[0]} is in "
                "one of them alone). Load a checkpoint into the ordinary network, and convert that again."
            )
        return super().load_state_dict(state_dict, strict, assign)


class ConditionedNetwork(StreamingNetwork):
    """A converted network with a second input that has no time: knobs, a speaker, an embedding.

    Attributes:
        condition: What is taken where a block comes without one: that of the conversion.
    """

    condition: Tensor

    def __init__(self, converted: Converted, batch_size: int, in_channels: int, condition: Tensor) -> None:
        super().__init__(converted, batch_size, in_channels)
        self.register_buffer("condition", condition.detach().clone())

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        self._require_block(x)
        if not is_scripting():
            _require_condition(condition)
        given = self.condition if condition is None else condition
        if given.shape != self.condition.shape or given.dtype != self.condition.dtype:
            raise ModelError(
                f"ConditionedNetwork: a condition of shape {list(given.shape)} and type {given.dtype}; it was "
                f"converted for one of shape {list(self.condition.shape)} and type {self.condition.dtype}."
            )
        return self.player(x, given)


@plain_settings()
def to_streaming(
    network: nn.Module,
    example: Tensor | None = None,
    *,
    condition: Tensor | None = None,
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
        condition: The network's second argument, where it has one: a tensor without time, such as knobs
            ``[batch, count]``. It then comes with every block, ``streaming(block, condition)``, and holds for what is
            heard of that block in every layer; without it, this one is taken.
        look_ahead: What becomes of padding that isn't causal: ``"delay"``, or ``"refuse"``.
        attention_window_samples: How many of its frames attention without a window of its own is to see.

    Raises:
        ModelError: A layer can't stream: its name, the reason, and what to use; or the result is not the network's.
        CaptureError: The network can't be captured.
    """
    if not is_one_of(look_ahead, LOOK_AHEAD):
        raise ModelError(f"look_ahead must be one of {', '.join(map(repr, LOOK_AHEAD))}, got {look_ahead!r}.")
    require_kind(network, nn.Module, ModelError)
    _require_inputs(network, example, condition)
    if example is not None and (not isinstance(example, Tensor) or example.dim() != 3):
        came = list(example.shape) if isinstance(example, Tensor) else type(example).__name__
        more = _ONE_CHANNEL if isinstance(example, Tensor) and example.dim() == 2 else ""
        raise ModelError(f"example must be a tensor [batch, channels, samples], got {came}.{more}")
    if attention_window_samples is not None:
        attention_window_samples = whole_number(
            attention_window_samples, "attention_window_samples", 1, 1 << 40, error=ModelError
        )
    refuse_training_norms(network)
    conditions = () if condition is None else (condition,)
    if example is None:
        graph, tried = _captured_with_noise(network, conditions)
    else:
        graph, tried = _captured(network, example, conditions), example
    converted = convert(graph, tried, attention_window_samples, conditions)
    if look_ahead == "refuse" and converted.delay_samples:
        _refuse_delay(converted)
    prove(network, graph, tried, converted, conditions)
    sizes = tried.shape[0], tried.shape[1]
    return (
        StreamingNetwork(converted, *sizes) if condition is None else ConditionedNetwork(converted, *sizes, condition)
    )


def _require_condition(condition: object) -> None:
    if condition is not None and not isinstance(condition, Tensor):
        raise ModelError(f"condition must be a tensor, got {type(condition).__name__}. Join several numbers into one.")


def _require_inputs(network: nn.Module, example: object, condition: object) -> None:
    """Raise :class:`ModelError` for a network that is to be called with more than the signal and a condition."""
    _require_condition(condition)
    try:
        arguments = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError):  # a forward that is not Python's
        return
    named = [each for each in arguments if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    needed = sum(each.default is each.empty for each in named)
    given = 1 if condition is None else 2
    if needed > given or (isinstance(example, tuple | list) and len(example) > 1):
        raise ModelError(
            f"{type(network).__name__} takes {', '.join(each.name for each in named)}, and a stream is one tensor, "
            "with one condition at most: to_streaming(network, example, condition=...), for one that has no time. What "
            "goes with the signal's time is more channels of it, in a module of one input, and several "
            'conditions are joined in one: see "A second input" in the how-to "From somebody\'s network to a live '
            'artifact".'
        )


def _captured_with_noise(network: nn.Module, conditions: Sequence[Tensor]) -> tuple[Graph, Tensor]:
    reasons: list[CaptureError] = []
    for samples in _EXAMPLE_SAMPLES:
        noise = noise_for(network, samples)
        for example in (noise, noise[:, :1]) if noise.shape[1] > 1 else (noise,):
            try:
                return _captured(network, example, conditions), example
            except CaptureError as reason:
                reasons.append(reason)
    flat = noise_for(network, _EXAMPLE_SAMPLES[0])[:, 0]
    more = _ONE_CHANNEL if _takes(network, flat, *conditions) else ""
    raise CaptureError(
        f"{reasons[0]} (Noise was tried. Give an example: [batch, channels, samples].{more})"
    ) from reasons[0]


@torch.no_grad()
def _takes(network: nn.Module, *arguments: Tensor) -> bool:
    try:
        own_copy(network).eval()(*arguments)
    except Exception:  # whatever a network raises that does not take them
        return False
    return True


def _refuse_delay(converted: Converted) -> None:
    late: Any = converted.first_late or Node("", "", ())
    where = f" first in {late.layer or late.op} at {late.line}" if late.op else ""
    raise ModelError(
        f"The network looks ahead,{where}, so that its stream is {converted.delay_samples} samples late, and "
        "look_ahead='refuse' was asked for. Pad on the left alone and train it so, or take look_ahead='delay'."
    )


def _captured(network: nn.Module, example: Tensor, conditions: Sequence[Tensor]) -> Graph:
    if any(each.dim() and each.shape[-1] == example.shape[-1] > 1 for each in conditions):
        raise ModelError(
            f"The condition has the example's length ({example.shape[-1]}) as its last dimension, as if it had time. "
            "Give an example of another length; what does go with the signal's time is more channels of it."
        )
    graph = fold_constants(without_writes(fold_constants(capture(network, (example, *conditions)))))
    kept = [each.name for each in (*graph.states, *graph.counters)]
    if kept:
        raise ModelError(
            f"The network keeps state between calls already ({', '.join(kept)}), so it is no network of whole signals. "
            "Export it as it is, or take its streaming mode off before it is converted."
        )
    if not isinstance(graph.outputs, Value):
        raise ModelError(
            f"The network must give one tensor, got {_form(graph.outputs)}. Wrap it in a module whose forward returns "
            f"one: the one that is heard, such as network(x){_place(graph.outputs)}, or several joined as channels."
        )
    return graph


def _form(outputs: Any) -> str:
    """What a network returns, in words."""
    if isinstance(outputs, dict):
        return f"a dictionary of {', '.join(map(repr, outputs))}"
    return f"a {type(outputs).__name__} of {len(outputs)}" if isinstance(outputs, (list, tuple)) else repr(outputs)


def _place(outputs: Any) -> str:
    """How its first tensor is reached."""
    if isinstance(outputs, dict) and outputs:
        key = next(iter(outputs))
        return f"[{key!r}]{_place(outputs[key])}"
    return f"[0]{_place(outputs[0])}" if isinstance(outputs, (list, tuple)) and outputs else ""
