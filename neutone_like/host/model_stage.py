"""Runs the user's model on a stream: block sizes, look-behind, parameters, shape checks, the guard against NaN."""

from typing import List

import torch
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.host.contract_methods import ContractMethods
from neutone_like.model import WaveformToWaveformBase
from neutone_like.signal.parameter_track import ParameterTrack

# While a block-rate parameter moves, a model that takes any block size is called on a grid of this many samples: the
# steps are small, and where they fall does not depend on the host's blocks.
CONTROL_SAMPLES = 32


class ModelStage(ContractMethods):
    """Hands the model blocks at its own rate and checks what comes back."""

    def __init__(self, model: WaveformToWaveformBase) -> None:
        super().__init__(model)
        declaration = model.declaration()
        self.track = ParameterTrack(declaration.parameters)
        self.look_behind = declaration.look_behind_samples
        self.past = torch.zeros(self.in_channels, self.look_behind)
        self.longest_block = 512  # what the model was prepared for, in samples at its rate
        self.control_grid = CONTROL_SAMPLES  # 1 for a model of fixed block size: a block's first sample decides
        self.model_position = 0  # model samples so far
        self.silenced_samples = 0

    @torch.jit.export
    def nonfinite_samples(self) -> int:
        """Model output samples since reset that were NaN or Inf and became silence."""
        return self.silenced_samples

    def _reset_model_stage(self) -> None:
        self.w2w_base.reset_model()
        self.track.reset()
        self.past = torch.zeros(self.in_channels, self.look_behind)
        self.model_position = 0
        self.silenced_samples = 0

    def _run_any_size(self, x: Tensor) -> Tensor:
        """``[in_channels, n]`` through a model that takes any block size, ``n >= 1``."""
        samples = x.size(1)
        on_grid = self.track.moving and self.track.has_block_rate
        if samples <= self.longest_block and not on_grid:
            return self._run_block(x)
        pieces: List[Tensor] = []
        start = 0
        while start < samples:
            length = min(self.longest_block, samples - start)
            if on_grid:
                length = min(length, self.control_grid - self.model_position % self.control_grid)
            pieces.append(self._run_block(x.narrow(1, start, length).contiguous()).clone())
            start += length
        return torch.cat(pieces, 1)

    def _run_block(self, x: Tensor) -> Tensor:
        """One call of the model. ``x`` is ``[in_channels, n]``, contiguous, and the model's to keep.

        So is what it returns: the model may write its next output over it, so that whoever keeps it takes a copy.
        """
        samples = x.size(1)
        if self.look_behind > 0:
            x = torch.cat((self.past, x), 1)
            self.past = x.narrow(1, samples, self.look_behind).clone()
        control = self.model_position - self.model_position % self.control_grid
        y = self.w2w_base.do_forward_pass(x, self.track.values(self.model_position, samples, control))
        self.model_position += samples
        if y.dim() != 2 or y.size(0) != self.out_channels or y.size(1) != samples or y.dtype != torch.float32:
            kind = "float32" if y.dtype == torch.float32 else "another type"
            raise ModelError(
                f"do_forward_pass must return float32 of shape ({self.out_channels}, {samples}) for input of shape "
                f"{x.size()}, got {kind} of shape {y.size()}. Return as many samples as are new: the input's length "
                f"less look_behind_samples={self.look_behind}."
            )
        total = float(y.sum())
        if total - total != 0.0:  # NaN or Inf among the samples, or a sum that overflowed
            return self._without_nonfinite(y)
        return y

    def _without_nonfinite(self, y: Tensor) -> Tensor:
        """A block with NaN or Inf becomes silence, and the model starts afresh instead of staying poisoned."""
        broken = int(torch.logical_not(torch.isfinite(y)).any(0).sum())
        if broken == 0:
            return y
        self.silenced_samples += broken
        self.past = torch.zeros(self.in_channels, self.look_behind)
        self.w2w_base.reset_model()
        return torch.zeros_like(y)
