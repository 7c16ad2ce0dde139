"""What a validation found: one line a check, as a table in the terminal and as JSON beside the artifact."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from neutone_like.errors import ExportError
from neutone_like.printing import Printed, Row, printable
from neutone_like.whole_file import write_whole

if TYPE_CHECKING:
    from rich.table import Table

Status = Literal["passed", "failed", "skipped"]

REPORT_VERSION = 1
_PAIR = re.compile(r"\[\n\s+([-+.\de]+),\n\s+([-+.\de]+)\n\s+\]")
_MARKS = {
    "passed": "[green]passed[/green]",
    "failed": "[bold red]FAILED[/bold red]",
    "skipped": "[yellow]skipped[/yellow]",
}


class Findings(Protocol):
    """Everything that a check found, where that is more than a line of text."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        ...


@dataclass(frozen=True, repr=False)
class Check(Printed):
    """One check: what it measured, what was allowed, and, where it failed, what to change.

    A skipped check says in ``measured`` why it was not run. ``information`` are measurements that decide nothing;
    ``findings`` hold all numbers and histograms of a check that has any.
    """

    name: str
    status: Status
    measured: str
    allowed: str
    advice: str = ""
    seconds: float = 0.0
    information: tuple[str, ...] = ()
    findings: Findings | None = None

    @property
    def passed(self) -> bool:
        """Whether the check was run and found nothing wrong."""
        return self.status == "passed"

    def _title(self) -> str:
        return f"Check {self.name!r}: {self.status}"

    def _rows(self) -> list[Row]:
        advice = [("what to change", self.advice)] if self.advice and self.status == "failed" else []
        return [("measured", self.measured), ("allowed", self.allowed), *advice]

    def _html_rows(self) -> list[Row]:
        return [*self._rows(), *(("", text) for text in self.information)]

    def line(self) -> str:
        """The check in one line of plain text."""
        text = f"{self.name}: {self.status}; measured {self.measured}; allowed {self.allowed}"
        return f"{text}. {self.advice}" if self.status == "failed" and self.advice else text

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON types; ``findings`` where there are any."""
        values: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "measured": self.measured,
            "allowed": self.allowed,
            "advice": self.advice,
            "seconds": round(self.seconds, 3),
            "information": list(self.information),
        }
        return values if self.findings is None else {**values, "findings": self.findings.to_dict()}


@dataclass(frozen=True, repr=False)
class ValidationReport(Printed):
    """All checks of one artifact. ``conditions`` says where and how they were run."""

    artifact: str
    checks: tuple[Check, ...]
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check failed. Skipped checks don't count, and are shown as what they are."""
        return not any(check.status == "failed" for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status == "failed")

    def __getitem__(self, name: str) -> Check:
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"No check is called {name!r}; there are: {', '.join(check.name for check in self.checks)}.")

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def _title(self) -> str:
        return f"ValidationReport of {self.artifact}"

    def _rows(self) -> list[Row]:
        return [(self.summary(),), *((check.line(),) for check in self.failures)]

    def _html_rows(self) -> list[Row]:
        checks = ((each.name, each.status, each.measured, each.allowed, each.advice) for each in self.checks)
        return [(self.summary(),), ("check", "result", "measured", "allowed", "what to change"), *checks]

    def summary(self) -> str:
        """How many checks passed, failed and were skipped, in one line."""
        counts = {status: sum(check.status == status for check in self.checks) for status in _MARKS}
        verdict = "passed" if self.passed else "FAILED"
        seconds = sum(check.seconds for check in self.checks)
        shown = ", ".join(f"{count} {status}" for status, count in counts.items())
        return f"{verdict}: {shown}, in {seconds:.1f} s"

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "report_version": REPORT_VERSION,
            "artifact": self.artifact,
            "passed": self.passed,
            "conditions": dict(self.conditions),
            "checks": [check.to_dict() for check in self.checks],
        }

    def to_json(self) -> str:
        """The report as indented JSON, with a line for each bucket of a histogram."""
        return _PAIR.sub(r"[\1, \2]", json.dumps(self.to_dict(), indent=2, ensure_ascii=False)) + "\n"

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON to ``path``, which appears whole or not at all.

        Raises:
            ExportError: The file can't be written.
        """
        target = Path(path)
        try:
            write_whole(target, self.to_json().encode())
        except OSError as error:
            raise ExportError(
                f"The validation report can't be written to {target}: {error}. "
                "Choose a folder that exists and is writable."
            ) from error
        return target

    def table(self) -> "Table":
        """The report as a table for a terminal."""
        from rich.markup import escape  # here, so that importing the package does not need it
        from rich.table import Table

        table = Table(title=escape(printable(f"Validation of {self.artifact}: {self.summary()}")), title_justify="left")
        for heading in ("check", "result", "measured", "allowed", "what to change", "s"):
            table.add_column(heading, justify="right" if heading == "s" else "left", overflow="fold")
        for check in self.checks:
            measured = "\n".join((check.measured, *(f"({line})" for line in check.information)))
            advice = check.advice if check.status == "failed" else ""
            texts = [escape(printable(text)) for text in (measured, check.allowed, advice)]
            table.add_row(escape(check.name), _MARKS[check.status], *texts, f"{check.seconds:.1f}")
        return table
