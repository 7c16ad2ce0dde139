"""From what a child reported to a verdict, or to the reason why there can be none."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from neutone_like.errors import RuntimeEngineError
from neutone_like.realtime_safety.counters import (
    BOUNDED_WAITS,
    COUNTERS,
    FUTEX_WAKE_UPS,
    OPTIONAL_COUNTERS,
    PAGE_FAULTS,
    SWITCHES,
)
from neutone_like.realtime_safety.demangling import demangled
from neutone_like.realtime_safety.process import ChildResult, signal_name
from neutone_like.realtime_safety.report import (
    CounterResult,
    Ending,
    Frame,
    RealtimeSafetyReport,
    SafetyConditions,
)
from neutone_like.realtime_safety.source_lines import with_source_lines
from neutone_like.realtime_safety.syscall_names import syscall_name

COULD_NOT_BEGIN = 64  # as the native driver says it


def read_result(child: ChildResult, conditions: SafetyConditions) -> RealtimeSafetyReport:
    """A child's end and its report, judged.

    Raises:
        RuntimeEngineError: It could not begin, or its counters did not prove that they count.
    """
    if child.report.endswith("}\n"):
        return _judge(json.loads(child.report), child, conditions)
    if child.exit_code == COULD_NOT_BEGIN:
        raise RuntimeEngineError(f"The real-time-safety check of {conditions.path} could not begin: {child.output}")
    return RealtimeSafetyReport(conditions, _ending_by_itself(child))


def _judge(data: Mapping[str, Any], child: ChildResult, conditions: SafetyConditions) -> RealtimeSafetyReport:
    proven = _require_proof(data)
    ending = _whole(_ending(data["ending"], child), data["callbacks"], conditions.callbacks)
    if data["too_many_threads"]:
        raise RuntimeEngineError(f"{conditions.path} marks sections on more than 64 threads; the checker counts 64.")
    if data["callbacks"] == 0 and ending.kind == "finished":
        raise RuntimeEngineError(f"{conditions.path} was run, but no callback was marked: there is nothing to judge.")
    return RealtimeSafetyReport(
        conditions=conditions,
        ending=ending,
        callbacks=data["callbacks"],
        threads=data["threads"],
        counters=tuple(_counter(each, conditions) for each in data["counters"]),
        system_calls=tuple((syscall_name(each["number"]), each["count"]) for each in data["syscalls"]),
        longest_wait_seconds=1e-9 * data["longest_wait_ns"],
        warm_up_page_faults=data["warm_up"]["minor_page_faults"] + data["warm_up"]["major_page_faults"],
        has_fault_stacks=data["stacks_of_faults"],
        self_test=proven,
    )


def _require_proof(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The counters that moved, with a stack, when their offence was committed on purpose: all, or no verdict."""
    test = data["self_test"]
    if not test["silent"]:
        raise RuntimeEngineError(
            "There is no verdict, because the checker's test of itself failed: counters moved without an offence."
        )
    stackless = () if data["stacks_of_faults"] else PAGE_FAULTS
    moved = {
        each["counter"]
        for each in test["controls"]
        if each["moved"] and (each["has_stack"] or each["counter"] in stackless)
    }
    absent = set(OPTIONAL_COUNTERS) - {each["counter"] for each in test["controls"]}
    unproven = [counter for counter in COUNTERS if counter not in moved | absent]
    if unproven:
        disk = " Major page faults need a disk: set TMPDIR to a folder on one." if PAGE_FAULTS[1] in unproven else ""
        raise RuntimeEngineError(
            "There is no verdict, because the checker's test of itself failed: it committed one offence for every "
            f"counter, and these did not move: {', '.join(unproven)}.{disk} It needs Linux 5.11 or later on x86-64, "
            "and a container that allows Syscall User Dispatch (prctl)."
        )
    return tuple(counter for counter in COUNTERS if counter in moved)


def _ending(data: Mapping[str, Any], child: ChildResult) -> Ending:
    kind, callback, number = data["kind"], data["callback"], data["number"]
    if kind == "finished":
        return Ending("finished") if child.exit_code == 0 else _ending_by_itself(child)
    how = {"crashed": signal_name(number), "exited": f"exit code {number}", "stalled": ""}[kind]
    return Ending(kind, how, callback, _stack(data["stack"]), child.output)


def _whole(ending: Ending, callbacks: int, asked: int) -> Ending:
    """The same ending, unless it came before the last callback."""
    if ending.kind != "finished" or callbacks == 0 or callbacks >= asked:
        return ending
    return Ending("exited", f"{callbacks} of {asked} callbacks made", output=ending.output)


def _ending_by_itself(child: ChildResult) -> Ending:
    """The end of a process that told nothing of it: before the callbacks, or after them."""
    if child.exit_code is None:
        return Ending("timed out", output=child.output)
    if child.signal_name:
        return Ending("crashed", child.signal_name, output=child.output)
    return Ending("exited", f"exit code {child.exit_code}", output=child.output)


def _allowed(counter: str, conditions: SafetyConditions) -> int:
    """In one callback: what was declared, and nothing else."""
    wakes = counter == FUTEX_WAKE_UPS and conditions.wake == "event"
    waits = counter in (BOUNDED_WAITS, SWITCHES) and conditions.wait_fraction > 0.0
    return 1 if wakes or waits else 0


def _counter(data: Mapping[str, Any], conditions: SafetyConditions) -> CounterResult:
    allowed = _allowed(data["name"], conditions)
    offended = data["most_in_callback"] > allowed
    return CounterResult(
        name=data["name"],
        count=data["count"],
        callbacks=data["callbacks"],
        most_in_callback=data["most_in_callback"],
        first_callback=data["first_callback"] or None,
        allowed_in_callback=allowed,
        stack=_stack(data["stack"], with_lines=offended),
    )


def _stack(frames: Sequence[Mapping[str, Any]], with_lines: bool = True) -> tuple[Frame, ...]:
    read = tuple(Frame(demangled(frame["function"]), frame["object"], frame["offset"]) for frame in frames)
    return with_source_lines(read) if with_lines and read else read
