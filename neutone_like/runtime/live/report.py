"""What happened while a model was played on a device."""

from dataclasses import dataclass, fields
from typing import Any

from neutone_like.printing import InNotebooks, Printed, Row
from neutone_like.runtime.live.recorder import Recording
from neutone_like.runtime.time_distribution import TimeDistribution

REPORT_VERSION = 1


@dataclass(frozen=True)
class LiveStatus(InNotebooks):
    """How it goes at the moment.

    Attributes:
        input_peak_db, output_peak_db: The loudest sample since this was asked last, in dB of full scale.
        load: The share of the time since then that went into callbacks; at 1 sound breaks off.
        device_xruns: Callbacks so far that the device flagged: sound was lost before them.
        underruns: Callbacks so far in which the model's output was not ready in time.
        seconds: How long the device has been playing the model.
        is_lost: The device has gone away.
    """

    input_peak_db: float
    output_peak_db: float
    load: float
    device_xruns: int
    underruns: int
    seconds: float
    is_lost: bool


@dataclass(frozen=True, repr=False)
class LiveReport(Printed):
    """A model on a device, from the first callback to the last.

    Attributes:
        name: The model's.
        input_device, output_device: What played it.
        backend_name: What computed.
        mode: ``"inline"`` in the callback, ``"async"`` on a worker.
        sample_rate: The device's, in Hz.
        block_size: What the device calls with, in samples; the largest where its blocks vary.
        latency_samples: Of the model, between an input sample and the output that it causes.
        device_latency_seconds: What the device says it adds, in and out; None where it doesn't know. Measure it with
            :func:`measure_round_trip`.
        seconds: How long the model was played.
        callbacks: Of the device.
        device_xruns: Callbacks that the device flagged; one that loses input and output counts once.
        input_overflows, input_underflows, output_underflows, output_overflows: The flags themselves.
        overloads: Callbacks that took longer than their own sound lasts.
        underruns: Callbacks in which the model's output was not ready in time.
        missing_samples: Samples of output that were not.
        silent_samples: Samples that were silent because the session was closed, or prepared for another host.
        nonfinite_samples, failed_blocks: What the model did wrong, and silence took the place of.
        load: The share of the time that went into callbacks.
        callback_time: How long they took.
        recordings: Files.
        is_lost: The device went away before it was closed.
        last_error: What the model complained about last; empty if it never did.
    """

    name: str
    input_device: str
    output_device: str
    backend_name: str
    mode: str
    sample_rate: int
    block_size: int
    latency_samples: int
    device_latency_seconds: float | None
    seconds: float
    callbacks: int
    device_xruns: int
    input_overflows: int
    input_underflows: int
    output_underflows: int
    output_overflows: int
    overloads: int
    underruns: int
    missing_samples: int
    silent_samples: int
    nonfinite_samples: int
    failed_blocks: int
    load: float
    callback_time: TimeDistribution
    recordings: tuple[Recording, ...]
    is_lost: bool
    last_error: str

    def _title(self) -> str:
        return f"LiveReport of {self.name!r}, {self.backend_name}, {self.mode}"

    def _rows(self) -> list[Row]:
        return [(line,) for line in self.lines()]

    def lines(self) -> list[str]:
        """For a person, the most important first."""
        milliseconds = 1000.0 * self.latency_samples / self.sample_rate
        known = self.device_latency_seconds
        device = "unknown" if known is None else f"{1000.0 * known:.1f} ms"
        lost = ["The device went away."] if self.is_lost else []
        failed = [f"{self.failed_blocks} failed blocks: {self.last_error}"] if self.failed_blocks else []
        return [
            *lost,
            f"{self.seconds:.1f} s at {self.sample_rate} Hz in blocks of {self.block_size}, on {self.output_device}",
            f"{self.device_xruns} xruns of the device, {self.underruns} underruns of the model, "
            f"{self.overloads} callbacks over time",
            *failed,
            f"load {self.load:.1%}, callbacks p99 {self.callback_time.p99_us:.0f} us, "
            f"max {self.callback_time.max_us:.0f} us",
            f"latency of the model {self.latency_samples} samples ({milliseconds:.1f} ms), of the device {device}",
            *(_line(each) for each in self.recordings),
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        times = self.callback_time
        values["callback_time"] = {
            name: getattr(times, name) for name in ("count", "p50_us", "p99_us", "p999_us", "max_us")
        }
        values["recordings"] = [each.to_dict() for each in self.recordings]
        return {"report_version": REPORT_VERSION, **values}


def _line(recording: Recording) -> str:
    lost = f", {recording.lost_samples} samples lost" if recording.lost_samples else ""
    error = f" ({recording.error})" if recording.error else ""
    return f"recorded {recording.path}: {recording.seconds:.1f} s{lost}{error}"
