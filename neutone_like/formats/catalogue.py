"""The formats that there are."""

from neutone_like.formats.executorch_format import ExecuTorchFormat
from neutone_like.formats.format import Format
from neutone_like.formats.litert_format import LiteRtFormat
from neutone_like.formats.onnx_format import OnnxFormat
from neutone_like.formats.openvino_format import OpenVinoFormat
from neutone_like.formats.pt2_format import Pt2Format

FORMATS: dict[str, Format] = {
    each.name: each for each in (OnnxFormat(), LiteRtFormat(), ExecuTorchFormat(), OpenVinoFormat(), Pt2Format())
}
"""By their names."""
