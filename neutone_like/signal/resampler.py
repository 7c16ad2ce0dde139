"""Exact rational rate conversion that keeps its state between blocks, in a handful of tensor operations a block.

Output ``k`` of an ``up/down`` conversion ends its window at input time ``k * down / up``, so it can be computed as
soon as input ``last(k) = ceil(k * down / up)`` is there, and its taps are row ``last(k) * up - k * down`` of the
polyphase table.

Inputs are cut into groups of ``step`` samples, on a grid that is counted from the start of the stream and not from the
host's blocks. The outputs whose windows end within one group are the product of the inputs that they reach with one
small banded matrix. Group ``g + lcm(step, down) / step`` has the same matrix as group ``g``, so a few matrices, the
*bank*, serve every group, and a run of groups is one batched product. A short run takes a matrix for each of its
groups; in a long one, the groups that share a matrix are rows of one factor, so that each matrix is read once.

An output is always the same sum in the same order: a group that the host's blocks cut in two is computed twice, where
what has not come yet stands as zeros that meet zero taps. How a multiplier adds depends on the shape: sums of up to 192
products run from the first to the last if there are four rows or more, and longer ones if there are two or three (of
one row they do on Zen 4 and don't on Sapphire Rapids). Where spans are short there are four rows at least, and else two
and no matrix is shared. So sums are the same to the last bit however the stream is cut up, in single precision. Where
the grid begins changes no sum of up to 384 products; longer ones are added in parts, from 160 to 48 kHz on.
"""

import math
from typing import Final, List, Tuple

import torch
from torch import Tensor, nn

from neutone_like.errors import AudioError
from neutone_like.signal.filter_design import half_width_samples, polyphase_table, reduced_ratio, require_usable_ratio


class FirResampler(nn.Module):
    """Streaming polyphase FIR conversion of ``[channels, samples]``.

    Call :meth:`prepare`, then :meth:`start`, then :meth:`push` inputs and :meth:`pull` up to :meth:`available` outputs.
    """

    wanted_columns: Final[int] = 32  # outputs a group: as many as a processor computes side by side
    column_multiple: Final[int] = 8  # matrices are padded to this, so that all lie alike in memory
    least_rows: Final[int] = 4  # of a factor where matrices are shared: from here on, all products add in one order
    least_long_rows: Final[int] = 2  # of one whose sums are longer than that
    longest_sum: Final[int] = 192  # beyond this, products of as many rows add in parts, and matrices are not shared
    short_run: Final[int] = 6  # up to this many groups each takes a matrix of its own
    longest_run: Final[int] = 50  # about the most groups in one product
    usual_elements: Final[int] = 400_000  # of a bank: with large matrices runs are shorter
    most_elements: Final[int] = 4_000_000  # above this (unusual rates, very long periods) taps are gathered instead
    gathered_outputs: Final[int] = 64  # a gathered run is cut into pieces of this many outputs, to bound memory
    kept_inputs: Final[int] = 8192  # room for new inputs before old ones have to move

    first_outputs: List[int]
    places: List[Tensor]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.rows = channels  # of a factor whose groups take a matrix each; those beyond the channels stay silent
        self.up = 1
        self.down = 1
        self.half_width = 0
        self.taps = 0
        self.step = 1  # inputs a group
        self.span = 0  # inputs that the outputs of a group reach
        self.groups = 1  # in a period
        self.period_inputs = 1
        self.period_outputs = 1
        self.matrix_groups = 1  # the most in a run whose groups take a matrix each
        self.run_groups = 1  # the most in one product
        self.least_groups = 1  # in a product
        self.least_periods = 1  # of a run whose groups share matrices
        self.slack = 0  # inputs that a product may read past the last one
        self.columns = 0  # of a matrix
        # Matrices of the groups of a period and of a run after it.
        self.bank = torch.zeros(0, 0, 0, dtype=torch.float32)
        self.first_outputs = []  # of each group of a period, counted from its start
        self.places = []  # for runs over n periods: [group, channel, output], where the product holds each output
        self.table = torch.zeros(0, 0, dtype=torch.float32)  # only where the bank would be too large
        # Up to column `tail`, and silence after it.
        self.inputs = torch.zeros(max(self.channels, self.least_rows), 0, dtype=torch.float32)
        self.tail = 0
        self.base = 0  # the column where the window of the period's first group begins, or would
        self.phase = 0  # the next output, counted from the start of a period
        self.group = 0  # which it lies in

    @torch.jit.export
    def prepare(self, in_rate: int, out_rate: int, quality: str) -> None:
        """Design everything for a conversion from ``in_rate`` to ``out_rate`` Hz. Call :meth:`start` afterwards."""
        require_usable_ratio(in_rate, out_rate, quality)
        self.release()
        self.up, self.down = reduced_ratio(out_rate, in_rate)
        self.half_width = half_width_samples(self.up, self.down, quality)
        self.taps = 2 * self.half_width
        self.step = self._best_step()
        self.span = self._span(self.step)
        self.groups = self.down // math.gcd(self.step, self.down)
        self.period_inputs = self.groups * self.step
        self.period_outputs = self.period_inputs // self.down * self.up
        self.columns = self._columns(self.step)
        elements = self.span * self.columns  # of a matrix
        periods = self.longest_run // self.groups
        self.least_periods = -(-self.least_rows // self.channels)
        self.slack = 2 * self.step
        if periods >= self.least_periods and self.span <= self.longest_sum:
            self.rows = max(self.channels, self.least_rows)
            self.least_groups = 1
            self.slack += self.least_periods * self.period_inputs
            self.matrix_groups = max(self.groups, min(self.short_run, self.usual_elements // elements - self.groups))
            self.run_groups = max(self.matrix_groups, periods * self.groups)
        else:
            periods = 1
            self.rows = max(self.channels, self.least_long_rows)
            self.least_groups = 2  # one alone would be multiplied by another routine, which adds in another order
            self.matrix_groups = min(self.longest_run, max(2, self.usual_elements // elements - self.groups))
            self.run_groups = self.matrix_groups
        table = polyphase_table(self.up, self.down, quality).to(torch.float32)
        if (self.groups + self.matrix_groups) * elements <= self.most_elements:
            self._fill_bank(table)
            self._find_places(periods)
        else:
            self.table = table

    @torch.jit.export
    def release(self) -> None:
        """Forget the design: rates are equal now, and a saved module should be small."""
        self.table = torch.zeros(0, 0, dtype=torch.float32)
        self.bank = torch.zeros(0, 0, 0, dtype=torch.float32)
        self.first_outputs.clear()
        self.places.clear()
        self.inputs = torch.zeros(max(self.channels, self.least_rows), 0, dtype=torch.float32)
        self.tail = 0
        self.base = 0
        self.half_width = 0

    @torch.jit.export
    def start(self, first_end: int) -> None:
        """Begin a stream, whose output 0 ends its window ``first_end / up`` inputs after the start of the input.

        The delay of output 0 is ``half_width - first_end / up`` inputs; a fraction chooses the starting phase.
        """
        whole = first_end // self.up
        fraction = first_end - whole * self.up
        self.phase = 0
        while (self.phase * self.down) % self.up != fraction:
            self.phase += 1
        ended = whole + (1 if fraction > 0 else 0)  # inputs until the first window is complete
        if ended > self.taps:
            raise AudioError(f"first_end must lie within {self.taps} input samples of the start, got {whole}")
        self._advance(0)
        # The window of the next group may begin before the stream does, by more than the next output's.
        self.base -= self._window_column()
        self.tail = self.base + self._last(self.phase) - ended + self.taps
        self.inputs = torch.zeros(
            max(self.channels, self.least_rows), self.tail + self.slack + self.kept_inputs, dtype=torch.float32
        )

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Take ``[channels, n]`` more inputs; they are copied."""
        samples = x.size(1)
        # A stream may begin in inference mode and go on outside, where what was made inside can't be written to.
        if self.inputs.is_inference() and not x.is_inference() and not torch.empty(0, dtype=x.dtype).is_inference():
            self.inputs = self.inputs.clone()
        size = self.inputs.size(1)
        tail = self.tail
        if tail + samples + self.slack > size:
            self._make_room(samples)
            size = self.inputs.size(1)
            tail = self.tail
        torch.as_strided(self.inputs, [self.channels, samples], [size, 1], tail).copy_(x)
        self.tail = tail + samples

    @torch.jit.export
    def available(self) -> int:
        """How many outputs the inputs so far allow."""
        return max(0, ((self.tail - self.base - self.taps) * self.up) // self.down - self.phase + 1)

    @torch.jit.export
    def pull(self, count: int) -> Tensor:
        """The next ``count`` outputs, ``[channels, count]``; no more than :meth:`available`."""
        if count == 0:
            return torch.zeros(self.channels, 0, dtype=torch.float32)
        if self.table.size(0) > 0:
            return self._gathered(count)
        groups = self._last(self.phase + count - 1) // self.step - self.group + 1
        return self._run(groups, count) if groups <= self.run_groups else self._long_run(groups, count)

    def _run(self, groups: int, count: int) -> Tensor:
        """The next ``count`` outputs, which lie in the next ``groups``."""
        group = self.group
        start = self.base + group * self.step
        size = self.inputs.size(1)
        periods = 1
        if groups <= self.matrix_groups:
            groups = max(groups, self.least_groups)
            windows = torch.as_strided(self.inputs, [groups, self.rows, self.span], [self.step, size, 1], start)
        else:
            periods = max((groups + self.groups - 1) // self.groups, self.least_periods)
            groups = self.groups
            windows = torch.as_strided(
                self.inputs,
                [groups, self.channels, periods, self.span],
                [self.step, size, self.period_inputs, 1],
                start,
            ).reshape(groups, self.channels * periods, self.span)
        y = torch.bmm(windows, self.bank.narrow(0, group, groups))
        places = self.places[periods]
        longest = places.size(2)
        place = group * self.channels * longest + self.phase - self.first_outputs[group]
        self._advance(count)
        return torch.take(y, torch.as_strided(places, [self.channels, count], [longest, 1], place))

    def _long_run(self, groups: int, count: int) -> Tensor:
        pieces: List[Tensor] = []
        while groups > self.run_groups:
            size = self._first_output(self.group + self.run_groups) - self.phase
            pieces.append(self._run(self.run_groups, size))
            groups -= self.run_groups
            count -= size
        pieces.append(self._run(groups, count))
        return torch.cat(pieces, 1)

    def _make_room(self, samples: int) -> None:
        """Move what is still needed to the front, into a longer buffer if it must be."""
        head = min(self._window_column(), self.tail)  # a conversion far down may skip inputs that are still to come
        kept = self.tail - head
        size = max(self.inputs.size(1), kept + samples + self.slack + self.kept_inputs)
        inputs = torch.zeros(max(self.channels, self.least_rows), size, dtype=torch.float32)
        inputs.narrow(1, 0, kept).copy_(self.inputs.narrow(1, head, kept))
        self.inputs = inputs
        self.base -= head
        self.tail = kept

    def _advance(self, count: int) -> None:
        """Count the outputs, and begin to count anew where a period does."""
        phase = self.phase + count
        group = self._last(phase) // self.step
        if group >= self.groups:
            periods = group // self.groups
            group -= periods * self.groups
            phase -= periods * self.period_outputs
            self.base += periods * self.period_inputs
        self.phase = phase
        self.group = group

    def _last(self, output: int) -> int:
        """The last input that an output needs."""
        return (output * self.down + self.up - 1) // self.up

    def _first_output(self, group: int) -> int:
        """The first output whose window ends within a group."""
        return ((group * self.step - 1) * self.up) // self.down + 1

    def _window_column(self) -> int:
        """Where the inputs of the next output begin: of its whole group, unless taps are gathered."""
        return self.base + (self.group * self.step if self.table.size(0) == 0 else self._last(self.phase))

    def _span(self, step: int) -> int:
        """Inputs that the outputs of a group reach."""
        return step - 1 + self.taps

    def _columns(self, step: int) -> int:
        most = -(-step * self.up // self.down)
        return -(-most // self.column_multiple) * self.column_multiple

    def _best_step(self) -> int:
        """The step with the fewest multiplications an input among those near the wanted size, if its bank is small."""
        near = max(1, self.wanted_columns * self.down // self.up)
        best = near
        best_cost = -1.0
        for step in range(max(1, near // 2), 2 * near + 1):
            matrices = self.down // math.gcd(step, self.down) + 1
            elements = self._span(step) * self._columns(step)
            cost = elements / step * (1.0 + matrices * elements / 200_000.0)
            if best_cost < 0.0 or cost < best_cost:
                best = step
                best_cost = cost
        return best

    def _fill_bank(self, table: Tensor) -> None:
        """The matrices of one period and of the longest run that starts in it, and where their outputs begin."""
        total = self.groups + self.matrix_groups
        outputs = torch.arange(self._first_output(0), self._first_output(total))
        last, group, column = self._matrix_columns(outputs)
        taps = table.index_select(0, last * self.up - outputs * self.down)
        row = (last - group * self.step).unsqueeze(1) + torch.arange(self.taps)
        place = (group * self.span).unsqueeze(1) + row
        bank = torch.zeros(total * self.span * self.columns, dtype=torch.float32)
        bank.scatter_(0, (place * self.columns + column.unsqueeze(1)).reshape(-1), taps.reshape(-1))
        self.bank = bank.view(total, self.span, self.columns)
        for start in range(self.groups):
            self.first_outputs.append(self._first_output(start))

    def _find_places(self, most_periods: int) -> None:
        """Where the products of runs over 1, 2... periods hold their outputs, whichever group they start in."""
        start = torch.arange(self.groups).unsqueeze(1)
        first = torch.tensor(self.first_outputs, dtype=torch.int64).unsqueeze(1)
        channel = torch.arange(self.channels).reshape(1, -1, 1)
        self.places.append(torch.zeros(0, 0, 0, dtype=torch.int64))
        for periods in range(1, most_periods + 1):
            run = self.matrix_groups if periods == 1 else periods * self.groups
            most = self._first_output(run) - self._first_output(0) + 1
            _, group, column = self._matrix_columns(first + torch.arange(most))
            after = (group - start).unsqueeze(1)  # groups after the run's first one
            if periods == 1:
                row = after * self.rows + channel
            else:
                period = torch.div(after, self.groups, rounding_mode="floor")
                row = ((after - period * self.groups) * self.channels + channel) * periods + period
            self.places.append((row * self.columns + column.unsqueeze(1)).contiguous())

    def _matrix_columns(self, outputs: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """For each output the last input that it needs, its group, and which column of the group's matrix makes it."""
        last = torch.div(outputs * self.down + (self.up - 1), self.up, rounding_mode="floor")
        group = torch.div(last, self.step, rounding_mode="floor")
        first = torch.div((group * self.step - 1) * self.up, self.down, rounding_mode="floor") + 1
        return last, group, outputs - first

    def _gathered(self, count: int) -> Tensor:
        """Outputs of a filter whose period is too long for a bank: each gathers its own taps."""
        first = self._window_column()
        inputs = self.inputs.narrow(0, 0, self.channels)
        output = torch.arange(self.phase, self.phase + count)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        row = last * self.up - output * self.down
        start = last - self._last(self.phase) + first
        tap = torch.arange(self.taps)
        y = torch.zeros(self.channels, count, dtype=torch.float32)
        for begin in range(0, count, self.gathered_outputs):
            size = min(self.gathered_outputs, count - begin)
            index = (start.narrow(0, begin, size).unsqueeze(1) + tap).reshape(-1)
            window = inputs.index_select(1, index).view(self.channels, size, self.taps)
            taps = self.table.index_select(0, row.narrow(0, begin, size))
            y.narrow(1, begin, size).copy_((window * taps).sum(2))
        self._advance(count)
        return y
