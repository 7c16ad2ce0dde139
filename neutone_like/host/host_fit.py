"""Chooses the rate and block size that the model runs at for a host, and works out the latency."""

from typing import Dict, Optional

import torch

from neutone_like.errors import AudioError, ModelError
from neutone_like.host.model_stage import CONTROL_SAMPLES, ModelStage
from neutone_like.model import WaveformToWaveformBase
from neutone_like.signal.filter_design import QUALITIES, reduced_ratio, require_usable_ratio
from neutone_like.signal.latency import buffering_numerator, total_latency_samples
from neutone_like.signal.rate_choice import choose_rate
from neutone_like.signal.resampler import FirResampler
from neutone_like.signal.soxr_resampler import SoxrResampler

DEFAULT_HOST_RATE = 48000
DEFAULT_HOST_BLOCK = 512


class HostFit(ModelStage):
    """What is settled before audio starts: rates, block sizes, filters, latency."""

    def __init__(self, model: WaveformToWaveformBase, quality: str) -> None:
        super().__init__(model)
        if quality not in (*QUALITIES, "soxr"):
            raise ModelError(f"quality must be one of {(*QUALITIES, 'soxr')}, got {quality!r}.")
        self.quality = quality
        resampler = SoxrResampler if quality == "soxr" else FirResampler
        self.resample_in = resampler(self.in_channels)
        self.resample_out = resampler(self.out_channels)
        self.default_grid = CONTROL_SAMPLES
        self.usual_block = DEFAULT_HOST_BLOCK
        self.host_rate = DEFAULT_HOST_RATE
        self.host_block = DEFAULT_HOST_BLOCK
        self.model_rate = DEFAULT_HOST_RATE
        self.model_block = 0  # 0: whatever there is
        self.up = 1
        self.down = 1
        self.resampling = False
        self.irregular = False  # the host broke its promise about block sizes
        self.model_delay = 0
        self.buffering = 0  # model samples, times `down`
        self.latency = 0

    def _fit(self, daw_sr: int, daw_bs: int, model_sr: Optional[int], model_bs: Optional[int]) -> None:
        if daw_sr < 1 or daw_bs < 1:
            raise AudioError(f"Host rate and host block must be at least 1, got {daw_sr} Hz and {daw_bs} samples.")
        # Everything is checked before anything changes: a host that is refused keeps what it had.
        model_rate = choose_rate(self.get_native_sample_rates(), daw_sr, model_sr)
        up, down = reduced_ratio(model_rate, daw_sr)
        if up != down and self.quality != "soxr":
            require_usable_ratio(daw_sr, model_rate, self.quality)
            require_usable_ratio(model_rate, daw_sr, self.quality)
        self.model_block = self._choose_block(daw_bs, up, down, model_bs)
        self.host_rate = daw_sr
        self.host_block = daw_bs
        self.model_rate = model_rate
        self.up = up
        self.down = down
        self.resampling = up != down
        host_share = -(-daw_bs * self.up // self.down)
        # A host whose blocks vary promises 1; a model of any size then gets what comes, up to a usual block.
        any_size = max(host_share, self.usual_block) if daw_bs == 1 else host_share
        self.longest_block = any_size if self.model_block == 0 else self.model_block
        self.control_grid = self.default_grid if self.model_block == 0 else 1
        self.w2w_base.prepare_model(self.model_rate, self.longest_block)
        if self.resampling:
            by_host_blocks = self.model_block == 0
            self.resample_in.prepare(self.host_rate, self.model_rate, self.quality, by_host_blocks)
            self.resample_out.prepare(self.model_rate, self.host_rate, self.quality, by_host_blocks)
        else:
            self.resample_in.release()
            self.resample_out.release()
        self._plan()
        reach = (
            self.resample_in.half_width + (max(self.longest_block, self.default_grid) + 2) * self.down // self.up + 2
        )
        self.track.prepare(self.host_rate, self.up, self.down, self.resample_in.half_width, reach)

    def _choose_block(self, host_block: int, up: int, down: int, wanted: Optional[int]) -> int:
        sizes = self.get_native_buffer_sizes()
        if wanted is not None:
            if wanted < 1 or (len(sizes) > 0 and wanted not in sizes):
                raise AudioError(f"The model's block sizes are {sizes} (empty: any), got {wanted}.")
            return wanted
        best = 0
        best_wait = -1
        for block in sizes:
            wait = buffering_numerator(host_block, block, up, down)
            if best_wait < 0 or wait < best_wait or (wait == best_wait and block > best):
                best = block
                best_wait = wait
        return best

    def _plan(self) -> None:
        """Work out the latency for the host's blocks as they are: of one size, or varying."""
        host_block = 1 if self.irregular else self.host_block
        self.model_delay = self.w2w_base.model_delay_samples()
        self.buffering = buffering_numerator(host_block, max(self.model_block, 1), self.up, self.down)
        self.latency = total_latency_samples(
            self.up,
            self.down,
            self.resample_in.half_width,
            self.resample_out.half_width,
            self.model_delay,
            self.buffering,
        )

    @torch.jit.export
    def is_resampling(self) -> bool:
        return self.resampling

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """The model's own delay in host samples, rounded down."""
        return self.model_delay * self.down // self.up

    @torch.jit.export
    def calc_buffering_delay_samples(self) -> int:
        """The rest of the latency in host samples: buffering and both resamplers."""
        return self.latency - self.calc_model_delay_samples()

    @torch.jit.export
    def latency_samples(self) -> int:
        """How many host samples the output lags behind the input, exactly."""
        return self.latency

    @torch.jit.export
    def latency_parts(self) -> Dict[str, float]:
        """The latency's parts in host samples; their sum is :meth:`latency_samples`."""
        ratio = self.down / self.up
        resample_in = self.resample_in.half_width - 1.0 / self.up if self.resampling else 0.0
        buffering = self.buffering / self.up
        model = self.model_delay * ratio
        return {
            "resample_in": resample_in,
            "buffering": buffering,
            "model": model,
            "resample_out": self.latency - resample_in - buffering - model,
        }

    @torch.jit.export
    def current_model_sample_rate(self) -> int:
        return self.model_rate

    @torch.jit.export
    def current_model_block_size(self) -> int:
        """The block size that the model is called with, or the longest one if it takes any."""
        return self.longest_block
