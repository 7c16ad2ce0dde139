"""A captured network, operation by operation, becomes a graph that streams."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, lcm
from operator import getitem
from typing import Any

import torch
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.graph import Graph, Lengths, Node, Value, drop_unused, map_values, operation
from neutone_like.streaming.conversion import rearranging
from neutone_like.streaming.conversion.alignment import delayed, gated, without_held
from neutone_like.streaming.conversion.attention_rule import pairs_of, written_out
from neutone_like.streaming.conversion.calling import Call
from neutone_like.streaming.conversion.measuring import measure
from neutone_like.streaming.conversion.refusing import refuse, refuse_random
from neutone_like.streaming.conversion.rowwise import conditions_in, put, refuse_whole, streams_in
from neutone_like.streaming.conversion.rules import rule_of, takes_held
from neutone_like.streaming.conversion.stream import Held, Known, Pairs, Square, Stream, Streams
from neutone_like.streaming.conversion.writer import Writer


@dataclass(frozen=True)
class Converted:
    """A graph that streams, and what it declares.

    Attributes:
        first_late: The operation from which on the stream is later than a causal network; ``None``: it isn't.
        equal_samples: For how many input samples it equals the whole; ``None``: for all. Attention forgets.
    """

    graph: Graph
    ratio: Fraction
    delay_samples: int
    receptive_field_samples: int | None
    block_multiple_samples: int
    first_late: Node | None
    equal_samples: int | None


def convert(graph: Graph, example: Tensor, window_samples: int | None, conditions: Sequence[Tensor] = ()) -> Converted:
    """The streaming graph of a whole one that keeps no state and writes into no tensor.

    Args:
        graph: Of the signal, and of conditions that have no time.
        example: The signal that it was captured with.
        window_samples: How far attention sees; ``None``: as its mask says.
        conditions: What they were when it was captured.

    Raises:
        ModelError: An operation can't stream; its layer is named.
    """
    writer = Writer(graph, measure(graph, example, conditions), example.shape[-1], window_samples)
    signal = graph.inputs[0].name
    empty = example[..., :0]
    values: dict[str, Held] = {
        signal: Stream(Value(signal), example.dim() - 1, Fraction(1), 0, None, empty, lambda k: (k, k), 0.0)
    }
    values.update({name: Known(tensor, name) for name, tensor in graph.parameters.items()})
    given = zip(graph.inputs[1:], conditions, strict=True)
    values.update({each.name: Known(tensor, each.name, Value(each.name)) for each, tensor in given})
    first_late: Node | None = None
    for node in graph.nodes:
        values[node.name] = _converted(writer, node, values)
        if first_late is None and _delay(values[node.name]) > 0:
            first_late = node
    return _finished(writer, graph, values, first_late)


def _converted(writer: Writer, node: Node, values: dict[str, Held]) -> Held:
    def held(argument: Any) -> Any:
        return values[argument.name] if isinstance(argument, Value) else argument

    args, kwargs = map_values(node.args, held), map_values(dict(node.kwargs), held)
    if node.op == "getitem":
        return _taken_out(writer, node, args)
    writer.node = node
    measured = writer.measured[node.name]
    axes = tuple(next(iter(each.rates), None) for each in measured)
    call = Call(node, args, kwargs, axes)
    streams = streams_in([args, kwargs])
    if any(each.held for each in streams) and not takes_held(call):
        late = [without_held(writer, each) for each in streams]
        call = replace(call, args=put(args, streams, late), kwargs=put(kwargs, streams, late))
        args, streams = call.args, late
    if any(len(each.rates) > 1 for each in measured):
        return _square(writer, call)
    if any(isinstance(each, Pairs) for each in args):
        return written_out(writer, call)
    if streams:
        if all(axis is None for axis in axes):
            if node.op.startswith("aten::new_"):  # takes the type of a signal, and nothing of its values
                return _without_signal(writer, call)
            refuse_whole(call)
        return rule_of(call)(writer, call)
    return _without_signal(writer, call)


def _taken_out(writer: Writer, node: Node, args: tuple[Any, ...]) -> Held:
    several, index = args
    if isinstance(several, Known):
        own = None if several.value is None else writer.call("getitem", several.value, index)
        return Known(writer.measured[node.name][0].example, node.name, own)
    if not isinstance(several, Streams):
        return getitem(several, index)
    taken = several.each[index]
    if taken is None:
        refuse(
            node, "gives the state at the signal's end, or something that joins all of time", "Use its sequence alone"
        )
    return taken if several.value is None else replace(taken, value=writer.call("getitem", several.value, index))


def _square(writer: Writer, call: Call) -> Held:
    """What has two time axes: a mask, or a signal against itself."""
    held = [each for each in call.args if isinstance(each, Pairs | Stream)]
    if any(isinstance(each, Pairs) or each.reach(0) is not None for each in held):
        return pairs_of(writer, call)
    return Square(writer.measured[call.node.name][0].example)


def _without_signal(writer: Writer, call: Call) -> Held:
    measured = writer.measured[call.node.name]
    if len(measured) == 1 and measured[0].rates:
        rule = rule_of(call)
        return (rule if rule is rearranging.counting else rearranging.source)(writer, call)
    if torch.Tag.nondeterministic_seeded in operation(call.node.op).tags and not _in_evaluation(call):
        refuse_random(call.node)
    if any(each.depends_on_length for each in measured):
        refuse(call.node, "depends on the signal's length", "A stream has none: count from its start (torch.arange)")
    given = conditions_in([call.args, call.kwargs])
    own = writer.call(call.node.op, *call.args, **call.kwargs) if given else None
    return Known(measured[0].example, call.node.name, own)


def _in_evaluation(call: Call) -> bool:
    """Whether it is dropout, or its kin, that does nothing."""
    given = call.given
    return not given.get("train", given.get("training", True))


def _delay(held: Held) -> int:
    if isinstance(held, Streams):
        return max((each.delay for each in held.each if each is not None), default=0)
    return held.delay if isinstance(held, Stream) else 0


def _finished(writer: Writer, graph: Graph, values: dict[str, Held], first_late: Node | None) -> Converted:
    y = values[graph.outputs.name]
    if not isinstance(y, Stream):
        raise ModelError("The network's output has no time axis of its own, so there is nothing to stream.")
    if y.from_right != -1:
        raise ModelError(
            f"The network's output has time on axis {y.axis} of {y.like.dim()}; expected the last. Transpose it there."
        )
    y = gated(writer, y, 0)
    delay = max(y.delay, 0)
    if y.delay < 0:
        y = delayed(writer, y, -y.delay)
    writer.node = Node("", "", ())
    multiple = lcm(*(each.rate.denominator for each in values.values() if isinstance(each, Stream)))
    outputs = range(max(1, int(multiple * y.rate)))
    intervals = [interval for interval in map(y.reach, range(outputs.stop)) if interval is not None]
    reaches = [high - low + 1 for low, high in intervals]
    field = None if not reaches or max(reaches) == inf else int(max(reaches))
    streaming = Graph(
        inputs=graph.inputs,
        fixed=graph.fixed,
        arguments=graph.arguments,
        states=tuple(writer.states),
        counters=(),
        parameters=writer.constants,
        nodes=tuple(writer.nodes),
        outputs=y.value,
        lengths=Lengths(multiple, multiple),
    )
    equal = min((int(each) for each in writer.limits), default=None)
    return Converted(drop_unused(streaming), y.rate, delay, field, multiple, first_late, equal)
