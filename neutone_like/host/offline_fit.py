"""Chooses the rate and block size that a non-real-time model runs at, and works out what its output lags behind."""

from typing import Optional

import torch
from torch import Tensor

from neutone_like.errors import AudioError, ModelError
from neutone_like.host.offline_contract import OfflineContractMethods
from neutone_like.model import NonRealtimeBase
from neutone_like.signal.filter_design import QUALITIES, reduced_ratio, require_usable_ratio
from neutone_like.signal.latency import total_latency_samples
from neutone_like.signal.overlap_add import OverlapAdd
from neutone_like.signal.parameter_track import ParameterTrack
from neutone_like.signal.plan import DEFAULT_HOST_RATE
from neutone_like.signal.rate_choice import choose_rate
from neutone_like.signal.resampler import FirResampler
from neutone_like.signal.soxr_resampler import SoxrResampler

ANY_BLOCK_SAMPLES = 65536  # what a blocked model of any block size is called with
PIECE_SAMPLES = 16384  # host samples that go on their way together, however they came


class OfflineFit(OfflineContractMethods):
    """What is settled before a signal starts: rates, block sizes, filters, delays.

    A model's sample belongs to a moment of the host's time. Where an input is resampled, the first of the model's
    samples lies half a filter before the input's first, and the last as much after its last, so that nothing is cut off
    at the ends: ``latency`` host samples come out before those that belong to the input. A generator, and a model whose
    output has a length of its own, start at the host's time 0 instead.
    """

    def __init__(self, model: NonRealtimeBase, quality: str) -> None:
        super().__init__(model)
        if quality not in (*QUALITIES, "soxr"):
            raise ModelError(f"quality must be one of {(*QUALITIES, 'soxr')}, got {quality!r}.")
        declaration = model.declaration()
        self.quality = quality
        resampler = SoxrResampler if quality == "soxr" else FirResampler
        self.resample_in = resampler(self.inputs.total)
        self.resample_out = resampler(self.outputs.total)
        self.track = ParameterTrack(declaration.numerical_parameters)
        self.overlap = OverlapAdd(self.outputs.total, declaration.overlap_window)
        self.overlaps = declaration.overlap_hop_samples > 0
        self.overlap_hop = declaration.overlap_hop_samples
        self.look_behind = declaration.look_behind_samples
        self.free_length = self.one_shot and (self.generates or not declaration.keeps_length)
        self.takes_any_block = len(declaration.block_sizes) == 0
        self.any_block = ANY_BLOCK_SAMPLES
        self.piece_samples = PIECE_SAMPLES
        self.host_rate = DEFAULT_HOST_RATE
        self.model_rate = DEFAULT_HOST_RATE
        self.up = 1
        self.down = 1
        self.resampling = False
        self.model_block = 0  # samples of a block or frame; 0: a one-shot model that takes any length
        self.hop = 0  # from one block to the next
        self.model_delay = 0
        self.latency = 0  # host samples that come out before time 0
        self.past_samples = 0  # what a call sees before its new samples: look-behind, and the frame's older part
        self.past = torch.zeros(self.inputs.total, 0, dtype=torch.float32)

    def _fit(self, daw_sr: int, daw_bs: int, model_sr: Optional[int], model_bs: Optional[int]) -> None:
        if daw_sr < 1 or daw_bs < 1:
            raise AudioError(f"Host rate and host block must be at least 1, got {daw_sr} Hz and {daw_bs} samples.")
        # Everything is checked before anything changes: a host that is refused keeps what it had.
        model_rate = choose_rate(self.get_native_sample_rates(), daw_sr, model_sr)
        up, down = reduced_ratio(model_rate, daw_sr)
        if up != down and self.quality != "soxr":
            require_usable_ratio(model_rate, daw_sr, self.quality)
            if not self.generates:
                require_usable_ratio(daw_sr, model_rate, self.quality)
        self.model_block = self._choose_block(model_bs)
        self.host_rate = daw_sr
        self.model_rate = model_rate
        self.up = up
        self.down = down
        self.resampling = up != down
        self.nrb.prepare_model(model_rate, self.model_block)
        self.model_delay = self._checked_delay()
        self._fit_blocks()
        self._fit_filters()

    def _choose_block(self, wanted: Optional[int]) -> int:
        sizes = self.get_native_buffer_sizes()
        if wanted is not None:
            if wanted < 1 or (len(sizes) > 0 and wanted not in sizes):
                raise AudioError(f"The model's block sizes are {sizes} (empty: any), got {wanted}.")
            if not self.one_shot:
                return wanted
        largest = 0 if self.one_shot else self.any_block
        if len(sizes) > 0:
            largest = max(sizes)
        return largest

    def _checked_delay(self) -> int:
        delay = self.nrb.model_delay_samples()
        if delay < 0:
            raise ModelError(f"model_delay_samples must return 0 or more, got {delay}.")
        if self.overlaps and self.model_block - delay < self.overlap_hop:
            raise ModelError(
                f"overlap_hop_samples={self.overlap_hop} leaves gaps: of each block of {self.model_block} samples, the "
                f"model's delay leaves {self.model_block - delay}. Use a shorter hop or larger blocks."
            )
        return delay

    def _fit_blocks(self) -> None:
        self.hop = self.model_block
        self.past_samples = self.look_behind
        if self.overlaps:
            self.hop = self.overlap_hop
            self.past_samples += self.model_block - self.hop
            # A frame's first outputs, before its delay, belong to no input of the frame: they are left out.
            self.overlap.prepare(self.model_block - self.model_delay, self.hop)

    def _fit_filters(self) -> None:
        has_input_filter = self.resampling and not self.generates
        if has_input_filter:
            self.resample_in.prepare(self.host_rate, self.model_rate, self.quality)
        else:
            self.resample_in.release()
        if self.resampling:
            self.resample_out.prepare(self.model_rate, self.host_rate, self.quality)
        else:
            self.resample_out.release()
        self.latency = 0
        half_width = 0
        if has_input_filter and not self.free_length:
            half_width = self.resample_in.half_width
            self.latency = total_latency_samples(
                self.up, self.down, half_width, self.resample_out.half_width, self.stream_delay(), 0
            )
        block = self.host_samples(self.past_samples + self.model_block)
        reach = 2 * (block + self.piece_samples) + half_width + self.latency + self.host_samples(self.model_delay)
        self.track.prepare(self.host_rate, self.up, self.down, half_width, reach)

    def stream_delay(self) -> int:
        """How far the model's samples lag behind once blocks are joined, in samples at its rate."""
        return 0 if self.overlaps else self.model_delay

    def host_samples(self, model_samples: int) -> int:
        """As many host samples as last at least as long."""
        return -(-model_samples * self.down // self.up)

    def model_samples(self, host_samples: int) -> int:
        """As many of the model's samples as last at least as long."""
        return -(-host_samples * self.up // self.down)

    def _numerical_rows(self, params: Optional[Tensor], samples: int) -> Tensor:
        """The declared rows for ``samples``; no rows where the defaults are wanted."""
        if params is None or self.track.count == 0:
            return torch.zeros(0, samples, dtype=torch.float32)
        rows = params.narrow(0, 0, self.track.count).to(torch.float32)
        return rows if rows.size(1) == samples else rows.expand(rows.size(0), samples)

    @torch.jit.export
    def is_resampling(self) -> bool:
        return self.resampling

    @torch.jit.export
    def get_current_model_sample_rate(self) -> int:
        """The rate in Hz that the model is called at. Outputs come back at the host's."""
        return self.model_rate

    @torch.jit.export
    def get_current_model_buffer_size(self) -> int:
        """The block size in samples that the model is called with; 0 for a one-shot model that takes any length."""
        return self.model_block
