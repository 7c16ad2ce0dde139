"""What resampling does to sound: noise, flatness, aliases and images, with libsoxr's best beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rich.table import Table
from torch import Tensor

from neutone_like.bench.models import Delay, Recorder, eager_wrapper
from neutone_like.errors import MissingExtraError
from neutone_like.extras import import_extra
from neutone_like.validate import measure

FREQUENCIES = (100.0, 440.0, 1000.0, 5000.0, 10000.0, 15000.0, 18000.0, 20000.0)
ROUND_TRIPS = ((48000, 44100), (44100, 48000))
ALIASES = ((23000.0, 48000, 44100), (30000.0, 96000, 48000), (30000.0, 96000, 44100))
IMAGES = ((19845.0, 48000, 44100), (21600.0, 96000, 48000), (19845.0, 96000, 44100), (7200.0, 48000, 16000))
QUALITIES = ("high", "fast")
SOXR = "soxr VHQ"
BLOCK = 512
SAMPLES = 16384


@dataclass(frozen=True)
class ToneResult:
    """SNR and gain of a tone after a round trip, in dB."""

    frequency: float
    snr_db: float
    gain_db: float


def tone(frequency: float, sample_rate: int, samples: int, amplitude: float = 0.5) -> Tensor:
    """A sine, ``[1, samples]``."""
    angle = 2.0 * np.pi * frequency / sample_rate * np.arange(samples)
    return torch.from_numpy((amplitude * np.sin(angle)).astype(np.float32)).unsqueeze(0)


def round_trip(frequency: float, host_rate: int, model_rate: int, quality: str) -> ToneResult:
    """A tone to the model's rate and back, through the wrapper with a model delay of 37, or through soxr."""
    y = _through(tone(frequency, host_rate, 3 * SAMPLES), host_rate, model_rate, quality)
    y = y[SAMPLES : 2 * SAMPLES]
    snr = measure.tone_snr_db(y, host_rate, frequency)
    return ToneResult(frequency, snr, measure.tone_gain_db(y, host_rate, frequency, 0.5))


def alias_db(frequency: float, host_rate: int, model_rate: int, quality: str) -> float:
    """The strongest component inside the model, in dB, of a full-scale tone that the model can't hold."""
    heard = _inside(tone(frequency, host_rate, 3 * SAMPLES, 1.0), host_rate, model_rate, quality)
    middle = heard[heard.size // 3 : 2 * heard.size // 3]
    return measure.strongest_component_db(middle, model_rate, 20.0, model_rate / 2)


def image_db(frequency: float, host_rate: int, model_rate: int, quality: str) -> float:
    """The strongest component above the model's band of a tone near its top, relative to full scale."""
    y = _through(tone(frequency, host_rate, 3 * SAMPLES, 1.0), host_rate, model_rate, quality)
    return measure.strongest_component_db(y[SAMPLES : 2 * SAMPLES], host_rate, model_rate / 2 + 100.0, host_rate / 2)


def _through(x: Tensor, host_rate: int, model_rate: int, quality: str) -> measure.FloatArray:
    if quality == SOXR:
        return _soxr(_soxr(measure.samples_of(x), host_rate, model_rate), model_rate, host_rate)
    wrapper = eager_wrapper(host_rate, BLOCK, Delay(37, (model_rate,), (512,), channels=1), quality)
    return measure.samples_of(wrapper.forward_offline(x))


def _inside(x: Tensor, host_rate: int, model_rate: int, quality: str) -> measure.FloatArray:
    if quality == SOXR:
        return _soxr(measure.samples_of(x), host_rate, model_rate)
    model = Recorder((model_rate,))
    wrapper = eager_wrapper(host_rate, BLOCK, model, quality)
    for block in x.split(BLOCK, 1):
        wrapper.forward(block.contiguous())
    return measure.samples_of(torch.cat(model.heard, 1))


def _soxr(x: measure.FloatArray, in_rate: int, out_rate: int) -> measure.FloatArray:
    soxr = import_extra("soxr", extra="render", purpose="comparison with libsoxr")
    return np.asarray(soxr.resample(x.astype(np.float32), in_rate, out_rate, quality="VHQ"), dtype=np.float64)


def available_qualities() -> tuple[str, ...]:
    """Ours, and soxr's where it is installed."""
    try:
        import_extra("soxr", extra="render", purpose="comparison with libsoxr")
    except MissingExtraError:
        return QUALITIES
    return (*QUALITIES, SOXR)


def fidelity_tables(qualities: Sequence[str] | None = None) -> list[Table]:
    """Tables of round trips, and of aliases and images."""
    chosen = tuple(qualities) if qualities is not None else available_qualities()
    with torch.no_grad():
        return [_round_trip_table(chosen), _stray_table(chosen)]


def _round_trip_table(qualities: tuple[str, ...]) -> Table:
    table = Table(
        title="Round trip of a tone at -6 dBFS: SNR in dB / gain in dB",
        caption="promised: high 110 dB, fast 95 dB to 18 kHz; gain within 0.1 dB to 18 kHz, 0.5 dB at 20 kHz",
        title_justify="left",
    )
    table.add_column("host - model - host")
    table.add_column("quality")
    for frequency in FREQUENCIES:
        table.add_column(f"{frequency:g} Hz", justify="right")
    for host_rate, model_rate in ROUND_TRIPS:
        for quality in qualities:
            results = [round_trip(frequency, host_rate, model_rate, quality) for frequency in FREQUENCIES]
            cells = [f"{result.snr_db:.1f} / {result.gain_db:+.3f}" for result in results]
            table.add_row(f"{host_rate} - {model_rate} - {host_rate}", quality, *cells)
    return table


def _stray_table(qualities: tuple[str, ...]) -> Table:
    table = Table(
        title="Aliases inside the model and images on the way back, of a full-scale tone: dBFS",
        caption="promised: high below -100 dB",
        title_justify="left",
    )
    for heading in ("what", "tone Hz", "host Hz", "model Hz", *qualities):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, function, cases in (("alias", alias_db, ALIASES), ("image", image_db, IMAGES)):
        for frequency, host_rate, model_rate in cases:
            levels = [f"{function(frequency, host_rate, model_rate, quality):.1f}" for quality in qualities]
            table.add_row(what, f"{frequency:g}", str(host_rate), str(model_rate), *levels)
    return table
