"""What models cost as they are played: the time of a block in the native engine, and the bytes of the file it plays.

One definition for all that quantises, prunes, distils or searches: a session of the engine, inline, on one thread,
plays blocks of the host; all models play by turns, each once untimed and once timed in every round; the median counts.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.errors import CompileError, ModelError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.printing import Printed, Row
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.choosing import as_backend
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.runtime.compiling import compile_artifact
from neutone_like.runtime.session import Session
from neutone_like.signal.channels import host_channels

BLOCK_SIZES = (64, 256)
USUAL_RATE_HZ = 48000
"""Of the host, where a model plays at any rate."""
ROUNDS = 200
_WARM_UP_ROUNDS = 10


@dataclass(frozen=True, repr=False)
class PlayedCost(Printed):
    """One model's cost.

    Attributes:
        name: Of the model.
        backend: What plays it: ``"compiled"`` or ``"torchscript"``.
        sample_rate: Of the host, Hz.
        block_us: Median time of a host block by its length in samples, in microseconds, on one thread.
        file_bytes: Of the file that is played: ``model.nlc``, or ``model.nm`` where that one is.
    """

    name: str
    backend: str
    sample_rate: int
    block_us: dict[int, float]
    file_bytes: int

    def time_ratio(self, reference: "PlayedCost") -> float:
        """How many times as long as another model, in the block where that is worst."""
        return max(self.block_us[block] / reference.block_us[block] for block in self.block_us)

    def bytes_ratio(self, reference: "PlayedCost") -> float:
        """How many times as many bytes as another model."""
        return self.file_bytes / reference.file_bytes

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "name": self.name,
            "backend": self.backend,
            "sample_rate": self.sample_rate,
            "block_us": {str(block): value for block, value in self.block_us.items()},
            "file_bytes": self.file_bytes,
        }

    def _title(self) -> str:
        return f"PlayedCost: {self.name!r}, {self.backend}"

    def _rows(self) -> list[Row]:
        times = [f"{value:.1f} us for {block} samples" for block, value in self.block_us.items()]
        return [(f"at {self.sample_rate} Hz", *times), ("file", f"{self.file_bytes} bytes")]


def played_costs(
    models: Sequence[Artifact | Path],
    sample_rate: int,
    block_sizes: Sequence[int] = BLOCK_SIZES,
    *,
    rounds: int = ROUNDS,
) -> list[PlayedCost]:
    """Time live models in the engine, inline, one after another in every round: what disturbs a round disturbs all.

    Args:
        models: Artifacts of live models, whose compiled forms play where they lie beside them; or ``.nlc`` files.
        sample_rate: Of the host, Hz.
        block_sizes: Of the host, samples.
        rounds: How often each block is played. Nothing is dropped.

    Raises:
        ModelError: An offline model.
        AudioError: A rate or a block that no host has.
        RuntimeEngineError: One can't be played.
    """
    for each in models:
        if isinstance(each, Artifact) and not each.is_realtime:
            raise ModelError(f"{each.path}: expected a live model, which has blocks to time, got an offline one.")
    noise = np.random.default_rng(0)
    with ExitStack() as stack:
        engine = stack.enter_context(Engine())
        timed: list[_Timed] = []
        for model in models:
            facts = as_backend(model).facts
            channels = host_channels(facts.in_channels, facts.out_channels)
            for block in block_sizes:
                host = HostConfig(sample_rate, block, channels=channels)
                session = stack.enter_context(engine.open(model, host, mode="inline"))
                timed.append(_Timed(session, noise.uniform(-0.3, 0.3, (channels, block)).astype(np.float32)))
        for number in range(_WARM_UP_ROUNDS + rounds):
            for each in timed:
                each.play(number >= _WARM_UP_ROUNDS)
        return [
            _cost(model, sample_rate, block_sizes, timed[at * len(block_sizes) : (at + 1) * len(block_sizes)])
            for at, model in enumerate(models)
        ]


class _Timed:
    """A session, and how long its blocks took."""

    def __init__(self, session: Session, block: Any) -> None:
        self.session = session
        self.block = block
        own = session.model_block_size or block.shape[1]
        self.calls = lcm(own, block.shape[1]) // block.shape[1]  # a model of longer blocks computes in some calls only
        self.seconds: list[float] = []

    def play(self, counts: bool) -> None:
        """Once untimed, so that the caches hold what this model needs, and once timed."""
        self._round()
        start = time.perf_counter()
        self._round()
        if counts:
            self.seconds.append((time.perf_counter() - start) / self.calls)

    def _round(self) -> None:
        for _ in range(self.calls):
            self.session.process(self.block)


def _cost(model: Artifact | Path, sample_rate: int, block_sizes: Sequence[int], timed: Sequence[_Timed]) -> PlayedCost:
    backend = timed[0].session.backend_name
    file = played_file(model, backend) if isinstance(model, Artifact) else model
    return PlayedCost(
        name=model.metadata.model_name if isinstance(model, Artifact) else model.stem,
        backend=backend,
        sample_rate=sample_rate,
        block_us={block: 1e6 * statistics.median(each.seconds) for block, each in zip(block_sizes, timed, strict=True)},
        file_bytes=file.stat().st_size,
    )


def played_file(artifact: Artifact, backend: str) -> Path:
    """The file that a backend plays of an artifact."""
    return artifact.path.with_name(COMPILED_NAME) if backend == "compiled" else artifact.path


@dataclass(frozen=True, repr=False)
class CompiledCost(Printed):
    """A live model, compiled and played on this machine.

    Attributes:
        file_bytes: Of its ``model.nlc``.
        memory_bytes: Of an instance, beside its weights.
        block_us: Median time of a block of the host, in microseconds, on one thread.
        block_samples: Of that block.
        kernels: The instruction set.
    """

    file_bytes: int
    memory_bytes: int
    block_us: float
    block_samples: int
    kernels: str


def compiled_costs(models: Sequence[WaveformToWaveformBase]) -> list[CompiledCost]:
    """Compile live models that have not been exported, and time them as :func:`played_costs` does, at their first rate.

    Raises:
        CompileError: One does not compile; says why.
        ModelError, ExportError: One can't be exported.
    """
    block = BLOCK_SIZES[0]
    with tempfile.TemporaryDirectory(prefix="neutone_like_") as folder:
        compiled: list[CompiledModel] = []
        artifacts: list[Artifact] = []
        for number, model in enumerate(models):
            placed = write_artifact(model, Path(folder) / str(number), render_samples=False)
            artifacts.append(load_artifact(placed.model_path))
            compiled.append(compile_artifact(artifacts[-1], model=model))
            compiled[-1].write(placed.model_path.with_name(COMPILED_NAME))
        rate = next(iter(artifacts[0].sample_rates), USUAL_RATE_HZ)
        costs = played_costs(artifacts, rate, [block])
    return [
        CompiledCost(cost.file_bytes, _memory_bytes(each), cost.block_us[block], block, each.kernels)
        for cost, each in zip(costs, compiled, strict=True)
    ]


def _memory_bytes(model: CompiledModel) -> int:
    if model.report is None:
        raise CompileError("a model without a report of its compilation")
    return model.report.memory_bytes
