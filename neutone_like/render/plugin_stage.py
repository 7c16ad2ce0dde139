"""A pedalboard plugin in a stream, with its latency taken out."""

from typing import Any

import numpy as np

from neutone_like.audio.samples import require_finite
from neutone_like.errors import AudioError
from neutone_like.render.audio_arrays import Audio, join, silence
from neutone_like.render.sharing import begin_stream, require_stream, states_of_effect
from neutone_like.render.stage import Stage

LONGEST_LATENCY_SECONDS = 60.0

# In streams these give silence, or audio that depends on the blocks (spotify/pedalboard issue 415 for the first); a
# single call with the whole signal is right.
NOT_STREAMABLE = ("PitchShift", "GSMFullRateCompressor")
# Parallel branches are not aligned with each other in streams, so none of them may lag.
LAGGING = ("Resample", "MP3Compressor", "ExternalPlugin", *NOT_STREAMABLE)


def can_stream(plugin: Any) -> bool:
    """Whether pedalboard gives the same audio block by block as in one call."""
    if _is_any(plugin, "PluginContainer"):
        return all(can_stream(inner) and not (_is_any(plugin, "Mix") and _lags(inner)) for inner in plugin)
    return not _is_any(plugin, *NOT_STREAMABLE)


def _lags(plugin: Any) -> bool:
    if _is_any(plugin, "PluginContainer"):
        return any(_lags(inner) for inner in plugin)
    return _is_any(plugin, *LAGGING)


def _is_any(plugin: Any, *names: str) -> bool:
    """By name, so that versions of pedalboard with other effects will do."""
    return any(base.__name__ in names for base in type(plugin).__mro__)


class PluginStage(Stage):
    """A plugin, called with blocks of one size: longer ones in mid-stream make most plugins forget their state.

    Args:
        plugin: Any pedalboard plugin or container of them; it is reset.
        sample_rate: In Hz.
        channels: Of the audio that comes.
        block_size: In samples; a little more where pedalboard could take so few samples for channels.
    """

    def __init__(self, plugin: Any, sample_rate: int, channels: int, block_size: int) -> None:
        self.plugin = plugin
        self.sample_rate = sample_rate
        self.out_channels = channels
        self.block_size = max(block_size, channels + 1)
        self.name = type(plugin).__name__
        self._states = states_of_effect(plugin)
        self._stream = begin_stream(self._states)
        plugin.reset()
        self._waiting = silence(channels, 0)  # less than a block
        self._owed = 0  # samples that came and have not left
        self._lag = 0  # samples that pedalboard was given and has not returned
        self._to_drop = 0
        self._checked_samples = 0

    @property
    def latency_samples(self) -> int:
        return self._lag

    def push(self, x: Audio) -> Audio:
        waiting = join(self._waiting, x)
        whole = waiting.shape[1] // self.block_size * self.block_size
        self._owed += x.shape[1]
        self._waiting = waiting[:, whole:].copy()
        y = self._advance(waiting[:, :whole])
        self._owed -= y.shape[1]
        return y

    def finish(self) -> Audio:
        if self._owed == 0:
            return silence(self.out_channels, 0)
        limit = self._owed + LONGEST_LATENCY_SECONDS * self.sample_rate
        parts = []
        while self._owed > 0:
            padding = silence(self.out_channels, self.block_size - self._waiting.shape[1])
            y = self._advance(join(self._waiting, padding))[:, : self._owed]
            self._waiting = silence(self.out_channels, 0)
            self._owed -= y.shape[1]
            parts.append(y)
            limit -= self.block_size
            if limit < 0:
                raise AudioError(
                    f"{self.name} still holds {self._owed} samples after {LONGEST_LATENCY_SECONDS:g} s of silence. "
                    "Use a plugin that returns as many samples as it is given."
                )
        self._to_drop = self._lag  # what comes next lags behind again
        return join(*parts)

    def process_all(self, x: Audio) -> Audio:
        missing = max(0, self.out_channels + 1 - x.shape[1])
        y = self._call(join(x, silence(self.out_channels, missing)), reset=True)[:, : x.shape[1]]
        if y.shape[1] != x.shape[1]:
            raise AudioError(
                f"{self.name} must return as many samples as it is given, got {y.shape[1]} for {x.shape[1]}."
            )
        self.block_size = min(self.block_size, x.shape[1] + missing)  # so that what comes next finds its state
        return y

    def _advance(self, x: Audio) -> Audio:
        if x.shape[1] == 0:
            return silence(self.out_channels, 0)
        y = self._call(x, reset=False)
        self._lag += x.shape[1] - y.shape[1]
        dropped = min(self._to_drop, y.shape[1])
        self._to_drop -= dropped
        return y[:, dropped:]

    def _call(self, x: Audio, reset: bool) -> Audio:
        require_stream(self._stream, self._states, f"pedalboard's {self.name}")
        given: Any = x[0] if self.out_channels == 1 else x  # one dimension can't be taken for samples of many channels
        try:
            y: Any = self.plugin(given, self.sample_rate, buffer_size=self.block_size, reset=reset)
        except (ValueError, RuntimeError, TypeError) as error:
            raise AudioError(
                f"pedalboard's {self.name} refused {tuple(x.shape)} at {self.sample_rate} Hz: {error}"
            ) from error
        audio = np.asarray(y, dtype=np.float32).reshape(self.out_channels, -1)
        require_finite(audio, self._checked_samples, self.sample_rate, self.name, "Change the settings of this plugin.")
        self._checked_samples += audio.shape[1]
        return audio


class WholeSignalStage(PluginStage):
    """A plugin that can't be called block by block: the signal is kept in memory until it ends."""

    def __init__(self, plugin: Any, sample_rate: int, channels: int, block_size: int) -> None:
        super().__init__(plugin, sample_rate, channels, block_size)
        self._kept: list[Audio] = []

    def push(self, x: Audio) -> Audio:
        self._kept.append(x.copy())
        return silence(self.out_channels, 0)

    def finish(self) -> Audio:
        x = join(silence(self.out_channels, 0), *self._kept)
        self._kept = []
        return self.process_all(x) if x.shape[1] > 0 else x
