"""A core as a module that torch.export takes: tensors in, tensors out, states among them, for one block length."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact import Artifact
from neutone_like.compiler.proof import Examples
from neutone_like.errors import CompileError
from neutone_like.formats.complex_pairs import InReals, Pair, has_complex, is_composed
from neutone_like.formats.core import Core, at_one_length, core_of_artifact, in_operations, initial_states
from neutone_like.formats.other_forms import other_form
from neutone_like.formats.sidecar import TensorNames
from neutone_like.graph import SAMPLES, Graph, Node, operation
from neutone_like.graph.running import play_node
from neutone_like.runtime.compiled_core import EXAMPLE_BLOCK

_RECURRENT = ("aten::lstm.input", "aten::gru.input", "aten::rnn_tanh.input", "aten::rnn_relu.input")
_RECURRENT_SAMPLES = 16


class GraphModule(nn.Module):
    """``forward(audio, *parameters, *states)`` gives the sound, and the states after it.

    Args:
        core: For blocks of one length, without numbers that Python counts.
        in_reals: With two real tensors in the place of each complex one, and other forms that converters want.
    """

    def __init__(self, core: Core, *, in_reals: bool = False) -> None:
        super().__init__()
        graph = core.graph
        self._in_reals = in_reals
        self._reals = InReals() if in_reals and has_complex(graph) else None
        if self._reals is not None:
            graph = in_operations(graph, lambda node: not is_composed(node))
            _require_real_states(graph)
        if graph.counters:
            raise CompileError(
                f"{graph.counters[0].name} counts in Python. Keep it in a buffer, as a tensor, and calculate with it"
            )
        self._graph = graph
        self._samples = graph.lengths.shortest
        self._weights = {name: f"weight_{index}" for index, name in enumerate(graph.parameters)}
        for name, value in graph.parameters.items():
            whole = (
                torch.view_as_real(value.resolve_conj()) if self._reals is not None and value.is_complex() else value
            )
            self.register_buffer(self._weights[name], whole.detach().clone())

    def forward(self, *tensors: Tensor) -> list[Tensor]:
        graph = self._graph
        names = [*(each.name for each in graph.inputs), *(each.name for each in graph.states)]
        values: dict[str, Any] = dict(zip(names, tensors, strict=True))
        values.update({name: self._weight(name) for name in self._weights})
        for node in graph.nodes:
            function = self._function(node)
            values[node.name] = play_node(node, values, {SAMPLES: self._samples}, function=function)
        output: Tensor = values[graph.outputs.name]
        kept = [output, *(values[each.result.name] for each in graph.states)]
        return [_own(each, tensors) for each in kept]

    def _function(self, node: Node) -> Callable[..., Any] | None:
        if not self._in_reals:
            return None
        given = operation(node.op) if self._reals is None else self._reals.function(node)
        form = other_form(node)
        if form is None:
            return given

        def play(x: Any, *args: Any, **kwargs: Any) -> Any:
            return (form if isinstance(x, Tensor) else given)(x, *args, **kwargs)

        return play

    def _weight(self, name: str) -> Tensor | Pair:
        value: Tensor = getattr(self, self._weights[name])
        if self._reals is None or not self._graph.parameters[name].is_complex():
            return value
        return Pair(value[..., 0], value[..., 1])


def _require_real_states(graph: Graph) -> None:
    for each in graph.states:
        if each.initial.is_complex():
            raise CompileError(f"the state {each.name} is {each.initial.dtype}. Keep its real and imaginary part apart")


def _own(value: Tensor, given: Sequence[Tensor]) -> Tensor:
    """Engines want results that are not their inputs."""
    return value.clone() if any(value is each for each in given) else value


def graph_module(core: Core, *, in_reals: bool = False) -> GraphModule:
    """The module of a core, for what takes modules; it has been played."""
    module = GraphModule(core, in_reals=in_reals).eval()
    if in_reals:
        module(*example_tensors(core))
    return module


def example_tensors(core: Core) -> list[Tensor]:
    """What the module is called with: noise, parameters, and the states before the first block."""
    captured = core.captured
    inputs = Examples(core.graph, captured.look_behind_samples, captured.parameters).block(core.block_samples or 0)
    return [*inputs, *initial_states(core.graph)]


def exported(core: Core, *, in_reals: bool = False) -> torch.export.ExportedProgram:
    """The core as PyTorch exports it.

    Raises:
        CompileError: PyTorch does not.
    """
    module = graph_module(core, in_reals=in_reals)
    try:
        return torch.export.export(module, tuple(example_tensors(core)), strict=False)
    except Exception as error:  # of many kinds, without a base of their own
        raise CompileError(f"torch.export does not take the model: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """An error of somebody's library in a line."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def one_length_core(artifact: Artifact, wanted_samples: int = EXAMPLE_BLOCK) -> Core:
    """The core in PyTorch's own operations, for blocks of one length.

    Raises:
        CaptureError: It can't be captured.
        CompileError: It is no model that is played in blocks.
    """
    return at_one_length(core_of_artifact(artifact, recurrences=False), wanted_samples)


def short_core(artifact: Artifact) -> Core:
    """The same, with recurrent layers in short blocks, for converters that write them out step by step: a long block
    takes those minutes."""
    core = one_length_core(artifact)
    recurrent = any(node.op in _RECURRENT for node in core.graph.nodes)
    return one_length_core(artifact, _RECURRENT_SAMPLES) if recurrent else core


def numbered_names(core: Core, entering: str, leaving: str) -> TensorNames:
    """Names of inputs and outputs by their number, in the core's order: ``"args_{}"``."""
    knobs, states = len(core.captured.parameters), len(core.graph.states)
    ins = [entering.format(each) for each in range(1 + knobs + states)]
    outs = [leaving.format(each) for each in range(1 + states)]
    return TensorNames(ins[0], outs[0], ins[1 : 1 + knobs], ins[1 + knobs :], outs[1:])
