"""What a check returns, and how two sounds are held against each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neutone_like.printing import InNotebooks
from neutone_like.validate.report import Findings, Status

Outputs = list[Tensor]
"""What came out of a module, a tensor ``[channels, samples]`` for each output; a live model has one."""


@dataclass(frozen=True)
class Outcome(InNotebooks):
    """What a check function returns; the runner adds its name and the time it took."""

    status: Status
    measured: str
    allowed: str
    advice: str = ""
    information: tuple[str, ...] = ()
    findings: Findings | None = None


def verdict(good: bool, measured: str, allowed: str, advice: str, information: tuple[str, ...] = ()) -> Outcome:
    """Passed where ``good``, else failed, with advice."""
    return Outcome("passed" if good else "failed", measured, allowed, "" if good else advice, information)


def skipped(reason: str, allowed: str, information: tuple[str, ...] = ()) -> Outcome:
    """A check that was not run, and why."""
    return Outcome("skipped", f"not run: {reason}", allowed, information=information)


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Largest absolute difference; infinite where the shapes differ or a value is not a number."""
    if first.shape != second.shape:
        return float("inf")
    if first.numel() == 0:
        return 0.0
    difference = float((first - second).abs().max())
    return difference if difference == difference else float("inf")


def first_difference(first: Tensor, second: Tensor, allowed: float) -> int:
    """The first sample where two sounds differ by more than ``allowed``; -1 where they don't."""
    samples = min(first.size(1), second.size(1))
    distance = (first[:, :samples] - second[:, :samples]).abs()
    wrong = torch.logical_not(distance <= allowed).any(0).nonzero()
    return int(wrong[0]) if wrong.numel() else -1


def apart(first: Outputs, second: Outputs) -> float:
    """Largest absolute difference; infinite where counts or shapes differ, or a value is not a number."""
    if len(first) != len(second):
        return float("inf")
    return max((largest_difference(one, other) for one, other in zip(first, second, strict=True)), default=0.0)


def equal(first: Outputs, second: Outputs) -> bool:
    """Bit for bit."""
    return len(first) == len(second) and all(torch.equal(one, two) for one, two in zip(first, second, strict=True))


def where_apart(first: Outputs, second: Outputs, allowed: float = 0.0) -> str:
    """In words, for a measurement: the largest difference, and where it begins."""
    if [tuple(output.shape) for output in first] != [tuple(output.shape) for output in second]:
        shapes = [[list(output.shape) for output in outputs] for outputs in (first, second)]
        return f"outputs of shape {shapes[0]} and {shapes[1]}"
    for index, (one, two) in enumerate(zip(first, second, strict=True)):
        if (start := first_difference(one, two, allowed)) >= 0:
            which = f" of output {index + 1}" if len(first) > 1 else ""
            return f"differs by up to {apart(first, second):.2g} from sample {start}{which} on"
    return "no difference"


def is_finite(outputs: Sequence[Tensor]) -> bool:
    """Whether no sample is NaN or infinite."""
    return all(bool(torch.isfinite(output).all()) for output in outputs)


def loudest(outputs: Sequence[Tensor]) -> float:
    """The greatest absolute sample."""
    return max((float(output.abs().max()) for output in outputs if output.numel()), default=0.0)
