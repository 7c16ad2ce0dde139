"""What a render did, for whoever asked for it."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neutone_like.printing import Printed, Row


@dataclass(frozen=True, repr=False)
class RenderResult(Printed):
    """What a render did.

    Attributes:
        in_path, out_path: The files; of several inputs or outputs the first. A generator's ``in_path`` is ``None``.
        in_paths, out_paths: All of them.
        sample_rate: Of the output, in Hz.
        channels, samples: Of the output, or of the first of several.
        audio_seconds: How long the audio is.
        compute_seconds: Time spent in the effects, without reading and writing.
        rtf: ``compute_seconds / audio_seconds``.
        latency_samples: What the effects lagged behind, and was taken out; at the input's rate.
        peak: The greatest absolute sample. Above 1.0 it is cut off in files that hold integers; see ``clipped``.
        clipped: Whether samples were cut off.
        nonfinite_samples: Samples that a model gave as NaN or infinite and that became silence.
        backend_name: What played the model: ``"compiled"``, ``"torchscript"``, or ``"python"`` for one that is no
            artifact. Of a board each once, joined by commas; ``""`` where there is none on it.
    """

    in_path: Path | None
    out_path: Path
    in_paths: tuple[Path, ...]
    out_paths: tuple[Path, ...]
    sample_rate: int
    channels: int
    samples: int
    audio_seconds: float
    compute_seconds: float
    rtf: float
    latency_samples: int
    peak: float
    clipped: bool
    nonfinite_samples: int
    backend_name: str = ""

    def _rows(self) -> list[Row]:
        return [(self.summary(),), *((f"Warning: {text}",) for text in self.warnings())]

    def summary(self) -> str:
        """The render in one line of text."""
        channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        peak = f"{20.0 * math.log10(self.peak):+.1f} dBFS" if self.peak > 0.0 else "silence"
        files = ", ".join(str(path) for path in self.out_paths)
        player = f" ({self.backend_name})" if self.backend_name else ""
        return (
            f"{files}: {self.audio_seconds:.3f} s, {channels} at {self.sample_rate} Hz, peak {peak}; "
            f"{self.latency_samples} samples of latency taken out; {1.0 / self.rtf:.1f} x real time{player}"
        )

    def warnings(self) -> list[str]:
        """What the user should know about the sound."""
        found: list[str] = []
        if self.clipped:
            over = 20.0 * math.log10(self.peak)
            found.append(
                f"The peak is {over:.1f} dB over full scale, and {self.out_path.suffix} cuts it off. "
                "Lower output_gain_db, or write a WAV of 32 bits."
            )
        if self.nonfinite_samples:
            found.append(
                f"The model gave {self.nonfinite_samples} samples that were NaN or infinite, which became silence. "
                "neutone-like validate says what input does that."
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return {
            **asdict(self),
            "in_path": None if self.in_path is None else str(self.in_path),
            "out_path": str(self.out_path),
            "in_paths": [str(path) for path in self.in_paths],
            "out_paths": [str(path) for path in self.out_paths],
        }
