"""What pruning gives: the smaller network, and what it is smaller by."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from neutone_like.optimise.played_cost import CompiledCost
from neutone_like.optimise.pruning.plan import KeptWhole
from neutone_like.printing import Printed, Row

_FASTER = 0.95  # less is within what measuring the same twice gives


@dataclass(frozen=True, repr=False)
class PrunedLayers(Printed):
    """Layers whose outputs are the same channels, heads or units, and how many of them are left.

    Attributes:
        layers: Their names in the network. Those that are added or multiplied have their channels together.
        kind: ``"channels"``, ``"heads"``, ``"units"``, ``"layers"`` (of lists) or ``"weights"`` that are not zero.
        before, after: How many there were and are.
    """

    layers: tuple[str, ...]
    kind: str
    before: int
    after: int


@dataclass(frozen=True, repr=False)
class PruneResult(Printed):
    """A smaller network.

    Attributes:
        model: Of the same class as what was pruned, with smaller layers; a model is exported as usual.
        layers: What was cut.
        kept_whole: Layers of which nothing can be cut, and why.
        parameters_before, parameters_after: How many weights there were and are.
        zeros_after: How many of those are zero.
        bytes_before, bytes_after: What weights and tables take.
        equality: The largest difference from the whole network with the same channels silenced, in parts of the peak:
            before any training.
        norms_removed: Layers whose weight norm became a plain weight.
        played_before, played_after: Of live models, compiled: the file, and the time of a block, where that was asked.
        call_us_before, call_us_after: Of other networks: the time of one call with the example, by TorchScript.
        note: Why times are missing.
    """

    model: nn.Module
    layers: tuple[PrunedLayers, ...]
    kept_whole: tuple[KeptWhole, ...]
    parameters_before: int
    parameters_after: int
    zeros_after: int
    bytes_before: int
    bytes_after: int
    equality: float
    norms_removed: tuple[str, ...] = ()
    played_before: CompiledCost | None = None
    played_after: CompiledCost | None = None
    call_us_before: float | None = None
    call_us_after: float | None = None
    note: str = ""

    @property
    def time_ratio(self) -> float | None:
        """The time after in parts of that before, below 1 is faster; ``None`` where it was not measured."""
        if self.played_before is not None and self.played_after is not None:
            return self.played_after.block_us / self.played_before.block_us
        if self.call_us_before is not None and self.call_us_after is not None:
            return self.call_us_after / self.call_us_before
        return None

    def to_dict(self) -> dict[str, Any]:
        """As JSON types, without the model."""
        return {
            "layers": [
                {"layers": list(each.layers), "kind": each.kind, "before": each.before, "after": each.after}
                for each in self.layers
            ],
            "kept_whole": [{"layer": each.layer, "size": each.size, "reason": each.reason} for each in self.kept_whole],
            "parameters_before": self.parameters_before,
            "parameters_after": self.parameters_after,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "equality": self.equality,
            "zeros_after": self.zeros_after,
            "norms_removed": list(self.norms_removed),
            "played_before": None if self.played_before is None else asdict(self.played_before),
            "played_after": None if self.played_after is None else asdict(self.played_after),
            "call_us_before": self.call_us_before,
            "call_us_after": self.call_us_after,
            "time_ratio": self.time_ratio,
            "note": self.note,
        }

    def _title(self) -> str:
        gone = self.parameters_before - self.parameters_after
        told, many = ("gone", gone) if gone else ("zero", self.zeros_after)
        share = 100.0 * many / max(self.parameters_before, 1)
        return f"Pruned {type(self.model).__name__}: {share:.0f} % of its parameters are {told}"

    def _rows(self) -> list[Row]:
        return [
            *self._time(),
            ("parameters", f"{self.parameters_before} to {self.parameters_after}"),
            ("bytes", f"{self.bytes_before} to {self.bytes_after}"),
            ("differs from silenced channels by", f"{self.equality:.2g} of the peak"),
            *[
                (_named(each.layers), f"{each.before} {each.kind} to {each.after}")
                for each in self.layers
                if each.after < each.before
            ],
        ]

    def _time(self) -> list[Row]:
        if self.time_ratio is None:
            return [("times", self.note)] if self.note else []
        verdict = "faster" if self.time_ratio < _FASTER else "NOT faster: an improvement in nothing but its size"
        if self.parameters_after == self.parameters_before:
            verdict = verdict.replace(" in nothing but its size", " in nothing")
        return [("time of a block or call", f"x {self.time_ratio:.2f} of what it was, {verdict}")]

    def _html_rows(self) -> list[Row]:
        return [*self._rows(), *[(each.layer, f"{each.size} kept: {each.reason}") for each in self.kept_whole]]


def _named(layers: tuple[str, ...]) -> str:
    shown = [each or "(itself)" for each in layers]
    return " + ".join(shown) if len(shown) <= 3 else f"{shown[0]} + {len(shown) - 1} more"
