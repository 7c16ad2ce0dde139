"""A plan as the bytes of a ``model.nlc``; ``native/src/kernels/format.hpp`` says what lies where."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.file_format import (
    HEADER_BYTES,
    LEAST_SAVED,
    MAGIC,
    MOST_OPERANDS,
    SECTION_BYTES,
    VERSION,
    VERSION_OF_FOLDED,
    VERSION_OF_PACKED,
    VERSION_OF_PLANS,
    Section,
)
from neutone_like.compiler.folding import ITEM_WORDS, folded
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.layout import ALIGNMENT, Layout, lay_out
from neutone_like.compiler.packed_constants import PackedConstants, Piece
from neutone_like.compiler.packing import packed_bias, packed_panels, pieces_of_panels, pieces_of_recurrent
from neutone_like.compiler.plan import MOVED_ON, Affine, Plan, Pointwise, Step
from neutone_like.compiler.program import program_of
from neutone_like.compiler.tensor import ROW_FLOATS, Kind, Stride, Tensor, View, stride_order
from neutone_like.errors import CompileError

MAXIMUM_RANK = 6
_MOST_CONSTANTS = 3  # that the writer adds to them
_RING, _STATE, _ARENA, _CONSTANT = range(4)
_PADDED = 1
_BEHIND = 8 * ROW_FLOATS  # what is read may be read in whole vectors, and the last constant has no neighbour


@dataclass(frozen=True)
class TestVector:
    """Sound and what it becomes, from the state that a model begins in.

    Attributes:
        audio: ``[in_channels, look_behind + samples]``.
        parameters: One value of each.
        output: ``[out_channels, samples]``.
    """

    audio: NDArray[np.float32]
    parameters: NDArray[np.float32]
    output: NDArray[np.float32]


@dataclass(frozen=True)
class FilePlan:
    """What a file holds of a plan.

    Attributes:
        plan: Improved by all passes.
        test: What it must give.
        delay_samples: How far the output lags behind the input.
    """

    plan: Plan
    test: TestVector
    delay_samples: int = 0


def write_plan(plan: Plan, metadata: str, test: TestVector, delay_samples: int = 0) -> bytes:
    """The file of a plan, as :class:`FilePlan` has it; ``metadata`` is JSON."""
    return write_plans([FilePlan(plan, test, delay_samples)], metadata)


def write_plans(plans: Sequence[FilePlan], metadata: str, rates: Sequence[int] = ()) -> bytes:
    """The file of a plan, or of one for each of several sample rates, with what they share there once.

    Args:
        plans: At least one.
        metadata: JSON.
        rates: Hz, one for each of several plans.
    """
    constants = _Constants()
    parts = [_Writer(each.plan, constants).sections(each) for each in plans]
    sections: list[tuple[Section, int, bytes]] = [(Section.METADATA, 0, metadata.encode())]
    sections += [(kind, number, data) for number, part in enumerate(parts) for kind, data in part.items()]
    packed = constants.packed.sections(bytes(constants.data))
    if packed is None:
        sections.append((Section.CONSTANTS, 0, bytes(constants.data) + bytes(_BEHIND)))
    else:
        sections += [(Section.PACKINGS, 0, packed[0]), (Section.PACKED, 0, packed[1])]
    if rates:
        sections.append((Section.RATES, 0, np.asarray(rates, "<i4").tobytes()))
    sections += [(Section.TEST_VECTOR, number, _numbers_of(each.test)) for number, each in enumerate(plans)]
    small = [(kind, plan, folded(kind, data) if kind in ITEM_WORDS else data) for kind, plan, data in sections]
    saved = sum(len(data) for *_, data in sections) - sum(len(data) for *_, data in small)
    if saved >= LEAST_SAVED or any(_has_short_weights(step) for each in plans for step in each.plan.steps):
        return _file(small, VERSION_OF_FOLDED)
    version = VERSION_OF_PLANS if rates else VERSION
    return _file(sections, version if packed is None else VERSION_OF_PACKED)


def _has_short_weights(step: Step) -> bool:
    """Whether a recurrent layer's weights are stored in the form in which they are multiplied, of 8 or 16 bits."""
    return step.kernel in MOVED_ON and step.kernel is not KernelId.RECURRENCE and len(step.integers) > 1


def _numbers_of(test: TestVector) -> bytes:
    parts = (test.audio, test.parameters, test.output)
    return b"".join(np.ascontiguousarray(each, np.float32).tobytes() for each in parts)


@dataclass
class _Constants:
    """Arrays one behind the other, each once."""

    data: bytearray = field(default_factory=bytearray)
    known: dict[bytes, int] = field(default_factory=dict[bytes, int])
    packed: PackedConstants = field(default_factory=PackedConstants)

    def add(self, values: NDArray[Any], pieces: Sequence[Piece] = ()) -> int:
        """The offset of an array, of weights with the pieces that may have scales of their own."""
        raw = np.ascontiguousarray(values).tobytes()
        key = raw + values.dtype.str.encode()
        if key not in self.known:
            self.data += bytes(-len(self.data) % ALIGNMENT)
            self.known[key] = len(self.data)
            self.data += raw
            if pieces:
                self.packed.add(self.known[key], values.astype(np.float32, copy=False).ravel(), pieces)
        return self.known[key]


class _Writer:
    def __init__(self, plan: Plan, constants: _Constants) -> None:
        self.plan = plan
        self.layout: Layout = lay_out(plan)
        self.samples = plan.granule + plan.look_behind
        self.constants = constants
        self.buffers: list[bytes] = []
        self.numbers: dict[Any, int] = {}
        self.views: list[bytes] = []
        self.steps: list[bytes] = []
        self.integers: list[int] = []
        for tensor in (*plan.rings, *plan.states):
            self._buffer(tensor)

    def sections(self, written: FilePlan) -> dict[Section, bytes]:
        """Those that are of this plan alone, without its test vector."""
        plan = self.plan
        inputs = [plan.audio, *plan.parameters.values()]
        for view in (*inputs, plan.output):
            self._view(view, padded=view is not plan.output)
        for step in plan.steps:
            self._step(step)
        facts = struct.pack(
            "<12i2Q",
            plan.lengths.shortest, plan.lengths.multiple_of, plan.granule, plan.look_behind,
            plan.audio.dims[0].at(self.samples), plan.output.dims[0].at(self.samples),
            len(plan.parameters), written.delay_samples,
            len(plan.rings), len(inputs), len(inputs), written.test.output.shape[1],
            self.layout.arena_bytes, self.layout.state_bytes,
        )  # fmt: skip
        return {
            Section.FACTS: facts,
            Section.BUFFERS: b"".join(self.buffers),
            Section.VIEWS: b"".join(self.views),
            Section.STEPS: b"".join(self.steps),
            Section.INTEGERS: np.asarray(self.integers, "<i4").tobytes(),
        }

    def _buffer(self, tensor: Tensor) -> int:
        if tensor not in self.numbers:
            if tensor.kind is Kind.CONSTANT:
                assert tensor.data is not None
                return self._array(tensor, tensor.data.reshape(-1).numpy())
            self.numbers[tensor] = len(self.buffers)
            self.buffers.append(self._packed_buffer(tensor))
        return self.numbers[tensor]

    def _packed_buffer(self, tensor: Tensor) -> bytes:
        place = self.layout.places[tensor]
        kind = {Kind.RING: _RING, Kind.STATE: _STATE, Kind.BLOCK: _ARENA}[tensor.kind]
        initial = -1
        if tensor.data is not None and bool(tensor.data.any()):
            initial = self.constants.add(
                tensor.data.reshape(-1).double().numpy().astype(np.float64 if tensor.double else np.float32)
            )
        ring = (
            (tensor.rows, place.pitch, tensor.history, place.length, place.front) if kind == _RING else (0, 0, 0, 0, 0)
        )
        advance = _extent(tensor.advance if kind == _RING else ZERO)
        return struct.pack("<2IQ2q5i", kind, int(tensor.double), place.offset, place.elements, initial, *ring) + advance

    def _array(self, key: Any, values: NDArray[Any], pieces: Sequence[Piece] = ()) -> int:
        """A constant buffer."""
        if key not in self.numbers:
            double = values.dtype == np.float64
            self.numbers[key] = len(self.buffers)
            offset = self.constants.add(values, pieces)
            head = struct.pack("<2IQ2q5i", _CONSTANT, int(double), offset, values.size, -1, 0, 0, 0, 0, 0)
            self.buffers.append(head + _extent(ZERO))
        return self.numbers[key]

    def _numbers_view(self, values: NDArray[Any], pieces: Sequence[Piece] = ()) -> None:
        """A constant array as a step's next view."""
        buffer = self._array((values.tobytes(), values.dtype.str), values, pieces)
        self.views.append(_packed_view(buffer, 0, ZERO, [Extent.of(values.size)], [1]))

    def _view(self, view: View, padded: bool = False) -> None:
        if view.rank > MAXIMUM_RANK:
            raise CompileError(f"a tensor of {view.rank} dimensions; at most {MAXIMUM_RANK}")
        buffer = self._buffer(view.tensor)
        pitch = 0 if view.tensor.kind is Kind.CONSTANT else self.layout.places[view.tensor].pitch
        strides = [each.rows * pitch + each.columns for each in view.strides]
        offset = view.column + view.row * pitch
        self.views.append(_packed_view(buffer, _PADDED * (padded and self._may_pad(view)), offset, view.dims, strides))

    def _may_pad(self, view: View) -> bool:
        """Whether nobody minds what is written behind the last dimension, up to the next multiple of a vector."""
        if not view.rank or view.strides[-1] != Stride(0, 1) or any(each.columns for each in view.strides[:-1]):
            return False
        tensor = view.tensor
        if tensor.kind is Kind.RING:
            return view.column == ZERO and view.dims[-1] == tensor.written
        start = view.column.constant
        whole = start is not None and start % ROW_FLOATS == 0 and view.column + view.dims[-1] == tensor.columns
        return whole and tensor.kind is Kind.BLOCK and not tensor.pinned

    def _step(self, step: Step) -> None:
        first_view, first_integer = len(self.views), len(self.integers)
        if len(step.views) + _MOST_CONSTANTS > MOST_OPERANDS:
            raise CompileError(
                f"{step.line or step}: takes {len(step.views)} parts of sound at once, at most "
                f"{MOST_OPERANDS - _MOST_CONSTANTS} compile; TorchScript plays it."
            )
        if isinstance(step, Affine):
            self._affine(step)
        elif isinstance(step, Pointwise):
            self._pointwise(step)
        else:
            outputs, inputs = step.outputs, step.inputs
            if step.kernel is KernelId.COPY:
                outputs, inputs = _simplest([*outputs, *inputs], 1)
            for view in outputs:
                self._view(view, padded=True)
            self._weights(step)
            for view in inputs:
                self._view(view)
            self.integers += step.integers
        head = (
            int(step.kernel),
            first_view,
            len(self.views) - first_view,
            first_integer,
            len(self.integers) - first_integer,
        )
        self.steps.append(struct.pack("<5I", *head))

    def _weights(self, step: Step) -> None:
        """Those of a kernel whose weights are a tensor of the plan, before anything else asks for its buffer."""
        if step.kernel in MOVED_ON and step.kernel is not KernelId.RECURRENCE:
            if _has_short_weights(step):
                return
            hidden, inputs = (view.dims[-1].constant for view in (step.inputs[1], step.inputs[0]))
            assert hidden is not None
            assert inputs is not None
            tensor, pieces = step.inputs[-1].tensor, pieces_of_recurrent(step.kernel, hidden, inputs)
        elif step.kernel is KernelId.DEPTHWISE:
            tensor = step.inputs[0].tensor
            channels, kernel = (each.constant or 0 for each in step.inputs[0].dims)
            pieces = [Piece(0, channels, kernel, 1, kernel)]
        else:
            return
        if tensor.kind is Kind.CONSTANT and tensor.data is not None:
            self._array(tensor, tensor.data.reshape(-1).numpy(), pieces)

    def _affine(self, step: Affine) -> None:
        self._view(step.outputs[0], padded=True)
        packed = len(self.constants.packed.pieces)
        self._numbers_view(packed_panels(step.weights).astype(np.float32), pieces_of_panels(step.weights))
        bias = packed_bias(step.bias).astype(np.float32)
        # A bias alone makes no file one that older readers refuse.
        is_packed = len(self.constants.packed.pieces) > packed
        self._numbers_view(bias, [Piece(0, 1, bias.size, 1)] if is_packed else ())
        for view in (*step.inputs, *step.addends):
            self._view(view)
        self.integers += [len(step.inputs), len(step.addends), step.activation]

    def _pointwise(self, step: Pointwise) -> None:
        program = program_of(step.expression, 0)
        outputs, inputs = _simplest([*step.outputs, *step.inputs], 1)
        self._numbers_view(np.asarray(program.numbers, np.float64))
        self._view(outputs[0], padded=True)
        for view in inputs:
            self._view(view)
        self.integers += [int(step.double), program.registers, *program.instructions]


def _simplest(views: Sequence[View], outputs: int) -> tuple[list[View], list[View]]:
    """Views of the same dimensions in as few as possible, in the first one's order in memory."""
    first = views[0]
    order = [dim for dim in stride_order(first) if first.dims[dim] != ONE]
    kept = [each.permuted(order) for each in views]
    dim = 0
    while dim < kept[0].rank - 1:
        size = kept[0].dims[dim + 1].constant
        if size is not None and all(_merges(each, dim, size) for each in kept):
            kept = [_merged(each, dim, size) for each in kept]
        else:
            dim += 1
    return kept[:outputs], kept[outputs:]


def _merges(view: View, dim: int, size: int) -> bool:
    inner = view.strides[dim + 1]
    return view.strides[dim] == Stride(inner.rows * size, inner.columns * size)


def _merged(view: View, dim: int, size: int) -> View:
    stride = view.strides[dim + 1]
    whole = view.dims[dim] * size
    return View(
        view.tensor,
        (*view.dims[:dim], whole, *view.dims[dim + 2 :]),
        (*view.strides[:dim], stride, *view.strides[dim + 2 :]),
        view.row,
        view.column,
    )


def _extent(value: Extent) -> bytes:
    """As ``base + numerator * samples / denominator`` in whole numbers, also where the base is a fraction."""
    denominator = value.factor.denominator
    if value.base.denominator != 1:
        raise CompileError(f"a size of {value} samples, which is whole for some blocks only")
    return struct.pack("<3i", int(value.base), value.factor.numerator, denominator)


def _packed_view(buffer: int, flags: int, offset: Extent, dims: Iterable[Extent], strides: Sequence[int]) -> bytes:
    sizes = list(dims)
    missing = MAXIMUM_RANK - len(sizes)
    packed = b"".join(_extent(each) for each in [*sizes, *[ZERO] * missing])
    return (
        struct.pack("<3I", buffer, len(sizes), flags)
        + _extent(offset)
        + packed
        + struct.pack(f"<{MAXIMUM_RANK}i", *strides, *[0] * missing)
    )


def _file(sections: Sequence[tuple[Section, int, bytes]], version: int) -> bytes:
    """Of the kind, the plan and the content of each section."""
    start = HEADER_BYTES + SECTION_BYTES * len(sections)
    table, body = b"", b""
    for kind, plan, data in sections:
        body += bytes(-(start + len(body)) % ALIGNMENT)
        table += struct.pack("<2I2Q", kind, plan, start + len(body), len(data))
        body += data
    body += bytes(-(start + len(body)) % ALIGNMENT)
    checked = struct.pack("<Q2I", start + len(body), len(sections), 0) + table + body
    return MAGIC + struct.pack("<2I", version, zlib.crc32(checked)) + checked
