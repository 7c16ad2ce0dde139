"""Fits an offline model to any host: any sample rate, any length, exact alignment."""

from typing import List, Optional

import torch
from torch import Tensor

from neutone_like.errors import AudioError
from neutone_like.host.offline_face import OfflineFace
from neutone_like.model import NonRealtimeBase
from neutone_like.signal.offline_back import OfflineBack
from neutone_like.signal.offline_front import OfflineFront
from neutone_like.signal.offline_parameters import OfflineParameters, announced
from neutone_like.signal.overlap_add import OverlapAdd
from neutone_like.signal.plan import DEFAULT_HOST_BLOCK, DEFAULT_HOST_RATE


class NonRealtimeSampleQueueWrapper(OfflineFace):
    """What an offline ``.nm`` artifact holds: a model behind the interface that hosts call.

    A face that joins the parts of the signal path: the front gathers pieces at the model's rate, the caller guards the
    call of the model, frames are added where they overlap, and the back takes out delays, at the host's rate.

    A signal is passed whole to :meth:`forward`, or piece by piece to :meth:`begin`, :meth:`push` and :meth:`finish`, in
    memory that does not grow with its length if the model is blocked; the result is the same, bit for bit.

    Args:
        model: An offline model. Its attributes are read now; changing them later has no effect here.
        quality: Of the resampler: ``"high"``, ``"fast"``, or ``"soxr"`` (in Python only; it can't be exported).

    Raises:
        ModelError: The model is not declared correctly.
    """

    def __init__(self, model: NonRealtimeBase, quality: str = "high") -> None:
        super().__init__(model, quality)
        declaration = model.declaration()
        self.params = OfflineParameters(declaration)
        self.front = OfflineFront(self.inputs.total, quality)
        self.overlap = OverlapAdd(self.outputs.total, declaration.overlap_window)
        self.back = OfflineBack(self.outputs.total, quality)
        self.streaming = False
        rate = declaration.sample_rates[0] if declaration.sample_rates else DEFAULT_HOST_RATE
        self.set_daw_sample_rate_and_buffer_size(rate, DEFAULT_HOST_BLOCK)

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: Optional[int] = None, model_bs: Optional[int] = None
    ) -> int:
        """Get ready for a host; it also resets.

        Args:
            daw_sr: Host rate in Hz, of what goes in and of what comes out.
            daw_bs: Host block in samples, which plays no part where a signal is processed as a whole.
            model_sr, model_bs: Choose among the model's rates and block sizes. By default the host's own rate where the
                model has it, else the next one above, and the largest block.

        Returns:
            -1: what comes out has no bound but the length of the signal.

        Raises:
            AudioError: A number is not positive, or not among the model's.
        """
        self.turn.begin()
        with self.turn:
            self._fit(daw_sr, daw_bs, model_sr, model_bs)
        return -1

    def _fit(self, daw_sr: int, daw_bs: int, model_sr: Optional[int], model_bs: Optional[int]) -> None:
        plan = self.plan
        plan.fit(daw_sr, daw_bs, model_sr, model_bs)
        self.nrb.prepare_model(plan.model_rate, plan.model_block)
        plan.fit_blocks(self.nrb.model_delay_samples())
        half_width_in = self.front.prepare(plan.host_rate, plan.model_rate)
        plan.settle(half_width_in, self.back.prepare(plan.model_rate, plan.host_rate))
        self.caller.prepare(plan.past_samples, plan.free_length, plan.model_delay)
        if plan.overlaps:
            # A frame's first outputs, before its delay, belong to no input of the frame: they are left out.
            self.overlap.prepare(plan.model_block - plan.model_delay, plan.hop)
        reach = plan.parameter_reach(self.front.piece_samples)
        self.params.track.prepare(plan.host_rate, plan.up, plan.down, plan.parameter_shift(), reach)
        self._start_afresh()

    @torch.jit.export
    def reset(self) -> None:
        """Forget everything: audio, progress, and a request to cancel."""
        self.turn.begin()
        with self.turn:
            self._start_afresh()

    def _start_afresh(self) -> None:
        self.nrb.forget_cancel_request()
        self.nrb.restart_progress()
        self.caller.silenced_samples = 0
        self._clear()

    def _clear(self) -> None:
        """Back to where a signal can begin; what is to be read after the last one stays."""
        plan = self.plan
        self._reset_model()
        self.nrb.place_call(0.0, 100.0)
        self.params.clear()
        self.caller.clear()
        self.overlap.reset()
        self.front.start(plan.first_end_in())
        self.back.start(plan.first_end_out(), plan.model_drop(), plan.latency)
        self.streaming = False

    def _reset_model(self) -> None:
        for module in self.nrb.modules():
            if hasattr(module, "reset_streaming_state"):
                module.reset_streaming_state()  # pyright: ignore[reportCallIssue]
        self.nrb.reset_model()

    @torch.jit.export
    def forward(
        self,
        audio_in: List[Tensor],
        numerical_params: Optional[Tensor] = None,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> List[Tensor]:
        """Process a whole signal.

        Args:
            audio_in: float32 ``[channels, n]`` at the host's rate for each input; mono and stereo are converted. A
                generator takes none.
            numerical_params: ``[rows, n]`` in 0..1, a row for each numerical parameter, or ``[rows, 1]`` for all of the
                signal; further rows are ignored. ``None``: defaults. A blocked generator makes ``n`` host samples, or
                one block without them; a one-shot generator decides for itself.
            text_params, tokens_params: One for each such parameter; ``None``: defaults.

        Returns:
            float32 ``[channels, n]`` at the host's rate for each output; a one-shot generator's, or a model's with
            ``keeps_length = False``, as long as the model makes it. Nothing when cancelled.

        Raises:
            AudioError: Inputs are missing, differ in length, or have a shape, type or channel count that can't be used.
            ParameterError: Parameters of another shape; texts or tokens too many, too few or over their limit.
            ModelError: The model returns another number of outputs, or other shapes, than it declares; or another
                thread is in this wrapper.
        """
        self.turn.begin()
        with torch.no_grad(), self.turn:
            samples = self._check(audio_in, numerical_params)
            one_for_all = self.plan.generates and samples == 1
            self._begin(0 if one_for_all else samples, text_params, tokens_params)
            self._push(audio_in, numerical_params, samples)
            return self._finish()

    @torch.jit.export
    def forward_non_realtime(
        self,
        audio_in: List[Tensor],
        numerical_params: Optional[Tensor] = None,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> List[Tensor]:
        """The same as :meth:`forward`."""
        return self.forward(audio_in, numerical_params, text_params, tokens_params)

    @torch.jit.export
    def begin(
        self,
        total_samples: int = 0,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> None:
        """Start a signal that comes in pieces.

        Args:
            total_samples: How long it will be, at the host's rate; 0 if that is not known.
            text_params, tokens_params: As for :meth:`forward`.
        """
        self.turn.begin()
        with torch.no_grad(), self.turn:
            self._begin(announced(total_samples), text_params, tokens_params)

    @torch.jit.export
    def push(self, audio_in: List[Tensor], numerical_params: Optional[Tensor] = None) -> List[Tensor]:
        """Take the next piece of the signal; return what is ready of each output, ``[channels, 0]`` included.

        Parameters are given with every piece or with none. A generator, which has nothing else, makes a sample for each
        of their columns; only a column that is all there is, after ``begin(0)``, stands for a signal of any length.

        Returns nothing once cancelled.
        """
        self.turn.begin()
        with torch.no_grad(), self.turn:
            if self.caller.cancelled:
                return []
            if not self.streaming:
                raise AudioError("There is no signal to go on with. Call begin() before push().")
            samples = self._check(audio_in, numerical_params)
            self._push(audio_in, numerical_params, samples)
            if self.caller.cancelled:
                return []
            return self.outputs.split(self.back.pull(self.back.queue.size))

    @torch.jit.export
    def finish(self) -> List[Tensor]:
        """End the signal; return the rest of each output, so that all pieces are as long as the input."""
        self.turn.begin()
        with torch.no_grad(), self.turn:
            if not self.streaming and not self.caller.cancelled:
                raise AudioError("There is no signal to end. Call begin() and push() before finish().")
            return self._finish()

    def _check(self, audio_in: List[Tensor], params: Optional[Tensor]) -> int:
        """Refuse what can't be processed, before anything changes; return the length in host samples."""
        samples = self.inputs.check(audio_in)
        if self.plan.generates and params is not None and params.dim() == 2:
            samples = params.size(1)
        self.params.check(params, samples)
        return samples

    def _begin(self, total: int, texts: Optional[List[str]], tokens: Optional[List[List[int]]]) -> None:
        chosen_texts = self.text_inputs.texts(texts)
        chosen_tokens = self.text_inputs.tokens(tokens)
        self._clear()
        self.nrb.restart_progress()
        self.caller.silenced_samples = 0
        self.caller.texts = chosen_texts
        self.caller.tokens = chosen_tokens
        self.streaming = True
        self.params.announced_samples = total
        if self.plan.one_shot:
            self.caller.expected_blocks = 1
        elif total > 0:
            self.caller.expected_blocks = self.plan.blocks_for(self.plan.input_samples_for(total))
        elif self.plan.generates:
            self.caller.expected_blocks = 1

    def _push(self, audio_in: List[Tensor], params: Optional[Tensor], samples: int) -> None:
        is_first = self.front.pushed_samples == 0 and not self.params.lone_column
        self.params.note(params, is_first)
        if self.params.lone_column and samples > 0:  # more comes after it, so that it was the first sample's
            self.params.lone_column = False
            self._take_pieces(audio_in, self.params.last, 1)
        elif is_first and self.params.may_stand_alone(params, samples):
            return
        self._take_pieces(audio_in, params, samples)

    def _take_pieces(self, audio_in: List[Tensor], params: Optional[Tensor], samples: int) -> None:
        start = 0
        while start < samples and not self._follow_cancel_request():
            size = min(self.front.piece_samples, samples - start)
            rows = self.params.rows(params, start, size)
            self.front.gather(torch.cat((self.inputs.join(audio_in, start, size), rows), 0))
            start += size
            while self.front.has_piece() and not self.caller.cancelled:
                self._take_in()
                self._run_blocks()

    def _take_in(self) -> None:
        """The next piece of the host's signal goes to the model's rate, and its parameters into their track."""
        piece = self.front.next_piece()
        channels = self.front.channels
        self.params.feed(piece.narrow(0, channels, piece.size(0) - channels), piece.size(1))
        if self.plan.generates:
            self.front.push_silence(self.plan.model_samples_in(self.front.fed_samples) - self.front.made_samples)
        else:
            self.front.push(piece.narrow(0, 0, channels))

    def _run_blocks(self) -> None:
        """Call a blocked model with all that there is, and take what comes back to the host's rate."""
        while not self.one_shot and self.front.queue.size >= self.plan.hop and not self._follow_cancel_request():
            self._run_block(self.plan.hop)

    def _run_block(self, new: int) -> None:
        """A block of ``new`` samples that the model has not seen, and those before them that a frame holds."""
        x = self.caller.with_past(self.front.pull(new))
        samples = new + self.plan.model_block - self.plan.hop
        y = self._call_on_block(x, self.front.run_samples - samples, samples)
        if not self.caller.cancelled:
            if self.plan.overlaps:
                y = self.overlap.add(y.narrow(1, self.plan.model_delay, samples - self.plan.model_delay))
            self.back.push(y)

    def _call_on_block(self, x: Tensor, first_sample: int, samples: int) -> Tensor:
        """One call; several where a block-rate parameter moves within the block and the model takes any size."""
        lengths = self.params.cuts(first_sample, samples)
        if len(lengths) < 2:
            return self._call(x, first_sample, samples)
        outputs: List[Tensor] = []
        self.caller.block_share = 1.0 / float(len(lengths))
        start = 0
        for length in lengths:
            if not self._follow_cancel_request():
                part = x.narrow(1, start, self.plan.past_samples + length).clone(memory_format=torch.contiguous_format)
                outputs.append(self._call(part, first_sample + start, length))
                start += length
        self.caller.block_share = 1.0
        return torch.cat(outputs, 1) if len(outputs) > 0 else x

    def _call(self, x: Tensor, first_sample: int, samples: int) -> Tensor:
        """``[in, past + samples]`` to ``[out, n]``, with ``n = samples`` unless the model's length is its own.

        NaN and Inf become silence, and a model that goes on starts afresh. When cancelled, what comes back has no
        meaning.
        """
        caller = self.caller
        start, span = caller.progress(self.nrb.get_progress_percentage())
        self.nrb.place_call(start, span)
        values = caller.values(self.params.track.values(first_sample, samples, first_sample))
        audio = self.nrb.do_forward_pass(
            caller.block_index, caller.audio(x), values, caller.texts.copy(), caller.copied_tokens()
        )
        if self._follow_cancel_request():
            return torch.zeros(self.outputs.total, samples, dtype=torch.float32)
        y = caller.joined(audio, samples)
        self.nrb.set_progress_percentage(100.0)
        if caller.nonfinite(y) > 0:
            self._reset_model()
            y = torch.where(torch.isfinite(y), y, torch.zeros_like(y))
        return y

    def _follow_cancel_request(self) -> bool:
        """Notice a request; it is answered for good, and what is left of the signal is dropped."""
        if self.nrb.should_cancel_forward_pass():
            self.nrb.forget_cancel_request()
            self.caller.cancelled = True
        return self.caller.cancelled

    def _finish(self) -> List[Tensor]:
        outputs: List[Tensor] = []
        if self.front.pushed_samples == 0 and not self.plan.generates and not self.caller.cancelled:
            raise AudioError("The signal has no samples. Call push() with audio before finish().")
        if not self._follow_cancel_request():
            total = self._finish_free() if self.plan.free_length else self._finish_aligned()
            if not self.caller.cancelled:
                outputs = self.outputs.split(self.back.pull(total - self.back.delivered_samples))
                self.nrb.place_call(100.0, 0.0)
                self.nrb.set_progress_percentage(100.0)
        self._clear()
        return outputs

    def _finish_aligned(self) -> int:
        """The end of a signal that is as long as its input; returns that length."""
        plan = self.plan
        total = self.front.pushed_samples
        if total == 0:
            total = max(1, plan.model_block * plan.down // plan.up)
        self._flush_input(total)
        if plan.one_shot:
            length = self.front.made_samples
            y = self._run_whole(self.front.pull(length))
            if not self.caller.cancelled:
                self.back.push_long(y.narrow(1, 0, length))
            return total
        wanted = self.front.made_samples + plan.model_block - plan.hop
        self.params.hold(plan.host_samples(2 * plan.model_block) + 2, self.front.pushed_samples == 0)
        self._run_blocks()
        while self.front.run_samples < wanted and not self._follow_cancel_request():
            if self.plan.takes_any_block:
                self._run_block(self.front.queue.size)
            else:
                self.front.pad(plan.hop)
                self._run_blocks()
        return total

    def _flush_input(self, total: int) -> None:
        """What waits for a whole piece, and the silence that brings the end of the signal out of filters and model."""
        plan = self.plan
        if self.front.gathered.size > 0:
            self._take_in()
        if plan.generates:
            self.front.push_silence(plan.input_samples_for(total) - self.front.made_samples)
        elif plan.resampling:
            tail = plan.half_width_in if plan.free_length else plan.latency
            self.front.push(torch.zeros(self.front.channels, tail, dtype=torch.float32))
        else:
            self.front.push_silence(plan.stream_delay())

    def _finish_free(self) -> int:
        """The end of a signal whose output has a length of its own; returns that length in host samples."""
        plan = self.plan
        total = self.front.pushed_samples
        self._flush_input(total)
        length = max(1, plan.model_samples(total))
        x = torch.zeros(self.front.channels, length, dtype=torch.float32)
        if not plan.generates:
            x = torch.constant_pad_nd(self.front.pull(length), [0, plan.model_delay])
        y = self._run_whole(x)
        if self.caller.cancelled:
            return 0
        y = y.narrow(1, plan.model_delay, y.size(1) - plan.model_delay)
        self.back.push_long(y)
        self.back.flush()
        return max(1, (2 * y.size(1) * plan.down + plan.up) // (2 * plan.up))

    def _run_whole(self, x: Tensor) -> Tensor:
        """A one-shot model's only call, its input padded to a block size that it takes."""
        plan = self.plan
        if plan.model_block > 0:
            x = torch.constant_pad_nd(x, [0, plan.fitting_size(x.size(1)) - x.size(1)])
        past_the_end = plan.host_samples(x.size(1)) + plan.latency + 2
        self.params.feed_held(self.front.pushed_samples, past_the_end)
        return self._call(x, 0, x.size(1))
