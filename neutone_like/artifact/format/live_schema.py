"""``metadata.json`` of a live model: what is there beside what every model says."""

from typing import Annotated

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
    require_right_hosts,
)
from neutone_like.artifact.format.reference_vector_record import TestVectorRecord
from neutone_like.model.format_room import beyond_format, model_type

ModelType = Annotated[str, Field(pattern=r"^(mono|stereo|[1-9][0-9]?ch)-(mono|stereo|[1-9][0-9]?ch)$")]
"""What the format has no word for, only our own artifacts say: ``"stereo-6ch"``."""


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
    model_type: ModelType
    look_behind_samples: LookBehind
    neutone_like: LiveSection | None = None

    @model_validator(mode="after")
    def _check_channels(self) -> "LiveMetadata":
        mono = (self.is_input_mono, self.is_output_mono)
        ours = self.neutone_like
        counts = (1 if mono[0] else 2, 1 if mono[1] else 2)
        if ours is not None:
            counts = (ours.in_channels, ours.out_channels)
            if (counts[0] == 1, counts[1] == 1) != mono:
                raise ValueError(f"model_type is {self.model_type!r}, neutone_like says {counts[0]} to {counts[1]}")
            require_right_hosts(ours, self.beyond_format())
        if self.model_type != (expected := model_type(*counts)):
            raise ValueError(f"model_type is {self.model_type!r}, is_input_mono and is_output_mono say {expected!r}")
        return self

    @property
    def channels(self) -> tuple[int, int]:
        """In and out."""
        ours = self.neutone_like
        if ours is None:
            return (1 if self.is_input_mono else 2, 1 if self.is_output_mono else 2)
        return (ours.in_channels, ours.out_channels)

    def beyond_format(self) -> tuple[str, ...]:
        ours = self.neutone_like
        if ours is None:
            return ()
        return beyond_format([record.type for record in ours.parameters], (ours.in_channels,), (ours.out_channels,))


class ForeignLiveMetadata(LiveMetadata):
    """``metadata.json`` of another maker: the Neutone SDK's own check lets longer citations and tags pass."""

    citation: Annotated[str, Field(max_length=300)]
    tags: tuple[str, ...]
