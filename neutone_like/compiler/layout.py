"""Where everything lies: lifetimes within a block, one arena, and memory for what lives longer."""

from collections.abc import Iterable
from dataclasses import dataclass

from neutone_like.compiler.plan import Plan
from neutone_like.compiler.tensor import ROW_FLOATS, Kind, Tensor

ALIGNMENT = 64
_CROWDED = 256
"""Elements: rows that are a multiple of these apart share a few of the nearest cache's places."""


@dataclass(frozen=True)
class Place:
    """A tensor's memory.

    Attributes:
        offset: In bytes, of the arena or the states.
        elements: All of them, with padding.
        pitch: From row to row, in elements.
        length: Of a ring that is kept twice; 0 where it is moved.
        front: Of the present block in each row of a ring.
    """

    offset: int
    elements: int
    pitch: int
    length: int = 0
    front: int = 0


@dataclass(frozen=True)
class Layout:
    """All places, and how much they take in bytes."""

    places: dict[Tensor, Place]
    arena_bytes: int
    state_bytes: int


def lay_out(plan: Plan) -> Layout:
    """Give every tensor of a plan, other than constants, its place."""
    samples = plan.granule + plan.look_behind
    places: dict[Tensor, Place] = {}
    state_bytes = 0
    for tensor in plan.rings:
        places[tensor] = _ring(tensor, samples, state_bytes)
        state_bytes += _bytes(places[tensor].elements, tensor)
    for tensor in plan.states:
        pitch = _pitch(tensor, samples)
        places[tensor] = Place(state_bytes, tensor.rows * pitch, pitch)
        state_bytes += _bytes(places[tensor].elements, tensor)
    arena_bytes = _arena(plan, samples, places)
    return Layout(places, arena_bytes, state_bytes)


def _ring(tensor: Tensor, samples: int, offset: int) -> Place:
    block = _up(tensor.written.at(samples)) + ROW_FLOATS
    if tensor.history <= block:
        front = _up(tensor.history)
        pitch = front + block
        return Place(offset, tensor.rows * pitch, pitch, 0, front)
    length = _up(max(tensor.history, block))
    pitch = 2 * length + block + ROW_FLOATS
    return Place(offset, tensor.rows * pitch, pitch, length, length)


def _pitch(tensor: Tensor, samples: int) -> int:
    """Rows are padded; a single row, and a state, is as long as it is."""
    columns = tensor.columns.at(samples)
    if tensor.kind is Kind.STATE or tensor.pinned:
        return columns
    pitch = _up(columns)
    return pitch + ROW_FLOATS if pitch % _CROWDED == 0 and tensor.rows > 1 else pitch


def _arena(plan: Plan, samples: int, places: dict[Tensor, Place]) -> int:
    lives = _lives(plan)
    free: list[tuple[int, int]] = []
    top = 0
    ending = sorted(lives, key=lambda each: lives[each][1])
    for tensor in sorted(lives, key=lambda each: lives[each][0]):
        while ending and lives[ending[0]][1] < lives[tensor][0]:
            done = (places[ending[0]].offset, _bytes(places[ending[0]].elements, ending.pop(0)))
            free = _released(free, *done)
        pitch = _pitch(tensor, samples)
        size = _bytes(tensor.rows * pitch, tensor)
        hole = min((each for each in free if each[1] >= size), key=lambda each: each[1], default=None)
        if hole is None:
            offset, top = top, top + size
        else:
            free.remove(hole)
            offset = hole[0]
            if hole[1] > size:
                free.append((hole[0] + size, hole[1] - size))
        places[tensor] = Place(offset, tensor.rows * pitch, pitch)
    return top


def _released(free: list[tuple[int, int]], offset: int, size: int) -> list[tuple[int, int]]:
    """With another hole, joined to its neighbours."""
    kept: list[tuple[int, int]] = []
    for start, length in sorted([*free, (offset, size)]):
        if kept and kept[-1][0] + kept[-1][1] == start:
            kept[-1] = (kept[-1][0], kept[-1][1] + length)
        else:
            kept.append((start, length))
    return kept


def _lives(plan: Plan) -> dict[Tensor, tuple[int, int]]:
    """The first and last step of each tensor that lives within a block. What a step reads and writes lies apart."""
    lives: dict[Tensor, tuple[int, int]] = {}

    def use(tensors: Iterable[Tensor], step: int) -> None:
        for tensor in tensors:
            if tensor.kind is Kind.BLOCK:
                lives[tensor] = (
                    min(step, lives.get(tensor, (step, step))[0]),
                    max(step, lives.get(tensor, (step, step))[1]),
                )

    use([plan.audio.tensor, *(each.tensor for each in plan.parameters.values())], -1)
    for index, step in enumerate(plan.steps):
        use([each.tensor for each in step.views], index)
    use([plan.output.tensor], len(plan.steps))
    return lives


def _up(size: int, multiple: int = ROW_FLOATS) -> int:
    return -(-size // multiple) * multiple


def _bytes(elements: int, tensor: Tensor) -> int:
    return _up(elements * (8 if tensor.double else 4), ALIGNMENT)
