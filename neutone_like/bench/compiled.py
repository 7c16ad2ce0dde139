"""Compiled models beside the same models in other runtimes, by turns, warm and with cold caches."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.markup import escape
from rich.table import Table
from torch import Tensor, nn

from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.bench.compiled_networks import amp_models
from neutone_like.bench.compiled_peers import NEEDS, Call, PeerError, missing, peer_call
from neutone_like.bench.streaming_cost import by_turns
from neutone_like.errors import CompileError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.runtime.compiling import compile_model
from neutone_like.runtime.core_capture import capture_artifact
from neutone_like.runtime.native_module import native_module
from neutone_like.validate.conditions import optimiser

BLOCKS = (16, 64, 256)
ROUNDS = 200
COMPILED = "compiled"
TORCHSCRIPT = "TorchScript"
_CACHE_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True)
class BlockCost:
    """Seconds a block, one way, in rounds where all ways took turns. No outlier is dropped.

    Attributes:
        way: Who played.
        warm: Right after another block of its own.
        cold: After other work, which fills the caches.
        kernels: The instruction set of a compiled model.
        note: Why there are no times.
    """

    model: str
    samples: int
    way: str
    warm: tuple[float, ...] = ()
    cold: tuple[float, ...] = ()
    kernels: str = ""
    note: str = ""


def measure_model(
    name: str,
    model: WaveformToWaveformBase | Path,
    samples: Sequence[int] = BLOCKS,
    rounds: int = ROUNDS,
    kernels: str = "",
) -> list[BlockCost]:
    """A mono model without parameters, every way, block length by block length.

    Args:
        kernels: ``"x86-64-v3"``...: what the compiled model plays with, so that a processor is timed as an older one;
            by default the best that it has.

    Raises:
        EngineError: It has no such kernels.
        CompileError: It does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="neutone_like_") as place, optimiser(True):
        folder = Path(place)
        if isinstance(model, Path):
            artifact = load_artifact(model)
        else:
            artifact = load_artifact(write_artifact(model, folder / "artifact", render_samples=False).directory)
        compile_model(artifact, path=folder / "model.nlc")
        native = native_module().CompiledModel((folder / "model.nlc").read_bytes(), kernels)
        used = str(native.kernels)
        costs: list[BlockCost] = []
        for count in samples:
            calls, notes = _calls(artifact, native, folder, count)
            warm = by_turns(list(calls.values()), rounds, before=lambda call: call())
            cold = by_turns(list(calls.values()), rounds, before=_walk_memory())
            costs += [BlockCost(name, count, *each, used) for each in zip(calls, warm, cold, strict=True)]
            costs += [BlockCost(name, count, way, note=note) for way, note in notes.items()]
    return costs


def _calls(artifact: Artifact, native: Any, folder: Path, samples: int) -> tuple[dict[str, Call], dict[str, str]]:
    """Who can play a block, and who can't for what reason."""
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (1, samples)).astype(np.float32)
    scripted, sound = _frozen(artifact), torch.from_numpy(x)
    calls: dict[str, Call] = {COMPILED: lambda: native.play(x, []), TORCHSCRIPT: lambda: scripted(sound)}
    notes: dict[str, str] = {}
    graph = capture_artifact(artifact).graph
    for peer in NEEDS:
        if missing(peer):
            continue  # said once, under the table
        try:
            calls[peer] = peer_call(peer, graph, x, folder)
        except PeerError as error:
            notes[peer] = str(error)
    return calls, notes


class _Core(nn.Module):
    def __init__(self, core: Any) -> None:
        super().__init__()
        self.core = core

    def forward(self, x: Tensor) -> Tensor:
        params: dict[str, Tensor] = {}
        return self.core.do_forward_pass(x, params)


def _frozen(artifact: Artifact) -> Any:
    """The model as the engine's TorchScript backend plays it."""
    core: Any = artifact.fresh_module().w2w_base
    core.prepare_model(*(artifact.sample_rates or (48000,))[:1], max(BLOCKS))
    core.reset_model()
    return torch.jit.freeze(torch.jit.script(_Core(core).eval()))  # pyright: ignore[reportPrivateImportUsage]


def _walk_memory() -> Callable[[Call], object]:
    memory = np.ones(_CACHE_BYTES // 4, np.float32)
    return lambda _: memory.sum()


def compiled_tables(rounds: int = ROUNDS, samples: Sequence[int] = BLOCKS, kernels: str = "") -> list[Table]:
    """All models, every way; `kernels` as in :func:`measure_model`."""
    costs: list[BlockCost] = []
    for name, model in amp_models().items():
        try:
            costs += measure_model(name, model, samples, rounds, kernels)
        except CompileError as error:
            costs.append(BlockCost(name, 0, COMPILED, note=str(error)))
    return [cost_table(costs)]


def ratio(cost: BlockCost, base: BlockCost, cold: bool = False) -> float:
    """How many times as long as another way: the median over the rounds that both took part in."""
    pairs = zip(cost.cold, base.cold, strict=True) if cold else zip(cost.warm, base.warm, strict=True)
    return statistics.median(mine / other for mine, other in pairs)


def cost_table(costs: Sequence[BlockCost]) -> Table:
    """A row for each model, block and way, beside the compiled model's."""
    table = Table(
        title="A block of an amp model, called from Python (us)",
        caption=escape(_conditions(costs)),
        caption_justify="left",
    )
    for column in ("model", "samples", "way", "min", "median", "cold min", "cold median", "x compiled", "cold"):
        table.add_column(column, justify="left" if column in ("model", "way") else "right")
    compiled = {(cost.model, cost.samples): cost for cost in costs if cost.way == COMPILED}
    for cost in costs:
        own = [cost.model, str(cost.samples), cost.way]
        if cost.note:
            table.add_row(*own, *["-"] * 6)
            continue
        base = compiled[cost.model, cost.samples]
        times = [f"{1e6 * pick(all_):.1f}" for all_ in (cost.warm, cost.cold) for pick in (min, statistics.median)]
        table.add_row(*own, *times, f"{ratio(cost, base):.1f}", f"{ratio(cost, base, cold=True):.1f}")
    return table


def _conditions(costs: Sequence[BlockCost]) -> str:
    kernels = ", ".join(sorted({cost.kernels for cost in costs if cost.kernels}))
    rounds = max((len(cost.warm) for cost in costs), default=0)
    lines = [
        f"kernels {kernels}; {rounds} rounds by turns in one process, one thread",
        f"warm: right after another block of its own; cold: {_CACHE_BYTES >> 20} MB are read before each block",
        *filter(None, map(missing, NEEDS)),
        *(f"{cost.model}, {cost.samples} samples, {cost.way}: {cost.note}" for cost in costs if cost.note),
    ]
    return "\n".join(lines)
