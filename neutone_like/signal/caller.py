"""One guarded call of a live model: what it is given, and whether what comes back can be used."""

from typing import Dict, List

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.model.parameters import NumericalParameter
from neutone_like.signal.parameter_track import ParameterTrack

# While a block-rate parameter moves, a model that takes any block size is called on a grid of this many samples: the
# steps are small, and where they fall does not depend on the host's blocks.
CONTROL_SAMPLES = 32


class Caller(nn.Module):
    """Owns the parameters on their way to the model, the past that it wants to see again, and its sample count.

    The model itself stays with the wrapper, where hosts look for it: the wrapper calls it with :meth:`with_past` and
    :meth:`values`, and asks :meth:`accepts` what to make of the output.

    Args:
        parameters: As declared.
        in_channels, out_channels, look_behind_samples: As declared.
    """

    def __init__(
        self,
        parameters: tuple[NumericalParameter, ...],
        in_channels: int,
        out_channels: int,
        look_behind_samples: int,
    ) -> None:
        super().__init__()
        self.track = ParameterTrack(parameters)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.look_behind = look_behind_samples
        self.past = torch.zeros(in_channels, look_behind_samples, dtype=torch.float32)
        self.default_grid = CONTROL_SAMPLES
        self.control_grid = CONTROL_SAMPLES  # 1 for a model of fixed block size: a block's first sample decides
        self.longest_block = 512
        self.position = 0  # model samples so far
        self.silenced_samples = 0

    @torch.jit.export
    def prepare(
        self, host_rate: int, up: int, down: int, half_width_in: int, longest_block: int, takes_any_block: bool
    ) -> None:
        """Set the clock that parameters and audio share, and the longest block of a call in model samples."""
        self.longest_block = longest_block
        self.control_grid = self.default_grid if takes_any_block else 1
        reach = half_width_in + (max(longest_block, self.default_grid) + 2) * down // up + 2
        self.track.prepare(host_rate, up, down, half_width_in, reach)

    @torch.jit.export
    def reset(self) -> None:
        self.track.reset()
        self.past = torch.zeros(self.in_channels, self.look_behind, dtype=torch.float32)
        self.position = 0
        self.silenced_samples = 0

    @torch.jit.export
    def takes_whole(self, samples: int) -> bool:
        """Whether a model of any block size is called once with ``samples``, or with the parts of :meth:`cut`."""
        return samples <= self.longest_block and not self._on_grid()

    @torch.jit.export
    def cut(self, x: Tensor) -> List[Tensor]:
        """The parts that a model of any block size is called with, in turn, each contiguous."""
        pieces: List[Tensor] = []
        samples = x.size(1)
        on_grid = self._on_grid()
        start = 0
        while start < samples:
            length = min(self.longest_block, samples - start)
            if on_grid:
                length = min(length, self.control_grid - (self.position + start) % self.control_grid)
            pieces.append(x.narrow(1, start, length).contiguous())
            start += length
        return pieces

    @torch.jit.export
    def with_past(self, x: Tensor) -> Tensor:
        """``[in_channels, n]`` with what the model wants to see again before it."""
        if self.look_behind > 0:
            samples = x.size(1)
            x = torch.cat((self.past, x), 1)
            self.past = x.narrow(1, samples, self.look_behind).clone()
        return x

    @torch.jit.export
    def values(self, samples: int) -> Dict[str, Tensor]:
        """The parameters of the next ``samples``, in their own units; tensors that the model may keep or change."""
        control = self.position - self.position % self.control_grid
        values = self.track.values(self.position, samples, control)
        self.position += samples
        return values

    @torch.jit.export
    def accepts(self, y: Tensor, samples: int) -> bool:
        """Whether the model's output is finite. Where it is not, it is counted, and the past forgotten.

        Raises:
            ModelError: It has another shape or type than the model declares.
        """
        # Not y.dim(): TorchScript takes that of any convolution's output for 3, without a batch too.
        if len(y.size()) != 2 or y.size(0) != self.out_channels or y.size(1) != samples or y.dtype != torch.float32:
            kind = "float32" if y.dtype == torch.float32 else "another type"
            given = [self.in_channels, self.look_behind + samples]
            raise ModelError(
                f"do_forward_pass must return float32 of shape ({self.out_channels}, {samples}) for input of shape "
                f"{given}, got {kind} of shape {y.size()}. Return as many samples as are new: the input's length "
                f"less look_behind_samples={self.look_behind}."
            )
        total = float(y.sum())
        if total - total == 0.0:
            return True
        # NaN or Inf among the samples, or a sum that overflowed.
        broken = int(torch.logical_not(torch.isfinite(y)).any(0).sum())
        if broken == 0:
            return True
        self.silenced_samples += broken
        self.past = torch.zeros(self.in_channels, self.look_behind, dtype=torch.float32)
        return False

    def _on_grid(self) -> bool:
        return self.track.moving and self.track.has_block_rate
