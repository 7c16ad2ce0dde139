"""What a real-time-safety check found: counters with verdicts, and where the first offence of each was committed."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from neutone_like.printing import InNotebooks, Printed, Row, printable
from neutone_like.realtime_safety.counters import GROUPS, CounterGroup

if TYPE_CHECKING:
    from rich.table import Table

REPORT_VERSION = 1
DEEPEST_SHOWN = 16

EndingKind = Literal["finished", "crashed", "exited", "stalled", "timed out"]


@dataclass(frozen=True)
class Frame(InNotebooks):
    """One call of a stack. ``offset`` is in ``object_path``; ``source`` is ``file:line`` where that is known."""

    function: str
    object_path: str
    offset: int
    source: str = ""

    def text(self) -> str:
        """The frame in one line."""
        name = self.object_path.rpartition("/")[2] or "unknown"
        where = self.source or f"{name}+{self.offset:#x}"
        return f"{self.function} ({where})" if self.function else where


@dataclass(frozen=True, repr=False)
class CounterResult(Printed):
    """One counter over all callbacks. ``stack`` is that of its first count, innermost call first."""

    name: str
    count: int
    callbacks: int
    most_in_callback: int
    first_callback: int | None
    allowed_in_callback: int
    stack: tuple[Frame, ...]

    def _title(self) -> str:
        return f"CounterResult {self.name}: {'passed' if self.passed else 'FAILED'}"

    def _rows(self) -> list[Row]:
        most = f"most in a callback {self.most_in_callback}, allowed {self.allowed_in_callback}"
        return [(f"{self.count} in {self.callbacks} callbacks, {most}",), *(("in", each.text()) for each in self.stack)]

    @property
    def passed(self) -> bool:
        """Whether no callback had more than it may."""
        return self.most_in_callback <= self.allowed_in_callback


@dataclass(frozen=True, repr=False)
class Ending(Printed):
    """How the run ended: ``how`` is a signal or an exit code, ``callback`` 0 is none, ``output`` is what it printed."""

    kind: EndingKind
    how: str = ""
    callback: int = 0
    stack: tuple[Frame, ...] = ()
    output: str = ""

    def _title(self) -> str:
        return f"Ending: {self.text()}"

    def _rows(self) -> list[Row]:
        return [("in", each.text()) for each in self.stack] or ([("it printed", self.output)] if self.output else [])

    def text(self) -> str:
        """The ending in one sentence."""
        where = f"in callback {self.callback}" if self.callback else "outside the callbacks"
        if self.kind == "crashed":
            return f"It crashed {where} with {self.how}."
        if self.kind == "exited":
            return f"It ended its process {where}, with {self.how}."
        if self.kind == "stalled":
            return f"Callback {self.callback} did not return."
        return "It ran to its end." if self.kind == "finished" else "It did not end in time, and was stopped."


@dataclass(frozen=True)
class SafetyConditions(InNotebooks):
    """What was run, and how."""

    path: str
    what: str
    callbacks: int
    warm_up_callbacks: int
    block_size: int
    sample_rate: int
    channels: int
    wake: str
    kernel: str
    wait_fraction: float = 0.0

    @property
    def allowed_wait_seconds(self) -> float:
        """How long a callback may wait for its worker."""
        return self.wait_fraction * self.block_size / self.sample_rate


@dataclass(frozen=True, repr=False)
class RealtimeSafetyReport(Printed):
    """The result of :func:`check_realtime_safety`.

    ``callbacks`` were counted, on ``threads`` threads. ``system_calls`` are names with counts. ``warm_up_page_faults``
    are those of the first callbacks, which bring code into memory and decide nothing. ``longest_wait_seconds`` is the
    most that a bounded wait asked for.
    """

    conditions: SafetyConditions
    ending: Ending
    callbacks: int = 0
    threads: int = 0
    counters: tuple[CounterResult, ...] = ()
    system_calls: tuple[tuple[str, int], ...] = ()
    warm_up_page_faults: int = 0
    longest_wait_seconds: float = 0.0
    has_fault_stacks: bool = True
    self_test: tuple[str, ...] = ()

    def _title(self) -> str:
        return f"RealtimeSafetyReport of {self.conditions.path} ({self.conditions.what})"

    def _rows(self) -> list[Row]:
        offences = [
            (f"first {each.name}", f"in callback {each.first_callback}", *(frame.text() for frame in each.stack[:2]))
            for each in self.offences
        ]
        return [(self.summary(),), *offences]

    @property
    def passed(self) -> bool:
        """Whether it ran to its end, no counter had more than it may, and no wait was longer than was declared."""
        return self.ending.kind == "finished" and bool(self.counters) and not self.offences and not self.waits_too_long

    @property
    def waits_too_long(self) -> bool:
        """Whether a declared wait could have taken longer than its part of a block."""
        allowed = self.conditions.allowed_wait_seconds
        return allowed > 0.0 and self.longest_wait_seconds > allowed

    @property
    def offences(self) -> tuple[CounterResult, ...]:
        """The counters that had more than they may."""
        return tuple(counter for counter in self.counters if not counter.passed)

    def __getitem__(self, name: str) -> CounterResult:
        for counter in self.counters:
            if counter.name == name:
                return counter
        raise KeyError(f"No counter is called {name!r}; there are: {', '.join(each.name for each in self.counters)}.")

    def summary(self) -> str:
        """The verdict in one line."""
        verdict = "passed" if self.passed else "FAILED"
        if self.ending.kind != "finished":
            return f"{verdict}: {self.ending.text()}"
        offences = ", ".join(f"{each.name} {each.count}" for each in self.offences) or "no offence"
        if self.waits_too_long:
            allowed = 1e6 * self.conditions.allowed_wait_seconds
            offences += (
                f", a wait of up to {1e6 * self.longest_wait_seconds:.0f} us where {allowed:.0f} us are declared"
            )
        return f"{verdict}: {offences} in {self.callbacks} callbacks of {self.conditions.block_size} samples"

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "report_version": REPORT_VERSION,
            "passed": self.passed,
            "conditions": asdict(self.conditions),
            "ending": asdict(self.ending),
            "callbacks": self.callbacks,
            "threads": self.threads,
            "counters": [{**asdict(each), "passed": each.passed} for each in self.counters],
            "system_calls": dict(self.system_calls),
            "warm_up_page_faults": self.warm_up_page_faults,
            "longest_wait_seconds": self.longest_wait_seconds,
            "has_fault_stacks": self.has_fault_stacks,
            "self_test": list(self.self_test),
        }

    def tables(self) -> tuple["Table", ...]:
        """The report for a terminal: the counters, then where each first offence was committed."""
        return (self._counter_table(), *self._stack_tables())

    def _counter_table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        title = f"Real-time safety of {self.conditions.path} ({self.conditions.what}): {self.summary()}"
        table = Table(title=escape(printable(title)), title_justify="left")
        for heading in ("counted", "count", "most in a callback", "allowed", "result", "which", "what to change"):
            table.add_column(heading, overflow="fold")
        for group in GROUPS if self.counters else ():
            table.add_row(*self._row(group))
        return table

    def _row(self, group: CounterGroup) -> tuple[str, ...]:
        counters = [self[name] for name in group.counters]
        passed = all(counter.passed for counter in counters)
        total = sum(counter.count for counter in counters)
        counted = [(each.name, each.count) for each in counters if each.count and len(counters) > 1]
        named = self.system_calls if group.counters == ("syscalls",) and total else counted
        return (
            group.title,
            str(total),
            str(max(counter.most_in_callback for counter in counters)),
            str(counters[0].allowed_in_callback),
            "[green]passed[/green]" if passed else "[bold red]FAILED[/bold red]",
            ", ".join(f"{name} {count}" for name, count in named),
            "" if passed else group.advice,
        )

    def _stack_tables(self) -> list["Table"]:
        found = [(f"First {each.name}, in callback {each.first_callback}", each.stack) for each in self.offences]
        if self.ending.kind != "finished":
            found.insert(0, (self.ending.text(), self.ending.stack))
        return [self._stack_table(title, stack) for title, stack in found]

    def _stack_table(self, title: str, stack: tuple[Frame, ...]) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=escape(printable(title)), title_justify="left", show_header=False, box=None)
        for frame in stack[:DEEPEST_SHOWN]:
            table.add_row("in", escape(printable(frame.text())))
        if not stack:
            table.add_row(escape(printable(self.ending.output or self._why_no_stack())))
        return table

    def _why_no_stack(self) -> str:
        if self.has_fault_stacks:
            return "No stack was taken."
        return "No stack: this kernel allows no perf events here (sysctl kernel.perf_event_paranoid=2 does)."
