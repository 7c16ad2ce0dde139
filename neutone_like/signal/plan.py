"""How a live model is fitted to a host: rates, blocks and latency, as numbers."""

from typing import Dict, List, Optional

import torch
from torch import nn

from neutone_like.errors import AudioError
from neutone_like.signal.filter_design import reduced_ratio, require_usable_ratio
from neutone_like.signal.latency import buffering_numerator, total_latency_samples
from neutone_like.signal.rate_choice import choose_rate

DEFAULT_HOST_RATE = 48000
DEFAULT_HOST_BLOCK = 512


class LivePlan(nn.Module):
    """Settled before audio starts, by :meth:`fit` and then :meth:`settle`; the parts of the signal path copy from it.

    Args:
        sample_rates: The model's rates in Hz; empty for any.
        block_sizes: The block lengths in samples that it takes; empty for any.
        quality: Of the rate conversion.
    """

    sample_rates: List[int]
    block_sizes: List[int]

    def __init__(self, sample_rates: tuple[int, ...], block_sizes: tuple[int, ...], quality: str) -> None:
        super().__init__()
        self.sample_rates = list(sample_rates)
        self.block_sizes = list(block_sizes)
        self.quality = quality
        self.usual_block = DEFAULT_HOST_BLOCK
        self.host_rate = DEFAULT_HOST_RATE
        self.host_block = DEFAULT_HOST_BLOCK
        self.model_rate = DEFAULT_HOST_RATE
        self.model_block = 0  # 0: whatever there is
        self.longest_block = DEFAULT_HOST_BLOCK  # what the model is prepared for
        self.up = 1
        self.down = 1
        self.resampling = False
        self.half_width_in = 0
        self.half_width_out = 0
        self.model_delay = 0
        self.buffering = 0  # model samples, times `down`
        self.latency = 0

    @torch.jit.export
    def fit(self, host_rate: int, host_block: int, model_rate: Optional[int], model_block: Optional[int]) -> None:
        """Choose the rate and the block size that the model runs at.

        Raises:
            AudioError: A number is not positive, or not among the model's. Nothing has changed then.
        """
        if host_rate < 1 or host_block < 1:
            raise AudioError(
                f"Host rate and host block must be at least 1, got {host_rate} Hz and {host_block} samples."
            )
        rate = choose_rate(self.sample_rates, host_rate, model_rate)
        up, down = reduced_ratio(rate, host_rate)
        if up != down and self.quality != "soxr":
            require_usable_ratio(host_rate, rate, self.quality)
            require_usable_ratio(rate, host_rate, self.quality)
        self.model_block = self._choose_block(host_block, up, down, model_block)
        self.host_rate = host_rate
        self.host_block = host_block
        self.model_rate = rate
        self.up = up
        self.down = down
        self.resampling = up != down
        host_share = -(-host_block * up // down)
        # A host whose blocks vary promises 1; a model of any size then gets what comes, up to a usual block.
        any_size = max(host_share, self.usual_block) if host_block == 1 else host_share
        self.longest_block = any_size if self.model_block == 0 else self.model_block

    @torch.jit.export
    def settle(self, half_width_in: int, half_width_out: int, model_delay: int, blocks_vary: bool) -> None:
        """Work out the latency, once filters and model are prepared, for host blocks of one size or of any."""
        self.half_width_in = half_width_in
        self.half_width_out = half_width_out
        self.model_delay = model_delay
        host_block = 1 if blocks_vary else self.host_block
        self.buffering = buffering_numerator(host_block, max(self.model_block, 1), self.up, self.down)
        self.latency = total_latency_samples(
            self.up, self.down, half_width_in, half_width_out, model_delay, self.buffering
        )

    @torch.jit.export
    def host_model_delay(self) -> int:
        """The model's own delay in host samples, rounded down."""
        return self.model_delay * self.down // self.up

    @torch.jit.export
    def latency_parts(self) -> Dict[str, float]:
        """The latency's parts in host samples; their sum is the latency."""
        resample_in = self.half_width_in - 1.0 / self.up if self.resampling else 0.0
        buffering = self.buffering / self.up
        model = self.model_delay * (self.down / self.up)
        return {
            "resample_in": resample_in,
            "buffering": buffering,
            "model": model,
            "resample_out": self.latency - resample_in - buffering - model,
        }

    def _choose_block(self, host_block: int, up: int, down: int, wanted: Optional[int]) -> int:
        if wanted is not None:
            if wanted < 1 or (len(self.block_sizes) > 0 and wanted not in self.block_sizes):
                raise AudioError(f"The model's block sizes are {self.block_sizes} (empty: any), got {wanted}.")
            return wanted
        best = 0
        best_wait = -1
        for block in self.block_sizes:
            wait = buffering_numerator(host_block, block, up, down)
            if best_wait < 0 or wait < best_wait or (wait == best_wait and block > best):
                best = block
                best_wait = wait
        return best
