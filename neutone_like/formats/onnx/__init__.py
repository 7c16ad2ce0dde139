"""A captured network as an ONNX file: one rule for each operation."""

from neutone_like.formats.onnx import activations as activations
from neutone_like.formats.onnx import arithmetic as arithmetic
from neutone_like.formats.onnx import comparing as comparing
from neutone_like.formats.onnx import elementwise as elementwise
from neutone_like.formats.onnx import making as making
from neutone_like.formats.onnx import movement as movement
from neutone_like.formats.onnx import products as products
from neutone_like.formats.onnx import putting as putting
from neutone_like.formats.onnx import recurrent as recurrent
from neutone_like.formats.onnx import reductions as reductions
from neutone_like.formats.onnx import spectra as spectra
from neutone_like.formats.onnx import windows as windows
from neutone_like.formats.onnx.context import RULES
from neutone_like.formats.onnx.writing import OnnxNames, names_for, write_onnx

__all__ = ["RULES", "OnnxNames", "names_for", "write_onnx"]
