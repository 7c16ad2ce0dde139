"""Several inputs, or outputs, as the rows of one tensor, so that everything in between is done once."""

from typing import List

import torch
from torch import Tensor, nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import AudioError
from neutone_like.signal.channels import convert_channels
from neutone_like.signal.eager_arguments import require_audio_list


class ChannelBus(nn.Module):
    """Joins a list of ``[channels, n]`` into ``[total, n]`` and splits it again.

    Args:
        counts: The channels of each; may be empty.
        labels: The name of each, for messages.
    """

    counts: List[int]
    labels: List[str]

    def __init__(self, counts: tuple[int, ...], labels: tuple[str, ...]) -> None:
        super().__init__()
        self.counts = list(counts)
        self.labels = list(labels)
        self.total = sum(counts)

    @torch.jit.export
    def check(self, audio: List[Tensor]) -> int:
        """Refuse what :meth:`join` can't take; return the length.

        Raises:
            AudioError: Too few or too many, not float32 audio, an impossible channel count, or different lengths.
        """
        if not is_scripting():
            require_audio_list(audio)
        if len(self.counts) == 0:
            for x in audio:
                if x.numel() > 0:
                    raise AudioError(f"The model is a generator without audio inputs, got {len(audio)}. Pass [].")
            return 0
        if len(audio) != len(self.counts):
            raise AudioError(
                f"Expected {len(self.counts)} audio inputs {self.labels}, got {len(audio)}. "
                "Pass one float32 tensor of shape (channels, samples) for each."
            )
        for index, x in enumerate(audio):
            label = self.labels[index]
            if x.dim() != 2 or x.size(1) == 0 or x.dtype != torch.float32:
                kind = "float32" if x.dtype == torch.float32 else "another type"  # TorchScript knows types as numbers
                raise AudioError(
                    f"'{label}': expected float32 audio of shape (channels, samples) with at least one sample, "
                    f"got {kind} of shape {x.size()}."
                )
            wanted, given = self.counts[index], x.size(0)
            if given != wanted and not (wanted <= 2 and (given == 1 or given == 2)):
                raise AudioError(
                    f"'{label}': expected {wanted} channels, got {given}. "
                    "Only mono and stereo are converted into each other."
                )
            if x.size(1) != audio[0].size(1):
                raise AudioError(
                    f"All inputs must be equally long, got {audio[0].size(1)} samples for '{self.labels[0]}' and "
                    f"{x.size(1)} for '{label}'. Add silence to the shorter one, or cut the longer one."
                )
        return audio[0].size(1) if len(audio) > 0 else 0

    @torch.jit.export
    def join(self, audio: List[Tensor], start: int, samples: int) -> Tensor:
        """``samples`` from ``start`` on of each, converted to its channel count: a copy, ``[total, samples]``."""
        rows: List[Tensor] = [torch.zeros(0, samples, dtype=torch.float32)]
        for index, x in enumerate(audio):
            rows.append(convert_channels(x.narrow(1, start, samples), self.counts[index]))
        return torch.cat(rows, 0)

    @torch.jit.export
    def split(self, x: Tensor) -> List[Tensor]:
        """``[total, n]`` into a list of tensors of their own."""
        parts: List[Tensor] = []
        first = 0
        for count in self.counts:
            parts.append(x.narrow(0, first, count).clone(memory_format=torch.contiguous_format))
            first += count
        return parts
