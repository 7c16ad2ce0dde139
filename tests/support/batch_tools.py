"""What the tests of jobs of many files share: trees of small files, and what a job left behind."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import BatchResult, ModelMetadata, NonRealtimeBase, WaveformToWaveformBase, render_files
from neutone_like.artifact import write_artifact

TREE = ("one.wav", "a/two.wav", "a/b/three.wav", "a/b/four.wav", "c/five.wav")


class Noisy(WaveformToWaveformBase):
    """Draws random numbers, and remembers the last sample: what comes out shows what was played before."""

    metadata = ModelMetadata(name="Noisy", authors=("Ada",), version="1.0.0", short_description="For tests")

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.last = torch.zeros(2, 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + 0.1 * torch.randn(x.size(0), x.size(1)) + self.last
        self.last = x[:, -1:].clone()
        return y

    @torch.jit.export
    def reset_model(self) -> None:
        self.last = torch.zeros(2, 1)


def make_tree(folder: Path, names: Iterable[str] = TREE, samples: int = 5000) -> Path:
    """Files of noise, each another."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, (samples + number, 2)).astype(np.float32)
        soundfile.write(path, noise, 48000, format="WAV" if path.suffix == ".wav" else None)
    return folder


def artifact_of(model: WaveformToWaveformBase | NonRealtimeBase, folder: Path) -> Path:
    return write_artifact(model, folder, render_samples=False).model_path


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file but the manifest, by its place in the tree."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.jsonl"
    }


def lines(manifest: Path) -> list[dict[str, Any]]:
    """The manifest, read by nothing of ours."""
    return [json.loads(line) for line in manifest.read_text().splitlines()]


def rendered_counts(manifest: Path) -> Counter[str]:
    """How often each file was rendered to the end, by its name."""
    files = [line for line in lines(manifest) if line["kind"] == "file" and line["status"] == "done"]
    return Counter(Path(line["output"]).name for line in files)


def here(model: Any, source: Any, output: Any, **options: Any) -> BatchResult:
    """In this process, where a test sees everything."""
    chosen: dict[str, Any] = {"workers": 0, "progress": False, **options}
    return render_files(model, source, output, **chosen)


def counts(result: BatchResult) -> tuple[int, int, int]:
    return len(result.done), len(result.skipped), len(result.failed)


def changed_input(tree: Path, out: Path) -> None:
    """Change one sample of one file."""
    x, rate = soundfile.read(tree / "one.wav")
    x[7] += 1e-3
    soundfile.write(tree / "one.wav", x, rate)
