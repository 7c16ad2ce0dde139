"""Offline artifacts that other makers wrote: the common contract is all they have."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.render.rate_change import RateChange


class ForeignOffline:
    """The wrapper of a ``.nm`` that was not made here, with the methods that rendering calls.

    The Neutone SDK's wrapper takes a whole signal at once and returns it at the model's own rate, which is where our
    readings of the contract differ: here it is brought to the host's rate.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self._host_rate = 0
        self._texts: list[str] | None = None
        self._tokens: list[list[int]] | None = None
        self._inputs: list[list[Tensor]] = []
        self._params: list[Tensor] = []

    def __getattr__(self, name: str) -> Any:
        """The rest of the contract, as it is."""
        return getattr(self.module, name)

    def get_audio_in_labels(self) -> list[str]:
        """Not told by the contract."""
        return [f"input {index + 1}" for index in range(len(self.module.get_audio_in_channels()))]

    def get_audio_out_labels(self) -> list[str]:
        """Not told by the contract."""
        return [f"output {index + 1}" for index in range(len(self.module.get_audio_out_channels()))]

    def nonfinite_samples(self) -> int:
        """Not counted there."""
        return 0

    def set_daw_sample_rate_and_buffer_size(self, sample_rate: int, block_size: int) -> None:
        """As in the contract."""
        self._host_rate = sample_rate
        self.module.set_daw_sample_rate_and_buffer_size(sample_rate, block_size)

    def begin(self, total_samples: int, texts: list[str], tokens: list[list[int]]) -> None:
        """Start to gather a signal."""
        self.module.reset()
        self._texts, self._tokens = texts or None, tokens or None
        self._inputs = [[] for _ in self.module.get_audio_in_channels()]
        self._params = []

    def push(self, audio: list[Tensor], params: Tensor | None) -> list[Tensor]:
        """Take a piece of the signal."""
        for pieces, x in zip(self._inputs, audio, strict=True):
            pieces.append(x)
        if params is not None:
            length = audio[0].size(1) if audio else params.size(1)
            self._params.append(params.expand(params.size(0), length))
        return [torch.zeros(count, 0) for count in self.module.get_audio_out_channels()]

    def finish(self) -> list[Tensor]:
        """All of the output, at the host's rate."""
        audio = [torch.cat(pieces, 1) for pieces in self._inputs]
        params = torch.cat(self._params, 1) if self._params else None
        outputs = self.module.forward(audio, params, self._texts, self._tokens)
        self._inputs, self._params = [], []
        return [self._at_host_rate(y) for y in outputs]

    def _at_host_rate(self, y: Tensor) -> Tensor:
        rate = self.module.get_current_model_sample_rate()
        if rate == self._host_rate:
            return y
        change = RateChange(rate, self._host_rate, y.size(0))
        return torch.from_numpy(np.concatenate((change.push(y.numpy()), change.finish()), axis=1))
