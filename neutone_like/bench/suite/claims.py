"""What the anira paper says of engines (arXiv 2506.12665), one claim at a time, held against a file of results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from neutone_like.bench.suite.statistics import ColdStart, MixedModel

Verdict = Literal["confirmed", "refuted", "different here", "undecided", "not measured"]
PAPERS_ENGINES = ("torchscript", "onnxruntime", "litert")
_FORBIDDEN = ("allocations", "frees", "mutex locks", "other locks", "waits", "system calls")
_SLOW_FIRST_CALL = 2.0


@dataclass(frozen=True)
class Claim:
    """A claim, and what became of it.

    Attributes:
        text: What the paper says.
        verdict: In a word.
        evidence: What was found, and under which conditions.
    """

    text: str
    verdict: Verdict
    evidence: str


def claims_of(
    safety: Any, mixed: MixedModel | None, why_none: str, starts: Sequence[ColdStart], stateless: Sequence[str]
) -> list[Claim]:
    """All of them.

    Args:
        safety: The table of ``safety``.
        mixed: The model of inference times; None where there is too little for one, and ``why_none`` says of what.
        why_none: See there.
        starts: Of fresh processes.
        stateless: The names of networks without a state.
    """
    return [
        _no_engine_is_safe(safety),
        _fastest("Without a state, ONNX Runtime is the fastest of the paper's engines.", "onnxruntime", mixed, why_none,
                 lambda network: network in stateless),
        _fastest("With a state, LibTorch is the fastest of the paper's engines.", "torchscript", mixed, why_none,
                 lambda network: network not in stateless),
        _first_calls(starts),
    ]  # fmt: skip


def _no_engine_is_safe(safety: Any) -> Claim:
    text = "Every engine does in a call what an audio thread must not do."
    if not len(safety):
        return Claim(text, "not measured", "no cell of kind safety")
    counts: dict[str, float] = {}
    for engine, group in safety.groupby("engine"):
        counts[str(engine)] = max(sum(calls.get(title, 0.0) for title in _FORBIDDEN) for calls in group["in_a_call"])
    theirs = {engine: count for engine, count in counts.items() if engine in PAPERS_ENGINES}
    evidence = "; ".join(
        f"{engine}: {'nothing' if count == 0 else f'up to {count:.0f} allocations, frees, locks and system calls'}"
        for engine, count in counts.items()
    )
    if not theirs:
        return Claim(text, "not measured", evidence)
    guilty = [engine for engine, count in theirs.items() if count > 0]
    if len(guilty) == len(theirs):
        return Claim(text, "confirmed", evidence)
    return Claim(text, "different here" if guilty else "refuted", evidence)


def _fastest(text: str, engine: str, mixed: MixedModel | None, why_none: str, counts: Any) -> Claim:
    if mixed is None:
        return Claim(text, "not measured", why_none)
    wins: list[str] = []
    losses: list[str] = []
    open_: list[str] = []
    for each in mixed.ratios:
        if not (counts(each.model) and {each.engine, each.over} <= set(PAPERS_ENGINES)) or engine not in (
            each.engine,
            each.over,
        ):
            continue
        ours_first = each.engine == engine
        other = each.over if ours_first else each.engine
        ratio = each.ratio if ours_first else 1.0 / each.ratio
        line = f"{each.model}: {ratio:.2f} x {other}"
        verdict = (
            each.verdict if ours_first else {"faster": "slower", "slower": "faster"}.get(each.verdict, each.verdict)
        )
        (wins if verdict == "faster" else losses if verdict == "slower" else open_).append(line)
    if not (wins or losses or open_):
        return Claim(text, "not measured", "no other engine of the paper was measured beside it")
    evidence = f"time of {engine}: " + "; ".join([*wins, *losses, *(f"{line} (no difference shown)" for line in open_)])
    if not (wins or losses):
        return Claim(text, "undecided", evidence)
    if losses or open_:
        return Claim(text, "different here" if wins else "refuted", evidence)
    return Claim(text, "confirmed", evidence)


def _first_calls(starts: Sequence[ColdStart]) -> Claim:
    text = "For some networks and engines the first calls are slower."
    cold = [each for each in starts if each.warm_up == 0]
    if not cold:
        return Claim(text, "not measured", "no cell of kind cold")
    evidence = "; ".join(
        f"{each.engine}, {each.model}: first call {each.ratio:.0f} x, settled after {each.calls_to_settle} calls"
        for each in cold
    )
    slow = [each for each in cold if each.ratio > _SLOW_FIRST_CALL]
    return Claim(text, "confirmed" if slow else "refuted", evidence)
