"""Fits a live model to any host: any sample rate, any block size, exact latency."""

from typing import Any, Dict, List, Optional

import torch
from torch import Tensor
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.arguments import is_one_of, require_kind
from neutone_like.errors import AudioError, ModelError
from neutone_like.host.contract_face import ContractFace
from neutone_like.host.contract_metadata import contract_metadata
from neutone_like.model import WaveformToWaveformBase
from neutone_like.model.format_room import MOST_KNOBS
from neutone_like.signal.back import Back
from neutone_like.signal.caller import Caller
from neutone_like.signal.delivery import Delivery
from neutone_like.signal.eager_arguments import as_level, host_numbers, require_audio, require_columns, require_values
from neutone_like.signal.filter_design import QUALITIES
from neutone_like.signal.front import Front
from neutone_like.signal.mix import Mix
from neutone_like.signal.plan import DEFAULT_HOST_BLOCK, DEFAULT_HOST_RATE, LivePlan

OFFLINE_SAMPLES = 8192


class SampleQueueWrapper(ContractFace):
    """What a ``.nm`` artifact holds: a live model behind the interface that hosts call.

    A face that joins the parts of the signal path: the plan says how the model is fitted to the host, the front makes
    model blocks of the host's, the caller guards the call of the model, the back makes a stream for the host of what
    comes out, and the mix adds the delayed input.

    Args:
        model: A live model. Its attributes are read now; changing them later has no effect here.
        quality: ``"high"`` (48 samples of the slower rate of delay each way), ``"fast"`` (32), or ``"soxr"`` (libsoxr's
            best, some 50 ms late each way: for offline use in Python; it can't be exported).

    Raises:
        ModelError: The model is not declared correctly.
    """

    def __init__(self, model: WaveformToWaveformBase, quality: str = "high") -> None:
        require_kind(model, WaveformToWaveformBase, ModelError)
        declaration = model.declaration()
        metadata = contract_metadata(declaration)
        super().__init__("live", declaration.metadata, metadata, metadata["neutone_parameters"])
        if not is_one_of(quality, (*QUALITIES, "soxr")):
            raise ModelError(f"quality must be one of {(*QUALITIES, 'soxr')}, got {quality!r}.")
        self.w2w_base = model
        self.quality = quality
        self.in_channels = declaration.in_channels
        self.out_channels = declaration.out_channels
        defaults = [parameter.default_0to1 for parameter in declaration.parameters]
        rows = defaults + [0.0] * (MOST_KNOBS - len(defaults))
        self.default_param_values = torch.tensor(rows, dtype=torch.float32).unsqueeze(1)
        self.offline_samples = OFFLINE_SAMPLES  # forward_offline hands the stream on in pieces of about this many
        self.plan = LivePlan(declaration.sample_rates, declaration.block_sizes, quality)
        self.front = Front(self.in_channels, quality)
        self.caller = Caller(
            declaration.parameters, self.in_channels, self.out_channels, declaration.look_behind_samples
        )
        self.back = Back(self.out_channels, quality)
        self.mix = Mix(self.in_channels, self.out_channels)
        self.delivery = Delivery()
        rate = declaration.sample_rates[0] if declaration.sample_rates else DEFAULT_HOST_RATE
        self.set_daw_sample_rate_and_buffer_size(rate, DEFAULT_HOST_BLOCK)

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
        if not is_scripting():
            daw_sr, daw_bs, model_sr, model_bs = host_numbers(daw_sr, daw_bs, model_sr, model_bs)
        self.turn.begin()
        with self.turn:
            self._fit(daw_sr, daw_bs, model_sr, model_bs)
        plan = self.plan
        backlog = 2 * daw_bs + (max(plan.model_block, 1) * plan.down) // plan.up + 2
        return (backlog // daw_bs) * daw_bs

    def _fit(self, daw_sr: int, daw_bs: int, model_sr: Optional[int], model_bs: Optional[int]) -> None:
        plan = self.plan
        plan.fit(daw_sr, daw_bs, model_sr, model_bs)
        self.w2w_base.prepare_model(plan.model_rate, plan.longest_block)
        half_width_in = self.front.prepare(plan.host_rate, plan.model_rate, plan.model_block)
        half_width_out = self.back.prepare(plan.model_rate, plan.host_rate, plan.model_block)
        plan.settle(half_width_in, half_width_out, self.w2w_base.model_delay_samples(), False)
        self.caller.prepare(
            plan.host_rate, plan.up, plan.down, half_width_in, plan.longest_block, plan.model_block == 0
        )
        self._start_afresh()

    @torch.jit.export
    def reset(self) -> None:
        """Forget all audio and automation: the same input then gives the same output, bit for bit."""
        self.turn.begin()
        with self.turn:
            self._start_afresh()

    def _start_afresh(self) -> None:
        self._reset_model()
        self.caller.reset()
        self.delivery.start(self.plan.host_block)
        self._settle(False)
        self.front.start()
        self._start_output(0)

    def _settle(self, blocks_vary: bool) -> None:
        plan = self.plan
        plan.settle(plan.half_width_in, plan.half_width_out, self.w2w_base.model_delay_samples(), blocks_vary)

    def _start_output(self, left_out: int) -> None:
        """Begin the output stream so that it lags by the latency, less what is left out of the silence at its start."""
        plan = self.plan
        self.mix.start(plan.latency, left_out)
        self.back.start(plan.up, plan.down, plan.half_width_in, plan.model_delay, plan.latency - left_out)

    @torch.jit.export
    def set_mix(self, wet: float, dry: float) -> None:
        """How much of the model's output and of the delayed input is heard, each 0..1. A change takes 20 ms."""
        if not is_scripting():
            wet, dry = as_level(wet, "wet"), as_level(dry, "dry")
        self.mix.set_wet_dry(wet, dry)

    @torch.jit.export
    def set_gains(self, input_gain: float, output_gain: float) -> None:
        """Gain before the model and after the mix, each 0..1 for -30..30 dB. A change takes 20 ms."""
        if not is_scripting():
            input_gain = as_level(input_gain, "input_gain")
            output_gain = as_level(output_gain, "output_gain")
        self.mix.set_gains(input_gain, output_gain)

    @torch.jit.export
    def forward(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:
        """Process one host block.

        Args:
            x: float32 ``[channels, n]`` at the host rate, ``n >= 1``; mono and stereo are converted as needed.
            params: ``[rows, n]`` in 0..1, a row for each declared parameter; further rows are ignored. ``None``:
                defaults.

        Returns:
            float32 ``[channels, n]``, as many channels as came (a model of more than two channels: its own count).

        Raises:
            ModelError: Another thread is in this wrapper.
        """
        self.turn.begin()
        with torch.no_grad(), self.turn:
            return self._forward(x, params)

    def _forward(self, x: Tensor, params: Optional[Tensor]) -> Tensor:
        self._check(x, params)
        if self.delivery.in_background:
            raise AudioError("forward_bt has been called on this stream. Call reset() before forward().")
        self._take(x, params)
        wet = self._feed(self.mix.take_input(x))
        if wet is None:
            wet = self.back.pull(x.size(1))
        return self.mix.output(wet, self._output_channels(x))

    @torch.jit.export
    def forward_bt(self, x: Tensor, params: Optional[Tensor] = None) -> Optional[Tensor]:
        """Process one host block on a background thread.

        Returns:
            ``None``, or a whole number of host blocks, as soon as they are done. A host that starts to play with the
            first one and then takes a block a callback hears the latency that :meth:`latency_samples` reports.
        """
        self.turn.begin()
        with torch.no_grad(), self.turn:
            self._check(x, params)
            if not self.delivery.started:
                self._start_without_silence()
            self._take(x, params)
            wet = self._feed(self.mix.take_input(x))
            if wet is not None:
                self.back.push_converted(wet)
            ready = self.delivery.whole_blocks(self.back.deliverable())
            if ready == 0:
                return None
            return self.mix.output(self.back.pull(ready), self._output_channels(x))

    @torch.jit.export
    def forward_offline(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:
        """Process a whole signal: reset, and return ``[channels, n]`` of the same length, aligned with the input."""
        self.turn.begin()
        with torch.no_grad(), self.turn:
            self._check(x, params)
            samples = x.size(1)
            self._start_afresh()
            latency = self.plan.latency
            piece = max(1, self.offline_samples // self.plan.host_block) * self.plan.host_block
            outputs: List[Tensor] = []
            for start in range(0, samples + latency, piece):
                block = self._slice_or_hold(x, start, piece, False)
                values: Optional[Tensor] = None
                if params is not None:
                    values = self._slice_or_hold(params, start, piece, True)
                outputs.append(self._forward(block, values))
            silenced = self.caller.silenced_samples
            self._start_afresh()
            self.caller.silenced_samples = silenced
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
        if not is_scripting():
            require_audio(x)
            require_values(params)
        if x.dim() != 2 or x.size(1) == 0 or x.dtype != torch.float32:
            kind = "float32" if x.dtype == torch.float32 else "another type"  # TorchScript knows types as numbers
            batch = " There is no batch dimension: pass one recording at a time." if x.dim() == 3 else ""
            raise AudioError(
                f"Expected float32 audio of shape (channels, samples) with at least one sample, "
                f"got {kind} of shape {x.size()}.{batch}"
            )
        if x.size(0) != self.in_channels:
            convertible = self.in_channels <= 2 and (x.size(0) == 1 or x.size(0) == 2)
            if not convertible:
                raise AudioError(
                    f"Expected audio of shape (channels, samples) with {self.in_channels} channels, got {x.size(0)}. "
                    "Only mono and stereo are converted into each other."
                )
        self.caller.track.check(params, x.size(1))
        if not is_scripting():
            require_columns(params, x.size(1))

    def _take(self, x: Tensor, params: Optional[Tensor]) -> None:
        """Count a host block, follow its parameters, and buffer more where the host breaks its promise."""
        samples = x.size(1)
        if not self.delivery.started:
            self.mix.run(self.plan.host_rate)
        if self.delivery.breaks_promise(samples):
            before = self.plan.latency
            self._settle(True)
            more = self.plan.latency - before
            self.back.wait(more)
            self.mix.wait(more)
            self.delivery.inserted_silence += more
        self.caller.track.feed(params, samples)

    def _start_without_silence(self) -> None:
        """Leave out the whole host blocks of silence that buffering puts first: a background thread needs none."""
        plan = self.plan
        silent_blocks = plan.buffering // plan.up // plan.host_block
        self.delivery.start_in_background(silent_blocks)
        self._start_output(silent_blocks * plan.host_block)

    def _feed(self, x: Tensor) -> Optional[Tensor]:
        """Take a host block through the model. Returns the output where nothing has to wait, else ``None``."""
        if self.plan.model_block == 0 and not self.plan.resampling:
            # Hosts and models may write over what is theirs: what goes from one to the other is a copy.
            return self._run(x.clone(memory_format=torch.contiguous_format)).clone()
        self.front.push(x)
        samples = self.front.ready()
        while samples > 0:
            self.back.push(self._run(self.front.pull(samples)))
            samples = self.front.ready()
        return None

    def _run(self, x: Tensor) -> Tensor:
        """``[in_channels, n]`` through the model. What comes back may be written over by its next call."""
        if self.plan.model_block > 0 or self.caller.takes_whole(x.size(1)):
            return self._call(x)
        return torch.cat([self._call(piece).clone() for piece in self.caller.cut(x)], 1)

    def _call(self, x: Tensor) -> Tensor:
        """One call of the model, whose input is its to keep; silence, and a fresh start, where it made NaN or Inf."""
        samples = x.size(1)
        y = self.w2w_base.do_forward_pass(self.caller.with_past(x), self.caller.values(samples))
        if self.caller.accepts(y, samples):
            return y
        self._reset_model()
        return torch.zeros_like(y)

    def _reset_model(self) -> None:
        """Layers that keep state between blocks forget it, whether or not the model says so."""
        for module in self.w2w_base.modules():
            if hasattr(module, "reset_streaming_state"):
                module.reset_streaming_state()  # pyright: ignore[reportCallIssue]
        self.w2w_base.reset_model()

    def _output_channels(self, x: Tensor) -> int:
        """A mono or stereo model answers with as many channels as it was given."""
        return x.size(0) if self.in_channels <= 2 and self.out_channels <= 2 else self.out_channels

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return self.in_channels == 1

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return self.out_channels == 1

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        """The knobs' defaults, 0..1, ``(4, 1)``, or a row for each of more; unused knobs are 0."""
        return self.default_param_values

    @torch.jit.export
    def to_metadata(self) -> Dict[str, Any]:
        """The format's own keys of ``metadata.json``, without sample sounds."""
        return self.about.to_dictionary()

    @torch.jit.export
    def is_resampling(self) -> bool:
        return self.plan.resampling

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """The model's own delay in host samples, rounded down."""
        return self.plan.host_model_delay()

    @torch.jit.export
    def calc_buffering_delay_samples(self) -> int:
        """The rest of the latency in host samples: buffering and both resamplers."""
        return self.plan.latency - self.plan.host_model_delay()

    @torch.jit.export
    def latency_samples(self) -> int:
        """How many host samples the output lags behind the input, exactly."""
        return self.plan.latency

    @torch.jit.export
    def latency_parts(self) -> Dict[str, float]:
        """The latency's parts in host samples; their sum is :meth:`latency_samples`."""
        return self.plan.latency_parts()

    @torch.jit.export
    def current_model_sample_rate(self) -> int:
        return self.plan.model_rate

    @torch.jit.export
    def current_model_block_size(self) -> int:
        """The block size that the model is called with, or the longest one if it takes any."""
        return self.plan.longest_block

    @torch.jit.export
    def nonfinite_samples(self) -> int:
        """Model output samples since reset that were NaN or Inf and became silence."""
        return self.caller.silenced_samples

    @torch.jit.export
    def inserted_silence_samples(self) -> int:
        """Host samples of silence inserted since reset, because the host broke its promise about block sizes."""
        return self.delivery.inserted_silence
