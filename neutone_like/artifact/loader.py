"""Read artifacts, which may come from anywhere."""

import os
from functools import cached_property
from os import PathLike
from pathlib import Path

import torch
from torch.jit import ScriptModule

from neutone_like.artifact.agreement import check_agreement, check_tensors
from neutone_like.artifact.archive import MODEL_NAME, check_contents, read_metadata_text
from neutone_like.artifact.parameter_records import to_parameter
from neutone_like.artifact.schema import ArtifactMetadata, ParameterSlot, parse_metadata
from neutone_like.artifact.scripting import load_script
from neutone_like.artifact.test_vector import check_test_vector
from neutone_like.errors import ArtifactError, ParameterError
from neutone_like.model import CategoricalParameter, ContinuousParameter, NumericalParameter

CONTRACT_METHODS = (
    "forward",
    "forward_bt",
    "forward_offline",
    "set_daw_sample_rate_and_buffer_size",
    "reset",
    "is_resampling",
    "calc_buffering_delay_samples",
    "calc_model_delay_samples",
    "get_default_param_values",
)


class Artifact:
    """A loaded artifact.

    Attributes:
        path: The ``.nm`` file.
        metadata: Its ``metadata.json``.
        module: The TorchScript wrapper, with the methods of :class:`neutone_like.SampleQueueWrapper`. Its state belongs
            to whoever uses it; :meth:`fresh_module` gives another one.
    """

    def __init__(self, path: Path, metadata: ArtifactMetadata, module: ScriptModule) -> None:
        self.path = path
        self.metadata = metadata
        self.module = module

    def __repr__(self) -> str:
        return f"Artifact({self.metadata.model_name!r} {self.metadata.model_version}, {str(self.path)!r})"

    @cached_property
    def parameters(self) -> tuple[NumericalParameter, ...]:
        """What a host can turn, as declared; for artifacts of other makers, as far as they tell.

        Raises:
            ArtifactError: Metadata holds a parameter that contradicts itself, or that a live model can't have.
        """
        ours = self.metadata.neutone_like
        if ours is None:
            slots = sorted(self.metadata.neutone_parameters.items())
            return tuple(_parameter_of_slot(slot, self.path) for _, slot in slots if slot.used)
        parameters = tuple(to_parameter(record) for record in ours.parameters)
        numerical = tuple(p for p in parameters if isinstance(p, (ContinuousParameter, CategoricalParameter)))
        if len(numerical) != len(parameters):
            raise ArtifactError(f"{self.path}: a live model has continuous and categorical parameters only.")
        return numerical

    @property
    def sample_rates(self) -> tuple[int, ...]:
        """The model's own rates in Hz; empty means any."""
        return self.metadata.native_sample_rates

    @property
    def block_sizes(self) -> tuple[int, ...]:
        """The model's own block lengths in samples; empty means any."""
        return self.metadata.native_buffer_sizes

    @property
    def in_channels(self) -> int:
        ours = self.metadata.neutone_like
        return ours.in_channels if ours is not None else 1 if self.metadata.is_input_mono else 2

    @property
    def out_channels(self) -> int:
        ours = self.metadata.neutone_like
        return ours.out_channels if ours is not None else 1 if self.metadata.is_output_mono else 2

    def fresh_module(self) -> ScriptModule:
        """Load the module again: the same model with a state of its own.

        Raises:
            ArtifactError: The file is gone or has changed.
        """
        return _load_module(self.path, self.metadata)

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
        return check_test_vector(self.fresh_module(), ours.test_vector, str(self.path))


def read_metadata(path: str | PathLike[str]) -> ArtifactMetadata:
    """Read an artifact's metadata. No code in it is run or even unpacked.

    Args:
        path: A ``.nm`` file, or a folder with ``model.nm`` in it.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    file = _resolve(path)
    return parse_metadata(read_metadata_text(file), f"metadata.json in {file}")


def load_artifact(path: str | PathLike[str], *, verify_test_vector: bool = False) -> Artifact:
    """Load an artifact. Nothing is read but this file.

    Every file gives an ``ArtifactError`` or a model that plays as it was exported, as long as nobody forged the
    fingerprints of its parts too. A model is a program, though: TorchScript has no access to files or the network, but
    it may compute for ever or something else than it says. Load what comes from people you trust, or inspect it with
    :func:`read_metadata`, which runs nothing.

    Refusing a file of N bytes, or loading one whose model is not forged, takes at most 64 MiB + 16 N of memory.

    Live models made by the Neutone SDK (1.5) load too: their ``metadata.neutone_like`` is ``None``, and only the
    methods of the common contract are there (no ``latency_samples``, ``set_mix``, ``set_gains`` and the like).

    Args:
        path: A ``.nm`` file, or a folder with ``model.nm`` in it.
        verify_test_vector: Also check that the model still plays as it did when it was exported.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    file = _resolve(path)
    metadata = read_metadata(file)
    artifact = Artifact(file, metadata, _load_module(file, metadata))
    if verify_test_vector:
        artifact.verify_test_vector()
    return artifact


def _resolve(path: str | PathLike[str]) -> Path:
    file = Path(path)
    if "\0" in str(file):
        raise ArtifactError(f"Expected the path of a .nm file, got {str(file)!r}, which no file can have.")
    if not os.path.isdir(file):
        return file
    if not os.path.isfile(file / MODEL_NAME):
        raise ArtifactError(f"{file} is a folder without {MODEL_NAME}. Give the folder that export_model made.")
    return file / MODEL_NAME


def _load_module(path: Path, metadata: ArtifactMetadata) -> ScriptModule:
    ours = metadata.neutone_like
    check_contents(path, None if ours is None else ours.members_sha256)
    try:
        module = load_script(path)
    except Exception as error:  # errors of C++ come through as nearly every type
        raise ArtifactError(
            f"{path} can't be loaded as TorchScript: {_first_lines(error)}\n{_version_note(metadata)}"
        ) from error
    missing = [name for name in CONTRACT_METHODS if not hasattr(module, name)]
    if missing:
        raise ArtifactError(
            f"{path} is a TorchScript module, but not that of a live .nm: it has no {', '.join(missing)}. "
            "Make one with export_model(model, folder)."
        )
    check_tensors(module, path)
    if ours is not None:
        check_agreement(module, metadata, path)
    return module.eval()


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:400] or type(error).__name__


def _version_note(metadata: ArtifactMetadata) -> str:
    made, here = metadata.pytorch_version, str(torch.__version__)
    versions = f"It was made with PyTorch {made}, this is {here}"
    if made.split(".")[0] != here.split(".")[0]:
        return f"{versions}: install version {made.split('.')[0]} of PyTorch, or export the model again."
    return f"{versions}. The file is damaged, or needs the newer PyTorch: export the model again."


def _parameter_of_slot(slot: ParameterSlot, path: Path) -> NumericalParameter:
    """A knob as another maker describes it: hosts send 0..1, and show it over the range that is told."""
    try:
        if slot.type == "categorical" and slot.labels and not isinstance(slot.default_value, tuple):
            return CategoricalParameter(slot.name, slot.description, slot.labels, int(slot.default_value))
        if isinstance(slot.default_value, (int, float)):
            lowest = 0.0 if slot.min_value is None else slot.min_value
            highest = 1.0 if slot.max_value is None else slot.max_value
            return ContinuousParameter(slot.name, slot.description, float(slot.default_value), lowest, highest)
    except (ParameterError, ValueError) as error:
        raise ArtifactError(f"{path}: the parameter {slot.name!r} in its metadata can't be: {error}") from error
    raise ArtifactError(
        f"{path}: the parameter {slot.name!r} is of type {slot.type!r} with the default {slot.default_value!r}; "
        "a live model has continuous and categorical parameters only."
    )
