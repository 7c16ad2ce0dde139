"""A compiled model as a backend: the engine plays it by itself, without libtorch."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.parameter_records import to_parameter
from neutone_like.artifact.format.schema import LiveMetadata, parse_metadata
from neutone_like.errors import ArtifactError
from neutone_like.model import CategoricalParameter, ContinuousParameter
from neutone_like.runtime.artifact_backend import ArtifactBackend, facts_of_metadata
from neutone_like.runtime.backends import Backend, ModelFacts
from neutone_like.runtime.compiled_model import COMPILED_NAME, CompiledModel, load_compiled
from neutone_like.runtime.model_calls import ModelCaller

if TYPE_CHECKING:
    from neutone_like.runtime import _native


class CompiledBackend(Backend):
    """Plays a ``.nlc``. Make one with :meth:`beside` or :meth:`of_file`, which prove the file first."""

    def __init__(self, path: Path, facts: ModelFacts) -> None:
        self.path = path
        self._facts = facts

    @classmethod
    def beside(cls, artifact: Artifact, compiled: CompiledModel) -> "CompiledBackend":
        """The compiled form of a live artifact, as :func:`load_compiled` opened it."""
        facts = replace(ArtifactBackend(artifact).facts, sample_rates=compiled.sample_rates)
        return cls(compiled_beside(artifact), facts)

    @classmethod
    def of_file(cls, path: Path) -> "CompiledBackend":
        """A compiled model by itself.

        Raises:
            ArtifactError: It can't be read or played.
        """
        return cls(path, _facts_of(load_compiled(path), path))

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


def compiled_beside(artifact: Artifact) -> Path:
    """Where the compiled form of an artifact would be."""
    return artifact.path.with_name(COMPILED_NAME)


def _facts_of(compiled: CompiledModel, path: Path) -> ModelFacts:
    metadata = parse_metadata(json.dumps(compiled.metadata).encode(), f"the metadata in {path}")
    ours = metadata.neutone_like if isinstance(metadata, LiveMetadata) else None
    if not isinstance(metadata, LiveMetadata) or ours is None:
        raise ArtifactError(
            f"{path} holds no live model of neutone_like's, which an engine could play block by block. What is offline "
            "is rendered: render_file(model_nm, sound, target), with this file beside its model.nm."
        )
    parameters = (to_parameter(record) for record in ours.parameters)
    numerical = tuple(each for each in parameters if isinstance(each, (ContinuousParameter, CategoricalParameter)))
    return facts_of_metadata(metadata, numerical)
