"""``metadata.json`` of an offline model: what is there beside what every model says."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from neutone_like.artifact.format.metadata_base import (
    ArtifactMetadata,
    ChannelCount,
    LookBehind,
    OurSection,
    ShortText,
    require_right_hosts,
)
from neutone_like.artifact.format.offline_vector_record import OfflineTestVectorRecord
from neutone_like.model.format_room import beyond_format

MAXIMUM_TRACKS = 64
MonoOrStereo = Literal[1, 2]
TrackCounts = Annotated[tuple[ChannelCount, ...], Field(max_length=MAXIMUM_TRACKS)]
Labels = Annotated[tuple[ShortText, ...], Field(max_length=MAXIMUM_TRACKS)]


class OfflineSection(OurSection):
    """What our own runtime knows of an offline model."""

    realtime: Literal[False]
    audio_in_channels: TrackCounts
    audio_out_channels: Annotated[TrackCounts, Field(min_length=1)]
    keeps_length: bool
    look_behind_samples: LookBehind
    overlap_window: Literal["", "hann", "sqrt_hann", "triangular", "rectangular"]
    overlap_hop_samples: LookBehind
    tokenizer_type: Literal["JSON", "SentencePiece", "RWKVWorld"] | None
    test_vector: OfflineTestVectorRecord


class OfflineMetadata(ArtifactMetadata):
    """``metadata.json`` of an offline model.

    ``neutone_like`` is ``None`` in artifacts of other makers, such as the Neutone SDK.
    """

    audio_in_channels: TrackCounts
    audio_out_channels: Annotated[TrackCounts, Field(min_length=1)]
    audio_in_labels: Labels = ()
    audio_out_labels: Labels = ()
    is_one_shot_model: bool
    is_text_model: bool
    is_tokens_model: bool
    model_bpm: Annotated[int, Field(ge=1)] | None = None
    neutone_like: OfflineSection | None = None

    @model_validator(mode="after")
    def _check_agreement(self) -> "OfflineMetadata":
        for side in ("in", "out"):
            counts, labels = getattr(self, f"audio_{side}_channels"), getattr(self, f"audio_{side}_labels")
            if labels and len(labels) != len(counts):
                raise ValueError(f"audio_{side}_labels has {len(labels)} entries, audio_{side}_channels {len(counts)}")
            ours = self.neutone_like
            if ours is not None and getattr(ours, f"audio_{side}_channels") != counts:
                raise ValueError(f"audio_{side}_channels is {counts}, neutone_like says another")
        if self.neutone_like is not None:
            require_right_hosts(self.neutone_like, self.beyond_format())
        kinds = {slot.type for slot in self.neutone_parameters.values() if slot.used}
        for kind, is_there in (("text", self.is_text_model), ("tokens", self.is_tokens_model)):
            if is_there != (kind in kinds):
                raise ValueError(f"is_{kind}_model is {is_there}, neutone_parameters says otherwise")
        return self

    def beyond_format(self) -> tuple[str, ...]:
        if self.neutone_like is None:
            return ()
        kinds = [record.type for record in self.neutone_like.parameters]
        return beyond_format(kinds, self.audio_in_channels, self.audio_out_channels)


class ForeignOfflineMetadata(OfflineMetadata):
    """``metadata.json`` of another maker: the Neutone SDK's own check lets longer citations and tags pass."""

    # Narrower than ours, and frozen, so that nobody can widen them.
    audio_in_channels: Annotated[tuple[MonoOrStereo, ...], Field(max_length=MAXIMUM_TRACKS)]  # pyright: ignore[reportIncompatibleVariableOverride]
    audio_out_channels: Annotated[tuple[MonoOrStereo, ...], Field(min_length=1, max_length=MAXIMUM_TRACKS)]  # pyright: ignore[reportIncompatibleVariableOverride]
    citation: Annotated[str, Field(max_length=300)]
    tags: tuple[str, ...]
