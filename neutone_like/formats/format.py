"""What every format has: how it is written, and how what was written is played to prove it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.archive import FILES_OF_FORMATS
from neutone_like.artifact.format.format_limits import Model
from neutone_like.extras import find_extra
from neutone_like.formats.core import Core, initial_states
from neutone_like.formats.sidecar import TensorNames


class Player(ABC):
    """Plays a written file with the engine that it is for. The states are given to it, and come back.

    Args:
        core: What was written.
    """

    def __init__(self, core: Core) -> None:
        self.states = initial_states(core.graph)

    def play(self, inputs: Sequence[Tensor]) -> Tensor:
        """Play one block, ``[out_channels, samples]``, and keep the states."""
        output, *self.states = self.call([*inputs, *self.states])
        return output

    @abstractmethod
    def call(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Sound, parameters and states in; sound and states out."""


class PlayerByName(Player):
    """The same for an engine that takes and gives arrays by their names.

    Args:
        core: What was written.
        names: Of the file's inputs and outputs.
    """

    def __init__(self, core: Core, names: TensorNames) -> None:
        super().__init__(core)
        self._inputs = [names.audio, *names.parameters, *names.states_in]
        self._outputs = [names.audio_out, *names.states_out]
        self._like = initial_states(core.graph)

    def call(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        feeds = {name: each.contiguous().numpy() for name, each in zip(self._inputs, tensors, strict=True)}
        results = self.run(feeds, self._outputs)
        output, *states = (torch.from_numpy(each.copy()) for each in results)
        # engines may lose a state's dimensions
        return [output, *(each.reshape(old.shape) for each, old in zip(states, self._like, strict=True))]

    @abstractmethod
    def run(self, feeds: dict[str, Any], wanted: Sequence[str]) -> list[Any]:
        """Arrays by the names of the inputs; those of the outputs, in order."""


@dataclass(frozen=True)
class Draft:
    """A file that was written, and is not proven yet.

    Attributes:
        core: What is in it.
        names: Of its inputs and outputs.
        notes: For the sidecar.
    """

    core: Core
    names: TensorNames
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Format(ABC):
    """One engine's format.

    Attributes:
        name: As users write it.
        title: As people know it.
        needs: Packages, and the extras that bring them.
    """

    name: str
    title: str
    needs: tuple[tuple[str, str], ...] = ()

    def require(self) -> None:
        """Whether what it needs is there, without importing it.

        Raises:
            MissingExtraError: It is not; with the line that installs it.
        """
        for package, extra in self.needs:
            find_extra(package, extra=extra, purpose=f"Writing {self.title} files")

    @property
    def file(self) -> str:
        """The model file's name."""
        return FILES_OF_FORMATS[self.name][0]

    @property
    def more_files(self) -> tuple[str, ...]:
        """Others that belong to it."""
        return FILES_OF_FORMATS[self.name][1:]

    @abstractmethod
    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        """Write ``path``, and what belongs to it beside it.

        Raises:
            CaptureError: The model can't be captured.
            CompileError: The format can't hold it.
            MissingExtraError: A package is missing.
        """

    @abstractmethod
    def open(self, draft: Draft, path: Path) -> Player:
        """What was written, in the engine that it is for.

        Raises:
            MissingExtraError: That is not installed.
        """
