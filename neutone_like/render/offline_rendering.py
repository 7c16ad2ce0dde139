"""Audio files through an offline model; in constant memory, if the model is called block by block."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neutone_like.audio import AudioReader, AudioWriter, require_writable, writing
from neutone_like.errors import AudioError, ParameterError
from neutone_like.numbers import as_finite_number
from neutone_like.render.audio_arrays import Audio
from neutone_like.render.board import whole_number
from neutone_like.render.offline_calls import Calls, calling
from neutone_like.render.offline_inputs import FileInputs, InputCountError, Inputs, NoInputs
from neutone_like.render.offline_plugin import OfflinePlugin
from neutone_like.render.progress import ProgressFunction, showing
from neutone_like.render.rate_change import RateChange
from neutone_like.render.render_result import RenderResult
from neutone_like.render.sharing import using

CHUNK_SAMPLES = 16384
DEFAULT_RATE = 48000


def render_offline(
    plugin: OfflinePlugin,
    sources: Sequence[Path],
    target: Path,
    *,
    seconds: float | None = None,
    out_sample_rate: int | None = None,
    bit_depth: int | None = None,
    quality: str | float | None = None,
    progress: bool | ProgressFunction = True,
) -> RenderResult:
    """As :func:`neutone_like.render_file`, which calls this with one path for each of the model's inputs."""
    plugin.require_followable()
    targets = target_paths(target, plugin.out_labels)
    _require_sources(plugin, sources)
    for path in targets:
        for source in sources or (None,):
            require_writable(path, source)
    wanted_rate = None if out_sample_rate is None else whole_number("out_sample_rate", out_sample_rate, "Hz")
    with using(plugin.states, plugin.name), ExitStack() as files:
        readers = [files.enter_context(AudioReader(source)) for source in sources]
        inputs = FileInputs(readers, plugin) if readers else _time(plugin, wanted_rate, seconds)
        if readers and seconds is not None:
            raise ParameterError("seconds is for generators; the output here is as long as the input. Leave it out.")
        if inputs.length_is_exact and inputs.samples > 0:
            plugin.params.require_length(inputs.samples)
        plugin.prepare(inputs.sample_rate, CHUNK_SAMPLES)
        report = files.enter_context(showing(progress, target.name, inputs.samples or 100, inputs.sample_rate))
        rate = wanted_rate or inputs.sample_rate
        outputs = [
            _Output(
                files.enter_context(
                    writing(path, sample_rate=rate, channels=channels, bit_depth=bit_depth, quality=quality)
                ),
                None if rate == inputs.sample_rate else RateChange(inputs.sample_rate, rate, channels),
            )
            for path, channels in zip(targets, plugin.audio_out_channels, strict=True)
        ]
        total = inputs.samples or 100  # of a length that nobody knows yet, per cent
        with calling(plugin, lambda percent: report(int(total * percent / 100.0), total)) as calls:
            _play(plugin, inputs, outputs, calls)
            nonfinite = int(plugin.player.nonfinite_samples())
    return _result(plugin, sources, targets, outputs, rate, calls.compute_seconds, nonfinite)


def target_paths(target: Path, out_labels: Sequence[str]) -> tuple[Path, ...]:
    """One file for each output: ``x.wav`` itself, or ``x.LABEL.wav`` where there are several."""
    if len(out_labels) == 1:
        return (target,)
    names = [re.sub(r"[^\w.-]+", "-", label).strip("-.") or "output" for label in out_labels]
    numbered = [name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, 1)]
    return tuple(target.with_name(f"{target.stem}.{name}{target.suffix}") for name in numbered)


def _require_sources(plugin: OfflinePlugin, sources: Sequence[Path]) -> None:
    if len(sources) == len(plugin.in_labels):
        return
    wanted, remedy = "None, since it has no input", "Give none: on the command line, - for INPUT."
    if plugin.in_labels:
        wanted = f"{len(plugin.in_labels)} files, for {list(plugin.in_labels)}"
        remedy = "Give one for each, in this order: on the command line, INPUT and an --also for each further one."
    names = [str(source) for source in sources]
    raise InputCountError(f"{plugin.name}: in_path: expected {wanted}, got {len(sources)}: {names}. {remedy}")


def _time(plugin: OfflinePlugin, rate: int | None, seconds: float | None) -> NoInputs:
    """A generator's rate is the one wanted, else its own."""
    native = plugin.module.get_native_sample_rates()
    chosen = rate or (int(native[0]) if native else DEFAULT_RATE)
    if seconds is None:
        return NoInputs(chosen, 0)
    if plugin.is_one_shot:
        raise ParameterError(f"seconds: {plugin.name} decides for itself how long its output is. Leave seconds out.")
    wanted = as_finite_number(seconds)
    if wanted is None or wanted <= 0.0:
        raise ParameterError(f"seconds must be a number above 0, got {seconds!r}.")
    return NoInputs(chosen, max(1, round(wanted * chosen)))


def _play(plugin: OfflinePlugin, inputs: Inputs, outputs: Sequence["_Output"], calls: Calls) -> None:
    calls.begin(inputs.samples)
    while True:
        start = inputs.position
        audio, samples = inputs.read(CHUNK_SAMPLES)
        if samples == 0:
            break
        tensors = [torch.from_numpy(x.copy()) for x in audio]
        _write(outputs, calls.push(tensors, _params(plugin, start, samples, inputs), start / inputs.sample_rate))
    if inputs.position == 0 and len(plugin.params) > 0:  # a generator's only word about its parameters
        _write(outputs, calls.push([], _params(plugin, 0, 1, inputs), 0.0))
    _write(outputs, calls.finish(inputs.position / inputs.sample_rate))
    for output in outputs:
        output.end()


def _params(plugin: OfflinePlugin, start: int, samples: int, inputs: Inputs) -> Tensor | None:
    """What to send with the samples from ``start`` on; one column where nothing ever moves."""
    curves = plugin.params.curves
    if plugin.is_generator and not plugin.is_one_shot and inputs.samples > 0 and not curves:
        return torch.zeros(0, samples)
    if not curves:
        return None
    count = samples if plugin.is_generator or plugin.params.moves else 1
    return torch.from_numpy(np.stack([curve.values(start, count, inputs.sample_rate) for curve in curves]))


def _write(outputs: Sequence["_Output"], audio: Sequence[Tensor]) -> None:
    for output, y in zip(outputs, audio, strict=True):
        output.take(y.numpy())


class _Output:
    """One output on its way to its file."""

    def __init__(self, writer: AudioWriter, change: RateChange | None) -> None:
        self._writer = writer
        self._change = change
        self.samples = 0
        self.peak = 0.0

    def take(self, y: Audio) -> None:
        self._write(y if self._change is None else self._change.push(y))

    def end(self) -> None:
        if self._change is not None:
            self._write(self._change.finish())
        if self.samples == 0:
            raise AudioError("The input is so short that no sample is left at out_sample_rate. Keep the input's rate.")

    def _write(self, y: Audio) -> None:
        if y.shape[1] > 0:
            self.peak = max(self.peak, float(np.abs(y).max()))
            self.samples += y.shape[1]
            self._writer.write(y)

    @property
    def clipped(self) -> bool:
        return self._writer.clips and self.peak > 1.0


def _result(
    plugin: OfflinePlugin,
    sources: Sequence[Path],
    targets: Sequence[Path],
    outputs: Sequence[_Output],
    sample_rate: int,
    compute_seconds: float,
    nonfinite_samples: int,
) -> RenderResult:
    seconds = outputs[0].samples / sample_rate
    return RenderResult(
        in_path=sources[0] if sources else None,
        out_path=targets[0],
        in_paths=tuple(sources),
        out_paths=tuple(targets),
        sample_rate=sample_rate,
        channels=plugin.audio_out_channels[0],
        samples=outputs[0].samples,
        audio_seconds=seconds,
        compute_seconds=compute_seconds,
        rtf=compute_seconds / seconds,
        latency_samples=0,
        peak=max(output.peak for output in outputs),
        clipped=any(output.clipped for output in outputs),
        nonfinite_samples=nonfinite_samples,
        backend_name=plugin.backend_name,
    )
