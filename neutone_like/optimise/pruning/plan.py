"""What of a network can be cut, and what is: peers are channels, heads or units that do the same in the same places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neutone_like.errors import ModelError, ParameterError
from neutone_like.numbers import as_finite_number
from neutone_like.optimise.pruning.dependencies import Dependencies
from neutone_like.optimise.pruning.labels import LOCKED, Ids
from neutone_like.printing import Printed

KINDS = ("channels", "heads", "units")


@dataclass(frozen=True)
class Peers:
    """Classes on the same axes, of which some may be cut.

    Attributes:
        layers: Whose outputs they are.
        kind: ``"channels"``, ``"heads"`` or ``"units"``.
        classes: One for each channel, head or unit.
        axes: Of the network's tensors, where they are found.
    """

    layers: tuple[str, ...]
    kind: str
    classes: tuple[int, ...]
    axes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, repr=False)
class KeptWhole(Printed):
    """A layer of which nothing can be cut.

    Attributes:
        layer: Its name in the network.
        size: How many channels it has; of a part in TorchScript, how many numbers.
        reason: Why.
    """

    layer: str
    size: int
    reason: str


def layer_of(weight: str) -> str:
    """The layer that has a tensor."""
    return weight.rpartition(".")[0]


def find_peers(found: Dependencies) -> list[Peers]:
    """Everything that can be cut, in the order of the network's layers."""
    places: dict[int, list[tuple[str, int]]] = {}
    whole: set[int] = set()
    for key, classes in found.axes.items():
        distinct = [int(each) for each in np.unique(classes)]
        if len(distinct) == 1:
            whole.add(distinct[0])
        for each in distinct:
            places.setdefault(each, []).append(key)
    by_places: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for each, keys in places.items():
        if each != LOCKED and each not in whole and any(key in found.made for key in keys):
            by_places.setdefault(tuple(keys), []).append(each)
    return [_peers(found, keys, classes) for keys, classes in by_places.items() if len(classes) > 1]


def _peers(found: Dependencies, keys: tuple[tuple[str, int], ...], classes: list[int]) -> Peers:
    layers = tuple(dict.fromkeys(layer_of(name) for name, axis in keys if (name, axis) in found.made))
    kind = "units" if found.units & set(classes) else "heads" if found.heads & set(classes) else "channels"
    return Peers(layers, kind, tuple(sorted(classes)), keys)


def kept_whole(found: Dependencies, peers: Sequence[Peers]) -> list[KeptWhole]:
    """Layers of several channels of which none can be cut."""
    cuttable = {each for group in peers for each in group.classes}
    kept: dict[str, KeptWhole] = {}
    for key in sorted(found.made):
        classes = found.axes.get(key)
        if classes is None or cuttable & {int(each) for each in classes}:
            continue
        layer = layer_of(key[0])
        reason = found.reasons.get(key, "they are what the network gives, or are joined in a way that is not known")
        kept[layer] = KeptWhole(layer, len(classes), reason)
    return list(kept.values())


def checked_ratio(name: str, value: object) -> float:
    """A share to cut.

    Raises:
        ParameterError: It is not from 0 up to, and without, 1.
    """
    ratio = as_finite_number(value)
    if ratio is None or not 0.0 <= ratio < 1.0:
        nothing = " Nothing would be left of the layer." if ratio == 1.0 else ""
        raise ParameterError(
            f"{name} must be a number from 0 up to, and without, 1 (0.4 cuts 40 %), got {value!r}.{nothing}"
        )
    return ratio


def ratio_of_each(
    peers: Sequence[Peers], kept: Sequence[KeptWhole], ratio: float, ratios: Mapping[str, float]
) -> list[float]:
    """The share that is cut of each group of peers.

    Raises:
        ParameterError: A layer that is not there, or two of one group with different ratios.
        ModelError: A layer of which nothing can be cut.
    """
    named = {layer: at for at, group in enumerate(peers) for layer in group.layers}
    whole = {each.layer: each for each in kept}
    chosen: dict[int, tuple[str, float]] = {}
    for layer, own in ratios.items():
        if layer in whole and checked_ratio(f"ratios[{layer!r}]", own) > 0.0:
            raise ModelError(f"{layer} can't be pruned: {whole[layer].reason}. {ADVICE}")
        if layer in whole:
            continue
        if layer not in named:
            known = ", ".join(sorted(named)[:12])
            raise ParameterError(f"ratios: no layer {layer!r} has channels that can be cut. There are {known}.")
        at, other = named[layer], chosen.get(named[layer])
        own = checked_ratio(f"ratios[{layer!r}]", own)
        if other is not None and other[1] != own:
            raise ParameterError(
                f"ratios: {other[0]!r} and {layer!r} have the same channels, since they are added or multiplied, and "
                f"were given {other[1]} and {own}. Give one of them."
            )
        chosen[at] = (layer, own)
    return [chosen[at][1] if at in chosen else ratio for at in range(len(peers))]


ADVICE = (
    "Leave it as it is (ratios), normalise channels one by one (BatchNorm1d, or GroupNorm with as many groups as "
    "channels) and train again, or distil into a smaller network"
)


def count_to_cut(size: int, ratio: float) -> int:
    """Of so many peers; at least one is kept."""
    return min(int(ratio * size + 0.5), size - 1)


def kept_indices(found: Dependencies, dead: Ids) -> dict[tuple[str, int], Ids]:
    """For each axis that becomes shorter what is kept of it."""
    kept: dict[tuple[str, int], Ids] = {}
    for key, classes in found.axes.items():
        gone = np.isin(classes, dead)
        if gone.any():
            kept[key] = np.flatnonzero(~gone)
    return kept


def kept_of_states(found: Dependencies, dead: Ids) -> dict[str, dict[int, Ids]]:
    """For each state the axes that become shorter, and what is kept of them.

    Raises:
        ModelError: What would be cut of a state is no part of it along an axis.
    """
    kept: dict[str, dict[int, Ids]] = {}
    for name, classes in found.states.items():
        gone = np.isin(classes, dead)
        if not gone.any():
            continue
        known = classes >= 0
        axes: dict[int, Ids] = {}
        left = gone.copy()
        for axis in range(classes.ndim):
            rest = tuple(each for each in range(classes.ndim) if each != axis)
            whole = (gone | ~known).all(rest) & gone.any(rest)
            if whole.any() and not whole.all():
                axes[axis] = np.flatnonzero(~whole)
                left &= ~np.expand_dims(whole, rest)
        if left.any():
            raise ModelError(f"The state {name} can't become smaller with its layer: its channels lie along no axis.")
        kept[name] = axes
    return kept
