"""Calls a non-real-time model: what it is given, progress, cancelling, and checks of what comes back."""

from typing import List

import torch
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.host.offline_fit import OfflineFit
from neutone_like.model import NonRealtimeBase


class OfflineStage(OfflineFit):
    """One call of the model after the other."""

    texts: List[str]
    tokens: List[List[int]]

    def __init__(self, model: NonRealtimeBase, quality: str) -> None:
        super().__init__(model, quality)
        self.texts = []
        self.tokens = []
        self.block_index = 0
        self.expected_blocks = 0  # 0: not known
        self.cancelled = False
        self.silenced_samples = 0
        self.device = "cpu"

    @torch.jit.export
    def set_device(self, device: str) -> None:
        """Hand the model tensors on this device; its output comes back to the CPU. The weights are moved apart."""
        self.device = str(torch.device(device))

    @torch.jit.export
    def nonfinite_samples(self) -> int:
        """Model output samples of the last signal that were NaN or Inf and became silence."""
        return self.silenced_samples

    def _call_model(self, x: Tensor, first_sample: int, samples: int) -> Tensor:
        """``[in, past + samples]`` to ``[out, n]``, with ``n = samples`` unless the model's length is its own.

        When cancelled, what comes back has no meaning.
        """
        self._place_progress()
        values = self.track.values(first_sample, samples, first_sample)
        tokens: List[List[int]] = []
        for each in self.tokens:
            tokens.append(each.copy())
        audio = self.inputs.split(x)
        if self.device != "cpu":
            audio = [each.to(self.device) for each in audio]
            for name in values:
                values[name] = values[name].to(self.device)
        audio = self.nrb.do_forward_pass(self.block_index, audio, values, self.texts.copy(), tokens)
        if self._follow_cancel_request():
            return torch.zeros(self.outputs.total, samples, dtype=torch.float32)
        self._check_outputs(audio, samples)
        self.nrb.set_progress_percentage(100.0)
        self.block_index += 1
        return self._without_nonfinite(torch.cat([each.to("cpu") for each in audio], 0))

    def _place_progress(self) -> None:
        if self.expected_blocks > self.block_index:
            span = 100.0 / self.expected_blocks
            self.nrb.place_call(span * self.block_index, span)
        else:
            self.nrb.place_call(self.nrb.get_progress_percentage(), 0.0)

    def _follow_cancel_request(self) -> bool:
        """Notice a request; it is answered for good, and what is left of the signal is dropped."""
        if self.nrb.should_cancel_forward_pass():
            self.nrb.forget_cancel_request()
            self.cancelled = True
        return self.cancelled

    def _check_outputs(self, audio: List[Tensor], samples: int) -> None:
        if len(audio) != len(self.outputs.counts):
            raise ModelError(
                f"do_forward_pass must return {len(self.outputs.counts)} outputs {self.outputs.labels}, "
                f"got {len(audio)}. Return a list with one tensor for each entry of audio_out_channels."
            )
        for index, y in enumerate(audio):
            wanted = samples
            if self.free_length:
                wanted = audio[0].size(1) if audio[0].dim() == 2 else 0
            fits = y.dim() == 2 and y.size(0) == self.outputs.counts[index] and y.size(1) == wanted
            if not fits or y.dtype != torch.float32 or wanted <= self.model_delay * int(self.free_length):
                kind = "float32" if y.dtype == torch.float32 else "another type"
                length = "n, the same for all outputs and longer than its delay" if self.free_length else f"{wanted}"
                raise ModelError(
                    f"do_forward_pass must return float32 of shape ({self.outputs.counts[index]}, {length}) for "
                    f"'{self.outputs.labels[index]}', got {kind} of shape {y.size()}. Return as many samples as are "
                    f"new: the input's length less look_behind_samples={self.look_behind}. Only a one-shot model with "
                    "keeps_length = False has a length of its own."
                )

    def _without_nonfinite(self, y: Tensor) -> Tensor:
        """NaN and Inf become silence, and a model that goes on starts afresh instead of staying poisoned."""
        total = float(y.sum())
        if total - total == 0.0:  # neither NaN nor Inf among the samples, and a sum that did not overflow
            return y
        finite = torch.isfinite(y)
        broken = int(torch.logical_not(finite).any(0).sum())
        if broken > 0:
            self.silenced_samples += broken
            self.nrb.reset_model()
        return torch.where(finite, y, torch.zeros_like(y))
