"""Host automation on its way to the model: range mapping, smoothing, and alignment with the audio it belongs to.

A host sends values 0..1 for every sample. While nothing moves, which is nearly always, the mapped values are kept and
one comparison a block is all there is to do. When something moves, the values are smoothed by a moving average as
long as the smoothing time, which turns a jump into a straight line and does not depend on how the stream is cut up,
and the recent past is kept until the model has caught up with it.
"""

from itertools import pairwise
from typing import Dict, List, Optional

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from neutone_like.errors import ParameterError
from neutone_like.model.parameters import NumericalParameter

OwnValues = dict[str, npt.NDArray[np.float32]]
"""By parameter, in its own unit: one, or one for each sample."""


class ParameterTrack(nn.Module):
    """Maps, smooths and aligns a model's numerical parameters.

    Args:
        parameters: As declared; their order is the order of the host's rows.
    """

    names: List[str]
    per_sample: List[bool]
    smoothing_seconds: List[float]
    smoothing: List[int]

    def __init__(self, parameters: tuple[NumericalParameter, ...]) -> None:
        super().__init__()
        self.count = len(parameters)
        self.names = [parameter.name for parameter in parameters]
        self.per_sample = [parameter.rate == "sample" for parameter in parameters]
        choices = [[parameter.kind == "categorical"] for parameter in parameters]
        self.categorical = torch.tensor(choices, dtype=torch.bool).reshape(self.count, 1)
        self.block_rate = ~torch.tensor(self.per_sample, dtype=torch.bool).reshape(self.count, 1)
        self.smoothing_seconds = [parameter.smoothing_seconds for parameter in parameters]
        self.minimum = torch.tensor([[parameter.minimum] for parameter in parameters], dtype=torch.float32).reshape(
            self.count, 1
        )
        self.span = torch.tensor([[p.maximum - p.minimum] for p in parameters], dtype=torch.float32).reshape(
            self.count, 1
        )
        self.default = torch.tensor(
            [[parameter.default_0to1] for parameter in parameters], dtype=torch.float32
        ).reshape(self.count, 1)
        self.has_block_rate = not all(self.per_sample)
        self.has_sample_rate = any(self.per_sample)

        self.smoothing = [1] * self.count  # length of each moving average, in host samples
        self.lengths = torch.ones(self.count, 1, dtype=torch.int64)  # the same
        self.averaged = torch.ones(self.count, 1, dtype=torch.float64)  # which of `recent` each average goes over: 0, 1
        self.still_steps = 2.0**18  # in 0..1, below which a value counts as standing
        self.longest = 1
        self.reach = 1  # how many host samples the model may lag behind the host
        self.up = 1
        self.down = 1
        self.half_width = 0

        self.moving = False
        self.started = False
        self.position = 0  # host samples so far
        self.current = self.default.clone()  # what settled, 0..1
        self.mapped = self.default.clone()  # what settled, in the parameters' units
        self.flat_block = torch.zeros(0, 0, dtype=torch.float32)  # the last host block that held only what settled
        self.recent = torch.zeros(self.count, 0, dtype=torch.float32)  # unsmoothed, as long as the longest average
        self.track = torch.zeros(self.count, 0, dtype=torch.float32)  # smoothed, from host sample `track_start` on
        self.track_start = 0
        self.still_samples = 0  # how long the host has sent one value
        self.reset()

    @torch.jit.export
    def prepare(self, host_rate: int, up: int, down: int, half_width: int, reach: int) -> None:
        """Set the clock: model sample ``m`` belongs to host time ``(m * down + 1) / up - half_width``,
        or ``m`` itself at equal rates."""
        for index in range(self.count):
            self.smoothing[index] = max(1, int(round(self.smoothing_seconds[index] * host_rate)))
        self.longest = 1
        for length in self.smoothing:
            self.longest = max(self.longest, length)
        self.lengths = torch.tensor(self.smoothing, dtype=torch.int64).reshape(self.count, 1)
        self.averaged = (torch.arange(self.longest) >= self.longest - self.lengths).to(torch.float64)
        self.up = up
        self.down = down
        self.half_width = half_width
        self.reach = reach
        self.reset()

    @torch.jit.export
    def reset(self) -> None:
        self.moving = False
        self.started = False
        self.position = 0
        self.recent = torch.zeros(self.count, 0, dtype=torch.float32)
        self.track = torch.zeros(self.count, 0, dtype=torch.float32)
        self.track_start = 0
        self.still_samples = 0
        self._settle(self.default)

    @torch.jit.export
    def feed(self, params: Optional[Tensor], samples: int) -> None:
        """Take the host's values for the next ``samples``: ``[rows, samples]`` in 0..1; ``None`` for the defaults."""
        if self.count == 0:
            return
        if not self.moving and params is not None and torch.equal(params, self.flat_block):
            self.position += samples
            return
        block = self._clean(params, samples)
        first = block.narrow(1, 0, 1)
        is_flat = bool(torch.all(block == first))
        if is_flat and not self.moving and (not self.started or torch.equal(first, self.current)):
            self._settle(first)
            if params is not None:
                self.flat_block = params.clone()
        else:
            self._move(block, first, is_flat)
        self.started = True
        self.position += samples

    @torch.jit.export
    def values(self, position: int, samples: int, control_position: int) -> Dict[str, Tensor]:
        """What the model is given for its samples from ``position`` on; tensors it may keep or change.

        Block-rate parameters have the value of model sample ``control_position``, at most ``position``.
        """
        values: Dict[str, Tensor] = {}
        if self.count == 0:
            return values
        if not self.moving:
            mapped = self.mapped.clone()
            for index, name in enumerate(self.names):
                value = mapped[index]
                values[name] = value.expand(samples).contiguous() if self.per_sample[index] else value
            return values
        now = self._map(self._read(control_position, 1)) if self.has_block_rate else self.mapped
        each = self._map(self._read(position, samples)) if self.has_sample_rate else self.mapped
        for index, name in enumerate(self.names):
            values[name] = each[index] if self.per_sample[index] else now[index]
        return values

    def on_grid(self, position: int, samples: int, grid: int) -> list[tuple[int, int, OwnValues]]:
        """What :meth:`values` gives for the parts of ``samples`` between multiples of ``grid``, all at once, in Python.

        Returns:
            Of each part: where it begins and ends, within ``samples``, and its values.
        """
        first = position - position % grid
        mapped = self._map(self._read(first, position + samples - first)).numpy()
        before = position - first
        starts = [0, *range(grid - before, samples, grid)]
        parts: list[tuple[int, int, OwnValues]] = []
        for begin, end in pairwise([*starts, samples]):
            at = before + begin
            control = at - at % grid
            rows = zip(self.names, self.per_sample, mapped, strict=True)
            values = {
                name: row[at : before + end] if per_sample else row[control : control + 1]
                for name, per_sample, row in rows
            }
            parts.append((begin, end, values))
        return parts

    @torch.jit.export
    def still_lengths(self, position: int, samples: int, grid: int) -> List[int]:
        """Cut the model's ``samples`` from ``position`` on at multiples of ``grid``, wherever a block-rate value moves.

        The pieces' lengths: within each, the block-rate values at the points of the grid are those at its start.
        """
        first = (position + grid - 1) // grid * grid  # the first point that is not before
        starts = torch.arange(first, position + samples, grid) - position
        starts = torch.cat((torch.zeros(1, dtype=torch.int64), starts))
        at_starts = self._read(position, samples).index_select(1, starts)
        at_starts = torch.round(at_starts * self.still_steps)  # what rounding moves, stands
        moves = torch.any((at_starts[:, 1:] != at_starts[:, :-1]) & self.block_rate, 0)
        lengths: List[int] = []
        begin = 0
        cuts: List[int] = starts[1:][moves].tolist()
        for cut in cuts:
            if cut > begin:
                lengths.append(cut - begin)
                begin = cut
        lengths.append(samples - begin)
        return lengths

    @torch.jit.export
    def check(self, params: Optional[Tensor], samples: int) -> None:
        """Refuse what :meth:`feed` can't take, before anything changes.

        Raises:
            ParameterError: Too few rows, or another length than the audio's.
        """
        if self.count == 0 or params is None:
            return
        if params.dim() != 2 or params.size(0) < self.count or params.size(1) != samples:
            raise ParameterError(
                f"Expected parameters of shape ({self.count} or more, {samples}), one value a sample of audio in 0..1, "
                f"got {params.size()}."
            )

    def _clean(self, params: Optional[Tensor], samples: int) -> Tensor:
        """The declared rows, in 0..1; NaN leaves a knob where it was."""
        if params is None:
            return self.default.expand(self.count, samples)
        block = params.narrow(0, 0, self.count).to(torch.float32)
        last = self.recent.narrow(1, self.longest - 1, 1) if self.moving else self.current
        return torch.where(torch.isnan(block), last, block).clamp(0.0, 1.0)

    def _settle(self, value: Tensor) -> None:
        self.moving = False
        self.flat_block = torch.zeros(0, 0, dtype=torch.float32)
        self.current = value.clone()
        self.mapped = self._map(self.current)

    def _move(self, block: Tensor, first: Tensor, is_flat: bool) -> None:
        """Follow values that change, or have changed within the reach of smoothing and of the model."""
        if not self.moving:
            before = self.current if self.started else first
            self.recent = before.expand(self.count, self.longest).clone()
            self.track = before.expand(self.count, self.reach + self.longest).clone()
            self.track_start = self.position - self.track.size(1)
            self.still_samples = 0
            self.moving = True
        stands = is_flat and torch.equal(first, self.recent.narrow(1, self.longest - 1, 1))
        self._append(block)
        self.still_samples = self.still_samples + block.size(1) if stands else (block.size(1) if is_flat else 0)
        if self.still_samples >= self.longest + self.reach + block.size(1):
            self._settle(first)

    def _append(self, block: Tensor) -> None:
        samples = block.size(1)
        raw = torch.cat((self.recent, block), 1)
        # Sums in double precision: the average of one value is that value, and no error builds up.
        exact = raw.to(torch.float64)
        before = torch.sum(exact.narrow(1, 0, self.longest) * self.averaged, 1, keepdim=True)
        leaving = exact.gather(1, torch.arange(samples) + (self.longest - self.lengths))
        change = torch.cumsum(exact.narrow(1, self.longest, samples) - leaving, 1)
        smoothed = ((before + change) / self.lengths).to(torch.float32)
        self.recent = raw.narrow(1, samples, self.longest)
        kept = min(self.track.size(1), self.reach + self.longest)
        self.track = torch.cat((self.track.narrow(1, self.track.size(1) - kept, kept), smoothed), 1)
        self.track_start = self.position + samples - self.track.size(1)

    def _read(self, model_position: int, samples: int) -> Tensor:
        """The smoothed tracks at the host times of some model samples; a straight line between host samples."""
        last = self.track.size(1) - 1
        if self.up == self.down:
            start = min(max(model_position - self.track_start, 0), last + 1 - samples)
            return self.track.narrow(1, start, samples)
        sample = torch.arange(model_position, model_position + samples, dtype=torch.float64)
        time = (sample * self.down + 1.0) / self.up - float(self.half_width + self.track_start)
        time = time.clamp(0.0, float(last))
        before = torch.floor(time)
        part = (time - before).to(torch.float32)
        at = before.to(torch.int64)
        left, right = self.track.index_select(1, at), self.track.index_select(1, (at + 1).clamp(max=last))
        return torch.where(self.categorical, left, left * (1.0 - part) + right * part)

    def _map(self, value: Tensor) -> Tensor:
        mapped = value * self.span + self.minimum
        return torch.where(self.categorical, torch.round(mapped), mapped)
