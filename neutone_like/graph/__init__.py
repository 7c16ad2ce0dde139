"""Networks as graphs of tensor operations with explicit state: captured, proven, and written as TorchScript."""

from neutone_like.graph.capture import capture, capture_call
from neutone_like.graph.examples import Example, take_apart
from neutone_like.graph.folding import drop_unused, fold_constants
from neutone_like.graph.graph import SAMPLES, Counter, Graph, Input, Lengths, Node, State, Value
from neutone_like.graph.running import GraphPlayer
from neutone_like.graph.torchscript import to_torchscript
from neutone_like.graph.whole_number import WholeNumber

__all__ = [
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
    "drop_unused",
    "fold_constants",
    "take_apart",
    "to_torchscript",
]
