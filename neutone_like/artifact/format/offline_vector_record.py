"""The test vector of an offline model, as metadata writes it down."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from neutone_like.artifact.format.parameter_records import MAXIMUM_PARAMETERS
from neutone_like.artifact.format.reference_vector_record import (
    MAXIMUM_TOLERANCE,
    MAXIMUM_VALUES,
    HostValue,
    Indices,
    Samples,
)
from neutone_like.model.declaration import MAXIMUM_SAMPLE_RATE

MAXIMUM_TRACKS = 64


class OutputRecord(BaseModel):
    """One output: its whole length, and what to compare it by; as in :class:`TestVectorRecord`."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False)

    length: Annotated[int, Field(ge=1, le=MAXIMUM_VALUES)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sample_indices: Indices
    samples: Annotated[tuple[Samples, ...], Field(min_length=1, max_length=64)]
    rms: Annotated[tuple[float, ...], Field(min_length=1, max_length=64)]
    tolerance: Annotated[float, Field(gt=0.0, le=MAXIMUM_TOLERANCE)]

    @model_validator(mode="after")
    def _check_lengths(self) -> "OutputRecord":
        if any(index >= self.length for index in self.sample_indices):
            raise ValueError(f"sample_indices must be below {self.length}, got {max(self.sample_indices)}")
        if len(self.rms) != len(self.samples) or any(len(kept) != len(self.sample_indices) for kept in self.samples):
            raise ValueError("rms and samples must have one entry a channel, and that one sample for each index")
        return self


class StimulusRecord(BaseModel):
    """What goes in."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False)

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    sample_rate: Annotated[int, Field(ge=1, le=MAXIMUM_SAMPLE_RATE)]
    block_size: Annotated[int, Field(ge=1, le=65536)]
    samples: Annotated[int, Field(ge=1, le=MAXIMUM_VALUES)]
    in_channels: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(max_length=MAXIMUM_TRACKS)]
    parameters_0to1: Annotated[tuple[HostValue, ...], Field(max_length=MAXIMUM_PARAMETERS)]
    text: Annotated[tuple[str, ...], Field(max_length=MAXIMUM_PARAMETERS)]
    tokens: Annotated[tuple[tuple[int, ...], ...], Field(max_length=MAXIMUM_PARAMETERS)]

    @model_validator(mode="after")
    def _check_size(self) -> "StimulusRecord":
        if sum(self.in_channels) * self.samples > MAXIMUM_VALUES:
            raise ValueError(
                f"{sum(self.in_channels)} channels of {self.samples} samples are more than {MAXIMUM_VALUES} in all"
            )
        return self


class OfflineTestVectorRecord(StimulusRecord):
    """Seeded inputs, the parameters, and what comes out: enough to check in any language that a model plays right.

    The module is set to ``sample_rate`` and ``block_size``, reset, and called once. Input ``k``, of ``in_channels[k]``
    channels and ``samples`` samples, is the noise that :class:`TestVectorRecord` describes, with the seed ``seed + k``.
    Every numerical parameter is at its entry in ``parameters_0to1`` for ``samples`` samples; ``text`` and ``tokens``
    are what the module is given for those.
    """

    __test__ = False  # pytest, this is no test

    outputs: Annotated[tuple[OutputRecord, ...], Field(min_length=1, max_length=MAXIMUM_TRACKS)]
