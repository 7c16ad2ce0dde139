"""One guarded call of an offline model: what it is given, and whether what comes back can be used."""

from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.model import OfflineDeclaration
from neutone_like.signal.channel_bus import ChannelBus


class OfflineCaller(nn.Module):
    """Owns the model's inputs and outputs, texts and tokens, the past that it wants to see again, and the call count.

    The model itself stays with the wrapper, where hosts look for it.
    """

    texts: List[str]
    tokens: List[List[int]]

    def __init__(self, declaration: OfflineDeclaration) -> None:
        super().__init__()
        self.inputs = ChannelBus(declaration.audio_in_channels, declaration.in_labels)
        self.outputs = ChannelBus(declaration.audio_out_channels, declaration.out_labels)
        self.look_behind = declaration.look_behind_samples
        self.texts = []
        self.tokens = []
        self.device = "cpu"
        self.past = torch.zeros(self.inputs.total, 0, dtype=torch.float32)
        self.past_samples = 0
        self.shortest_output = 0  # of a model whose length is its own; 0: as long as its input
        self.free_length = False
        self.block_index = 0  # of the calls
        self.done_blocks = 0.0
        self.block_share = 1.0  # how much of a block the next call is
        self.expected_blocks = 0  # 0: not known
        self.cancelled = False
        self.silenced_samples = 0

    @torch.jit.export
    def prepare(self, past_samples: int, free_length: bool, model_delay: int) -> None:
        self.past_samples = past_samples
        self.free_length = free_length
        self.shortest_output = model_delay + 1

    @torch.jit.export
    def clear(self) -> None:
        """Back to where a signal can begin; what is to be read after the last one stays."""
        self.past = torch.zeros(self.inputs.total, self.past_samples, dtype=torch.float32)
        self.texts.clear()
        self.tokens.clear()
        self.cancelled = False
        self.block_index = 0
        self.done_blocks = 0.0
        self.block_share = 1.0
        self.expected_blocks = 0

    @torch.jit.export
    def with_past(self, x: Tensor) -> Tensor:
        """New samples, ``[channels, n]``, with those before them that the model sees again."""
        samples = x.size(1)
        x = torch.cat((self.past, x), 1)
        self.past = x.narrow(1, samples, self.past_samples).clone()
        return x

    @torch.jit.export
    def audio(self, x: Tensor) -> List[Tensor]:
        """The model's inputs, each its own to keep."""
        return [each.to(self.device) for each in self.inputs.split(x)]

    @torch.jit.export
    def values(self, values: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """The parameters, on the model's device."""
        if self.device != "cpu":
            for name in values:
                values[name] = values[name].to(self.device)
        return values

    @torch.jit.export
    def copied_tokens(self) -> List[List[int]]:
        return [each.copy() for each in self.tokens]

    @torch.jit.export
    def progress(self, percentage: float) -> Tuple[float, float]:
        """Where the next call stands in the whole signal, and how much of it it is, in percent.

        Where that is not known, it stands at ``percentage`` and moves nothing.
        """
        if self.expected_blocks <= self.done_blocks:
            return percentage, 0.0
        span = 100.0 / self.expected_blocks
        return span * self.done_blocks, span * self.block_share

    @torch.jit.export
    def joined(self, audio: List[Tensor], samples: int) -> Tensor:
        """The model's outputs as one tensor, ``[channels, n]``; the call is counted.

        Raises:
            ModelError: Another number of outputs, or other shapes, than the model declares.
        """
        self._check(audio, samples)
        self.block_index += 1
        self.done_blocks += self.block_share
        return torch.cat([each.to("cpu") for each in audio], 0)

    @torch.jit.export
    def nonfinite(self, y: Tensor) -> int:
        """How many samples are NaN or Inf in some channel; they are counted."""
        total = float(y.sum())
        if total - total == 0.0:  # neither NaN nor Inf among the samples, and a sum that did not overflow
            return 0
        broken = int(torch.logical_not(torch.isfinite(y)).any(0).sum())
        self.silenced_samples += broken
        return broken

    def _check(self, audio: List[Tensor], samples: int) -> None:
        if len(audio) != len(self.outputs.counts):
            raise ModelError(
                f"do_forward_pass must return {len(self.outputs.counts)} outputs {self.outputs.labels}, "
                f"got {len(audio)}. Return a list with one tensor for each entry of audio_out_channels."
            )
        for index, y in enumerate(audio):
            wanted = samples
            shortest = 0
            if self.free_length:
                # Not dim(): TorchScript takes that of any convolution's output for 3, without a batch too.
                wanted = audio[0].size(1) if len(audio[0].size()) == 2 else 0
                shortest = self.shortest_output
            fits = len(y.size()) == 2 and y.size(0) == self.outputs.counts[index] and y.size(1) == wanted
            if not fits or y.dtype != torch.float32 or wanted < shortest:
                kind = "float32" if y.dtype == torch.float32 else "another type"
                length = "n, the same for all outputs and longer than its delay" if self.free_length else f"{wanted}"
                raise ModelError(
                    f"do_forward_pass must return float32 of shape ({self.outputs.counts[index]}, {length}) for "
                    f"'{self.outputs.labels[index]}', got {kind} of shape {y.size()}. Return as many samples as are "
                    f"new: the input's length less look_behind_samples={self.look_behind}. Only a one-shot model with "
                    "keeps_length = False has a length of its own."
                )
