"""Networks as ONNX files, played by ONNX Runtime beside PyTorch in float64."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from neutone_like.compiler.facts import block_lengths, example_blocks
from neutone_like.formats.core import in_operations, initial_states, state_names
from neutone_like.formats.onnx import RULES, names_for, write_onnx
from neutone_like.graph import Graph, GraphPlayer, fold_constants, functional
from support.compiled_networks import Differences, largest


class OnnxNetwork:
    """A graph as a file, in ONNX Runtime."""

    def __init__(self, graph: Graph) -> None:
        blocks = [example_blocks(graph, samples) for samples in block_lengths(graph)]
        simple = in_operations(fold_constants(functional(fold_constants(graph), blocks)), lambda node: node.op in RULES)
        self.names = names_for([each.name for each in simple.inputs[1:]], state_names(simple))
        self.data = write_onnx(simple, self.names)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(self.data, options, providers=["CPUExecutionProvider"])
        self._states = [each.numpy() for each in initial_states(simple)]

    def __call__(self, *inputs: Tensor) -> Tensor:
        names = ["audio", *self.names.parameters, *self.names.states_in]
        feeds = dict(zip(names, [*(each.contiguous().numpy() for each in inputs), *self._states], strict=True))
        output, *self._states = self._session.run(["audio_out", *self.names.states_out], feeds)
        return torch.from_numpy(np.asarray(output))


def play_onnx_beside(graph: Graph, blocks: Sequence[Tensor]) -> Differences:
    """Play blocks through a graph and its ONNX file."""
    network, exact, eager = OnnxNetwork(graph), GraphPlayer(graph, torch.float64), GraphPlayer(graph)
    found = Differences()
    for block in blocks:
        with torch.no_grad():
            wanted, rounded = exact(block.double()), eager(block.clone())
        got = network(block)
        assert got.shape == wanted.shape
        found.compiled = max(found.compiled, largest(got - wanted))
        found.eager = max(found.eager, largest(rounded - wanted))
        found.peak = max(found.peak, largest(wanted))
    return found
