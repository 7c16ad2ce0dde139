"""A captured network as an ONNX file: one rule for each operation."""

from neutone_like.formats.onnx import (
    activations,
    arithmetic,
    comparing,
    elementwise,
    making,
    movement,
    products,
    putting,
    recurrent,
    reductions,
    spectra,
    windows,
)
from neutone_like.formats.onnx.context import RULES
from neutone_like.formats.onnx.writing import OnnxNames, names_for, write_onnx

__all__ = ["RULES", "OnnxNames", "names_for", "write_onnx"]

_RULES_ARE_IN = (
    activations,
    arithmetic,
    comparing,
    elementwise,
    making,
    movement,
    products,
    putting,
    recurrent,
    reductions,
    spectra,
    windows,
)
