"""How long a device takes from output to input, measured with a cable between the two."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import whole_number
from neutone_like.printing import Printed, Row
from neutone_like.runtime.backends import BuiltinBackend
from neutone_like.runtime.live.channels import choose_channels
from neutone_like.runtime.live.device import choose_device, devices
from neutone_like.runtime.live.portaudio_library import ONE_AT_A_TIME, find_portaudio
from neutone_like.runtime.live.stream import checked_block, checked_rate, known_latency, stream_plan
from neutone_like.runtime.native_module import native_module

Audio = npt.NDArray[np.float32]
_SILENCE_SECONDS = 0.1  # while the device begins
_SOUND_SECONDS = 0.2
_LONGEST_SECONDS = 1.0
_PEAK = 0.25  # -12 dB of full scale
_CLEAR = 12.0  # how far above the rest; the largest of a million normal values lies at 5


@dataclass(frozen=True, repr=False)
class RoundTrip(Printed):
    """A device's way round.

    Attributes:
        samples: From a sample that is sent out until it is heard: the median.
        seconds: The same.
        every_samples: Each time that it was measured, with a device that was opened anew.
        reported_seconds: What the device says; None where it doesn't know.
        clearness: How far the sound stood out of what else was heard, at least; from 12 on it is believed.
        sample_rate: In Hz.
        block_size: Samples of a callback, at most.
        device_xruns: Callbacks that the device flagged meanwhile: with them, measure again.
    """

    samples: int
    seconds: float
    every_samples: tuple[int, ...]
    reported_seconds: float | None
    clearness: float
    sample_rate: int
    block_size: int
    device_xruns: int

    def _rows(self) -> list[Row]:
        return [(line,) for line in self.lines()]

    def lines(self) -> list[str]:
        """For a person."""
        said = self.reported_seconds
        reported = "it does not say how much" if said is None else f"it says {said * self.sample_rate:.0f}"
        xruns = [f"{self.device_xruns} xruns meanwhile: measure again"] if self.device_xruns else []
        return [
            f"{self.samples} samples ({1000.0 * self.seconds:.1f} ms) from output to input; {reported}",
            f"each time {', '.join(map(str, self.every_samples))}; {self.sample_rate} Hz, blocks of {self.block_size}",
            *xruns,
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "every_samples": list(self.every_samples)}


def measure_round_trip(
    *,
    device: int | str | None = None,
    input_device: int | str | None = None,
    output_device: int | str | None = None,
    sample_rate: int | None = None,
    block_size: int | None = None,
    inputs: Sequence[int] | None = None,
    outputs: Sequence[int] | None = None,
    repeats: int = 3,
    portaudio: str | os.PathLike[str] | None = None,
) -> RoundTrip:
    """Send noise of 0.2 seconds out, at -12 dB of full scale, and find it in what is heard.

    Connect the output to the input with a cable first, and turn loudspeakers down. What a model adds comes on top:
    ``latency_samples`` of its session.

    Args:
        device, input_device, output_device, sample_rate, block_size, inputs, outputs, portaudio: As of
            :class:`LiveStream`; the first of the inputs hears.
        repeats: How often, 1..20; the device is opened anew each time, which with some cards changes the delay.

    Raises:
        RuntimeEngineError: The sound did not come back within a second, or the device can't be used.
    """
    repeats = whole_number(repeats, "repeats", 1, 20, error=RuntimeEngineError)
    every = devices(portaudio=portaudio)
    heard = choose_device(every, device if input_device is None else input_device, inputs=True)
    played_on = choose_device(every, device if output_device is None else output_device, inputs=False)
    channels = choose_channels(BuiltinBackend("identity").facts, heard, played_on, inputs, outputs)
    rate = checked_rate(sample_rate, played_on.default_sample_rate)
    plan = stream_plan(find_portaudio(portaudio), heard.index, played_on.index, channels, rate)
    plan.block_size = checked_block(block_size)
    sound = _sound(rate)
    plan.set_loop_back(sound[None, :], sound.size + round(_LONGEST_SECONDS * rate))
    found: list[tuple[int, float]] = []
    xruns, block, reported = 0, 0, None
    for _ in range(repeats):
        with ONE_AT_A_TIME:
            stream = native_module().LiveStream(plan)
        try:
            found.append(find_delay(sound, _listen(stream, sound.size + round(_LONGEST_SECONDS * rate))))
        finally:
            with ONE_AT_A_TIME:
                stream.close()
        xruns += stream.device_xruns
        block = max(block, stream.largest_block)
        reported = known_latency(stream)
        if found[-1][1] < _CLEAR:
            raise RuntimeEngineError(
                f"The sound that {played_on} played was not heard by {heard} within {_LONGEST_SECONDS:g} second. "
                "Connect an output to the first input with a cable (--outputs, --inputs choose others), and turn both "
                "up."
            )
    samples = round(statistics.median(each for each, _ in found))
    return RoundTrip(
        samples=samples,
        seconds=samples / rate,
        every_samples=tuple(each for each, _ in found),
        reported_seconds=reported,
        clearness=min(each for _, each in found),
        sample_rate=rate,
        block_size=block,
        device_xruns=xruns,
    )


def find_delay(sound: Audio, heard: Audio) -> tuple[int, float]:
    """Where ``sound`` lies in ``heard``: the delay in samples, by cross-correlation, and how clearly it stands out.

    Args:
        sound: Noise; silence around it counts.
        heard: At least as long.

    Returns:
        The delay, and the correlation there over the standard deviation of all others; 0 in silence.
    """
    size = sound.size + heard.size
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sound, size))
    correlation = np.abs(np.fft.irfft(spectrum, size)[: heard.size - sound.size + 1])
    delay = int(np.argmax(correlation))
    others = np.delete(correlation, slice(max(0, delay - 64), delay + 65))  # a filter in between has its ringing there
    spread = float(np.sqrt(np.mean(np.square(others)))) if others.size else 0.0
    return delay, float(correlation[delay]) / spread if spread > 0.0 else 0.0


def _sound(rate: int) -> Audio:
    noise = np.random.default_rng(0).uniform(-_PEAK, _PEAK, round(_SOUND_SECONDS * rate))
    return np.concatenate([np.zeros(round(_SILENCE_SECONDS * rate)), noise]).astype(np.float32)


def _listen(stream: Any, samples: int) -> Audio:
    with ONE_AT_A_TIME:
        stream.start()
    while stream.loop_back_samples < samples:
        if stream.look_lost():
            raise RuntimeEngineError("The device went away while it was measured. Plug it in again, and try again.")
        time.sleep(0.01)
    return stream.loop_back()
