"""A signal on its way through a non-real-time model, piece by piece."""

from typing import List, Optional

import torch
from torch import Tensor

from neutone_like.errors import AudioError, ParameterError
from neutone_like.host.offline_stage import OfflineStage
from neutone_like.model import NonRealtimeBase
from neutone_like.signal.latency import first_output_end
from neutone_like.signal.queue import SampleQueue


class OfflineStream(OfflineStage):
    """Gathers what comes into pieces of one size, so that no result depends on how it came, and hands them on."""

    def __init__(self, model: NonRealtimeBase, quality: str) -> None:
        super().__init__(model, quality)
        self.host_in = SampleQueue(0)  # audio, and below it the parameters where they are given
        self.model_in = SampleQueue(self.inputs.total)
        self.held_params = SampleQueue(0)  # a one-shot model's, until it runs
        self.host_out = SampleQueue(self.outputs.total)
        self.streaming = False
        self.params_given = False
        self.last_params = torch.zeros(0, 1, dtype=torch.float32)
        self.pushed_samples = 0
        self.fed_samples = 0
        self.made_samples = 0  # of the model's input, so far
        self.run_samples = 0  # of which the model has been called with so many
        self.model_drop = 0  # model samples that come out before those that count
        self.host_drop = 0
        self.delivered_samples = 0

    def _clear(self) -> None:
        """Back to where a signal can begin; what is to be read after the last one stays."""
        self.nrb.reset_model()
        self.nrb.place_call(0.0, 100.0)
        self.track.reset()
        self.overlap.reset()
        for queue in (self.host_in, self.model_in, self.held_params, self.host_out):
            queue.clear()
        self.past = torch.zeros(self.inputs.total, self.past_samples, dtype=torch.float32)
        self.last_params = torch.zeros(0, 1, dtype=torch.float32)
        self.texts.clear()
        self.tokens.clear()
        self.streaming = False
        self.cancelled = False
        self.params_given = False
        self.block_index = 0
        self.expected_blocks = 0
        self.pushed_samples = 0
        self.fed_samples = 0
        self.made_samples = 0
        self.run_samples = 0
        self.delivered_samples = 0
        self.host_drop = self.latency
        self.model_drop = 0
        if self.overlaps:
            self.model_drop = self.model_block - self.hop
        if self.resampling:
            self._start_filters()
        elif not self.free_length:
            self.model_drop += self.stream_delay()

    def _start_filters(self) -> None:
        """Put time 0 of the model where :class:`OfflineFit` says."""
        if self.latency > 0:
            self.resample_in.start(1)
            end = first_output_end(
                self.up,
                self.down,
                self.resample_in.half_width,
                self.resample_out.half_width,
                self.stream_delay(),
                self.latency,
            )
            self.resample_out.start(end)
        else:
            if not self.generates:
                self.resample_in.start(self.resample_in.half_width * self.up)
            self.resample_out.start(self.resample_out.half_width * self.down)
            if not self.free_length:
                self.model_drop += self.stream_delay()

    def _begin(self, total: int, texts: Optional[List[str]], tokens: Optional[List[List[int]]]) -> None:
        chosen_texts = self.text_inputs.texts(texts)
        chosen_tokens = self.text_inputs.tokens(tokens)
        self._clear()
        self.nrb.restart_progress()
        self.silenced_samples = 0
        self.texts = chosen_texts
        self.tokens = chosen_tokens
        self.streaming = True
        if self.one_shot:
            self.expected_blocks = 1
        elif total > 0:
            self.expected_blocks = self._blocks_for(self._input_samples_for(total))
        elif self.generates:
            self.expected_blocks = 1

    def _input_samples_for(self, host_samples: int) -> int:
        """How many samples of the model's input a signal makes."""
        if self.generates:
            extra = self.resample_out.half_width + 1 if self.resampling else 0
            return self.model_samples(host_samples) + self.model_delay + extra
        if not self.resampling:
            return host_samples + self.stream_delay()
        return ((host_samples + self.latency) * self.up - 1) // self.down + 1

    def _blocks_for(self, model_samples: int) -> int:
        context = self.model_block - self.hop
        return -(-(model_samples + context) // self.hop)

    def _push(self, audio_in: List[Tensor], params: Optional[Tensor], samples: int) -> None:
        given = params is not None and self.track.count > 0
        if self.pushed_samples == 0:
            self.params_given = given
        elif given != self.params_given:
            raise ParameterError("Numerical parameters are given with every piece of a signal, or with none.")
        if params is not None and samples == 0:
            self.last_params = self._numerical_rows(params, 1)
        start = 0
        while start < samples and not self._follow_cancel_request():
            size = min(self.piece_samples, samples - start)
            values = params
            if params is not None and params.size(1) > 1:
                values = params.narrow(1, start, size)
            audio = (
                torch.zeros(0, size, dtype=torch.float32) if self.generates else self.inputs.join(audio_in, start, size)
            )
            self.host_in.push(torch.cat((audio, self._numerical_rows(values, size)), 0))
            self.pushed_samples += size
            start += size
            while self.host_in.size >= self.piece_samples and not self.cancelled:
                self._take_in(self.host_in.pop(self.piece_samples))
                self._run_blocks()

    def _take_in(self, piece: Tensor) -> None:
        """A piece of the host's signal goes to the model's rate."""
        samples = piece.size(1)
        self.fed_samples += samples
        if self.params_given:
            rows = piece.narrow(0, self.inputs.total, self.track.count).contiguous()
            self.last_params = rows.narrow(1, samples - 1, 1).clone()
            self._feed_params(rows, samples)
        else:
            self._feed_params(None, samples)
        audio = piece.narrow(0, 0, self.inputs.total).clone(memory_format=torch.contiguous_format)
        if self.generates:
            self._make_input(self.fed_samples * self.up // self.down - self.made_samples)
        elif self.resampling:
            self.resample_in.push(audio)
            self._add_input(self.resample_in.pull(self.resample_in.available()))
        else:
            self._add_input(audio)

    def _feed_params(self, rows: Optional[Tensor], samples: int) -> None:
        if self.one_shot and rows is not None:
            self.held_params.push(rows)
        elif not self.one_shot:
            self.track.feed(rows, samples)

    def _add_input(self, x: Tensor) -> None:
        self.made_samples += x.size(1)
        if x.size(1) > 0:
            self.model_in.push(x)

    def _make_input(self, samples: int) -> None:
        self._add_input(torch.zeros(self.inputs.total, samples, dtype=torch.float32))

    def _run_blocks(self) -> None:
        """Call a blocked model with all that there is, and take what comes back to the host's rate."""
        while not self.one_shot and self.model_in.size >= self.hop and not self._follow_cancel_request():
            self._run_block(self.hop)

    def _run_block(self, new: int) -> None:
        """One call with ``new`` samples that the model has not seen, and those before them that a frame holds."""
        x = torch.cat((self.past, self.model_in.pop(new)), 1)
        self.past = x.narrow(1, new, self.past_samples).clone()
        self.run_samples += new
        samples = new + self.model_block - self.hop
        y = self._call_model(x, self.run_samples - samples, samples)
        if not self.cancelled:
            if self.overlaps:
                y = self.overlap.add(y.narrow(1, self.model_delay, samples - self.model_delay))
            self._take_out_of_model(y)

    def _take_out_of_model(self, y: Tensor) -> None:
        """Output at the model's rate, as it comes, to the host's; what lies before time 0 is dropped on the way."""
        dropped = min(self.model_drop, y.size(1))
        self.model_drop -= dropped
        y = y.narrow(1, dropped, y.size(1) - dropped)
        if self.resampling and y.size(1) > 0:
            self.resample_out.push(y)
            y = self.resample_out.pull(self.resample_out.available())
        dropped = min(self.host_drop, y.size(1))
        self.host_drop -= dropped
        y = y.narrow(1, dropped, y.size(1) - dropped)
        if y.size(1) > 0:
            self.host_out.push(y)

    def _take_out(self, samples: int) -> Tensor:
        return self.host_out.pop(samples) if samples > 0 else torch.zeros(self.outputs.total, 0, dtype=torch.float32)

    def _finish(self) -> List[Tensor]:
        outputs: List[Tensor] = []
        if not self._follow_cancel_request():
            total = self._finish_free() if self.free_length else self._finish_aligned()
            if not self.cancelled:
                outputs = self.outputs.split(self._take_out(total - self.delivered_samples))
                self.nrb.place_call(100.0, 0.0)
                self.nrb.set_progress_percentage(100.0)
        self._clear()
        return outputs

    def _finish_aligned(self) -> int:
        """The end of a signal that is as long as its input; returns that length."""
        total = self.pushed_samples
        if self.generates and total == 0:
            total = max(1, self.model_block * self.down // self.up)
        elif total == 0:
            raise AudioError("The signal has no samples. Call push() with audio before finish().")
        if self.one_shot:
            self._finish_one_shot()
        else:
            self._flush_input(total)
            wanted = self._blocks_for(self.made_samples)
            self._hold_params(self.host_samples(2 * self.model_block) + 2)
            self._run_blocks()
            while self.block_index < wanted and not self._follow_cancel_request():
                if self.takes_any_block and not self.generates:
                    self._run_block(self.model_in.size)
                else:
                    self.model_in.push_silence(max(0, self.hop - self.model_in.size))
                    self._run_blocks()
        return total

    def _flush_input(self, total: int) -> None:
        """What waits for a whole piece, and the silence that brings the end of the signal out of filters and model."""
        if self.host_in.size > 0:
            self._take_in(self.host_in.pop(self.host_in.size))
        if self.generates:
            self._make_input(self._input_samples_for(total) - self.made_samples)
        elif self.resampling:
            tail = self.latency if not self.free_length else self.resample_in.half_width
            self.resample_in.push(torch.zeros(self.inputs.total, tail, dtype=torch.float32))
            self._add_input(self.resample_in.pull(self.resample_in.available()))
        else:
            self._make_input(self.stream_delay())

    def _hold_params(self, samples: int) -> None:
        """Past the end of the signal, parameters stay where they are; what has not moved stays anyway."""
        if self.pushed_samples == 0 and self.last_params.size(0) > 0:
            self.track.feed(self.last_params, 1)  # a generator's only word about them
        elif self.track.moving:
            self.track.feed(self.last_params.expand(self.last_params.size(0), samples), samples)

    def _finish_one_shot(self) -> None:
        self._flush_input(self.pushed_samples)
        length = self.made_samples
        y = self._run_whole(self.model_in.pop(length))
        if not self.cancelled:
            self._take_all_out(y.narrow(1, 0, length))

    def _finish_free(self) -> int:
        """The end of a signal whose output has a length of its own; returns that length in host samples."""
        total = self.pushed_samples
        if total == 0 and not self.generates:
            raise AudioError("The signal has no samples. Call push() with audio before finish().")
        self._flush_input(total)
        length = max(1, self.model_samples(total))
        x = torch.zeros(self.inputs.total, length, dtype=torch.float32)
        if not self.generates:
            x = torch.constant_pad_nd(self.model_in.pop(length), [0, self.model_delay])
        y = self._run_whole(x)
        if self.cancelled:
            return 0
        y = y.narrow(1, self.model_delay, y.size(1) - self.model_delay)
        self._take_all_out(y)
        if self.resampling:
            self._take_out_of_model(
                torch.zeros(self.outputs.total, self.resample_out.half_width + 2, dtype=torch.float32)
            )
        return max(1, (2 * y.size(1) * self.down + self.up) // (2 * self.up))

    def _run_whole(self, x: Tensor) -> Tensor:
        """A one-shot model's only call, its input padded to a block size that it takes."""
        if self.model_block > 0:
            x = torch.constant_pad_nd(x, [0, self._fitting_size(x.size(1)) - x.size(1)])
        past_the_end = self.host_samples(x.size(1)) + self.latency + 2
        if self.held_params.size > 0:  # all at once: the track forgets what lies far behind the last that it was fed
            tail = self.last_params.expand(self.last_params.size(0), past_the_end)
            rows = torch.cat((self.held_params.pop(self.pushed_samples), tail), 1)
            self.track.feed(rows, rows.size(1))
        else:
            self._hold_params(past_the_end)
        return self._call_model(x, 0, x.size(1))

    def _fitting_size(self, samples: int) -> int:
        best = 0
        for size in self.get_native_buffer_sizes():
            if size >= samples and (best == 0 or size < best):
                best = size
        if best == 0:
            raise AudioError(
                f"The model takes up to {self.model_block} samples at once at {self.model_rate} Hz, got {samples}. "
                "Cut the audio into shorter parts."
            )
        return best

    def _take_all_out(self, y: Tensor) -> None:
        for start in range(0, y.size(1), self.piece_samples):
            self._take_out_of_model(y.narrow(1, start, min(self.piece_samples, y.size(1) - start)).clone())
