"""A job of many short files on one process and on two, as tables: start-up included, nothing left out."""

import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from rich.table import Table
from torch import Tensor, nn

from neutone_like.artifact import write_artifact
from neutone_like.model import ModelMetadata, WaveformToWaveformBase
from neutone_like.render import BatchResult, render_files

FILES = 200
FILE_SECONDS = 2.0
RATE = 48000
_CHANNELS, _KERNEL, _LAYERS = 32, 9, 6


class Convolutions(WaveformToWaveformBase):
    """A stack of convolutions: a network of the size of a small amplifier model, with 57,000 products a sample."""

    metadata = ModelMetadata(name="Convolutions", authors=("neutone-like",), version="1.0.0")

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers: list[nn.Module] = [nn.Conv1d(2, _CHANNELS, _KERNEL, padding="same"), nn.Tanh()]
        for _ in range(_LAYERS):
            layers += [nn.Conv1d(_CHANNELS, _CHANNELS, _KERNEL, padding="same"), nn.Tanh()]
        super().__init__(nn.Sequential(*layers, nn.Conv1d(_CHANNELS, 2, 1)))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


@dataclass(frozen=True)
class BatchTime:
    """One run of the job.

    Attributes:
        workers: Processes.
        first_seconds: Until the first file was finished, start-up included.
        result: Of the run; its ``seconds`` are of all of it.
        digest: Of all outputs.
    """

    workers: int
    first_seconds: float
    result: BatchResult
    digest: str


def measure_batch(files: int = FILES, workers: tuple[int, ...] = (1, 2)) -> list[BatchTime]:
    """Render the same files with every number of worker processes."""
    with tempfile.TemporaryDirectory(prefix="neutone_like_") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        rng = np.random.default_rng(0)
        for number in range(files):
            noise = rng.uniform(-0.5, 0.5, (round(FILE_SECONDS * RATE), 2)).astype(np.float32)
            soundfile.write(folder / "in" / f"{number:04}.wav", noise, RATE, subtype="PCM_16")
        write_artifact(Convolutions(), folder / "model", render_samples=False)
        return [_timed(folder, count) for count in workers]


def batch_tables(times: list[BatchTime]) -> list[Table]:
    """One table for every number of processes; the later ones beside the first."""
    return [_table(each, times[0]) for each in times]


def _timed(folder: Path, workers: int) -> BatchTime:
    finished: list[float] = []
    start = time.monotonic()
    out = folder / f"out{workers}"
    result = render_files(
        folder / "model", folder / "in", out, workers=workers, progress=lambda *_: finished.append(time.monotonic())
    )
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(out.glob("*.wav")))).hexdigest()
    return BatchTime(workers, finished[0] - start, result, digest)


def _table(measured: BatchTime, one: BatchTime) -> Table:
    result = measured.result
    processes = "1 process" if measured.workers == 1 else f"{measured.workers} processes"
    title = f"{result.total} files of {FILE_SECONDS:g} s, stereo at {RATE} Hz, on {processes}"
    table = Table("", "measured", title=title, title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("from start to end", f"{result.seconds:.1f} s")
    table.add_row("until the first file was finished", f"{measured.first_seconds:.1f} s")
    table.add_row("files a second", f"{result.total / result.seconds:.2f}")
    table.add_row("audio", f"{result.audio_seconds / result.seconds:.1f} x real time")
    table.add_row("rendered, failed", f"{len(result.done)}, {len(result.failed)}")
    if measured is not one:
        table.add_row("speed", f"{one.result.seconds / result.seconds:.2f} x that of {one.workers}")
        table.add_row("the same bits", "yes" if measured.digest == one.digest else "NO")
    return table
