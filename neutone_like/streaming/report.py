"""What a proof of streaming found: one entry a check."""

from dataclasses import dataclass

from neutone_like.errors import ModelError


@dataclass(frozen=True)
class StreamingCheck:
    """One property that was measured. ``layer`` is the innermost that fails it; ``note`` says why it was skipped."""

    name: str
    measured: float
    allowed: float
    passed: bool
    layer: str = ""
    note: str = ""
    skipped: bool = False

    def __str__(self) -> str:
        verdict = "skipped" if self.skipped else "passed" if self.passed else "FAILED"
        numbers = "" if self.skipped else f"{self.measured:.3g} (allowed {self.allowed:.3g})"
        where = f" in {self.layer}" if self.layer else ""
        return f"{self.name:<28} {verdict:<8} {numbers}{where}{self.note}".rstrip()


@dataclass(frozen=True)
class StreamingReport:
    """The checks of one network, in the order in which they were made."""

    checks: tuple[StreamingCheck, ...]

    @property
    def passed(self) -> bool:
        """Nothing that was measured fell short."""
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.checks)

    def raise_if_failed(self) -> None:
        """Raise :class:`ModelError` with the checks that fell short."""
        failed = [str(check) for check in self.checks if not check.passed]
        if failed:
            raise ModelError("The network doesn't stream as it declares:\n" + "\n".join(failed))
