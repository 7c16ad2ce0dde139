"""An exported file as a backend: ONNX Runtime or LiteRT plays it, natively, out of the installed package."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.errors import ArtifactError, RuntimeEngineError
from neutone_like.runtime.artifact_backend import ArtifactBackend
from neutone_like.runtime.backends import Backend, ModelFacts, option_lines
from neutone_like.runtime.exchange_libraries import LIBRARY_OF_SUFFIX, ExchangeLibrary
from neutone_like.runtime.exchange_sidecar import SIDECAR_SUFFIX, ExchangeSidecar, read_exchange_sidecar, sidecar_of
from neutone_like.runtime.model_calls import ModelCaller

if TYPE_CHECKING:
    from neutone_like.runtime import _native


class ExchangeBackend(Backend):
    """Plays an ONNX file or a LiteRT file. Make one with :meth:`beside` or :meth:`of_file`.

    Args:
        library: What plays it.
        sidecars: Of the files of one model: of LiteRT there is one for each length of a block.
        facts: The model's side of a session.
        artifact_sha256: The digest of the ``model.nm`` that the files must belong to; None: whichever.
    """

    def __init__(
        self,
        library: ExchangeLibrary,
        sidecars: Sequence[ExchangeSidecar],
        facts: ModelFacts,
        artifact_sha256: str | None = None,
    ) -> None:
        self._library = library
        self._sidecars = tuple(sidecars)
        self._facts = facts
        self._artifact_sha256 = artifact_sha256

    @classmethod
    def beside(cls, artifact: Artifact, library: ExchangeLibrary) -> "ExchangeBackend":
        """What was exported for a library from a live artifact, and lies beside it.

        Raises:
            ArtifactError: There is nothing, its sidecar is wrong, or it belongs to another artifact.
        """
        sidecars = [read_exchange_sidecar(path, library) for path in exported_beside(artifact, library)]
        if not sidecars:
            raise ArtifactError(
                f"There is no {library.suffix} file with its sidecar beside {artifact.path}. Export the model with "
                f'formats=("nm", "{library.format}").'
            )
        digest = digest_of_file(artifact.path)
        for sidecar in sidecars:
            if sidecar.artifact_sha256 != digest:
                raise ArtifactError(
                    f"{sidecar.path} was exported from another model than {artifact.path}, which has changed since. "
                    "Export it again."
                )
        facts = _narrowed(ArtifactBackend(artifact).facts, sidecars)
        return cls(library, sidecars, facts, digest)

    @classmethod
    def of_file(cls, path: Path) -> "ExchangeBackend":
        """A file by itself, with its sidecar beside it.

        Raises:
            ArtifactError: There is no such file, or its sidecar is not there or wrong.
        """
        library = LIBRARY_OF_SUFFIX[path.suffix]
        if not path.is_file():
            raise ArtifactError(f"There is no file {path}.")
        sidecar = read_exchange_sidecar(sidecar_of(path), library)
        facts = ModelFacts(
            name=sidecar.model_name,
            in_channels=sidecar.in_channels,
            out_channels=sidecar.out_channels,
            sample_rates=(),
            block_sizes=(),
            look_behind_samples=sidecar.look_behind_samples,
            parameters=sidecar.parameters,
            quality="high",
        )
        return cls(library, [sidecar], _narrowed(facts, [sidecar]))

    @property
    def facts(self) -> ModelFacts:
        return self._facts

    @property
    def sidecars(self) -> tuple[ExchangeSidecar, ...]:
        """Of its files."""
        return self._sidecars

    @property
    def backend_name(self) -> str:
        return self._library.name

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        options = {"library": self._library.find(), "library_version": self._library.version}
        if self._artifact_sha256 is not None:
            options["artifact_sha256"] = self._artifact_sha256
        source = str(self._file_for(config).path)
        return engine.open_shared_object(config, str(self._library.backend_path), source, option_lines(options))

    def _file_for(self, config: "_native.SessionConfig") -> ExchangeSidecar:
        for sidecar in self._sidecars:
            if sidecar.takes(config.model_rate, config.model_block):
                return sidecar
        there = ", ".join(f"{each.path.name} ({each.sample_rate} Hz, {each.block_samples})" for each in self._sidecars)
        raise RuntimeEngineError(
            f"No file of {self.facts.name} is for {config.model_rate} Hz in blocks of {config.model_block} samples; "
            f"there are {there}. Export it for this rate and block."
        )


def exported_beside(artifact: Artifact, library: ExchangeLibrary) -> list[Path]:
    """The sidecars of an artifact's files for a library, in the order of their names."""
    folder, stem = artifact.path.parent, artifact.path.stem
    own = re.compile(re.escape(stem) + r"(-\d+)?" + re.escape(f"{library.suffix}{SIDECAR_SUFFIX}"))
    return sorted(each for each in folder.iterdir() if own.fullmatch(each.name))


def _narrowed(facts: ModelFacts, sidecars: Sequence[ExchangeSidecar]) -> ModelFacts:
    """The rates and blocks that files are there for, where they are not for any."""
    rates, blocks = {each.sample_rate for each in sidecars}, {each.block_samples for each in sidecars}
    return replace(
        facts,
        sample_rates=facts.sample_rates if None in rates else tuple(sorted(filter(None, rates))),
        block_sizes=facts.block_sizes if None in blocks else tuple(sorted(filter(None, blocks))),
    )
