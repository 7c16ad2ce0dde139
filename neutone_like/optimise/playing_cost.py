"""What a model costs as it is played: the bytes of its compiled file, and the time of a block."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from neutone_like.artifact import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import CompileError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.printing import Printed
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.runtime.compiling import compile_artifact

_BLOCK_SAMPLES = 64
_BLOCKS_A_CALL = 32
_ROUNDS = 40


@dataclass(frozen=True, repr=False)
class PlayingCost(Printed):
    """One model, compiled and played on this machine.

    Attributes:
        file_bytes: Of its ``model.nlc``.
        memory_bytes: Of an instance, beside its weights.
        block_us: Time of a block, the shortest that was measured: what it takes when nobody disturbs it.
        block_samples: Of that block.
        kernels: The instruction set.
    """

    file_bytes: int
    memory_bytes: int
    block_us: float
    block_samples: int
    kernels: str


def playing_costs(models: Sequence[WaveformToWaveformBase]) -> list[PlayingCost]:
    """Compile live models and play them in turns, so that what disturbs one disturbs all.

    Raises:
        CompileError: One does not compile; says why.
        ModelError, ExportError: One can't be exported.
    """
    compiled = [_compiled(each) for each in models]
    blocks = [_block_of(each) for each in compiled]
    best = [float("inf")] * len(compiled)
    for _ in range(_ROUNDS):
        for place, (model, (audio, count)) in enumerate(zip(compiled, blocks, strict=True)):
            start = perf_counter_ns()
            model.process(audio)
            best[place] = min(best[place], (perf_counter_ns() - start) / 1e3 / count)
    return [
        PlayingCost(len(each.data), _memory(each), time, min(_BLOCK_SAMPLES, each.granules[0]), each.kernels)
        for each, time in zip(compiled, best, strict=True)
    ]


def _memory(model: CompiledModel) -> int:
    if model.report is None:
        raise CompileError("a model without a report of its compilation")
    return model.report.memory_bytes


def _compiled(model: WaveformToWaveformBase) -> CompiledModel:
    with tempfile.TemporaryDirectory() as folder:
        written = write_artifact(model, Path(folder), render_samples=False)
        return compile_artifact(load_artifact(written.model_path), model=model)


def _block_of(model: CompiledModel) -> tuple[np.ndarray, int]:
    """Audio for one call, and how many blocks it is."""
    samples = model.granules[0] * _BLOCKS_A_CALL
    shape = (model.in_channels, model.look_behind_samples + samples)
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)
    return audio, samples // min(_BLOCK_SAMPLES, model.granules[0])
