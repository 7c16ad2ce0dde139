"""Exact rational rate conversion that keeps its state between blocks, in a handful of tensor operations a block.

Output ``k`` of an ``up/down`` conversion ends its window at input time ``k * down / up``, so it can be computed as
soon as input ``last(k) = ceil(k * down / up)`` is there, and its taps are row ``last(k) * up - k * down`` of the
polyphase table.

Inputs are cut into groups of ``step`` samples, on a grid that is counted from the start of the stream and not from the
host's blocks. The outputs whose windows end within one group are the product of the inputs that they reach with one
small banded matrix. Group ``g + lcm(step, down) / step`` has the same matrix as group ``g``, so a few matrices, the
*bank*, serve every group, and a run of groups is one batched product.

An output is always computed as the same column of the product of the same shape: a group that the host's blocks cut in
two is computed twice, where what has not come yet stands as zeros that meet zero taps. Sums are therefore the same to
the last bit however the stream is cut up, in single precision.
"""

import math
from typing import Final, List

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
    longest_run: Final[int] = 32  # the most groups in one product
    usual_elements: Final[int] = 400_000  # of a bank: with large matrices runs are shorter
    most_elements: Final[int] = 4_000_000  # above this (unusual rates, very long periods) taps are gathered instead
    gathered_outputs: Final[int] = 64  # a gathered run is cut into pieces of this many outputs, to bound memory
    kept_inputs: Final[int] = 8192  # room for new inputs before old ones have to move

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.up = 1
        self.down = 1
        self.half_width = 0
        self.taps = 0
        self.step = 1  # inputs a group
        self.groups = 1  # in a period
        self.run_groups = 1  # the most in one product
        self.columns = 0  # of a matrix
        self.bank = torch.zeros(
            0, 0, 0, dtype=torch.float32
        )  # matrices of the groups of a period and of the longest run after it
        self.places = torch.zeros(0, 0, 0, dtype=torch.int64)  # [group, channel, output]: where a run holds its outputs
        self.table = torch.zeros(0, 0, dtype=torch.float32)  # only where the bank would be too large
        self.inputs = torch.zeros(
            channels, 0, dtype=torch.float32
        )  # those that are still needed lie from `head` to `tail`
        self.head = 0
        self.tail = 0
        self.origin = 0  # which input lies at `head`, counted from that on which output 0 of a period ends
        self.phase = 0  # the next output, counted from the start of a period

    @torch.jit.export
    def prepare(self, in_rate: int, out_rate: int, quality: str) -> None:
        """Design everything for a conversion from ``in_rate`` to ``out_rate`` Hz. Call :meth:`start` afterwards."""
        require_usable_ratio(in_rate, out_rate, quality)
        self.up, self.down = reduced_ratio(out_rate, in_rate)
        self.half_width = half_width_samples(self.up, self.down, quality)
        self.taps = 2 * self.half_width
        self.step = self._best_step()
        self.groups = self.down // math.gcd(self.step, self.down)
        self.columns = self._columns(self.step)
        elements = self._span(self.step) * self.columns  # of a matrix
        self.run_groups = min(self.longest_run, max(2, self.usual_elements // elements - self.groups))
        table = polyphase_table(self.up, self.down, quality).to(torch.float32)
        if (self.groups + self.run_groups) * elements <= self.most_elements:
            self.table = torch.zeros(0, 0, dtype=torch.float32)
            self._fill_bank(table)
        else:
            self.table = table
            self.bank = torch.zeros(0, 0, 0, dtype=torch.float32)
            self.places = torch.zeros(0, 0, 0, dtype=torch.int64)

    @torch.jit.export
    def release(self) -> None:
        """Forget the design: rates are equal now, and a saved module should be small."""
        self.table = torch.zeros(0, 0, dtype=torch.float32)
        self.bank = torch.zeros(0, 0, 0, dtype=torch.float32)
        self.places = torch.zeros(0, 0, 0, dtype=torch.int64)
        self.inputs = torch.zeros(self.channels, 0, dtype=torch.float32)
        self.head = 0
        self.tail = 0
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
        # The window of the next group may begin before the stream does, by more than the next output's.
        first_input = self._last(self.phase) - ended + 1
        self.origin = self._window_start()
        self.head = 0
        self.tail = first_input - self.origin
        self.inputs = torch.zeros(self.channels, self.tail + self._slack() + self.kept_inputs, dtype=torch.float32)
        self._count_from_this_period()

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Take ``[channels, n]`` more inputs; they are copied."""
        samples = x.size(1)
        if (
            self.inputs.is_inference() and not x.is_inference()
        ):  # a stream may begin in inference mode and go on outside
            self.inputs = self.inputs.clone()
        if self.tail + samples + self._slack() > self.inputs.size(1):
            self._make_room(samples)
        self.inputs.narrow(1, self.tail, samples).copy_(x)
        self.tail += samples

    @torch.jit.export
    def available(self) -> int:
        """How many outputs the inputs so far allow."""
        newest = self.origin + self.tail - self.head - 1
        return max(0, (newest * self.up) // self.down - self.phase + 1)

    @torch.jit.export
    def pull(self, count: int) -> Tensor:
        """The next ``count`` outputs, ``[channels, count]``; no more than :meth:`available`."""
        if count == 0:
            return torch.zeros(self.channels, 0, dtype=torch.float32)
        start = self.head + self._window_start() - self.origin
        if self.table.size(0) > 0:
            y = self._gathered(start, count)
        else:
            first = self._last(self.phase) // self.step
            groups = self._last(self.phase + count - 1) // self.step - first + 1
            if groups <= self.run_groups:
                y = self._run(start, first, groups, self.phase, count)
            else:
                y = self._long_run(start, first, groups, count)
        self._advance(count)
        return y

    def _run(self, start: int, group: int, groups: int, output: int, count: int) -> Tensor:
        """``count`` outputs from ``output`` on, in ``groups`` from ``group`` on, whose inputs lie at ``start``.

        Outputs and groups are counted from the start of a period. One group alone would be multiplied by another
        routine, which adds in another order, so there are two.
        """
        groups = max(groups, 2)
        windows = torch.as_strided(
            self.inputs, [groups, self.channels, self._span(self.step)], [self.step, self.inputs.size(1), 1], start
        )
        y = torch.bmm(windows, self.bank.narrow(0, group, groups))
        longest = self.places.size(2)
        place = group * self.channels * longest + output - self._first_output(group)
        return torch.take(y, torch.as_strided(self.places, [self.channels, count], [longest, 1], place))

    def _long_run(self, start: int, first: int, groups: int, count: int) -> Tensor:
        """A run in pieces, each counted from the period in which it starts."""
        pieces: List[Tensor] = []
        done = 0
        output = self.phase
        end = output + count
        while output < end:
            size = min(self.run_groups, groups - done)
            group = first + done
            stop = min(end, self._first_output(group + size))
            periods = group // self.groups
            shift = periods * self._period_outputs()
            group -= periods * self.groups
            pieces.append(self._run(start + done * self.step, group, size, output - shift, stop - output))
            output = stop
            done += size
        return torch.cat(pieces, 1)

    def _make_room(self, samples: int) -> None:
        """Move what is still needed to the front, into a longer buffer if it must be."""
        kept = self.tail - self.head
        size = max(self.inputs.size(1), kept + samples + self._slack() + self.kept_inputs)
        inputs = torch.zeros(self.channels, size, dtype=torch.float32)
        inputs.narrow(1, 0, kept).copy_(self.inputs.narrow(1, self.head, kept))
        self.inputs = inputs
        self.head = 0
        self.tail = kept

    def _slack(self) -> int:
        """A group that is cut in two reads past the last input, and so does the second of two."""
        return 2 * self.step

    def _advance(self, count: int) -> None:
        """Count the outputs, and forget what no window will see again."""
        self.phase += count
        # A conversion far down may skip inputs that are still to come.
        seen = min(max(0, self._window_start() - self.origin), self.tail - self.head)
        self.head += seen
        self.origin += seen
        self._count_from_this_period()

    def _count_from_this_period(self) -> None:
        periods = self._last(self.phase) // self.step // self.groups
        self.origin -= periods * self.groups * self.step
        self.phase -= periods * self._period_outputs()

    def _period_outputs(self) -> int:
        return self.groups * self.step // self.down * self.up

    def _last(self, output: int) -> int:
        """The last input that an output needs."""
        return (output * self.down + self.up - 1) // self.up

    def _first_output(self, group: int) -> int:
        """The first output whose window ends within a group."""
        return ((group * self.step - 1) * self.up) // self.down + 1

    def _window_start(self) -> int:
        """Where the inputs of the next output begin: of its whole group, unless taps are gathered."""
        end = self._last(self.phase)
        if self.table.size(0) == 0:
            end = (end // self.step) * self.step
        return end - self.taps + 1

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
            matrices = self.down // math.gcd(step, self.down) + self.run_groups
            elements = self._span(step) * self._columns(step)
            cost = elements / step * (1.0 + matrices * elements / 200_000.0)
            if best_cost < 0.0 or cost < best_cost:
                best = step
                best_cost = cost
        return best

    def _fill_bank(self, table: Tensor) -> None:
        """The matrices of one period and of the longest run that starts in it, and where such runs hold outputs."""
        span = self._span(self.step)
        total = self.groups + self.run_groups
        outputs = torch.arange(self._first_output(0), self._first_output(total))
        last = torch.div(outputs * self.down + (self.up - 1), self.up, rounding_mode="floor")
        group = torch.div(last, self.step, rounding_mode="floor")
        first = torch.div((group * self.step - 1) * self.up, self.down, rounding_mode="floor") + 1
        column = outputs - first
        taps = table.index_select(0, last * self.up - outputs * self.down)
        row = (last - group * self.step).unsqueeze(1) + torch.arange(self.taps)
        place = (group * span).unsqueeze(1) + row
        bank = torch.zeros(total * span * self.columns, dtype=torch.float32)
        bank.scatter_(0, (place * self.columns + column.unsqueeze(1)).reshape(-1), taps.reshape(-1))
        self.bank = bank.view(total, span, self.columns)
        most = self._first_output(self.run_groups) - self._first_output(0) + 1
        places = torch.zeros(self.groups, self.channels, most, dtype=torch.int64)
        for start in range(self.groups):
            begin = self._first_output(start) - self._first_output(0)
            size = min(most, column.size(0) - begin)
            run = group.narrow(0, begin, size) - start
            for channel in range(self.channels):
                place = (run * self.channels + channel) * self.columns + column.narrow(0, begin, size)
                places[start, channel].narrow(0, 0, size).copy_(place)
        self.places = places

    def _gathered(self, first: int, count: int) -> Tensor:
        """A run through a filter whose period is too long for a bank: each output gathers its own taps."""
        output = torch.arange(self.phase, self.phase + count)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        row = last * self.up - output * self.down
        start = last - self._last(self.phase) + first
        tap = torch.arange(self.taps)
        y = torch.zeros(self.channels, count, dtype=torch.float32)
        for begin in range(0, count, self.gathered_outputs):
            size = min(self.gathered_outputs, count - begin)
            index = (start.narrow(0, begin, size).unsqueeze(1) + tap).reshape(-1)
            window = self.inputs.index_select(1, index).view(self.channels, size, self.taps)
            taps = self.table.index_select(0, row.narrow(0, begin, size))
            y.narrow(1, begin, size).copy_((window * taps).sum(2))
        return y
