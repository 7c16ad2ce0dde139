"""The test vector as metadata writes it down."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from neutone_like.artifact.format.parameter_records import MAXIMUM_PARAMETERS
from neutone_like.model.declaration import MAXIMUM_SAMPLE_RATE

Samples = Annotated[tuple[float, ...], Field(max_length=1024)]
Indices = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=1024)]
HostValue = Annotated[float, Field(ge=0.0, le=1.0)]
MAXIMUM_VALUES = 1 << 22
"""Samples of all channels together: what a hostile vector can make a reader compute."""
MAXIMUM_TOLERANCE = 1.0


class TestVectorRecord(BaseModel):
    """A seeded input, how it is fed, and what comes out: enough to check in any language that a model plays right.

    The module is set to ``sample_rate`` and ``block_size``, reset, left at full wet and no dry, and called ``blocks``
    times with float32 ``[channels, block_size]`` and every parameter at its entry in ``parameters_0to1``.

    The input is noise of a linear congruential generator. With ``s = seed`` before the first sample,
    ``s = (1664525 * s + 1013904223) mod 2**32`` gives each next one as ``(s / 2**31 - 1) / 2``; channels take turns, so
    sample ``n`` of channel ``c`` is number ``n * channels + c``.

    ``digest`` is the SHA-256 of all output samples, channel after channel, each times 32768, rounded to the nearest
    integer, limited to int32 and in little-endian order. Machines that compute alike find it the same. Others compare
    ``samples`` (of each channel, at ``sample_indices``) and ``rms`` (of each channel's whole output) within
    ``tolerance``.
    """

    __test__ = False  # pytest, this is no test
    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False)

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    sample_rate: Annotated[int, Field(ge=1, le=MAXIMUM_SAMPLE_RATE)]
    block_size: Annotated[int, Field(ge=1, le=65536)]
    blocks: Annotated[int, Field(ge=1, le=100_000)]
    channels: Annotated[int, Field(ge=1, le=64)]
    parameters_0to1: Annotated[tuple[HostValue, ...], Field(max_length=MAXIMUM_PARAMETERS)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sample_indices: Indices
    samples: Annotated[tuple[Samples, ...], Field(max_length=64)]
    rms: Annotated[tuple[float, ...], Field(max_length=64)]
    tolerance: Annotated[float, Field(gt=0.0, le=MAXIMUM_TOLERANCE)]

    @model_validator(mode="after")
    def _check_lengths(self) -> "TestVectorRecord":
        length = self.blocks * self.block_size
        if length * self.channels > MAXIMUM_VALUES:
            raise ValueError(f"{self.channels} channels of {length} samples are more than {MAXIMUM_VALUES} in all")
        if any(index >= length for index in self.sample_indices):
            raise ValueError(f"sample_indices must be below {length}, got {max(self.sample_indices)}")
        if len(self.rms) != len(self.samples) or any(len(kept) != len(self.sample_indices) for kept in self.samples):
            raise ValueError("rms and samples must have one entry a channel, and that one sample for each index")
        return self
