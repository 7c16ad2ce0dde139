"""What is measured, as a list: each cell's name stays the same, so that a run can be stopped and gone on with."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from neutone_like.bench.suite.networks import AUTOENCODER, FAMILIES, SIZE_OF, SIZES, Example, Family, Shape

Kind = Literal[
    "inference", "cold", "paced", "parallel", "sizes", "resampling", "safety", "scaling", "live", "offline", "auto",
    "binding", "aarch64",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
EngineName = Literal["compiled", "torchscript", "onnxruntime", "litert"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Mode = Literal["inline", "async"]
# The middle first: a run that is stopped early has seen something of everything.
BLOCKS = (256, 64, 1024, 4096, 128, 512, 2048, 8192)
LIVE_BLOCKS = (256, 64, 1024, 128, 512)
SHORT_BLOCKS = 3
"""So many of the blocks a short run takes: an interaction needs every engine and network at each of them."""
GRID_WIDTHS = (4, 8, 16, 32, 64)
GRID_DEPTHS = (2, 8, 4)
SESSIONS = (1, 2, 4, 8)
WORKERS = (1, 2)
SCALING_BLOCK = 128
HOST_BLOCKS = (64, 300, 1024)  # for a model of 256
EXAMPLE_BLOCKS = (128, 32, 64, 256, 512, 1024)
EXAMPLE_RATES = (48000, 44100)
AUTO_BLOCKS = (64, 256, 1024, 128, 512)
BINDING_BLOCKS = (64, 256)
WARM_UPS = (0, 100)
REPETITIONS = 5


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        kind: What is measured: the time of single calls, in one process (``inference``) or from a fresh one's first
            call on (``cold``); at real deadlines one session (``paced``), several (``parallel``), host blocks that
            differ from the model's (``sizes``), another rate (``resampling``), a whole artifact as a host meets it
            (``live``); how much is done by one worker and by two (``scaling``); how fast an offline artifact is
            (``offline``); what ``backend="auto"`` takes, beside all others (``auto``); the native call beside the
            library's own Python face (``binding``); what the callback does that it must not (``safety``); the compiled
            library for another processor, emulated (``aarch64``).
        engine: Who computes.
        shape: The network, or the artifact.
        block: Host samples of a block.
        repetition: From 0; each opens everything anew.
        mode: Whether a worker computes, or the callback.
        sessions, workers: How many play at once, on how many threads.
        warm_up: Calls before those that are timed, of ``cold``.
        model_rate: In Hz; 0 for the model's own.
        model_block: 0 for any.
        host_rate: In Hz.
    """

    kind: Kind
    engine: EngineName
    shape: Shape | Example
    block: int
    repetition: int = 0
    mode: Mode = "async"
    sessions: int = 1
    workers: int = 1
    warm_up: int = 0
    model_rate: int = 48000
    model_block: int = 0
    host_rate: int = 48000

    @property
    def name(self) -> str:
        """The same in every run, and of no other cell."""
        more = f"{self.mode}-{self.sessions}on{self.workers}-w{self.warm_up}-{self.model_rate}-{self.model_block}"
        return f"{self.kind}/{self.engine}/{self.shape}/{self.host_rate}-{self.block}/{more}/r{self.repetition}"

    def to_dict(self) -> dict[str, Any]:
        """JSON types; the network as ``model``, its ``family``, ``size``, ``width`` and ``depth``."""
        values = asdict(self)
        del values["shape"]
        values.update(family=self.shape.family, width=self.shape.width, depth=self.shape.depth)
        size = SIZE_OF.get(self.shape, "") if isinstance(self.shape, Shape) else ""
        return {"cell": self.name, **values, "model": str(self.shape), "size": size}


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
        examples: Artifacts for ``live``, ``offline`` and ``auto``.
    """

    engines: Sequence[EngineName] = ENGINES
    families: Sequence[Family] = FAMILIES
    sizes: Sequence[str] = tuple(SIZES)
    blocks: Sequence[int] = BLOCKS
    repetitions: int = REPETITIONS
    grid: bool = True
    kinds: Sequence[Kind] = KINDS
    examples: Sequence[Example] = ()


def cells_of(scope: Scope) -> list[Cell]:
    """All cells. First what a short run needs for every table, each kind evenly over its time, so that a repetition is
    a stretch of time; then the rest in the same way."""
    first = [list(each) for each in _short(scope)]
    rest = [list(each) for each in _long(scope)]
    cells = dict.fromkeys([*_by_turns(first), *_by_turns(rest)])
    return [cell for cell in cells if cell.kind in scope.kinds]


def _by_turns(lists: Sequence[Sequence[Cell]]) -> list[Cell]:
    places = [
        ((index + 0.5) / len(cells), order, cell)
        for order, cells in enumerate(lists)
        for index, cell in enumerate(cells)
    ]
    return [cell for _, _, cell in sorted(places, key=lambda place: place[:2])]


def _short(scope: Scope) -> Iterator[Iterator[Cell]]:
    middle = _shapes(scope, ("medium",))
    block = scope.blocks[0]
    few = scope.blocks[:SHORT_BLOCKS]
    yield _inference(scope, few)
    yield _cold(scope, 1)
    yield _paced(scope, [each for each in few if each in LIVE_BLOCKS], 1)
    yield (Cell("safety", engine, shape, block, mode="inline") for shape in middle for engine in scope.engines)
    yield _parallel(scope, (1, 4))
    yield _scaling(scope)
    yield _resampling(scope)
    yield (Cell("sizes", engine, middle[0], host, model_block=256) for host in HOST_BLOCKS for engine in scope.engines)
    yield _grid(scope, GRID_WIDTHS, GRID_DEPTHS[:2])
    yield _examples(scope)
    yield _auto(scope, AUTO_BLOCKS[:2])
    yield _binding(scope, 1)
    yield _aarch64(middle[-1:], block)


def _long(scope: Scope) -> Iterator[Iterator[Cell]]:
    yield _inference(scope, scope.blocks)
    yield _cold(scope, scope.repetitions)
    yield _paced(scope, [each for each in scope.blocks if each in LIVE_BLOCKS], scope.repetitions)
    yield _parallel(scope, SESSIONS)
    yield _grid(scope, GRID_WIDTHS, GRID_DEPTHS)
    yield _auto(scope, AUTO_BLOCKS)
    yield _binding(scope, scope.repetitions)
    yield _aarch64(_shapes(scope, ("medium",)), scope.blocks[0])


def _shapes(scope: Scope, sizes: Sequence[str] = ("medium", "small", "large")) -> list[Shape]:
    there = [size for size in sizes if size in scope.sizes] or list(scope.sizes[:1])
    return [SIZES[size][family] for size, family in itertools.product(there, scope.families)]


def _inference(scope: Scope, blocks: Sequence[int]) -> Iterator[Cell]:
    every = itertools.product(range(scope.repetitions), blocks, _shapes(scope), scope.engines)
    return (Cell("inference", engine, shape, block, turn, "inline") for turn, block, shape, engine in every)


def _cold(scope: Scope, repetitions: int) -> Iterator[Cell]:
    every = itertools.product(range(repetitions), _shapes(scope, ("medium",)), scope.engines, WARM_UPS)
    for turn, shape, engine, warm_up in every:
        yield Cell("cold", engine, shape, scope.blocks[0], turn, "inline", warm_up=warm_up)


def _paced(scope: Scope, blocks: Sequence[int], repetitions: int) -> Iterator[Cell]:
    every = itertools.product(range(repetitions), blocks, _shapes(scope, ("medium",)), scope.engines)
    return (Cell("paced", engine, shape, block, turn) for turn, block, shape, engine in every)


def _parallel(scope: Scope, counts: Sequence[int]) -> Iterator[Cell]:
    shape = _shapes(scope, ("medium",))[-1]
    for count, workers, engine in itertools.product(counts, WORKERS, scope.engines):
        yield Cell("parallel", engine, shape, scope.blocks[0], sessions=count, workers=workers)


def _scaling(scope: Scope) -> Iterator[Cell]:
    """As many sessions on one worker and on two: work for both."""
    every = itertools.product(range(scope.repetitions), _shapes(scope, ("medium",))[::2], scope.engines, WORKERS)
    for turn, shape, engine, workers in every:
        yield Cell("scaling", engine, shape, SCALING_BLOCK, turn, sessions=4, workers=workers)


def _resampling(scope: Scope) -> Iterator[Cell]:
    shape = _shapes(scope, ("medium",))[0]
    modes: tuple[Mode, ...] = ("inline", "async")
    for mode, rate, engine in itertools.product(modes, (48000, 44100), scope.engines):
        yield Cell("resampling", engine, shape, scope.blocks[0], mode=mode, model_rate=rate)


def _grid(scope: Scope, widths: Sequence[int], depths: Sequence[int]) -> Iterator[Cell]:
    if not scope.grid:
        return
    shapes = [Shape("cnn", width, depth) for depth, width in itertools.product(depths, widths)]
    shapes += [Shape("rnn", width, 1) for width in widths]
    for shape, engine in itertools.product(shapes, scope.engines):
        yield Cell("inference", engine, shape, scope.blocks[0], mode="inline")


def _examples(scope: Scope) -> Iterator[Cell]:
    live: list[Shape | Example] = [each for each in scope.examples if each.is_live]
    if live:
        live.append(AUTOENCODER)
    for rate, block, shape in itertools.product(EXAMPLE_RATES, EXAMPLE_BLOCKS, live):
        yield Cell("live", _usual(shape), shape, block, model_rate=0, host_rate=rate)
    for rate, shape in itertools.product(EXAMPLE_RATES, (each for each in scope.examples if not each.is_live)):
        yield Cell("offline", _usual(shape), shape, 0, model_rate=0, host_rate=rate)


def _usual(shape: Shape | Example) -> EngineName:
    return "compiled" if isinstance(shape, Shape) or shape.is_compiled else "torchscript"


def _auto(scope: Scope, blocks: Sequence[int]) -> Iterator[Cell]:
    live = [each for each in scope.examples if each.is_live]
    return (Cell("auto", _usual(shape), shape, block, model_rate=0) for block in blocks for shape in live)


def _binding(scope: Scope, repetitions: int) -> Iterator[Cell]:
    engines: list[EngineName] = [each for each in scope.engines if each in ("onnxruntime", "litert")]
    every = itertools.product(range(repetitions), BINDING_BLOCKS, _shapes(scope, ("medium",))[:2], engines)
    return (Cell("binding", engine, shape, block, turn, "inline") for turn, block, shape, engine in every)


def _aarch64(shapes: Sequence[Shape], block: int) -> Iterator[Cell]:
    return (Cell("aarch64", "compiled", shape, block, mode="inline") for shape in shapes)
