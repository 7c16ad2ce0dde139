"""From a PyTorch audio model to an artifact that any host plays. This file is the whole public API."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.artifact import Artifact as Artifact
    from neutone_like.artifact import ArtifactMetadata as ArtifactMetadata
    from neutone_like.artifact import load_artifact as load_artifact
    from neutone_like.errors import ArtifactError as ArtifactError
    from neutone_like.errors import AudioError as AudioError
    from neutone_like.errors import CaptureError as CaptureError
    from neutone_like.errors import CompileError as CompileError
    from neutone_like.errors import ExportError as ExportError
    from neutone_like.errors import MissingExtraError as MissingExtraError
    from neutone_like.errors import ModelError as ModelError
    from neutone_like.errors import NeutoneLikeError as NeutoneLikeError
    from neutone_like.errors import ParameterError as ParameterError
    from neutone_like.errors import RenderError as RenderError
    from neutone_like.errors import RuntimeEngineError as RuntimeEngineError
    from neutone_like.export import ExportResult as ExportResult
    from neutone_like.export import export_model as export_model
    from neutone_like.host import NonRealtimeSampleQueueWrapper as NonRealtimeSampleQueueWrapper
    from neutone_like.host import SampleQueueWrapper as SampleQueueWrapper
    from neutone_like.model import CategoricalParameter as CategoricalParameter
    from neutone_like.model import ContinuousParameter as ContinuousParameter
    from neutone_like.model import ModelMetadata as ModelMetadata
    from neutone_like.model import NonRealtimeBase as NonRealtimeBase
    from neutone_like.model import NonRealtimeTokenizerBase as NonRealtimeTokenizerBase
    from neutone_like.model import TextParameter as TextParameter
    from neutone_like.model import TokensParameter as TokensParameter
    from neutone_like.model import WaveformToWaveformBase as WaveformToWaveformBase
    from neutone_like.render import BatchResult as BatchResult
    from neutone_like.render import RenderResult as RenderResult
    from neutone_like.render import render_file as render_file
    from neutone_like.render import render_files as render_files
    from neutone_like.runtime.compiled_model import CompiledModel as CompiledModel
    from neutone_like.runtime.compiled_model import load_compiled as load_compiled
    from neutone_like.runtime.compiling import compile_model as compile_model
    from neutone_like.validate import Check as Check
    from neutone_like.validate import ValidationReport as ValidationReport
    from neutone_like.validate import validate_artifact as validate_artifact
    from neutone_like.version import __version__ as __version__

export_lazily(
    globals(),
    {
        "neutone_like.artifact": ("Artifact", "ArtifactMetadata", "load_artifact"),
        "neutone_like.errors": (
            "ArtifactError",
            "AudioError",
            "CaptureError",
            "CompileError",
            "ExportError",
            "MissingExtraError",
            "ModelError",
            "NeutoneLikeError",
            "ParameterError",
            "RenderError",
            "RuntimeEngineError",
        ),
        "neutone_like.export": ("ExportResult", "export_model"),
        "neutone_like.host": ("NonRealtimeSampleQueueWrapper", "SampleQueueWrapper"),
        "neutone_like.model": (
            "CategoricalParameter",
            "ContinuousParameter",
            "ModelMetadata",
            "NonRealtimeBase",
            "NonRealtimeTokenizerBase",
            "TextParameter",
            "TokensParameter",
            "WaveformToWaveformBase",
        ),
        "neutone_like.render": ("BatchResult", "RenderResult", "render_file", "render_files"),
        "neutone_like.runtime.compiled_model": ("CompiledModel", "load_compiled"),
        "neutone_like.runtime.compiling": ("compile_model",),
        "neutone_like.validate": ("Check", "ValidationReport", "validate_artifact"),
        "neutone_like.version": ("__version__",),
    },
)
