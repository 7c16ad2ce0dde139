"""Linear recurrences as single operations in a program of TorchScript, which has them written out."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph.whole_recurrences import define_linear_scan, whole_linear_scan
from neutone_like.streaming.recursive import unvarying, whole_unvarying
from neutone_like.streaming.scan import linear_scan
from neutone_like.torchscript_warnings import expecting_torchscript

_WHOLE: dict[Callable[..., Any], Callable[..., Tensor | tuple[Tensor, Tensor]]] = {
    linear_scan: whole_linear_scan,
    unvarying: whole_unvarying,
}
"""Functions that layers call, and what does the same with one operation."""


def make_recurrences_whole(functions: Any) -> None:
    """Let a loaded program, none of which has run yet, take its linear recurrences whole, so that captures find them.

    Args:
        functions: The program's, TorchScript's ``CompilationUnit``.
    """
    define_linear_scan()
    for written_out, whole in _WHOLE.items():
        function = functions.find_function(f"__torch__.{written_out.__module__}.{written_out.__name__}")
        if function is not None:
            with expecting_torchscript():
                _replace_body(function.graph, torch.jit.script(whole).graph)


def _replace_body(graph: Any, body: Any) -> None:
    before = list(graph.nodes())
    results = graph.insertGraph(body, list(graph.inputs()))
    for place in reversed(range(len(list(graph.outputs())))):
        graph.eraseOutput(place)
    for node in reversed(before):
        node.destroy()
    for result in results:
        graph.registerOutput(result)
