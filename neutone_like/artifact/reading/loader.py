"""Read artifacts, which may come from anywhere."""

from collections.abc import Iterable
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from torch.jit import ScriptModule

from neutone_like.arguments import as_flag
from neutone_like.artifact.format.offline_schema import OfflineSection
from neutone_like.artifact.format.parameter_records import to_parameter
from neutone_like.artifact.format.parameter_slots import parameters_of_slots
from neutone_like.artifact.format.schema import LiveMetadata, Metadata, OfflineMetadata
from neutone_like.artifact.reading.metadata_reading import read_metadata, resolve
from neutone_like.artifact.reading.module_loading import load_module
from neutone_like.artifact.reading.offline_vector import check_offline_vector
from neutone_like.artifact.reading.operators import checked_operators
from neutone_like.artifact.reading.reference_vector import check_test_vector
from neutone_like.errors import ArtifactError
from neutone_like.model import (
    CategoricalParameter,
    ContinuousParameter,
    NumericalParameter,
    Parameter,
    TextParameter,
    TokensParameter,
)
from neutone_like.printing import InNotebooks, Row
from neutone_like.torch_settings import plain_settings


class Artifact(InNotebooks):
    """A loaded artifact, of a live or an offline model.

    Attributes:
        path: The ``.nm`` file.
        metadata: Its ``metadata.json``.
        module: The TorchScript wrapper, with the methods of :class:`neutone_like.SampleQueueWrapper` or of
            :class:`neutone_like.NonRealtimeSampleQueueWrapper`. Its state belongs to whoever uses it:
            a second thread is refused, unless it comes in the same instant, which TorchScript can't tell.
            :meth:`fresh_module` gives another one for it.
        allow_operators: What it may use although artifacts may not, as :func:`load_artifact` was told.
    """

    def __init__(
        self, path: Path, metadata: Metadata, module: ScriptModule, allow_operators: frozenset[str] = frozenset()
    ) -> None:
        self.path = path
        self.metadata = metadata
        self.module = module
        self.allow_operators = allow_operators

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, and a pickled one, is loaded from the file again, which must be the same: so processes share it."""
        return _loaded_again, (self.path.absolute(), self.metadata, self.allow_operators)

    def __repr__(self) -> str:
        return f"Artifact({self.metadata.model_name!r} {self.metadata.model_version}, {str(self.path)!r})"

    def _title(self) -> str:
        return repr(self)

    def _html_rows(self) -> list[Row]:
        return [("path", str(self.path)), *self.metadata._rows()]  # pyright: ignore[reportPrivateUsage]

    @property
    def is_realtime(self) -> bool:
        """Whether the model is live: block by block, while somebody listens."""
        return isinstance(self.metadata, LiveMetadata)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What can be set, as declared; for artifacts of other makers, as far as they tell.

        Raises:
            ArtifactError: Metadata holds a parameter that contradicts itself, or that a live model can't have.
        """
        ours = self.metadata.neutone_like
        if ours is None:
            parameters = parameters_of_slots(self.metadata, self.path)
        else:
            parameters = tuple(to_parameter(record) for record in ours.parameters)
        for each in parameters if self.is_realtime else ():
            if isinstance(each, (TextParameter, TokensParameter)):
                raise ArtifactError(
                    f"{self.path}: the parameter {each.name!r} is of type {each.kind!r} with the default "
                    f"{each.default!r:.80}; a live model has continuous and categorical parameters only."
                )
        return parameters

    @property
    def numerical_parameters(self) -> tuple[NumericalParameter, ...]:
        """The continuous and categorical ones, in the order of a host's rows."""
        return tuple(each for each in self.parameters if isinstance(each, (ContinuousParameter, CategoricalParameter)))

    @property
    def text_parameters(self) -> tuple[TextParameter, ...]:
        return tuple(each for each in self.parameters if isinstance(each, TextParameter))

    @property
    def tokens_parameters(self) -> tuple[TokensParameter, ...]:
        return tuple(each for each in self.parameters if isinstance(each, TokensParameter))

    @property
    def sample_rates(self) -> tuple[int, ...]:
        """The model's own rates in Hz; empty means any."""
        return self.metadata.native_sample_rates

    @property
    def block_sizes(self) -> tuple[int, ...]:
        """The model's own block lengths in samples; empty means any."""
        return self.metadata.native_buffer_sizes

    @property
    def audio_in_channels(self) -> tuple[int, ...]:
        """Channels of each input; a live model has one, a generator none."""
        if isinstance(self.metadata, OfflineMetadata):
            return self.metadata.audio_in_channels
        return (self.in_channels,)

    @property
    def audio_out_channels(self) -> tuple[int, ...]:
        """Channels of each output; a live model has one."""
        if isinstance(self.metadata, OfflineMetadata):
            return self.metadata.audio_out_channels
        return (self.out_channels,)

    @property
    def live_metadata(self) -> LiveMetadata:
        """The metadata of a live model.

        Raises:
            ArtifactError: The model is offline, and what is asked of it makes sense for a live one only.
        """
        if isinstance(self.metadata, OfflineMetadata):
            raise ArtifactError(
                f"{self.path} holds an offline model: it takes whole sounds, and has no block by block "
                "interface. Render it with render_file or neutone-like render."
            )
        return self.metadata

    @property
    def in_channels(self) -> int:
        """Channels in, of a live model; else see :attr:`audio_in_channels`.

        Raises:
            ArtifactError: The model is offline.
        """
        return self.live_metadata.channels[0]

    @property
    def out_channels(self) -> int:
        """Channels out, of a live model; else see :attr:`audio_out_channels`.

        Raises:
            ArtifactError: The model is offline.
        """
        return self.live_metadata.channels[1]

    @plain_settings()
    def fresh_module(self) -> ScriptModule:
        """Load the module again: the same model with a state of its own.

        Raises:
            ArtifactError: The file is gone or has changed.
        """
        return load_module(self.path, self.metadata, self.allow_operators)

    @plain_settings()
    def verify_test_vector(self) -> float:
        """Play the test vector on a fresh module.

        Returns:
            The largest difference from what came out at export; 0 when the whole output is the same.

        Raises:
            ArtifactError: The output differs by more than the vector allows, or the artifact carries no vector.
        """
        ours = self.metadata.neutone_like
        if ours is None:
            raise ArtifactError(f"{self.path} was not made by neutone_like and carries no test vector.")
        if isinstance(ours, OfflineSection):
            return check_offline_vector(self.fresh_module(), ours.test_vector, str(self.path))
        return check_test_vector(self.fresh_module(), ours.test_vector, str(self.path))


def _loaded_again(path: Path, metadata: Metadata, allow_operators: frozenset[str]) -> Artifact:
    """Raises ArtifactError if the file is gone or has changed."""
    return Artifact(path, metadata, load_module(path, metadata, allow_operators), allow_operators)


@plain_settings()
def load_artifact(
    path: str | PathLike[str], *, verify_test_vector: bool = False, allow_operators: Iterable[str] = ()
) -> Artifact:
    """Load an artifact. Nothing is read but this file, and none of the model's code is run.

    Every file gives an ``ArtifactError`` or a model that plays as it was exported, as long as nobody forged the
    fingerprints of its parts too.

    A model is a program. Before PyTorch gets to see it, its code is read as text: what it calls must be on a list of
    operators that only compute, which reach no file, no network and no other process. ``torch.save`` and
    ``torch.from_file`` are refused by name, and so is whatever a newer PyTorch adds. What this can't tell: whether the
    model ever comes to an end, how much memory it takes, whether it computes what it says, and whether PyTorch's own
    operators are free of faults. To play what a stranger sent, limit time and memory from outside; to look at it,
    :func:`read_metadata` does not even unpack the code.

    Refusing a file of N bytes, or loading one whose model is not forged, takes at most 64 MiB + 16 N of memory.

    Models made by the Neutone SDK (1.5) load too: their ``metadata.neutone_like`` is ``None``, and only the
    methods of the common contract are there (no ``latency_samples``, ``set_mix``, ``set_gains`` and the like).

    Args:
        path: A ``.nm`` file, or a folder with ``model.nm`` in it.
        verify_test_vector: Also check that the model still plays as it did when it was exported. This runs its code.
        allow_operators: What the model may call although it is not on the list, such as ``["aten::save"]``. It then can
            do what those operators can: allow it to people you trust only.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    verify_test_vector = as_flag(verify_test_vector, "verify_test_vector", ArtifactError)
    file = resolve(path)
    allowed = checked_operators(allow_operators)
    metadata = read_metadata(file)
    artifact = Artifact(file, metadata, load_module(file, metadata, allowed), allowed)
    if verify_test_vector:
        artifact.verify_test_vector()
    return artifact
