"""The artifact plays in the native engine at real deadlines, and what is heard is right and in time."""

from dataclasses import replace

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.torch_backend import torch_backend_path
from neutone_like.validate.deadlines.findings import (
    ALLOWED_SHARE,
    DeadlineFindings,
    PlayedSetting,
    SmallestBlock,
    line_of,
)
from neutone_like.validate.deadlines.run import WAKE, WORKERS, play_fairly
from neutone_like.validate.deadlines.smallest_block import find_smallest_block
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, skipped, verdict

ALLOWED = (
    f"p99 of inference below {ALLOWED_SHARE:.0%} of what a model block lasts, and no sample but late ones differs from "
    "the reference"
)


def check_realtime_deadlines(subject: LiveSubject) -> Outcome:
    """Play at every host setting."""
    try:
        native_module()
        torch_backend_path()
    except RuntimeEngineError as error:
        return skipped(str(error), ALLOWED)
    played = tuple(play_fairly(subject, setting) for setting in subject.settings)
    findings = DeadlineFindings(WORKERS, WAKE, played, _smallest_blocks(subject, played))
    outcome = verdict(
        all(one.good for one in played),
        _measured(findings),
        ALLOWED,
        _advice(findings),
        (*map(line_of, played), findings.conditions),
    )
    return replace(outcome, findings=findings)


def _smallest_blocks(subject: LiveSubject, played: tuple[PlayedSetting, ...]) -> tuple[SmallestBlock, ...]:
    """One for each rate at which blocks were too slow: what is shorter than the longest of those is too."""
    longest: dict[int, PlayedSetting] = {}
    for one in played:
        before = longest.get(one.call_rate)
        if one.speed == "too slow" and (before is None or one.call_samples > before.call_samples):
            longest[one.call_rate] = one
    return tuple(find_smallest_block(subject, one) for one in longest.values())


def _measured(findings: DeadlineFindings) -> str:
    wrong = next((one for one in findings.played if not one.good), None)
    if wrong is None:
        worst = max(findings.played, key=lambda one: one.run.inference_load)
        excuse = " because other programs had the processor" if worst.speed == "machine too busy" else ""
        load = f"{worst.run.inference_load:.1%} of its budget (at {worst.setting}{excuse})"
        return f"p99 of inference at most {load}; equal sound"
    if wrong.trouble:
        return f"at {wrong.setting}, {wrong.trouble}"
    if wrong.speed == "too slow":
        slowest = max((one for one in findings.played if one.speed == "too slow"), key=lambda o: o.run.inference_load)
        smallest = ", ".join(map(str, findings.smallest_blocks))
        return (
            f"p99 of inference {slowest.run.inference_time.p99_us:.0f} us, {slowest.run.inference_load:.0%} of "
            f"{slowest.run.inference_budget_us:.0f} us (at {slowest.setting}"
            f"{', in a second, longer run too' if slowest.repeated else ''}); smallest block that works: {smallest}"
        )
    comparison = wrong.comparison
    assert comparison is not None
    return (
        f"at {wrong.setting}, {comparison.differing_samples} samples differ from the reference, and "
        f"{comparison.missing_samples} of {wrong.run.samples} were late; the first is sample {comparison.first_sample}"
    )


def _advice(findings: DeadlineFindings) -> str:
    wrong = next((one for one in findings.played if not one.good), None)
    if wrong is None or wrong.speed != "too slow":  # as _measured tells; what is good needs none
        return (
            "The model sounds different in the engine than when Python calls it. What it returns may depend only on "
            "its input, its parameters and a state that reset_model clears: not on how often it is called, on what is "
            "in memory, or on the thread."
        )
    faster = "Make the model faster: fewer operations first, then fewer multiplications."
    if any(block.samples is None for block in findings.smallest_blocks):
        return f"{faster} Longer blocks don't help."
    samples = max(block.samples or 0 for block in findings.smallest_blocks)
    return f"{faster} Or declare block_sizes = ({samples},): hosts then wait for so many samples."
