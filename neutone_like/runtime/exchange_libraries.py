"""The libraries that play exported files: which package brings each, and where it is, without importing it."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from neutone_like.errors import RuntimeEngineError
from neutone_like.extras import find_extra
from neutone_like.runtime.native_files import native_file

ExchangeName = Literal["onnxruntime", "litert"]


@dataclass(frozen=True)
class ExchangeLibrary:
    """A library that plays one format.

    Attributes:
        name: What sessions call it.
        format: As a sidecar says it.
        suffix: Of the format's files.
        module: The package that brings it.
        distribution: What that package is installed as.
        extra: Of this package, which brings it.
        pattern: Of the shared object in the package's folder.
    """

    name: ExchangeName
    format: str
    suffix: str
    module: str
    distribution: str
    extra: str
    pattern: str

    @property
    def install_line(self) -> str:
        return f'pip install "neutone-like[{self.extra}]"'

    @property
    def backend_path(self) -> Path:
        """The engine's side of it.

        Raises:
            RuntimeEngineError: It was not built.
        """
        return native_file(f"neutone_like_{self.name}.so")

    def find(self) -> Path:
        """The shared object.

        Raises:
            MissingExtraError: The package is not installed.
            RuntimeEngineError: It brings no such object.
        """
        folder = find_extra(self.module, extra=self.extra, purpose=f'backend="{self.name}"')
        found = sorted(folder.glob(self.pattern))
        if not found:
            raise RuntimeEngineError(
                f"The package {self.module!r} {self.version} in {folder} brings no {self.pattern}, which "
                f'backend="{self.name}" loads. Install another version of it: {self.install_line}'
            )
        return found[-1]

    @property
    def version(self) -> str:
        """Of the installed package; empty where that isn't known."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:  # the module of another distribution, such as onnxruntime-gpu
            return ""


ONNXRUNTIME = ExchangeLibrary(
    "onnxruntime", "onnx", ".onnx", "onnxruntime", "onnxruntime", "onnx", "capi/libonnxruntime*[0-9]*"
)
LITERT = ExchangeLibrary(
    "litert", "litert", ".tflite", "ai_edge_litert", "ai-edge-litert", "litert", "libLiteRt.[sd][oy]*"
)
EXCHANGE_LIBRARIES: dict[str, ExchangeLibrary] = {each.name: each for each in (ONNXRUNTIME, LITERT)}
LIBRARY_OF_SUFFIX: dict[str, ExchangeLibrary] = {each.suffix: each for each in EXCHANGE_LIBRARIES.values()}
