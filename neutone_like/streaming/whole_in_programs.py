"""Linear recurrences as single operations in a program of TorchScript, which has them written out."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph.whole_recurrences import define_linear_scan, whole_linear_scan
from neutone_like.streaming.recursive import IIR, unvarying, whole_unvarying
from neutone_like.streaming.scan import linear_scan
from neutone_like.torchscript_warnings import expecting_torchscript

_WHOLE: dict[Callable[..., Any], Callable[..., Tensor | tuple[Tensor, Tensor]]] = {
    linear_scan: whole_linear_scan,
    unvarying: whole_unvarying,
}
"""Functions that layers call, and what does the same with one operation."""


def make_recurrences_whole(functions: Any) -> None:
    """Let a loaded program, none of which has run yet, take its linear recurrences whole, so that captures find them.

    A function that does something else, as one of another release may, stays.

    Args:
        functions: The program's, TorchScript's ``CompilationUnit``.
    """
    define_linear_scan()
    for written_out, whole in _WHOLE.items():
        function = functions.find_function(f"__torch__.{written_out.__module__}.{written_out.__name__}")
        if function is not None:
            with expecting_torchscript():
                scripted = torch.jit.script(whole)
                if _do_the_same(function.graph, scripted, _example(written_out)):
                    _replace_body(function.graph, scripted.graph)


def _example(written_out: Callable[..., Any]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)

    def numbers(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    if written_out is linear_scan:
        return [numbers(2, 5, 3, 3), numbers(2, 5, 3), numbers(2, 3)]
    layer = IIR(torch.tensor([1.0, 0.2, 0.1]), torch.tensor([1.0, -0.3, 0.2]))
    return [numbers(1, 2, 70), numbers(1, 2, 2), layer.piece_matrix.double(), layer.transition_powers.double()]


def _do_the_same(graph: Any, whole: Any, example: list[Tensor]) -> bool:
    try:
        written_out: Any = torch._C._create_function_from_graph("written_out", graph.copy())  # pyright: ignore
        torch.testing.assert_close(written_out(*example), whole(*example))
    except (AssertionError, RuntimeError):  # other results, or other arguments
        return False
    return True


def _replace_body(graph: Any, body: Any) -> None:
    before = list(graph.nodes())
    results = graph.insertGraph(body, list(graph.inputs()))
    for place in reversed(range(len(list(graph.outputs())))):
        graph.eraseOutput(place)
    for node in reversed(before):
        node.destroy()
    for result in results:
        graph.registerOutput(result)
