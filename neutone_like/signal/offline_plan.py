"""How an offline model is fitted to a host: rates, blocks and delays, as numbers."""

from typing import List, Optional

import torch
from torch import nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import AudioError, ModelError
from neutone_like.model import OfflineDeclaration
from neutone_like.signal.eager_arguments import host_numbers
from neutone_like.signal.filter_design import reduced_ratio, require_usable_ratio
from neutone_like.signal.latency import first_output_end, total_latency_samples
from neutone_like.signal.plan import DEFAULT_HOST_RATE
from neutone_like.signal.rate_choice import choose_rate

ANY_BLOCK_SAMPLES = 65536  # what a blocked model of any block size is called with


class OfflinePlan(nn.Module):
    """Settled before a signal starts, by :meth:`fit`, :meth:`fit_blocks` and :meth:`settle`, in this order.

    A model's sample belongs to a moment of the host's time. Where an input is resampled, the first of the model's
    samples lies half a filter before the input's first, and the last as much after its last, so that nothing is cut off
    at the ends: ``latency`` host samples come out before those that belong to the input. A generator, and a model whose
    output has a length of its own, start at the host's time 0 instead.
    """

    sample_rates: List[int]
    block_sizes: List[int]

    def __init__(self, declaration: OfflineDeclaration, quality: str) -> None:
        super().__init__()
        self.sample_rates = list(declaration.sample_rates)
        self.block_sizes = list(declaration.block_sizes)
        self.quality = quality
        self.one_shot = declaration.is_one_shot
        self.generates = declaration.is_generator
        self.free_length = self.one_shot and (self.generates or not declaration.keeps_length)
        self.overlaps = declaration.overlap_hop_samples > 0
        self.overlap_hop = declaration.overlap_hop_samples
        self.look_behind = declaration.look_behind_samples
        # A generator makes whole blocks, whatever it takes; frames that overlap have one length.
        self.takes_any_block = len(declaration.block_sizes) == 0 and not declaration.is_generator
        self.any_block = ANY_BLOCK_SAMPLES
        self.host_rate = DEFAULT_HOST_RATE
        self.model_rate = DEFAULT_HOST_RATE
        self.up = 1
        self.down = 1
        self.resampling = False
        self.model_block = 0  # samples of a block or frame; 0: a one-shot model that takes any length
        self.hop = 0  # from one block to the next
        self.past_samples = 0  # what a call sees before its new samples: look-behind, and the frame's older part
        self.model_delay = 0
        self.half_width_in = 0
        self.half_width_out = 0
        self.latency = 0  # host samples that come out before time 0

    @torch.jit.export
    def fit(self, host_rate: int, host_block: int, model_rate: Optional[int], model_block: Optional[int]) -> None:
        """Choose the rate and the block size that the model runs at.

        Raises:
            AudioError: A number is not positive, or not among the model's. Nothing has changed then.
        """
        if not is_scripting():
            host_rate, host_block, model_rate, model_block = host_numbers(
                host_rate, host_block, model_rate, model_block
            )
        if host_rate < 1 or host_block < 1:
            raise AudioError(
                f"Host rate and host block must be at least 1, got {host_rate} Hz and {host_block} samples."
            )
        rate = choose_rate(self.sample_rates, host_rate, model_rate)
        up, down = reduced_ratio(rate, host_rate)
        if up != down and self.quality != "soxr":
            require_usable_ratio(rate, host_rate, self.quality)
            if not self.generates:
                require_usable_ratio(host_rate, rate, self.quality)
        self.model_block = self._choose_block(model_block)
        self.host_rate = host_rate
        self.model_rate = rate
        self.up = up
        self.down = down
        self.resampling = up != down

    @torch.jit.export
    def fit_blocks(self, model_delay: int) -> None:
        """Lay out blocks or frames, once the model is prepared and says its delay.

        Raises:
            ModelError: The delay is negative, or leaves gaps between frames.
        """
        if model_delay < 0:
            raise ModelError(f"model_delay_samples must return 0 or more, got {model_delay}.")
        if self.overlaps and self.model_block - model_delay < self.overlap_hop:
            raise ModelError(
                f"overlap_hop_samples={self.overlap_hop} leaves gaps: of each block of {self.model_block} samples, the "
                f"model's delay leaves {self.model_block - model_delay}. Use a shorter hop or larger blocks."
            )
        self.model_delay = model_delay
        self.hop = self.model_block
        self.past_samples = self.look_behind
        if self.overlaps:
            self.hop = self.overlap_hop
            self.past_samples += self.model_block - self.hop

    @torch.jit.export
    def settle(self, half_width_in: int, half_width_out: int) -> None:
        """Work out what comes out before time 0, once the filters are prepared."""
        aligned = self.resampling and not self.generates and not self.free_length
        self.half_width_in = half_width_in
        self.half_width_out = half_width_out
        self.latency = 0
        if aligned:
            self.latency = total_latency_samples(
                self.up, self.down, half_width_in, half_width_out, self.stream_delay(), 0
            )

    @torch.jit.export
    def stream_delay(self) -> int:
        """How far the model's samples lag behind once blocks are joined, in samples at its rate."""
        return 0 if self.overlaps else self.model_delay

    @torch.jit.export
    def first_end_in(self) -> int:
        """Where the filter towards the model starts, times ``up``, in host samples."""
        return 1 if self.latency > 0 else self.half_width_in * self.up

    @torch.jit.export
    def first_end_out(self) -> int:
        """Where the filter back starts, times ``down``, in model samples."""
        if self.latency > 0:
            return first_output_end(
                self.up, self.down, self.half_width_in, self.half_width_out, self.stream_delay(), self.latency
            )
        return self.half_width_out * self.down

    @torch.jit.export
    def model_drop(self) -> int:
        """Model samples that come out before those that count."""
        drop = self.model_block - self.hop if self.overlaps else 0
        if self.latency == 0 and not self.free_length:
            drop += self.stream_delay()
        return drop

    @torch.jit.export
    def parameter_shift(self) -> int:
        """How far, in host samples, the model's first sample lies before the signal."""
        return self.half_width_in if self.latency > 0 else 0

    @torch.jit.export
    def parameter_reach(self, piece_samples: int) -> int:
        """How many host samples the model may lag behind the parameters that it is given."""
        block = self.host_samples(self.past_samples + self.model_block)
        lag = self.parameter_shift() + self.latency + self.host_samples(self.model_delay)
        return 2 * (block + piece_samples) + lag

    @torch.jit.export
    def host_samples(self, model_samples: int) -> int:
        """As many host samples as last at least as long."""
        return -(-model_samples * self.down // self.up)

    @torch.jit.export
    def model_samples(self, host_samples: int) -> int:
        """As many of the model's samples as last at least as long."""
        return -(-host_samples * self.up // self.down)

    @torch.jit.export
    def model_samples_in(self, host_samples: int) -> int:
        """As many whole samples of the model's as the host's hold."""
        return host_samples * self.up // self.down

    @torch.jit.export
    def input_samples_for(self, host_samples: int) -> int:
        """How many samples of the model's input a signal makes."""
        if self.generates:
            extra = self.half_width_out + 1 if self.resampling else 0
            return self.model_samples(host_samples) + self.model_delay + extra
        if not self.resampling:
            return host_samples + self.stream_delay()
        return ((host_samples + self.latency) * self.up - 1) // self.down + 1

    @torch.jit.export
    def blocks_for(self, model_samples: int) -> int:
        """How many calls of a blocked model so much of its input takes."""
        context = self.model_block - self.hop
        return -(-(model_samples + context) // self.hop)

    @torch.jit.export
    def fitting_size(self, samples: int) -> int:
        """The shortest block size that a one-shot model takes and that holds so many samples.

        Raises:
            AudioError: There is none.
        """
        best = 0
        for size in self.block_sizes:
            if size >= samples and (best == 0 or size < best):
                best = size
        if best == 0:
            raise AudioError(
                f"The model takes up to {self.model_block} samples at once at {self.model_rate} Hz, got {samples}. "
                "Cut the audio into shorter parts."
            )
        return best

    def _choose_block(self, wanted: Optional[int]) -> int:
        if wanted is not None:
            if wanted < 1 or (len(self.block_sizes) > 0 and wanted not in self.block_sizes):
                raise AudioError(f"The model's block sizes are {self.block_sizes} (empty: any), got {wanted}.")
            if not self.one_shot:
                return wanted
        largest = 0 if self.one_shot else self.any_block
        if len(self.block_sizes) > 0:
            largest = max(self.block_sizes)
        return largest
