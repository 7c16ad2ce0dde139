"""The same network in other runtimes, its state handed in and out, one thread."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like.graph import Graph, GraphPlayer

Call = Callable[[], object]

ONNX_RUNTIME = "ONNX Runtime"
LITERT = "LiteRT"
NEEDS = {ONNX_RUNTIME: ("onnx", "onnxruntime", "onnxscript"), LITERT: ("ai_edge_litert", "litert_torch")}
_LONGEST_UNROLLED = 16
"""Samples: LiteRT's converter writes a recurrent layer out sample by sample, and takes minutes for more."""


class PeerError(Exception):
    """A peer can't play a network; says why."""


def missing(peer: str) -> str:
    """How to bring what a peer needs and is not installed; ``""`` where all of it is."""
    absent = [name.replace("_", "-") for name in NEEDS[peer] if find_spec(name) is None]
    if not absent:
        return ""
    is_or_are = "is" if len(absent) == 1 else "are"
    return f"{peer} is left out, since {', '.join(absent)} {is_or_are} not installed: pip install {' '.join(absent)}"


class Explicit(nn.Module):
    """A graph whose states are arguments and results, as other runtimes want it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        player = GraphPlayer(self._graph)
        player.states = {each.name: value for each, value in zip(self._graph.states, states, strict=True)}
        y = player(x)
        return y, *(player.states[each.name] for each in self._graph.states)


def example(graph: Graph, samples: int) -> tuple[Tensor, ...]:
    """Arguments for :class:`Explicit`."""
    return torch.zeros(1, samples), *(state.initial.clone().contiguous() for state in graph.states)


def peer_call(peer: str, graph: Graph, x: np.ndarray[Any, Any], folder: Path) -> Call:
    """What plays the next block.

    Args:
        peer: One of :data:`NEEDS`, installed.
        graph: Of a network without parameters, mono.
        x: ``[1, samples]``, what every block is.
        folder: For the files of its converter.

    Raises:
        PeerError: It does not take this network.
    """
    try:
        with redirect_stdout(sys.stderr):  # converters talk a lot
            call = (_onnx_runtime if peer == ONNX_RUNTIME else _litert)(graph, x, folder)
    except PeerError:
        raise
    except Exception as error:  # converters raise what they like
        raise PeerError(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:120]) from error
    require_same(call, graph, x)
    return call


def require_same(call: Callable[[], Any], graph: Graph, x: np.ndarray[Any, Any]) -> None:
    """Check that the first blocks are those of the network.

    Raises:
        PeerError: They are not.
    """
    player = GraphPlayer(graph)
    for _ in range(3):
        with torch.no_grad():
            wanted = player(torch.from_numpy(x)).numpy()
        given = call()
        got = np.asarray(given if isinstance(given, np.ndarray) else given.numpy())
        difference = float(np.abs(got - wanted).max())
        if not difference <= 1e-4 * max(1.0, float(np.abs(wanted).max())):
            raise PeerError(f"it plays something else: differs by {difference:.2g}")


def _onnx_runtime(graph: Graph, x: np.ndarray[Any, Any], folder: Path) -> Call:
    import onnxruntime  # pyright: ignore[reportMissingImports]

    inputs, path = example(graph, x.shape[1]), folder / "network.onnx"
    names = [f"i{at}" for at in range(len(inputs))]
    results = [f"o{at}" for at in range(len(inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter, of what PyTorch deprecates
        torch.onnx.export(
            Explicit(graph).eval(),
            inputs,
            str(path),
            input_names=names,
            output_names=results,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # Two sets of memory, bound once: what one block leaves is what the next one finds.
    sets = [[onnxruntime.OrtValue.ortvalue_from_numpy(each.numpy()) for each in inputs] for _ in range(2)]
    sound = onnxruntime.OrtValue.ortvalue_from_numpy(x)
    bindings: list[Any] = []
    for given, made in (sets, sets[::-1]):
        binding = session.io_binding()
        for name, value in zip(names, [sound, *given[1:]], strict=True):
            binding.bind_ortvalue_input(name, value)
        for name, value in zip(results, made, strict=True):
            binding.bind_ortvalue_output(name, value)
        bindings.append(binding)
    turn = [0]

    def play() -> Any:
        at = turn[0]
        turn[0] = 1 - at
        session.run_with_iobinding(bindings[at])
        return sets[1 - at][0]

    return play


def _litert(graph: Graph, x: np.ndarray[Any, Any], folder: Path) -> Call:
    recurrent = any(node.op.split("::")[-1].startswith(("lstm", "gru", "rnn")) for node in graph.nodes)
    if recurrent and x.shape[1] > _LONGEST_UNROLLED:
        raise PeerError(f"its converter unrolls recurrent layers; not tried beyond {_LONGEST_UNROLLED} samples")
    import litert_torch  # pyright: ignore[reportMissingImports]
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    path, inputs = folder / "network.tflite", example(graph, x.shape[1])
    litert_torch.convert(Explicit(graph).eval(), inputs).export(str(path))
    interpreter: Any = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    given, made = _indices(interpreter.get_input_details()), _indices(interpreter.get_output_details())
    for index, value in zip(given, inputs, strict=True):
        interpreter.set_tensor(index, value.numpy())
    interpreter.set_tensor(given[0], x)

    def play() -> Any:
        interpreter.invoke()
        for source, target in zip(made[1:], given[1:], strict=True):
            interpreter.set_tensor(target, interpreter.get_tensor(source))
        return interpreter.get_tensor(made[0])

    return play


def _indices(details: Sequence[dict[str, Any]]) -> list[int]:
    """Of tensors, in the order of their arguments: a name ends in ``args_3:0`` or ``output_3``."""

    def number(each: dict[str, Any]) -> int:
        digits = "".join(c if c.isdigit() else " " for c in str(each["name"]).removesuffix(":0")).split()
        return int(digits[-1])

    return [int(each["index"]) for each in sorted(details, key=number)]
