"""A whole graph as an ONNX model: inputs, states in and out, operations, weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.facts import Shape, shapes_of
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.onnx.context import ONNX_TYPES, Body, Context, OnnxNode, Written
from neutone_like.formats.onnx.stored_weights import stored_weights
from neutone_like.graph import SAMPLES, Graph, Value
from neutone_like.version import __version__

OPSET = 20
"""Of operations, from 2023: ONNX Runtime 1.17 and everything since knows it."""

IR_VERSION = 9
"""Of the file, which that opset came with; the newest one is refused by runtimes that are a few months old."""

AUDIO, AUDIO_OUT = "audio", "audio_out"


@dataclass(frozen=True)
class OnnxNames:
    """What inputs and outputs of a file are called, in the graph's order."""

    parameters: tuple[str, ...]
    states_in: tuple[str, ...]
    states_out: tuple[str, ...]


def names_for(parameters: Sequence[str], states: Sequence[str]) -> OnnxNames:
    """Names that can't be taken for each other."""
    unique: list[str] = []
    for each in states:
        name = each.replace(".", "_")
        while name in unique:
            name += "_"
        unique.append(name)
    return OnnxNames(
        tuple(f"parameter_{each}" for each in parameters),
        tuple(f"state_{each}" for each in unique),
        tuple(f"next_state_{each}" for each in unique),
    )


def write_onnx(graph: Graph, names: OnnxNames) -> bytes:
    """The file.

    Args:
        graph: Of operations that have rules, without operations that write.
        names: Of its inputs and outputs; states are those of tensors and then those that Python counts.

    Raises:
        CompileError: Something in it has no form in ONNX; with the operation and its line.
        MissingExtraError: The package ``onnx`` is not installed.
    """
    onnx = import_extra("onnx", extra="onnx", purpose="Writing ONNX files")
    context = Context(shapes_of(graph))
    inputs = _begin(context, graph, names)
    for node in graph.nodes:
        context.write(node)
    if not isinstance(graph.outputs, Value):
        raise CompileError("a network that returns several tensors; return one")
    found = context.resolve(graph.outputs)
    results = [(AUDIO_OUT, found), *zip(names.states_out, _results(context, graph), strict=True)]
    outputs = [Written(name, value.dtype, value.dims) for name, value in results]
    context.nodes += [
        OnnxNode("Identity", (value.name,), (name,)) for name, value in results
    ]  # an input or a weight may be a result, and one result two
    nodes = _needed(context.nodes, {each.name for each in outputs})
    held, first = stored_weights(_used(context, nodes))
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(
            [_node(onnx, each) for each in [*first, *nodes]],
            "model",
            [_info(onnx, each) for each in inputs],
            [_info(onnx, each) for each in outputs],
            [onnx.numpy_helper.from_array(value, name) for name, value in held.items()],
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="neutone_like",
        producer_version=__version__,
    )
    try:
        onnx.checker.check_model(proto)
        data: bytes = proto.SerializeToString()
    except Exception as error:  # of ONNX, and of protobuf above 2 GB
        raise CompileError(f"the file is not one by ONNX's own rules: {error}") from error
    return data


def _begin(context: Context, graph: Graph, names: OnnxNames) -> list[Written]:
    """The file's inputs."""
    for name, value in graph.parameters.items():
        context.values[name] = _weight(context, value)
    audio, *parameters = graph.inputs
    context.audio = _input(context, audio.name, AUDIO)
    inputs = [context.audio]
    inputs += [_input(context, each.name, name) for each, name in zip(parameters, names.parameters, strict=True)]
    counted = len(graph.states)
    for state, name in zip(graph.states, names.states_in[:counted], strict=True):
        dims = tuple(map(Extent.of, state.initial.shape))
        if state.initial.dtype not in ONNX_TYPES:
            raise CompileError(
                f"state {state.name} is {state.initial.dtype}. Keep its real and imaginary parts, each as a buffer"
            )
        context.values[state.name] = Written(name, state.initial.dtype, dims)
        inputs.append(context.values[state.name])
    for counter, name in zip(graph.counters, names.states_in[counted:], strict=True):
        context.counters[counter.name] = Written(name, torch.int64, ())
        inputs.append(context.counters[counter.name])
    return inputs


def _weight(context: Context, value: Tensor) -> Written:
    if not value.is_complex():
        return context.constant(value, "weight")
    parts = context.constant(torch.view_as_real(value.resolve_conj()).contiguous(), "weight")
    return Written(parts.name, value.dtype, tuple(map(Extent.of, value.shape)))


def _input(context: Context, name: str, written: str) -> Written:
    shape: Shape = context.shapes[name]
    context.values[name] = Written(written, shape.dtype, shape.dims)
    return context.values[name]


def _results(context: Context, graph: Graph) -> list[Written]:
    """What the states are after the block."""
    found = [context.cast(context.resolve(state.result), state.initial.dtype) for state in graph.states]
    found = [
        Written(each.name, each.dtype, tuple(map(Extent.of, state.initial.shape)))
        for each, state in zip(found, graph.states, strict=True)
    ]
    return [*found, *(context.integer(counter.result) for counter in graph.counters)]


def _needed(nodes: Sequence[OnnxNode], wanted: set[str]) -> list[OnnxNode]:
    """Without operations whose results nobody reads."""
    kept: list[OnnxNode] = []
    for node in reversed(nodes):
        if wanted.isdisjoint(node.outputs):
            continue
        kept.append(node)
        wanted |= set(_read(node))
    return kept[::-1]


def _read(node: OnnxNode) -> list[str]:
    inner = [
        name
        for value in node.attributes.values()
        if isinstance(value, Body)
        for each in value.nodes
        for name in each.inputs
    ]
    return [*node.inputs, *inner]


def _used(context: Context, nodes: Sequence[OnnxNode]) -> Mapping[str, Tensor]:
    read = {name for node in nodes for name in _read(node)}
    return {name: value for name, value in context.initializers.items() if name in read}


def _node(onnx: Any, node: OnnxNode) -> Any:
    given = {key: _body(onnx, value) if isinstance(value, Body) else value for key, value in node.attributes.items()}
    return onnx.helper.make_node(node.op, list(node.inputs), list(node.outputs), name=node.outputs[0], **given)


def _body(onnx: Any, body: Body) -> Any:
    def info(name: str, dtype: torch.dtype) -> Any:
        return onnx.helper.make_tensor_value_info(name, ONNX_TYPES[dtype], None)

    nodes = [_node(onnx, each) for each in body.nodes]
    return onnx.helper.make_graph(
        nodes, "body", [info(*each) for each in body.inputs], [info(*each) for each in body.outputs]
    )


def _info(onnx: Any, value: Written) -> Any:
    sizes = [each.constant if each.constant is not None else _symbol(each) for each in value.dims]
    return onnx.helper.make_tensor_value_info(value.name, ONNX_TYPES[value.dtype], sizes)


def _symbol(size: Extent) -> str:
    return SAMPLES if str(size) == "n" else str(size).replace("n", f"*{SAMPLES}" if size.factor != 1 else SAMPLES)
