"""What is measured, as a list: each cell's name stays the same, so that a run can be stopped and gone on with."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from neutone_like.bench.suite.networks import FAMILIES, SIZE_OF, SIZES, Family, Shape

Kind = Literal["inference", "cold", "paced", "parallel", "sizes", "resampling", "safety"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EngineName = Literal["compiled", "torchscript", "onnxruntime", "litert"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
# The middle first: a run that is stopped early has seen something of everything.
BLOCKS = (256, 64, 1024, 4096, 128, 512, 2048, 8192)
LIVE_BLOCKS = (256, 64, 1024, 128, 512)
GRID_WIDTHS = (4, 8, 16, 32, 64)
GRID_DEPTHS = (2, 4, 8)
SESSIONS = (1, 2, 4, 8)
WORKERS = (1, 2)
HOST_BLOCKS = (64, 300, 1024)  # for a model of 256
WARM_UPS = (0, 100)
REPETITIONS = 3


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        kind: What is measured: the time of single calls, in one process (``inference``) or from a fresh one's first
            call on (``cold``); at real deadlines one session (``paced``), several (``parallel``), host blocks that
            differ from the model's (``sizes``), another rate (``resampling``); what the callback does that it must
            not (``safety``).
        engine: Who computes.
        shape: The network.
        block: Host samples of a block.
        repetition: From 0; each opens everything anew.
        mode: Whether a worker computes, or the callback.
        sessions, workers: How many play at once, on how many threads.
        warm_up: Calls before those that are timed, of ``cold``.
        model_rate: In Hz.
        model_block: 0 for any.
    """

    kind: Kind
    engine: EngineName
    shape: Shape
    block: int
    repetition: int = 0
    mode: Literal["inline", "async"] = "async"
    sessions: int = 1
    workers: int = 1
    warm_up: int = 0
    model_rate: int = 48000
    model_block: int = 0

    @property
    def name(self) -> str:
        """The same in every run, and of no other cell."""
        more = f"{self.mode}-{self.sessions}on{self.workers}-w{self.warm_up}-{self.model_rate}-{self.model_block}"
        return f"{self.kind}/{self.engine}/{self.shape}/{self.block}/{more}/r{self.repetition}"

    def to_dict(self) -> dict[str, Any]:
        """JSON types; the network as ``model``, its ``family``, ``size``, ``width`` and ``depth``."""
        values = asdict(self)
        values.update(values.pop("shape"))
        return {"cell": self.name, **values, "model": str(self.shape), "size": SIZE_OF.get(self.shape, "")}


@dataclass(frozen=True)
class Scope:
    """How much of everything.

    Attributes:
        engines: Who computes.
        families: Of networks: ``"cnn"``, ``"rnn"``, ``"hybrid"``.
        sizes: Of the networks: ``"small"``, ``"medium"``, ``"large"``.
        blocks: Host samples.
        repetitions: How often each time is measured anew.
        grid: Whether networks of many widths and depths are timed, for the boundary between engines.
        kinds: What is measured.
    """

    engines: Sequence[EngineName] = ENGINES
    families: Sequence[Family] = FAMILIES
    sizes: Sequence[str] = tuple(SIZES)
    blocks: Sequence[int] = BLOCKS
    repetitions: int = REPETITIONS
    grid: bool = True
    kinds: Sequence[Kind] = KINDS


def cells_of(scope: Scope) -> list[Cell]:
    """All cells, the most telling first."""
    cells = [cell for repetition in range(scope.repetitions) for cell in _of_repetition(scope, repetition)]
    return [cell for cell in dict.fromkeys(cells) if cell.kind in scope.kinds]


def _of_repetition(scope: Scope, repetition: int) -> Iterator[Cell]:
    sizes = [size for size in ("medium", "small", "large") if size in scope.sizes]
    shapes = [SIZES[size][family] for size, family in itertools.product(sizes, scope.families)]
    middle = shapes[: len(scope.families)]  # of one size: what takes real time
    live = [block for block in scope.blocks if block in LIVE_BLOCKS]
    lists = (
        [
            Cell("inference", engine, shape, block, repetition, "inline")
            for block, shape, engine in itertools.product(scope.blocks, shapes, scope.engines)
        ],
        [
            Cell("cold", engine, shape, scope.blocks[0], repetition, "inline", warm_up=warm_up)
            for shape, engine, warm_up in itertools.product(middle, scope.engines, WARM_UPS)
        ],
        [
            Cell("paced", engine, shape, block, repetition)
            for block, shape, engine in itertools.product(live, middle, scope.engines)
        ],
        list(_once(scope, middle)) if repetition == 0 else [],
    )
    # By turns, each list evenly over the whole.
    places = [
        ((index + 0.5) / len(cells), order, cell)
        for order, cells in enumerate(lists)
        for index, cell in enumerate(cells)
    ]
    yield from (cell for _, _, cell in sorted(places, key=lambda place: place[:2]))


def _once(scope: Scope, middle: Sequence[Shape]) -> Iterator[Cell]:
    """What is not repeated: it is counted, or compared within itself."""
    block = scope.blocks[0]
    for shape, engine in itertools.product(middle, scope.engines):
        yield Cell("safety", engine, shape, block, mode="inline")
    for count, workers, engine in itertools.product(SESSIONS, WORKERS, scope.engines):
        yield Cell("parallel", engine, middle[-1], block, sessions=count, workers=workers)
    for mode, rate, engine in itertools.product(("inline", "async"), (48000, 44100), scope.engines):
        yield Cell("resampling", engine, middle[0], block, mode=mode, model_rate=rate)  # pyright: ignore[reportArgumentType]
    for host, engine in itertools.product(HOST_BLOCKS, scope.engines):
        yield Cell("sizes", engine, middle[0], host, model_block=256)
    if scope.grid:
        for depth, width, engine in itertools.product(GRID_DEPTHS, GRID_WIDTHS, scope.engines):
            yield Cell("inference", engine, Shape("cnn", width, depth), block, mode="inline")
        for width, engine in itertools.product(GRID_WIDTHS, scope.engines):
            yield Cell("inference", engine, Shape("rnn", width, 1), block, mode="inline")
