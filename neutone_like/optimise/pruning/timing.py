"""How long the whole and the smaller network take, as they are played."""

from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import torch
from torch import nn

from neutone_like.errors import CaptureError, CompileError, ExportError
from neutone_like.graph import capture_call, to_torchscript
from neutone_like.model import WaveformToWaveformBase
from neutone_like.optimise.played_cost import CompiledCost, compiled_costs
from neutone_like.optimise.pruning.subject import Subject
from neutone_like.torch_threads import one_thread

_ROUNDS = 40
_WARM_UP = 3


@dataclass(frozen=True)
class Times:
    """Of both networks.

    Attributes:
        played_before, played_after: Of live models: compiled, a block of 64 samples.
        call_us_before, call_us_after: Of other networks: one call with the example, by TorchScript on one thread.
        note: Why something is not there.
    """

    played_before: CompiledCost | None = None
    played_after: CompiledCost | None = None
    call_us_before: float | None = None
    call_us_after: float | None = None
    note: str = ""


def measured(subject: Subject, smaller: nn.Module) -> Times:
    """Play both by turns; the shortest time of each counts, which is what it takes when nobody disturbs it."""
    try:
        if isinstance(subject.network, WaveformToWaveformBase) and isinstance(smaller, WaveformToWaveformBase):
            played = compiled_costs([subject.network, smaller])
            return Times(played_before=played[0], played_after=played[1])
        times = _call_times(subject, smaller)
        return Times(call_us_before=times[0], call_us_after=times[1])
    except (CompileError, ExportError, CaptureError) as error:
        return Times(note=f"times were not measured: {error}")


def _call_times(subject: Subject, smaller: nn.Module) -> list[float]:
    players: list[Any] = [
        to_torchscript(capture_call(subject.played(each), subject.example, only_length=True))
        for each in (subject.network, smaller)
    ]
    block = subject.block()
    best = [float("inf")] * len(players)
    with one_thread(), torch.no_grad():
        for number in range(_WARM_UP + _ROUNDS):
            for at, player in enumerate(players):
                start = perf_counter_ns()
                player(*block)
                if number >= _WARM_UP:
                    best[at] = min(best[at], (perf_counter_ns() - start) / 1e3)
    return best
