"""Networks as graphs of tensor operations with explicit state: captured, proven, and written as TorchScript."""

from neutone_like.graph.capture import capture, capture_call, own_copy
from neutone_like.graph.decomposing import decompose
from neutone_like.graph.examples import Example, take_apart
from neutone_like.graph.folding import drop_unused, fold_constants
from neutone_like.graph.functional import functional
from neutone_like.graph.graph import SAMPLES, Counter, Graph, Input, Lengths, Node, State, Value, map_values
from neutone_like.graph.in_place import without_writes
from neutone_like.graph.running import GraphPlayer, operation, play_all
from neutone_like.graph.torchscript import to_torchscript
from neutone_like.graph.whole_number import WholeNumber, fit_whole_number
from neutone_like.graph.whole_recurrences import LINEAR_SCAN, whole_recurrences

__all__ = [
    "LINEAR_SCAN",
    "SAMPLES",
    "Counter",
    "Example",
    "Graph",
    "GraphPlayer",
    "Input",
    "Lengths",
    "Node",
    "State",
    "Value",
    "WholeNumber",
    "capture",
    "capture_call",
    "decompose",
    "drop_unused",
    "fit_whole_number",
    "fold_constants",
    "functional",
    "map_values",
    "operation",
    "own_copy",
    "play_all",
    "take_apart",
    "to_torchscript",
    "whole_recurrences",
    "without_writes",
]
