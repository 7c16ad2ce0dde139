"""One audio file through a model or a board, in constant memory."""

import time
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.arguments import as_path, is_iterable
from neutone_like.audio import AudioReader, AudioWriter, require_writable, writing
from neutone_like.errors import AudioError, ParameterError
from neutone_like.render.audio_arrays import Audio
from neutone_like.render.board import Board, require_lengths, whole_number
from neutone_like.render.model_plugin import Model, ModelPlugin
from neutone_like.render.offline_plugin import OfflineModel, OfflinePlugin, is_offline
from neutone_like.render.offline_rendering import render_offline
from neutone_like.render.progress import ProgressFunction, showing
from neutone_like.render.rate_change import RateChange
from neutone_like.render.render_result import RenderResult
from neutone_like.render.stage import Stream
from neutone_like.render.torch_settings import inference_settings
from neutone_like.runtime.choosing import BackendName

DEFAULT_BLOCK_SIZE = 8192
CHUNK_SAMPLES = 16384  # read, processed and written at a time, at least


def render_file(
    model: Model | ModelPlugin | Board | OfflineModel | OfflinePlugin,
    in_path: str | PathLike[str] | Sequence[str | PathLike[str]] | None,
    out_path: str | PathLike[str],
    *,
    params: Mapping[str, Any] | None = None,
    wet: float | None = None,
    dry: float | None = None,
    input_gain_db: float | None = None,
    output_gain_db: float | None = None,
    block_size: int = DEFAULT_BLOCK_SIZE,
    out_sample_rate: int | None = None,
    bit_depth: int | None = None,
    quality: str | float | None = None,
    progress: bool | ProgressFunction = True,
    seconds: float | None = None,
    device: str | None = None,
    backend: BackendName = "auto",
) -> RenderResult:
    """Render an audio file; the output is as long as the input and aligned with it, to the sample.

    An offline model may take several files, or none, and give several; one that says so gives another length. It
    computes in a thread of its own, so that Ctrl-C and ``progress`` reach it while it does, with as many threads as
    torch is set to; live models use one.

    Args:
        model: Whatever :class:`ModelPlugin` or :class:`OfflinePlugin` takes, or a :class:`Board` (whose knobs are
            set on the board).
        in_path: Any format that libsndfile or pedalboard reads, at any rate. A sequence for a model of several inputs,
            in the order of its labels, all of one rate and length; ``None`` for a generator.
        out_path: The extension chooses the format. The file appears when it is whole; until then an older one stays.
            A model of several outputs writes ``x.LABEL.wav`` for each instead of ``x.wav``.
        params: As for :class:`ModelPlugin` or :class:`OfflinePlugin`.
        wet, dry, input_gain_db, output_gain_db: As for :class:`ModelPlugin`; live models only.
        block_size: The host block in samples. It trades speed for memory and changes nothing else. An offline
            model has its own.
        out_sample_rate: In Hz; ``None`` for the input's, or a generator's own.
        bit_depth: For WAV 8, 16, 24 or 32 (floating point, the default), for AIFF and FLAC up to 24 (the default).
        quality: Of MP3 and Ogg Vorbis, as pedalboard takes it, such as ``"V2"``, ``320`` or ``"best"``.
        progress: A bar on stderr where that is a terminal; or a function of samples done and samples in all (per cent
            where a generator decides for itself how long its output is).
        seconds: How long the output of a generator is that is called block by block; ``None``: one block.
        device: Where an offline model computes, such as ``"cuda"``; ``None``: on the CPU.
        backend: What plays an artifact, as for :class:`ModelPlugin`; ``RenderResult.backend_name`` says what did.

    Raises:
        AudioError: The input is missing, damaged, empty, not finite, or of a channel count that the model does not
            take; several differ in rate or length; there are more or fewer than the model's inputs; the output can't
            be written.
        ParameterError: A value that a parameter or a knob does not take.
        ModelError: The model failed.
        ArtifactError: The path holds no usable artifact.
        MissingExtraError: pedalboard is not installed.
    """
    knobs = {"wet": wet, "dry": dry, "input_gain_db": input_gain_db, "output_gain_db": output_gain_db}
    given_backend = None if isinstance(backend, str) and backend == "auto" else backend
    sources, target = _source_paths(in_path), as_path(out_path, "the output", AudioError)
    if is_offline(model):
        return render_offline(
            _as_offline(model, params, knobs, device, given_backend),
            sources,
            target,
            seconds=seconds,
            out_sample_rate=out_sample_rate,
            bit_depth=bit_depth,
            quality=quality,
            progress=progress,
        )
    _refuse_given(
        "a live model has one input, plays as long as it, and runs on the CPU", seconds=seconds, device=device
    )
    if len(sources) != 1:
        raise AudioError(f"in_path: a live model takes one file, got {len(sources)}: {list(map(str, sources))}.")
    source = sources[0]
    block = whole_number("block_size", block_size, "samples")
    require_writable(target, source)
    with AudioReader(source) as reader:
        if reader.samples == 0:
            raise AudioError(f"{source} holds no audio: it is 0 samples long.")
        board = _as_board(model, params, knobs, given_backend)
        if reader.length_is_exact:
            require_lengths(board, reader.samples)
        rate = reader.sample_rate if out_sample_rate is None else whole_number("out_sample_rate", out_sample_rate, "Hz")
        with board.in_use(), inference_settings(board.modules):
            stream = board.open_stream(reader.sample_rate, reader.channels, block)
            change = None if rate == reader.sample_rate else RateChange(reader.sample_rate, rate, stream.out_channels)
            with (
                showing(progress, target.name, reader.samples, reader.sample_rate) as report,
                writing(
                    target, sample_rate=rate, channels=stream.out_channels, bit_depth=bit_depth, quality=quality
                ) as writer,
            ):
                run = _Run(stream, change, writer)
                chunk = -(-CHUNK_SAMPLES // block) * block
                while (x := reader.read(chunk)).shape[1] > 0:
                    run.take(x)
                    report(reader.position, max(reader.samples, reader.position))
                run.end()
    return run.result(source, target, rate)


class _Run:
    """The loop's bookkeeping."""

    def __init__(self, stream: Stream, change: RateChange | None, writer: AudioWriter) -> None:
        self.stream = stream
        self.change = change
        self.writer = writer
        self.samples = 0
        self.peak = 0.0
        self.compute_seconds = 0.0

    def take(self, x: Audio) -> None:
        start = time.perf_counter()
        y = self.stream.push(x)
        y = y if self.change is None else self.change.push(y)
        self._write(y, start)

    def end(self) -> None:
        start = time.perf_counter()
        y = self.stream.finish()
        if self.change is not None:
            self._write(self.change.push(y), start)
            start = time.perf_counter()
            y = self.change.finish()
        self._write(y, start)
        if self.samples == 0:
            raise AudioError("The input is so short that no sample is left at out_sample_rate. Keep the input's rate.")

    def _write(self, y: Audio, start: float) -> None:
        self.compute_seconds += time.perf_counter() - start
        if y.shape[1] == 0:
            return
        self.peak = max(self.peak, float(np.abs(y).max()))
        self.samples += y.shape[1]
        self.writer.write(y)

    def result(self, source: Path, target: Path, sample_rate: int) -> RenderResult:
        seconds = self.samples / sample_rate
        return RenderResult(
            in_path=source,
            out_path=target,
            in_paths=(source,),
            out_paths=(target,),
            sample_rate=sample_rate,
            channels=self.stream.out_channels,
            samples=self.samples,
            audio_seconds=seconds,
            compute_seconds=self.compute_seconds,
            rtf=self.compute_seconds / seconds,
            latency_samples=self.stream.latency_samples,
            peak=self.peak,
            clipped=self.writer.clips and self.peak > 1.0,
            nonfinite_samples=self.stream.nonfinite_samples,
            backend_name=self.stream.backend_name,
        )


def _as_board(
    model: Any, params: Mapping[str, Any] | None, knobs: Mapping[str, float | None], backend: BackendName | None
) -> Board:
    """The board to play; what was passed beside a finished one is refused, since it has its own."""
    given = [name for name, value in {"params": params, **knobs, "backend": backend}.items() if value is not None]
    if isinstance(model, (Board, ModelPlugin)):
        if given:
            raise ParameterError(
                f"{', '.join(given)}: a {type(model).__name__} has its own settings. "
                "Set them there, such as board[0].params['drive'] = 24.0."
            )
        return model if isinstance(model, Board) else Board([model])
    return Board([ModelPlugin(model, params, **knobs, backend="auto" if backend is None else backend)])


def _as_offline(
    model: Any,
    params: Mapping[str, Any] | None,
    knobs: Mapping[str, float | None],
    device: str | None,
    backend: BackendName | None,
) -> OfflinePlugin:
    _refuse_given("an offline model has no mix and no gains", **knobs)
    if isinstance(model, OfflinePlugin):
        _refuse_given("a OfflinePlugin has its own settings", params=params, device=device, backend=backend)
        return model
    return OfflinePlugin(
        model, params, device="cpu" if device is None else device, backend="auto" if backend is None else backend
    )


def _refuse_given(why: str, **values: Any) -> None:
    given = [name for name, value in values.items() if value is not None]
    if given:
        raise ParameterError(f"{', '.join(given)}: {why}. Leave {'it' if len(given) == 1 else 'them'} out.")


def _source_paths(in_path: Any) -> list[Path]:
    if in_path is None:
        return []
    is_one = isinstance(in_path, PathLike) or not is_iterable(in_path)
    paths: Any = [in_path] if is_one else in_path
    return [as_path(each, "an input", AudioError) for each in paths]
