"""A captured network as an ONNX file: one rule for each operation."""

from neutone_like.formats.onnx import elementwise, making, movement, products, recurrent, reductions, spectra
from neutone_like.formats.onnx.context import RULES
from neutone_like.formats.onnx.writing import OnnxNames, names_for, write_onnx

__all__ = ["RULES", "OnnxNames", "names_for", "write_onnx"]

_RULES_ARE_IN = (elementwise, making, movement, products, recurrent, reductions, spectra)
