"""Exact rational rate conversion that keeps its state between blocks, in a handful of tensor operations a block.

Output ``k`` of an ``up/down`` conversion ends its window at input time ``k * down / up``, so it can be computed as soon as
``last(k) = ceil(k * down / up)`` inputs are there, and its taps are row ``last(k) * up - k * down`` of the polyphase table.

Any run of outputs is therefore a product of a run of inputs with a rectangle of one banded matrix ``W``, whose column
``k`` holds those taps at rows ``last(k)`` onwards. Column ``k + up`` is column ``k`` moved down by ``down`` rows, so a matrix
a little wider than one period serves every phase and every block size: short runs use one rectangle, and long runs use
the same rectangle for every period, as rows of one matrix product. Nothing is looked up or gathered in the audio path,
whose time is mostly that of dispatching operations.
"""

from typing import Final

import torch
from torch import Tensor, nn

from neutone_like.host.filter_design import half_width_samples, polyphase_table, reduced_ratio


class FirResampler(nn.Module):
    """Streaming polyphase FIR conversion of ``[channels, samples]``.

    Call :meth:`prepare`, then :meth:`start`, then :meth:`push` inputs and :meth:`pull` up to :meth:`available` outputs.
    """

    shortest_group: Final[int] = 64  # outputs a row of the long product, at least
    shortest_run: Final[int] = 128  # longest run done in one rectangle, at least
    most_matrix_elements: Final[int] = 4_000_000  # above this (unusual rates, very long periods) taps are gathered instead
    most_table_elements: Final[int] = 48_000_000
    gathered_outputs: Final[int] = 1024  # a gathered run is cut into pieces of this many outputs, to bound memory

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
        self.table = torch.zeros(0, 0)
        self.matrix = torch.zeros(0, 0)
        self.inputs = torch.zeros(channels, 0)
        self.head = 0  # where in `inputs` the next output's window starts
        self.phase = 0  # the next output's index modulo `up`

    @torch.jit.export
    def prepare(self, in_rate: int, out_rate: int, quality: str) -> None:
        """Design everything for a conversion from ``in_rate`` to ``out_rate`` Hz. Call :meth:`start` afterwards."""
        self.up, self.down = reduced_ratio(out_rate, in_rate)
        self.half_width = half_width_samples(self.up, self.down, quality)
        self.taps = 2 * self.half_width
        if self.up * self.taps > self.most_table_elements:
            raise ValueError(
                f"Converting {in_rate} Hz to {out_rate} Hz needs a filter with {self.up} phases of {self.taps} taps, "
                "which is too large. Use rates with a larger common divisor."
            )
        self.table = polyphase_table(self.up, self.down, quality)
        periods = -(-self.shortest_group // self.up)
        self.group_outputs = periods * self.up
        self.group_inputs = periods * self.down
        self.run_outputs = max(self.group_outputs, self.shortest_run)
        columns = self.up + self.run_outputs
        rows = self._last(columns - 1) + self.taps
        if rows * columns <= self.most_matrix_elements:
            self.matrix = self._banded_matrix(rows, columns)
        else:
            self.matrix = torch.zeros(0, 0)

    @torch.jit.export
    def release(self) -> None:
        """Forget the design: rates are equal now, and a saved module should be small."""
        self.table = torch.zeros(0, 0)
        self.matrix = torch.zeros(0, 0)
        self.inputs = torch.zeros(self.channels, 0)

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
            raise ValueError(f"first_end must lie within {self.taps} input samples of the start, got {whole}")
        self.inputs = torch.zeros(self.channels, -window_start)
        self.head = 0

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Take ``[channels, n]`` more inputs. ``x`` is copied."""
        left = self.inputs.size(1) - self.head
        if left < 0:
            # A conversion far down can need inputs beyond those that came: skip what no window will see.
            skipped = min(-left, x.size(1))
            self.head = self.head - skipped
            x = x.narrow(1, skipped, x.size(1) - skipped)
            left = 0
            if self.head > self.inputs.size(1):
                return
        self.inputs = torch.cat((self.inputs.narrow(1, self.inputs.size(1) - left, left), x), 1)
        self.head = 0

    @torch.jit.export
    def available(self) -> int:
        """How many outputs the inputs so far allow."""
        room = self.inputs.size(1) - self.head - self.taps + self._last(self.phase)
        return max(0, (room * self.up) // self.down - self.phase + 1)

    @torch.jit.export
    def pull(self, count: int) -> Tensor:
        """The next ``count`` outputs, ``[channels, count]``; no more than :meth:`available`."""
        if count == 0:
            return torch.zeros(self.channels, 0)
        first = self._last(self.phase)
        span = self._last(self.phase + count - 1) - first + self.taps
        if self.matrix.size(0) == 0:
            y = self._gathered(count)
        elif count <= self.run_outputs:
            rectangle = self.matrix.narrow(0, first, span).narrow(1, self.phase, count)
            y = torch.mm(self.inputs.narrow(1, self.head, span), rectangle)
        else:
            y = self._grouped(count, first)
        self.phase += count
        self.head += self._last(self.phase) - first
        self.phase = self.phase % self.up
        return y

    def _last(self, output: int) -> int:
        """Inputs needed for an output, counted from the end of output 0's window."""
        return (output * self.down + self.up - 1) // self.up

    def _grouped(self, count: int, first: int) -> Tensor:
        """A long run: one row of the product for every group of whole periods. The last row may read past the end."""
        rows = -(-count // self.group_outputs)
        span = self._last(self.phase + self.group_outputs - 1) - first + self.taps
        end = (rows - 1) * self.group_inputs + span
        x = self.inputs.narrow(1, self.head, min(end, self.inputs.size(1) - self.head))
        if x.size(1) < end:
            x = torch.constant_pad_nd(x, [0, end - x.size(1)])
        windows = x.as_strided([self.channels, rows, span], [x.stride(0), self.group_inputs, 1])
        rectangle = self.matrix.narrow(0, first, span).narrow(1, self.phase, self.group_outputs)
        y = torch.matmul(windows, rectangle).reshape(self.channels, rows * self.group_outputs)
        return y.narrow(1, 0, count)

    def _gathered(self, count: int) -> Tensor:
        """A run through a filter whose period is too long for a matrix: each output gathers its own taps."""
        output = torch.arange(self.phase, self.phase + count)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        row = last * self.up - output * self.down
        start = last - self._last(self.phase) + self.head
        windows = self.inputs.unfold(1, self.taps, 1)
        y = torch.zeros(self.channels, count)
        for begin in range(0, count, self.gathered_outputs):
            size = min(self.gathered_outputs, count - begin)
            window = windows.index_select(1, start.narrow(0, begin, size))
            taps = self.table.index_select(0, row.narrow(0, begin, size))
            y.narrow(1, begin, size).copy_((window * taps).sum(2))
        return y

    def _banded_matrix(self, rows: int, columns: int) -> Tensor:
        output = torch.arange(columns)
        last = torch.div(output * self.down + (self.up - 1), self.up, rounding_mode="floor")
        taps = self.table.index_select(0, last * self.up - output * self.down)
        row = last.unsqueeze(1) + torch.arange(self.taps)
        return torch.zeros(columns, rows).scatter_(1, row, taps).t().contiguous()
