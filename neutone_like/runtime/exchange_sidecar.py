"""What a session must know of an exported file, from the sidecar beside it; the rest is the native backend's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neutone_like.artifact.format.strict_json import parse_strict_json
from neutone_like.errors import ArtifactError, ParameterError
from neutone_like.model import ContinuousParameter
from neutone_like.model.declaration import MAXIMUM_BLOCK_SIZE, MAXIMUM_CHANNELS, MAXIMUM_SAMPLE_RATE
from neutone_like.model.metadata import describe_validation_error
from neutone_like.runtime.exchange_libraries import ExchangeLibrary

SIDECAR_SUFFIX = ".json"


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _ParameterRecord(_Record):
    name: str
    rate: Literal["block", "sample"]
    minimum: float
    maximum: float
    default: float
    unit: str | None = None


class _SidecarRecord(_Record):
    neutone_like_sidecar: Literal[1]
    format: str
    artifact_sha256: str
    model_name: str
    sample_rate: Annotated[int, Field(ge=1, le=MAXIMUM_SAMPLE_RATE)] | None
    block_samples: Annotated[int, Field(ge=1, le=MAXIMUM_BLOCK_SIZE)] | None
    in_channels: Annotated[int, Field(ge=1, le=MAXIMUM_CHANNELS)]
    out_channels: Annotated[int, Field(ge=1, le=MAXIMUM_CHANNELS)]
    look_behind_samples: Annotated[int, Field(ge=0, le=MAXIMUM_BLOCK_SIZE)]
    parameters: tuple[_ParameterRecord, ...]


@dataclass(frozen=True)
class ExchangeSidecar:
    """A sidecar: where it is, and what a session asks of it. Rates in Hz, blocks in samples; None means any."""

    path: Path
    artifact_sha256: str
    model_name: str
    sample_rate: int | None
    block_samples: int | None
    in_channels: int
    out_channels: int
    look_behind_samples: int
    parameters: tuple[ContinuousParameter, ...]

    def takes(self, sample_rate: int, block_samples: int) -> bool:
        """Whether a model plays at this rate and in these blocks; 0 samples stands for blocks of any length."""
        return self.sample_rate in (None, sample_rate) and self.block_samples in (None, block_samples)


def sidecar_of(model: Path) -> Path:
    """Where the sidecar of an exported file is."""
    return model.with_name(model.name + SIDECAR_SUFFIX)


def read_exchange_sidecar(path: Path, library: ExchangeLibrary) -> ExchangeSidecar:
    """Read a sidecar.

    Raises:
        ArtifactError: It is not there, or what it says is not allowed.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"There is no sidecar {path}: {error.strerror}. Only it says what the inputs and outputs of "
            f"{path.name.removesuffix(SIDECAR_SUFFIX)} are, and which of them are states. Export the model again."
        ) from error
    try:
        parse_strict_json(text)
        record = _SidecarRecord.model_validate_json(text)
        parameters = tuple(map(_parameter, record.parameters))
    except ValidationError as error:
        raise ArtifactError(f"{path} is no sidecar:\n{describe_validation_error(error)}\nExport it again.") from error
    except (ValueError, ParameterError, RecursionError) as error:
        raise ArtifactError(f"{path} is no sidecar: {str(error).rstrip('.')}. Export the model again.") from error
    if record.format != library.format:
        raise ArtifactError(f"{path} is the sidecar of a file for {record.format!r}, expected {library.format!r}.")
    return ExchangeSidecar(
        path=path,
        artifact_sha256=record.artifact_sha256,
        model_name=record.model_name,
        sample_rate=record.sample_rate,
        block_samples=record.block_samples,
        in_channels=record.in_channels,
        out_channels=record.out_channels,
        look_behind_samples=record.look_behind_samples,
        parameters=parameters,
    )


def _parameter(record: _ParameterRecord) -> ContinuousParameter:
    return ContinuousParameter(
        record.name,
        default=record.default,
        minimum=record.minimum,
        maximum=record.maximum,
        unit=record.unit or "",
        rate=record.rate,
    )
