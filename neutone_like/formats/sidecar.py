"""What a model in another engine's format does not say about itself: its states, rate, block, delay and parameters."""

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from torch import Tensor

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import FILES_OF_FORMATS
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.errors import ArtifactError
from neutone_like.formats.core import Core, initial_states, state_names
from neutone_like.model import ContinuousParameter
from neutone_like.model.frozen_record import FrozenRecord
from neutone_like.model.metadata import describe_validation_error
from neutone_like.runtime.exchange_sidecar import sidecar_of

VERSION = 1
VERSION_KEY = "neutone_like_sidecar"


class SidecarParameter(FrozenRecord):
    """One of the model's knobs; values are in its own unit, of a choice its index.

    Attributes:
        name: Of the parameter.
        input: Of the model file.
        rate: ``"block"``: one value; ``"sample"``: one for each new sample.
        minimum: The least value.
        maximum: The greatest.
        default: Where nobody says anything.
        unit: In words; may be empty.
    """

    name: str
    input: str
    rate: Literal["block", "sample"]
    minimum: float
    maximum: float
    default: float
    unit: str


class SidecarState(FrozenRecord):
    """A tensor that goes in with every block, and comes out for the next one.

    Attributes:
        name: The model's attribute.
        input: Of the model file.
        output: Of the model file.
        dtype: As in NumPy.
        shape: Of the tensor.
        initial: Before the first block, little-endian and in base64; ``None``: zeros.
    """

    name: str
    input: str
    output: str
    dtype: str
    shape: tuple[int, ...]
    initial: str | None


class Sidecar(FrozenRecord):
    """Everything that a host needs beside the model file.

    Attributes:
        format: ``"onnx"`` and so on.
        file: The model file's name, beside this one.
        file_sha256: Its digest.
        artifact_sha256: That of the ``model.nm`` that it was made of.
        model_name: From the metadata.
        sample_rate: Hz; ``None``: any.
        block_samples: New samples of every block; ``None``: any number.
        in_channels: ``audio_input`` is float32 ``[in_channels, look_behind_samples + N]``.
        out_channels: ``audio_output`` is float32 ``[out_channels, N]``.
        look_behind_samples: Past samples before each block.
        delay_samples: How far the output lags behind the input, at the model's rate.
        audio_input: The name of that input.
        audio_output: The name of that output.
        parameters: The model's knobs.
        states: What it keeps between blocks.
        more_files: Others that belong to it, and their digests.
        notes: Further facts of one format.
    """

    format: str
    file: str
    file_sha256: str
    artifact_sha256: str
    model_name: str
    sample_rate: int | None
    block_samples: int | None
    in_channels: int
    out_channels: int
    look_behind_samples: int
    delay_samples: int
    audio_input: str
    audio_output: str
    parameters: tuple[SidecarParameter, ...]
    states: tuple[SidecarState, ...]
    more_files: dict[str, str]
    notes: dict[str, Any]

    def to_json(self) -> str:
        """As it is written."""
        return json.dumps({VERSION_KEY: VERSION, **self.model_dump(mode="json")}, indent=1)


@dataclass(frozen=True)
class TensorNames:
    """What a model file calls its inputs and outputs, in the order of the core's."""

    audio: str
    audio_out: str
    parameters: Sequence[str]
    states_in: Sequence[str]
    states_out: Sequence[str]


def sidecar_path(model_file: str | PathLike[str]) -> Path:
    """Where the sidecar of a model file lies."""
    path = as_path(model_file, "a model file", ArtifactError)
    if not path.name:
        raise ArtifactError(f"Expected the path of a model file, got {str(path)!r}, which has no name.")
    return sidecar_of(path)


def make_sidecar(core: Core, format: str, files: Sequence[Path], names: TensorNames, notes: dict[str, Any]) -> Sidecar:
    """The sidecar of files that have just been written, the model file first."""
    file, *more = files
    captured = core.captured
    declared = zip(captured.parameters, names.parameters, strict=True)
    states = zip(state_names(core.graph), initial_states(core.graph), names.states_in, names.states_out, strict=True)
    return Sidecar(
        format=format,
        file=file.name,
        file_sha256=digest_of_file(file),
        artifact_sha256=digest_of_file(core.artifact.path),
        model_name=core.artifact.metadata.model_name,
        sample_rate=core.sample_rate,
        block_samples=core.block_samples,
        in_channels=sum(core.artifact.audio_in_channels),
        out_channels=sum(core.artifact.audio_out_channels),
        look_behind_samples=captured.look_behind_samples,
        delay_samples=captured.delay_samples,
        audio_input=names.audio,
        audio_output=names.audio_out,
        parameters=tuple(
            SidecarParameter(
                name=each.name,
                input=name,
                rate=each.rate,
                minimum=float(each.minimum),
                maximum=float(each.maximum),
                default=float(each.default),
                unit=each.unit if isinstance(each, ContinuousParameter) else "",
            )
            for each, name in declared
        ),
        states=tuple(
            SidecarState(
                name=name,
                input=entering,
                output=leaving,
                dtype=str(value.numpy().dtype),
                shape=tuple(value.shape),
                initial=_encoded(value),
            )
            for name, value, entering, leaving in states
        ),
        more_files={each.name: digest_of_file(each) for each in more},
        notes=notes,
    )


def _encoded(value: Tensor) -> str | None:
    array = value.numpy()
    if not array.any():
        return None
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def read_sidecar(model_file: str | PathLike[str]) -> Sidecar:
    """The sidecar of a model file, with the file held against its digest.

    Raises:
        ArtifactError: There is none, it is damaged or of another version, or it belongs to another file.
        OSError: A file can't be read.
    """
    model_file = as_path(model_file, "a model file", ArtifactError)
    path = sidecar_path(model_file)
    again = f"neutone-like export FILE.py --out DIR --formats nm,nlc,{_format_of(model_file)}"
    if not os.path.isfile(model_file):
        raise ArtifactError(f"There is no file {model_file}. Export it: {again}")
    if not path.exists():
        raise ArtifactError(
            f"{model_file} has no {path.name} beside it, which names its states, rate and delay. Put it back, or "
            f"export again: {again}"
        )
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = content.pop(VERSION_KEY)
        if version != VERSION:
            raise ArtifactError(f"{path} has version {version}, and this version of neutone_like reads {VERSION}.")
        sidecar = Sidecar.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ArtifactError(f"{path} is damaged:\n{describe_validation_error(error)}\nExport again: {again}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{path} is damaged, or no sidecar of neutone_like's: {error!r}. {again}") from error
    digests = {model_file.name: sidecar.file_sha256, **sidecar.more_files}
    for name, digest in digests.items():
        file = model_file.with_name(Path(name).name)
        if not file.is_file() or digest_of_file(file) != digest:
            raise ArtifactError(f"{file} is not the file that {path.name} was written for. Export both again: {again}")
    return sidecar


def _format_of(model_file: Path) -> str:
    """The format that a file's name belongs to."""
    found = [name for name, files in FILES_OF_FORMATS.items() if Path(files[0]).suffix == model_file.suffix]
    return found[0] if found else "onnx"
