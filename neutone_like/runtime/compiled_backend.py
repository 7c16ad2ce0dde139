"""A compiled model as a backend: the engine plays it by itself, without libtorch."""

from pathlib import Path
from typing import TYPE_CHECKING

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.bounded_file import open_bounded
from neutone_like.artifact.format.compiled_file import compiled_beside, require_same_model
from neutone_like.artifact.format.parameter_records import to_parameter
from neutone_like.artifact.format.schema import LiveMetadata, parse_metadata
from neutone_like.errors import ArtifactError
from neutone_like.model import CategoricalParameter, ContinuousParameter
from neutone_like.runtime.artifact_backend import ArtifactBackend
from neutone_like.runtime.backends import Backend, ModelFacts
from neutone_like.runtime.model_calls import ModelCaller
from neutone_like.runtime.native_module import native_module

if TYPE_CHECKING:
    from neutone_like.runtime import _native

MAXIMUM_COMPILED_BYTES = 1 << 30


class CompiledBackend(Backend):
    """Plays a ``.nlc``. Make one with :meth:`beside` or :meth:`of_file`, which prove the file first."""

    def __init__(self, path: Path, facts: ModelFacts) -> None:
        self.path = path
        self._facts = facts

    @classmethod
    def beside(cls, artifact: Artifact) -> "CompiledBackend":
        """The compiled form of an artifact.

        Raises:
            ArtifactError: There is none, it can't be played, or it is that of another ``.nm``.
        """
        path = compiled_beside(artifact.path)
        if not path.is_file():
            raise ArtifactError(
                f"There is no {path.name} beside {artifact.path}. Compile the model: neutone-like compile "
                f'{artifact.path}; or play it with backend="torchscript".'
            )
        require_same_model(read_compiled(path).metadata(), path, artifact.path)
        return cls(path, ArtifactBackend(artifact).facts)

    @classmethod
    def of_file(cls, path: Path) -> "CompiledBackend":
        """A compiled model by itself.

        Raises:
            ArtifactError: It can't be read or played.
        """
        metadata = parse_metadata(read_compiled(path).metadata(), f"the metadata in {path}")
        return cls(path, _facts_of(metadata, path))

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    @property
    def backend_name(self) -> str:
        return "compiled"

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        return engine.open_compiled(config, str(self.path))


def read_compiled(path: Path) -> "_native.CompiledModel":
    """A compiled model, proved and ready to play.

    Raises:
        ArtifactError: It is missing, damaged, of a later version, or nothing that can be played.
    """
    try:
        with open_bounded(path, MAXIMUM_COMPILED_BYTES) as file:
            data = file.read()
    except OSError as error:
        raise ArtifactError(f"{path} can't be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise ArtifactError(f"{path} is no compiled model that can be played: it has {error}.") from error
    return native_module().CompiledModel(data, name=str(path))


def _facts_of(metadata: object, path: Path) -> ModelFacts:
    ours = metadata.neutone_like if isinstance(metadata, LiveMetadata) else None
    if not isinstance(metadata, LiveMetadata) or ours is None:
        raise ArtifactError(f"{path} holds no live model of neutone_like's, which an engine could play block by block.")
    parameters = [to_parameter(record) for record in ours.parameters]
    return ModelFacts(
        name=metadata.model_name,
        in_channels=ours.in_channels,
        out_channels=ours.out_channels,
        sample_rates=metadata.native_sample_rates,
        block_sizes=metadata.native_buffer_sizes,
        look_behind_samples=metadata.look_behind_samples,
        parameters=tuple(each for each in parameters if isinstance(each, (ContinuousParameter, CategoricalParameter))),
        quality=ours.quality,
    )
