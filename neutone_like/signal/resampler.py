"""Exact rational rate conversion that keeps its state between blocks, in a handful of tensor operations a block.

Output ``k`` of an ``up/down`` conversion ends its window at input time ``k * down / up``, so it can be computed as
soon as ``last(k) = ceil(k * down / up)`` inputs are there, and its taps are row ``last(k) * up - k * down`` of the
polyphase table.

Any run of outputs is therefore a product of a run of inputs with a rectangle of one banded matrix ``W``, whose column
``k`` holds those taps at rows ``last(k)`` onwards. Column ``k + up`` is column ``k`` moved down by ``down`` rows, so
a matrix
a little wider than one period serves every phase and every block size: short runs use one rectangle, and long runs use
the same rectangle for every period, as rows of one matrix product. Nothing is looked up or gathered in the audio path,
whose time is mostly that of dispatching operations.

A matrix product adds in an order that depends on its shape, which leaves differences of 1e-6 between one way to cut up
a stream and another. Where runs follow the host's blocks, sums are therefore in double precision and rounded to float32
once: the result is the same, but for a last bit in a hundred million samples. Where runs follow the model's blocks,
single precision does that already, in half the time.
"""

from typing import Final, List

import torch
from torch import Tensor, nn

from neutone_like.errors import AudioError
from neutone_like.signal.filter_design import half_width_samples, polyphase_table, reduced_ratio, require_usable_ratio


class FirResampler(nn.Module):
    """Streaming polyphase FIR conversion of ``[channels, samples]``.

    Call :meth:`prepare`, then :meth:`start`, then :meth:`push` inputs and :meth:`pull` up to :meth:`available` outputs.
    """

    shortest_group: Final[int] = 64  # outputs a row of the long product, at least
    shortest_run: Final[int] = 128  # longest run done in one rectangle, at least
    most_matrix_elements: Final[int] = (
        4_000_000  # above this (unusual rates, very long periods) taps are gathered instead
    )
    gathered_outputs: Final[int] = 64  # a gathered run is cut into pieces of this many outputs, to bound memory

    pending: List[Tensor]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.up = 1
        self.down = 1
        self.half_width = 0
        self.taps = 0
        self.group_outputs = 1
        self.group_inputs = 1
        self.run_outputs = 1
        self.dtype = torch.float64
        self.table = torch.zeros(0, 0)  # only where the matrix would be too large
        self.matrix = torch.zeros(0, 0)
        self.slack = torch.zeros(channels, 0)  # long products may read past the end
        self.inputs = torch.zeros(channels, 0)
        self.pending = []  # inputs that are not joined yet
        self.length = 0  # of `inputs` and `pending` together
        self.head = 0  # where in them the next output's window starts
        self.phase = 0  # the next output's index modulo `up`

    @torch.jit.export
    def prepare(self, in_rate: int, out_rate: int, quality: str, double_precision: bool = True) -> None:
        """Design everything for a conversion from ``in_rate`` to ``out_rate`` Hz. Call :meth:`start` afterwards.

        Without ``double_precision``, pull runs of the same lengths at the same places, and results are the same too.
        """
        require_usable_ratio(in_rate, out_rate, quality)
        self.up, self.down = reduced_ratio(out_rate, in_rate)
        self.half_width = half_width_samples(self.up, self.down, quality)
        self.taps = 2 * self.half_width
        self.dtype = torch.float64 if double_precision else torch.float32
        periods = -(-self.shortest_group // self.up)
        self.group_outputs = periods * self.up
        self.group_inputs = periods * self.down
        self.run_outputs = max(self.group_outputs, self.shortest_run)
        columns = self.up + self.run_outputs
        rows = self._last(columns) + self.taps
        table = polyphase_table(self.up, self.down, quality).to(self.dtype)
        if rows * columns <= self.most_matrix_elements:
            self.matrix = self._banded_matrix(table, rows, columns)
            self.table = torch.zeros(0, 0)
        else:
            self.matrix = torch.zeros(0, 0)
            self.table = table
        self.slack = torch.zeros(self.channels, self.group_inputs, dtype=self.dtype)

    @torch.jit.export
    def release(self) -> None:
        """Forget the design: rates are equal now, and a saved module should be small."""
        self.table = torch.zeros(0, 0)
        self.matrix = torch.zeros(0, 0)
        self.slack = torch.zeros(self.channels, 0)
        self.inputs = torch.zeros(self.channels, 0)
        self.pending.clear()
        self.length = 0
        self.head = 0
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
        window_start = whole + (1 if fraction > 0 else 0) - self.taps
        if window_start > 0:
            raise AudioError(f"first_end must lie within {self.taps} input samples of the start, got {whole}")
        self.pending.clear()
        self.length = -window_start
        self.inputs = torch.zeros(self.channels, self.length, dtype=self.dtype)
        self.head = 0

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Take ``[channels, n]`` more inputs. In single precision ``x`` is the resampler's from here on, in double it
        is copied.
        """
        self.pending.append(x.to(self.dtype))
        self.length += x.size(1)

    @torch.jit.export
    def available(self) -> int:
        """How many outputs the inputs so far allow."""
        room = self.length - self.head - self.taps + self._last(self.phase)
        return max(0, (room * self.up) // self.down - self.phase + 1)

    @torch.jit.export
    def pull(self, count: int) -> Tensor:
        """The next ``count`` outputs, ``[channels, count]``; no more than :meth:`available`."""
        if count == 0:
            return torch.zeros(self.channels, 0)
        first = self._last(self.phase)
        span = self._last(self.phase + count - 1) - first + self.taps
        has_matrix = self.matrix.size(0) > 0
        x = self._joined(has_matrix and count > self.run_outputs)
        if not has_matrix:
            y = self._gathered(x, count)
        elif count > self.run_outputs:
            y = self._grouped(x, count, first)
        elif x.size(1) == span:
            y = torch.mm(x, self._rectangle(first, span, count))
        else:
            y = torch.mm(x.narrow(1, self.head, span), self._rectangle(first, span, count))
        self.phase += count
        self.head += self._last(self.phase) - first
        self.phase = self.phase % self.up
        # What no window will see again goes. A conversion far down may skip inputs that are still to come.
        seen = min(self.head, self.length)
        self.length -= seen
        self.head -= seen
        self.inputs = x.narrow(1, seen, self.length)
        return y.to(torch.float32)

    def _joined(self, with_slack: bool) -> Tensor:
        """All inputs in one piece."""
        if len(self.pending) == 0 and not with_slack:
            return self.inputs
        pieces = [self.inputs]
        pieces.extend(self.pending)
        if with_slack:
            pieces.append(self.slack)
        self.pending.clear()
        return torch.cat(pieces, 1)

    def _last(self, output: int) -> int:
        """Inputs needed for an output, counted from the end of output 0's window."""
        return (output * self.down + self.up - 1) // self.up

    def _grouped(self, x: Tensor, count: int, first: int) -> Tensor:
        """A long run: one row of the product for every group of whole periods. The last row may read the slack."""
        rows = -(-count // self.group_outputs)
        span = self._last(self.phase + self.group_outputs - 1) - first + self.taps
        windows = torch.as_strided(
            x, [self.channels, rows, span], [x.size(1), self.group_inputs, 1], self.head
        ).reshape(self.channels * rows, span)
        y = torch.mm(windows, self._rectangle(first, span, self.group_outputs))
        return torch.as_strided(y, [self.channels, count], [rows * self.group_outputs, 1], 0).contiguous()

    def _rectangle(self, first: int, span: int, count: int) -> Tensor:
        """``span`` rows from ``first`` on of the ``count`` columns from the phase on."""
        columns = self.matrix.size(1)
        return torch.as_strided(self.matrix, [span, count], [columns, 1], first * columns + self.phase)

    def _gathered(self, x: Tensor, count: int) -> Tensor:
        """A run through a filter whose period is too long for a matrix: each output gathers its own taps."""
        output = torch.arange(self.phase, self.phase + count)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        row = last * self.up - output * self.down
        start = last - self._last(self.phase) + self.head
        tap = torch.arange(self.taps)
        y = torch.zeros(self.channels, count, dtype=self.dtype)
        for begin in range(0, count, self.gathered_outputs):
            size = min(self.gathered_outputs, count - begin)
            index = (start.narrow(0, begin, size).unsqueeze(1) + tap).reshape(-1)
            window = x.index_select(1, index).view(self.channels, size, self.taps)
            taps = self.table.index_select(0, row.narrow(0, begin, size))
            y.narrow(1, begin, size).copy_((window * taps).sum(2))
        return y

    def _banded_matrix(self, table: Tensor, rows: int, columns: int) -> Tensor:
        output = torch.arange(columns)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        taps = table.index_select(0, last * self.up - output * self.down)
        row = last.unsqueeze(1) + torch.arange(self.taps)
        return torch.zeros(columns, rows, dtype=self.dtype).scatter_(1, row, taps).t().contiguous()
