"""Fits a live model to any host: any sample rate, any block size, exact latency."""

from typing import List, Optional

import torch
from torch import Tensor

from neutone_like.errors import AudioError, ParameterError
from neutone_like.host.host_fit import DEFAULT_HOST_BLOCK, DEFAULT_HOST_RATE, HostFit
from neutone_like.model import WaveformToWaveformBase
from neutone_like.signal.channels import convert_channels
from neutone_like.signal.gain_ramp import RAMP_SECONDS, GainRamp, gain_from_0to1
from neutone_like.signal.latency import first_output_end
from neutone_like.signal.queue import SampleQueue

OFFLINE_SAMPLES = 8192


class SampleQueueWrapper(HostFit):
    """What a ``.nm`` artifact holds: a live model behind the interface that hosts call.

    The way of a block: input gain, channel conversion, resampling to the model's rate, a queue until a model block is
    complete, the model, resampling back so that the latency is a whole number of host samples, mix, output gain.

    Args:
        model: A live model. Its attributes are read now; changing them later has no effect here.
        quality: ``"high"`` (48 samples of the slower rate of delay each way), ``"fast"`` (32), or ``"soxr"`` (libsoxr's
            best, some 50 ms late each way: for offline use in Python; it can't be exported).

    Raises:
        ModelError: The model is not declared correctly.
    """

    def __init__(self, model: WaveformToWaveformBase, quality: str = "high") -> None:
        super().__init__(model, quality)
        self.ramp_seconds = RAMP_SECONDS
        self.offline_samples = OFFLINE_SAMPLES  # forward_offline hands the stream on in pieces of about this many
        self.model_queue = SampleQueue(self.in_channels)
        self.host_queue = SampleQueue(self.out_channels)
        self.dry_queue = SampleQueue(self.out_channels)
        self.input_gain = GainRamp(1.0)
        self.output_gain = GainRamp(1.0)
        self.wet_gain = GainRamp(1.0)
        self.dry_gain = GainRamp(0.0)
        self.started = False
        self.waiting_silence = 0  # host samples of silence that go out before anything else
        self.inserted_silence = 0
        self.in_background = False
        self.silent_blocks = 0  # whole host blocks of buffering, which forward_bt does not return
        self.fed_samples = 0
        both = max(self.in_channels, self.out_channels)
        self.dry_queue.channels = both if both > 2 else 2
        rates = model.declaration().sample_rates
        self.set_daw_sample_rate_and_buffer_size(rates[0] if rates else DEFAULT_HOST_RATE, DEFAULT_HOST_BLOCK)

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: Optional[int] = None, model_bs: Optional[int] = None
    ) -> int:
        """Get ready for a host; everything is sized here. Call it before audio starts; it also resets.

        Args:
            daw_sr: Host rate in Hz.
            daw_bs: Host block in samples. Blocks that are no multiple of it cost the buffering of varying blocks,
                which 1 asks for from the start.
            model_sr, model_bs: Choose among the model's rates and block sizes. By default the host's own rate where the
                model has it, else the next one above, and the block size that waits least.

        Returns:
            The most samples that one call of :meth:`forward_bt` can return.

        Raises:
            AudioError: A number is not positive, or not among the model's.
        """
        self._fit(daw_sr, daw_bs, model_sr, model_bs)
        self.reset()
        backlog = 2 * daw_bs + (max(self.model_block, 1) * self.down) // self.up + 2
        return (backlog // daw_bs) * daw_bs

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio and automation: the same input then gives the same output, bit for bit."""
        self._reset_model_stage()
        self.irregular = False
        self._plan()
        self.started = False
        self.waiting_silence = 0
        self.inserted_silence = 0
        self.in_background = False
        self.silent_blocks = 0
        self.fed_samples = 0
        self.model_queue.clear()
        for gain in (self.input_gain, self.output_gain, self.wet_gain, self.dry_gain):
            gain.settle()
        if self.resampling:
            self.resample_in.start(1)
        self._start_output(self.latency)

    def _start_output(self, latency: int) -> None:
        """Begin the output stream so that it lags ``latency`` samples behind the input."""
        self.host_queue.clear()
        self.dry_queue.clear()
        self.dry_queue.push_silence(latency)
        if self.resampling:
            end = first_output_end(
                self.up, self.down, self.resample_in.half_width, self.resample_out.half_width, self.model_delay, latency
            )
            self.resample_out.start(end)
            if self.model_block > 0:
                self._convert_output()
        else:
            self.host_queue.push_silence(latency - self.model_delay)

    def _start_without_silence(self) -> None:
        """Leave out the whole host blocks of silence that buffering puts first: a background thread needs none."""
        self.in_background = True
        self.silent_blocks = self.buffering // self.up // self.host_block
        self._start_output(self.latency - self.silent_blocks * self.host_block)

    @torch.jit.export
    def set_mix(self, wet: float, dry: float) -> None:
        """How much of the model's output and of the delayed input is heard, each 0..1. A change takes 20 ms."""
        if not (0.0 <= wet <= 1.0 and 0.0 <= dry <= 1.0):
            raise ParameterError(f"wet and dry must lie in 0..1, got {wet} and {dry}.")
        if dry > 0.0 and self.in_channels != self.out_channels and max(self.in_channels, self.out_channels) > 2:
            raise ParameterError(
                f"dry must be 0 for a model with {self.in_channels} channels in and {self.out_channels} out, got {dry}."
            )
        ramp = self._ramp_samples()
        self.wet_gain.set_target(wet, ramp)
        self.dry_gain.set_target(dry, ramp)

    @torch.jit.export
    def set_gains(self, input_gain: float, output_gain: float) -> None:
        """Gain before the model and after the mix, each 0..1 for -30..30 dB. A change takes 20 ms."""
        if not (0.0 <= input_gain <= 1.0 and 0.0 <= output_gain <= 1.0):
            raise ParameterError(f"Gains must lie in 0..1 (0.5 is 0 dB), got {input_gain} and {output_gain}.")
        ramp = self._ramp_samples()
        self.input_gain.set_target(gain_from_0to1(input_gain), ramp)
        self.output_gain.set_target(gain_from_0to1(output_gain), ramp)

    def _ramp_samples(self) -> int:
        return int(self.host_rate * self.ramp_seconds) if self.started else 0

    @torch.jit.export
    def inserted_silence_samples(self) -> int:
        """Host samples of silence inserted since reset, because the host broke its promise about block sizes."""
        return self.inserted_silence

    @torch.jit.export
    def forward(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:
        """Process one host block.

        Args:
            x: float32 ``[channels, n]`` at the host rate, ``n >= 1``; mono and stereo are converted as needed.
            params: ``[rows, n]`` in 0..1, a row for each declared parameter; further rows are ignored. ``None``:
                defaults.

        Returns:
            float32 ``[channels, n]``, as many channels as came (a model of more than two channels: its own count).
        """
        with torch.no_grad():
            self._check(x, params)
            samples = x.size(1)
            if self.in_background:
                raise AudioError("forward_bt has been called on this stream. Call reset() before forward().")
            self._note_block_size(samples)
            self.track.feed(params, samples)
            self._feed_dry(x)
            wet = self._feed(x)
            if wet is None:
                wet = self._deliver(samples)
            return self._mix(wet, self._output_channels(x))

    @torch.jit.export
    def forward_bt(self, x: Tensor, params: Optional[Tensor] = None) -> Optional[Tensor]:
        """Process one host block on a background thread.

        Returns:
            ``None``, or a whole number of host blocks, as soon as they are done. A host that starts to play with the
            first one and then takes a block a callback hears the latency that :meth:`latency_samples` reports.
        """
        with torch.no_grad():
            self._check(x, params)
            samples = x.size(1)
            if not self.started:
                self._start_without_silence()
            self._note_block_size(samples)
            self.track.feed(params, samples)
            self._feed_dry(x)
            wet = self._feed(x)
            if wet is not None:
                self.host_queue.push(wet)
            self.fed_samples += samples
            ready = 0
            if self.fed_samples // self.host_block > self.silent_blocks:
                ready = (self._deliverable() // self.host_block) * self.host_block
            if ready == 0:
                return None
            return self._mix(self._deliver(ready), self._output_channels(x))

    @torch.jit.export
    def forward_offline(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:
        """Process a whole signal: reset, and return ``[channels, n]`` of the same length, aligned with the input."""
        with torch.no_grad():
            self._check(x, params)
            samples = x.size(1)
            self.reset()
            latency = self.latency
            piece = max(1, self.offline_samples // self.host_block) * self.host_block
            outputs: List[Tensor] = []
            for start in range(0, samples + latency, piece):
                block = self._slice_or_hold(x, start, piece, False)
                values: Optional[Tensor] = None
                if params is not None:
                    values = self._slice_or_hold(params, start, piece, True)
                outputs.append(self.forward(block, values))
            silenced = self.silenced_samples
            self.reset()
            self.silenced_samples = silenced
            return torch.cat(outputs, 1).narrow(1, latency, samples).contiguous()

    def _slice_or_hold(self, x: Tensor, start: int, length: int, hold: bool) -> Tensor:
        """``length`` samples from ``start`` on; past the end, the last value or silence."""
        begin = min(start, x.size(1))
        have = min(length, x.size(1) - begin)
        piece = x.narrow(1, begin, have)
        if have == length:
            return piece
        if hold:
            last = x.narrow(1, x.size(1) - 1, 1).expand(x.size(0), length - have)
            return torch.cat((piece, last), 1)
        return torch.constant_pad_nd(piece, [0, length - have])

    def _check(self, x: Tensor, params: Optional[Tensor]) -> None:
        """Refuse what can't be processed, before anything changes."""
        if x.dim() != 2 or x.size(1) == 0 or x.dtype != torch.float32:
            kind = "float32" if x.dtype == torch.float32 else "another type"  # TorchScript knows types as numbers
            raise AudioError(
                f"Expected float32 audio of shape (channels, samples) with at least one sample, "
                f"got {kind} of shape {x.size()}."
            )
        if x.size(0) != self.in_channels:
            convertible = self.in_channels <= 2 and (x.size(0) == 1 or x.size(0) == 2)
            if not convertible:
                raise AudioError(
                    f"Expected audio of shape (channels, samples) with {self.in_channels} channels, got {x.size(0)}. "
                    "Only mono and stereo are converted into each other."
                )
        self.track.check(params, x.size(1))

    def _note_block_size(self, samples: int) -> None:
        """Notice a host that breaks its promise: from here on, buffer as for blocks of any size."""
        if samples % self.host_block != 0 and not self.irregular:
            self.irregular = True
            before = self.latency
            self._plan()
            more = self.latency - before
            self.waiting_silence += more
            self.inserted_silence += more
            self.dry_queue.put_silence_first(more)
        self.started = True

    def _feed(self, x: Tensor) -> Optional[Tensor]:
        """Take a host block through the model. Returns the output where nothing has to wait, else ``None``."""
        x = self.input_gain.multiply(convert_channels(x, self.in_channels))
        # Hosts and models may write over what is theirs: what is kept, or goes from one to the other, is a copy.
        if self.resampling and self.model_block == 0:
            self.resample_in.push(x)  # copies, in double precision
            self._convert_and_run()
            return None
        x = x.clone(memory_format=torch.contiguous_format)
        if self.resampling:
            self.resample_in.push(x)
            while self.resample_in.available() >= self.model_block:
                self.resample_out.push(self._run_block(self.resample_in.pull(self.model_block)).clone())
                self._convert_output()
            return None
        if self.model_block == 0:
            return self._run_any_size(x).clone()
        self.model_queue.push(x)
        while self.model_queue.size >= self.model_block:
            self.host_queue.push(self._run_block(self.model_queue.pop(self.model_block)).clone())
        return None

    def _convert_and_run(self) -> None:
        """Run a model of any block size on all the input that there is."""
        count = self.resample_in.available()
        if count > 0:
            self.resample_out.push(self._run_any_size(self.resample_in.pull(count)))  # copies

    def _convert_output(self) -> None:
        """Convert all of the model's output that there is, so that runs follow the model's blocks, not the host's."""
        self.host_queue.push(self.resample_out.pull(self.resample_out.available()))

    def _deliverable(self) -> int:
        done = self.resample_out.available() if self.resampling else 0
        return self.waiting_silence + self.host_queue.size + done

    def _deliver(self, samples: int) -> Tensor:
        """The next host samples out; there are always enough."""
        silence = min(self.waiting_silence, samples)
        rest = samples - silence
        self.waiting_silence -= silence
        if rest == 0:
            return torch.zeros(self.out_channels, samples)
        direct = self.resampling and self.model_block == 0
        y = self.resample_out.pull(rest) if direct else self.host_queue.pop(rest)
        if silence > 0:
            y = torch.cat((torch.zeros(self.out_channels, silence), y), 1)
        return y

    def _output_channels(self, x: Tensor) -> int:
        """A mono or stereo model answers with as many channels as it was given."""
        return x.size(0) if self.in_channels <= 2 and self.out_channels <= 2 else self.out_channels

    def _feed_dry(self, x: Tensor) -> None:
        """Delay the input for the mix: always, so that turning it up finds it there, but for nothing where there is
        no latency and none of it is heard.
        """
        if self.latency > 0 or not self.dry_gain.is_silent():
            if self.dry_queue.channels == 2:
                x = convert_channels(x, 2)
            self.dry_queue.push(x.clone(memory_format=torch.contiguous_format))

    def _mix(self, wet: Tensor, channels: int) -> Tensor:
        samples = wet.size(1)
        y = self.wet_gain.multiply(convert_channels(wet, channels))
        if self.dry_gain.is_silent():
            self.dry_queue.skip(min(samples, self.dry_queue.size))
        else:
            dry = torch.nan_to_num(self.dry_queue.pop(samples), 0.0, 0.0, 0.0)
            y = y + self.dry_gain.multiply(convert_channels(dry, channels))
        return self.output_gain.multiply(y).contiguous()
