"""One of our models in a stream: whole host blocks go in, the latency comes off."""

import numpy as np
import torch
from torch import Tensor

from neutone_like.errors import AudioError, ModelError
from neutone_like.render.audio_arrays import Audio, join, silence
from neutone_like.render.automation import Samples
from neutone_like.render.model_plugin import ModelPlugin
from neutone_like.render.sharing import begin_stream, require_stream
from neutone_like.render.stage import Stage


class ModelStage(Stage):
    """Feeds a wrapper as a host that keeps its promise does.

    Args:
        plugin: The model and its knobs; they are read again with every push.
        sample_rate: In Hz.
        channels: Of the audio that comes.
        block_size: The host block, in samples. The model's latency may depend on it; what comes out of here does not.

    Raises:
        AudioError: A number of channels, or a rate, that the model does not take.
    """

    def __init__(self, plugin: ModelPlugin, sample_rate: int, channels: int, block_size: int) -> None:
        self.plugin = plugin
        self.sample_rate = sample_rate
        self.block_size = block_size
        self.fed_channels, self.out_channels = _channels(plugin, channels)
        self._stream = begin_stream(plugin.states)
        self._module, self.backend_name = plugin.played_at(sample_rate)
        try:
            self._module.set_daw_sample_rate_and_buffer_size(sample_rate, block_size)
        except (ValueError, RuntimeError) as error:  # scripted code raises its own class
            raise AudioError(f"{plugin.name} can't be played at {sample_rate} Hz: {last_line(error)}") from error
        self._set_knobs()
        self._module.reset()
        self._latency = int(self._module.latency_samples())
        self._to_drop = self._latency
        self._waiting = silence(self.fed_channels, 0)  # less than a block
        self._position = 0  # samples that came and were fed, without the silence at the end

    @property
    def latency_samples(self) -> int:
        return self._latency

    @property
    def nonfinite_samples(self) -> int:
        return int(self._module.nonfinite_samples())

    def push(self, x: Audio) -> Audio:
        if x.shape[1] == 0:
            return silence(self.out_channels, 0)
        require_stream(self._stream, self.plugin.states, self.plugin.name)
        self._set_knobs()
        waiting = join(self._waiting, np.repeat(x, self.fed_channels // x.shape[0], axis=0))
        whole = waiting.shape[1] // self.block_size * self.block_size
        self._waiting = waiting[:, whole:].copy()
        y = self._feed(waiting[:, :whole])
        self._position += whole
        dropped = min(self._to_drop, y.shape[1])
        self._to_drop -= dropped
        return y[:, dropped:]

    def finish(self) -> Audio:
        rest = self._waiting.shape[1]
        owed = rest + self._latency - self._to_drop
        if owed == 0:
            return silence(self.out_channels, 0)
        require_stream(self._stream, self.plugin.states, self.plugin.name)
        padding = -(rest + self._latency) % self.block_size + self._latency
        y = self._feed(join(self._waiting, silence(self.fed_channels, padding)))
        y = y[:, self._to_drop : self._to_drop + owed]
        self._position += rest
        self._waiting = silence(self.fed_channels, 0)
        self._to_drop = self._latency  # what comes next lags behind again
        return y

    def _set_knobs(self) -> None:
        wet, dry, input_gain, output_gain = self.plugin.knobs_0to1()
        self._module.set_mix(wet, dry)
        self._module.set_gains(input_gain, output_gain)

    def _feed(self, x: Audio) -> Audio:
        """Whole blocks through the wrapper; as many samples as go in."""
        curves = self.plugin.params.curves
        constant = _stack([curve.values(0, self.block_size, self.sample_rate) for curve in curves])
        moves = self.plugin.params.moves
        y = silence(self.out_channels, x.shape[1])
        audio = torch.from_numpy(x.copy())  # nobody else's, and writable
        for start in range(0, x.shape[1], self.block_size):
            values = constant
            if moves:
                at = self._position + start
                values = _stack([curve.values(at, self.block_size, self.sample_rate) for curve in curves])
            y[:, start : start + self.block_size] = self._run(audio[:, start : start + self.block_size], values, start)
        self._require_steady_latency()
        return y

    def _run(self, block: Tensor, values: Tensor | None, start: int) -> Audio:
        try:
            return self._module.forward(block, values).numpy()
        except Exception as error:  # whatever the user's model raises
            seconds = (self._position + start) / self.sample_rate
            raise ModelError(
                f"{self.plugin.name} failed at {seconds:.3f} s of the audio: {last_line(error)}"
            ) from error

    def _require_steady_latency(self) -> None:
        latency = int(self._module.latency_samples())
        if latency != self._latency:
            raise ModelError(
                f"{self.plugin.name}: the latency must stay as it is while audio plays, got {latency} samples after "
                f"{self._latency}. Let model_delay_samples depend on nothing that changes after prepare_model."
            )


def _stack(rows: list[Samples]) -> Tensor | None:
    return torch.from_numpy(np.stack(rows)) if rows else None


def _channels(plugin: ModelPlugin, channels: int) -> tuple[int, int]:
    """How many channels the wrapper is given, and gives back."""
    takes, gives = plugin.in_channels, plugin.out_channels
    if channels != takes and max(channels, takes) > 2:
        allowed = "mono or stereo (1 or 2 channels)" if takes <= 2 else f"{takes} channels"
        raise AudioError(
            f"{plugin.name} takes {allowed}, got {channels} channels. Split or mix the audio down before this model."
        )
    if max(takes, gives) > 2:
        return channels, gives
    fed = 2 if (channels, takes, gives) == (1, 1, 2) else channels  # mono in, stereo out is what it is for
    return fed, fed


def last_line(error: Exception) -> str:
    """An error's own message, without the TorchScript traceback that may stand before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
