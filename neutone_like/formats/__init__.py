"""Artifacts in the formats of other engines: ONNX, LiteRT, ExecuTorch, OpenVINO, PyTorch's exported programs."""

from neutone_like.formats.catalogue import FORMATS
from neutone_like.formats.sidecar import Sidecar, SidecarParameter, SidecarState, read_sidecar, sidecar_path
from neutone_like.formats.writing import WrittenFormat, write_formats

__all__ = [
    "FORMATS",
    "Sidecar",
    "SidecarParameter",
    "SidecarState",
    "WrittenFormat",
    "read_sidecar",
    "sidecar_path",
    "write_formats",
]
