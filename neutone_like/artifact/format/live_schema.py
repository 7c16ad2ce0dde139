"""``metadata.json`` of a live model: what is there beside what every model says."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from neutone_like.artifact.format.metadata_base import (
    ArtifactMetadata,
    BlockSize,
    ChannelCount,
    Delay,
    LookBehind,
    OurSection,
    Record,
    SampleRate,
)
from neutone_like.artifact.format.reference_vector_record import TestVectorRecord


class ReportedLatency(Record):
    """What a host running at the model's own rate is told to compensate."""

    sample_rate: SampleRate
    block_size: BlockSize
    latency_samples: Delay


class LiveSection(OurSection):
    """What our own runtime knows of a live model."""

    in_channels: ChannelCount
    out_channels: ChannelCount
    reported_latency: ReportedLatency
    test_vector: TestVectorRecord


class LiveMetadata(ArtifactMetadata):
    """``metadata.json`` of a live model.

    ``neutone_like`` is ``None`` in artifacts of other makers, such as the Neutone SDK.
    """

    is_input_mono: bool
    is_output_mono: bool
    model_type: Literal["mono-mono", "mono-stereo", "stereo-mono", "stereo-stereo"]
    look_behind_samples: LookBehind
    neutone_like: LiveSection | None = None

    @model_validator(mode="after")
    def _check_channels(self) -> "LiveMetadata":
        mono = (self.is_input_mono, self.is_output_mono)
        expected = "-".join("mono" if is_mono else "stereo" for is_mono in mono)
        if self.model_type != expected:
            raise ValueError(f"model_type is {self.model_type!r}, is_input_mono and is_output_mono say {expected!r}")
        ours = self.neutone_like
        if ours is not None and (ours.in_channels == 1, ours.out_channels == 1) != mono:
            raise ValueError(f"model_type is {expected!r}, neutone_like says {ours.in_channels} to {ours.out_channels}")
        return self


class ForeignLiveMetadata(LiveMetadata):
    """``metadata.json`` of another maker: the Neutone SDK's own check lets longer citations and tags pass."""

    citation: Annotated[str, Field(max_length=300)]
    tags: tuple[str, ...]
