"""One comparison: both sides play the same audio, and what comes out is measured."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.optimise.measures import Signal
from neutone_like.optimise.measures.frechet import as_embeddings, fewest, frechet_distance
from neutone_like.optimise.measures.loudness import loudness_lufs
from neutone_like.optimise.measures.mel import log_mel_distance_db, log_mel_frames
from neutone_like.optimise.measures.spectrum import spectral_distance
from neutone_like.optimise.measures.waveform import error_to_signal_ratio, lag_samples, si_sdr_db
from neutone_like.optimise.pairs import pairs
from neutone_like.optimise.quality_report import ItemQuality, QualityReport
from neutone_like.optimise.sounds import Player, Recording, Sounds
from neutone_like.torch_settings import plain_settings

BUILT_IN = "levels of 32 mel bands (built in; not comparable with published Frechet audio distances)"

Embedding = Callable[[torch.Tensor], Any]


@checked_arguments(ParameterError, but=("reference", "candidate", "audio", "sample_rate"))
@plain_settings()
def quality(
    reference: Player | Sounds,
    candidate: Player | Sounds,
    audio: Sounds | None = None,
    *,
    sample_rate: int | None = None,
    embedding: Embedding | None = None,
) -> QualityReport:
    """Measure how far a candidate is from its reference on the same audio.

    Models are played as :class:`~neutone_like.render.Board` plays them: each with the delay that it declares taken
    out, at the audio's rate. Functions and rendered sounds are taken as they come; a lag that is left is told for each
    sound, and not taken out. Everything is computed in float64, sound by sound.

    Args:
        reference, candidate: A live model, an artifact or its path, a ``ModelPlugin`` or ``Board`` (which is where
            parameters and the mix are set), or a function of a float32 tensor ``(channels, samples)`` that returns
            one. Or what was rendered already: an array, the path of a sound file, or a list of them.
        audio: What both play: an array ``(channels, samples)``, the path of a sound file, or a list of them, at least
            2048 samples each. Not needed where both sides were rendered.
        sample_rate: Of arrays, in Hz.
        embedding: For the Frechet distance: a function of a float32 tensor ``(channels, samples)`` at the sound's rate
            that returns ``(N, D)``, such as a network of VGGish's or CLAP's kind. ``None``: the levels in dB of 32 mel
            bands in frames of 43 ms, whose numbers compare with each other and with nothing published.

    Raises:
        AudioError: Audio that is not finite or too short, a silent reference, or sides that differ in number, rate,
            channels or length.
        ModelError: Nothing that plays, an offline model, or it failed.
        ArtifactError: A path holds no usable artifact.
        ParameterError: The embedding gave no finite ``(N, D)``.
    """
    items: list[ItemQuality] = []
    embedded: tuple[list[Signal], list[Signal]] = ([], [])
    for pair in pairs(reference, candidate, audio, sample_rate):
        items.append(_measure(*pair))
        for recording, found in zip(pair, embedded, strict=True):
            found.append(_embed(recording, embedding))
    first, second = (_joined(each) for each in embedded)
    dimensions, count = first.shape[1], min(len(first), len(second))
    return QualityReport(
        items=tuple(items),
        frechet_distance=frechet_distance(first, second) if count >= fewest(dimensions) else None,
        embedding_name=BUILT_IN if embedding is None else getattr(embedding, "__name__", type(embedding).__name__),
        embeddings=count,
        embedding_dimensions=dimensions,
    )


def _measure(reference: Recording, candidate: Recording) -> ItemQuality:
    x, y = (each.samples.astype(np.float64) for each in (reference, candidate))
    rate = reference.sample_rate
    before, after = (loudness_lufs(each, rate) for each in (x, y))
    return ItemQuality(
        name=reference.name,
        seconds=reference.seconds,
        error_to_signal_ratio=error_to_signal_ratio(x, y),
        si_sdr_db=si_sdr_db(x, y),
        spectral_distance=spectral_distance(x, y),
        log_mel_distance_db=log_mel_distance_db(x, y, rate),
        loudness_difference_lu=None if before is None or after is None else after - before,
        lag_samples=lag_samples(x, y),
    )


def _embed(recording: Recording, embedding: Embedding | None) -> Signal:
    if embedding is None:
        return log_mel_frames(recording.samples.astype(np.float64), recording.sample_rate)
    with torch.inference_mode():
        return as_embeddings(embedding(torch.from_numpy(recording.samples.copy())))


def _joined(embeddings: list[Signal]) -> Signal:
    dimensions = sorted({each.shape[1] for each in embeddings})
    if len(dimensions) != 1:
        raise ParameterError(f"The embedding must give as many dimensions for every sound, got {dimensions}.")
    return np.concatenate(embeddings)
