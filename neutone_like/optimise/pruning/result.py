"""What pruning gives: the smaller network, and what it is smaller by."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from neutone_like.optimise.pruning.plan import KeptWhole
from neutone_like.printing import Printed, Row


@dataclass(frozen=True, repr=False)
class PrunedLayers(Printed):
    """Layers whose outputs are the same channels, heads or units, and how many of them are left.

    Attributes:
        layers: Their names in the network. Those that are added or multiplied have their channels together.
        kind: ``"channels"``, ``"heads"`` or ``"units"``.
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
        bytes_before, bytes_after: What weights and tables take.
        equality: The largest difference from the whole network with the same channels silenced, in parts of the peak:
            before any training.
        norms_removed: Layers whose weight norm became a plain weight.
    """

    model: nn.Module
    layers: tuple[PrunedLayers, ...]
    kept_whole: tuple[KeptWhole, ...]
    parameters_before: int
    parameters_after: int
    bytes_before: int
    bytes_after: int
    equality: float
    norms_removed: tuple[str, ...] = ()

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
            "norms_removed": list(self.norms_removed),
        }

    def _title(self) -> str:
        share = 100.0 * (1.0 - self.parameters_after / max(self.parameters_before, 1))
        return f"Pruned {type(self.model).__name__}: {share:.0f} % of its parameters are gone"

    def _rows(self) -> list[Row]:
        return [
            ("parameters", f"{self.parameters_before} to {self.parameters_after}"),
            ("bytes", f"{self.bytes_before} to {self.bytes_after}"),
            ("differs from silenced channels by", f"{self.equality:.2g} of the peak"),
            *[
                (_named(each.layers), f"{each.before} {each.kind} to {each.after}")
                for each in self.layers
                if each.after < each.before
            ],
        ]

    def _html_rows(self) -> list[Row]:
        return [*self._rows(), *[(each.layer, f"{each.size} kept: {each.reason}") for each in self.kept_whole]]


def _named(layers: tuple[str, ...]) -> str:
    shown = [each or "(itself)" for each in layers]
    return " + ".join(shown) if len(shown) <= 3 else f"{shown[0]} + {len(shown) - 1} more"
