"""What distilling gave: the student, how it learned, what it costs as played, and whether it is an improvement."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neutone_like.optimise.distilling.students import StudentModel
from neutone_like.optimise.played_cost import PlayedCost
from neutone_like.optimise.quality_report import QualityReport, QualityVerdict
from neutone_like.printing import Printed, Row
from neutone_like.validate.report import Check

UNTAUGHT = "error untaught"
WORTH_IT = 0.95
"""A student must take at most so much of its teacher's time: what differs by less is measured as equal."""


@dataclass(frozen=True, repr=False)
class CurvePoint(Printed):
    """Training at one check: updates and seconds of CPU time so far, the loss there, the validation phrases' ESR."""

    step: int
    seconds: float
    loss: float
    validation_esr: float


@dataclass(frozen=True, repr=False)
class DistilResult(Printed):
    """A student beside its teacher.

    Attributes:
        model: The student, a live model to export.
        path: The folder of its artifact; ``None`` where none was kept.
        curve: How it learned. Point 0 is before the first update.
        quality: Of the student as played, on phrases that it never heard, against its teacher.
        untaught_esr: What the sound that goes in, at the best gain, or silence would give on the same phrases: a
            student that is not better has learned nothing.
        student_cost, teacher_cost: As played, measured by turns.
        verdict: Whether it is an improvement: faster, not larger, and good enough.
    """

    model: StudentModel
    path: Path | None
    curve: tuple[CurvePoint, ...]
    quality: QualityReport
    untaught_esr: float
    student_cost: PlayedCost
    teacher_cost: PlayedCost
    verdict: QualityVerdict

    @property
    def is_improvement(self) -> bool:
        """Whether the student is faster, not larger, and good enough."""
        return self.verdict.passed

    @property
    def steps(self) -> int:
        """Updates in all."""
        return self.curve[-1].step

    @property
    def seconds(self) -> float:
        """Of CPU time that training took, over all processes that took part."""
        return self.curve[-1].seconds

    @property
    def time_ratio(self) -> float:
        """Time of a block over the teacher's, in the block where that is worst."""
        return self.student_cost.time_ratio(self.teacher_cost)

    @property
    def bytes_ratio(self) -> float:
        """Bytes of the file that is played over the teacher's."""
        return self.student_cost.bytes_ratio(self.teacher_cost)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "is_improvement": self.is_improvement,
            "path": None if self.path is None else str(self.path),
            "time_ratio": self.time_ratio,
            "bytes_ratio": self.bytes_ratio,
            "untaught_esr": self.untaught_esr,
            "steps": self.steps,
            "seconds": self.seconds,
            "quality": self.quality.to_dict(),
            "student_cost": self.student_cost.to_dict(),
            "teacher_cost": self.teacher_cost.to_dict(),
            "verdict": self.verdict.to_dict(),
            "curve": [[each.step, each.seconds, _finite(each.loss), each.validation_esr] for each in self.curve],
        }

    def _title(self) -> str:
        said = "an improvement" if self.is_improvement else "NO improvement"
        return f"DistilResult: {said}, {self.time_ratio:.2f} x the time, ESR {self.quality.error_to_signal_ratio:.4f}"

    def _rows(self) -> list[Row]:
        blocks = [
            f"{self.student_cost.block_us[block]:.1f} of {value:.1f} us for {block} samples"
            for block, value in self.teacher_cost.block_us.items()
        ]
        size = f"{self.student_cost.file_bytes} of {self.teacher_cost.file_bytes} bytes"
        failed = [each for each in self.verdict.checks if not each.passed]
        return [
            *[("not met", each.name, each.measured, f"allowed {each.allowed}") for each in failed],
            ("block", *blocks),
            ("file", size),
            ("quality", f"ESR {self.quality.error_to_signal_ratio:.4f}, untaught {self.untaught_esr:.4f}"),
            ("training", f"{self.steps} steps, {self.seconds:.0f} s of CPU time"),
            ("artifact", str(self.path)),
        ]


def _finite(value: float) -> float | None:
    return value if value == value else None


def verdict(
    quality: QualityReport, untaught_esr: float, student: PlayedCost, teacher: PlayedCost, allowed_esr: float
) -> QualityVerdict:
    """Faster, not larger, better than what nobody taught, and good enough: each is a check."""
    time, size = student.time_ratio(teacher), student.bytes_ratio(teacher)
    esr = quality.error_to_signal_ratio
    smaller = "Take a smaller shape: propose_students measures them."
    taught = "Nothing was learned: look at learning_rate and audio."
    return QualityVerdict(
        (
            _check("time of a block", time, WORTH_IT, "x the teacher's", smaller),
            _check("bytes of the file", size, 1.0, "x the teacher's", f"{smaller} Or quantise the student."),
            _check(UNTAUGHT, esr, min(1.0, untaught_esr), "ESR", taught),
            *quality.check(error_to_signal_ratio=allowed_esr).checks,
        )
    )


def _check(name: str, value: float, allowed: float, unit: str, advice: str) -> Check:
    good = value < allowed if name == UNTAUGHT else value <= allowed
    return Check(name, "passed" if good else "failed", f"{value:.4g} {unit}", f"at most {allowed:.4g}", advice)
