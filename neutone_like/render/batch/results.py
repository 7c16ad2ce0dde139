"""What a job did."""

from dataclasses import dataclass
from typing import Any

from neutone_like.printing import Printed, Row
from neutone_like.render.batch.records import FileRecord


@dataclass(frozen=True, repr=False)
class BatchResult(Printed):
    """What became of all files of a job.

    Attributes:
        records: One for each input, as they were finished.
        total: How many files the job has.
        manifest: The path or URL of the manifest, if one was written.
        seconds: From start to end, loading included.
        ignored: Files of the input folder that are no audio.
    """

    records: tuple[FileRecord, ...]
    total: int
    manifest: str | None
    seconds: float
    ignored: int = 0

    @property
    def done(self) -> tuple[FileRecord, ...]:
        """Rendered by this run."""
        return self._with("done")

    @property
    def skipped(self) -> tuple[FileRecord, ...]:
        """Finished by an earlier run."""
        return self._with("skipped")

    @property
    def failed(self) -> tuple[FileRecord, ...]:
        """Not rendered; each says why."""
        return self._with("failed")

    @property
    def remaining(self) -> int:
        """How many files are still to be tried, after an interruption."""
        return self.total - len(self.records)

    @property
    def audio_seconds(self) -> float:
        """How much audio this run has written."""
        return sum((float(record.audio["audio_seconds"]) for record in self.done if record.audio is not None), 0.0)

    def _rows(self) -> list[Row]:
        failures: list[Row] = [("failed", record.input, record.error or "") for record in self.failed]
        return [(self.summary(),), ("manifest", str(self.manifest)), *((text,) for text in self.warnings()), *failures]

    def summary(self) -> str:
        """The job in one line of text."""
        parts = [f"{len(self.done)} of {self.total} files rendered"]
        if self.skipped:
            parts.append(f"{len(self.skipped)} were finished already")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if self.remaining:
            parts.append(f"{self.remaining} are left")
        if self.ignored:
            parts.append(f"{self.ignored} other {'file' if self.ignored == 1 else 'files'} ignored")
        speed = self.audio_seconds / self.seconds if self.seconds > 0.0 else 0.0
        return f"{', '.join(parts)}; {self.seconds:.1f} s, {speed:.1f} x real time"

    def warnings(self) -> list[str]:
        """What the user should know about the sound."""
        found: list[str] = []
        clipped = [record for record in self.records if record.audio is not None and record.audio.get("clipped")]
        if clipped:
            found.append(
                f"{_files(clipped)} over full scale, and what was over is cut off, {clipped[0].output} for one. "
                "Lower output_gain_db, or write WAV of 32 bits."
            )
        if self.poisoned:
            found.append(
                f"{_files(self.poisoned)} with samples that the model gave as NaN or infinite, which became silence, "
                f"{self.poisoned[0].output} for one. neutone-like validate says what input does that."
            )
        return found

    @property
    def poisoned(self) -> tuple[FileRecord, ...]:
        """Files with samples that a model gave as NaN or infinite, and that became silence."""
        return tuple(record for record in self.records if record.audio and record.audio.get("nonfinite_samples"))

    def to_dict(self) -> dict[str, Any]:
        """Counts, failures and warnings as JSON types; what became of every file is in the manifest."""
        return {
            "total": self.total,
            "done": len(self.done),
            "skipped": len(self.skipped),
            "failed": [{"input": r.input, "output": r.output, "error": r.error} for r in self.failed],
            "remaining": self.remaining,
            "ignored": self.ignored,
            "seconds": self.seconds,
            "audio_seconds": self.audio_seconds,
            "warnings": self.warnings(),
            "manifest": self.manifest,
        }

    def _with(self, status: str) -> tuple[FileRecord, ...]:
        return tuple(record for record in self.records if record.status == status)


class RenderInterrupted(KeyboardInterrupt):
    """Ctrl-C during a job: the files that are finished are whole and in the manifest, and there is no half one.

    Attributes:
        result: What was done until then.
    """

    def __init__(self, result: BatchResult) -> None:
        super().__init__(f"Interrupted: {result.summary()}.")
        self.result = result


def _files(records: "list[FileRecord] | tuple[FileRecord, ...]") -> str:
    return "1 file is" if len(records) == 1 else f"{len(records)} files are"
