"""A network of which it is known what depends on what: what to cut of it, and the network without that."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from neutone_like.arguments import require_kind
from neutone_like.errors import ParameterError
from neutone_like.optimise.programs import numbers_in, programs_in
from neutone_like.optimise.pruning.cutting import cut, tell_layers, zeroed
from neutone_like.optimise.pruning.dependencies import Dependencies, dependencies
from neutone_like.optimise.pruning.importance import Scores, by_sound, by_weights
from neutone_like.optimise.pruning.labels import Ids
from neutone_like.optimise.pruning.plan import (
    KeptWhole,
    Peers,
    count_to_cut,
    find_peers,
    kept_indices,
    kept_of_states,
    kept_whole,
)
from neutone_like.optimise.pruning.proving import fitted
from neutone_like.optimise.pruning.subject import Subject

PROGRAM = (
    "it is TorchScript, as to_streaming and torch.jit make it, whose weights can't be cut. Prune the network that it "
    "was made of, and make it of what comes out: to_streaming(prune(network, example).model, example)"
)
"""Why of such a part nothing is cut."""


class Followed:
    """A network of which it is known what depends on what."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        played = subject.played(subject.network)
        self.weights = {name: each.detach() for name, each in played.named_parameters()}
        found = dependencies(subject.graph, subject.block(), frozenset(self.weights))
        self.found = found
        network = subject.network
        programs = programs_in(network)
        inside = tuple(f"{each}." for each in programs)
        groups = [_shown(group, subject.prefix) for group in find_peers(found)]
        self.peers = [
            group
            for group in groups
            if not any(_own(name, subject.prefix).startswith(inside) for name, _ in group.axes)
        ]
        whole = [_shown_whole(each, subject.prefix) for each in kept_whole(found, self.peers)]
        self.whole = [each for each in whole if not f"{each.layer}.".startswith(inside)]
        self.whole += [KeptWhole(each, numbers_in(network, each), PROGRAM) for each in programs]

    def scores(self, calibration: Sequence[Any] | None) -> Scores:
        """How much each class counts."""
        if calibration is None:
            return by_weights(self.found, self.peers, self.weights)
        blocks = [_block(each) for each in calibration]
        _check_blocks(self.subject, blocks)
        return by_sound(self.found, self.peers, self.subject.graph, self.weights, blocks)

    def size(self, group: Peers, dead: Sequence[int] = ()) -> int:
        """How many there are without ``dead``; of channels that stand in for several (a gate's halves) each once."""
        if group.kind != "channels":
            return len(group.classes) - len(dead)
        left = set(group.classes) - set(dead)
        made = [self.found.axes[key] for key in group.axes if key in self.found.made]
        return min(int(np.isin(classes, sorted(left)).sum()) for classes in made)

    def first_of(self, group: Peers, share: float) -> list[int]:
        """As many classes as go of a group, whichever."""
        return list(group.classes[: count_to_cut(len(group.classes), share)])

    def dead(self, shares: Sequence[float]) -> Ids:
        """As many classes as go, whichever."""
        gone = [each for group, own in zip(self.peers, shares, strict=True) for each in self.first_of(group, own)]
        return np.asarray(sorted(gone), np.int64)

    def without(self, dead: Ids) -> tuple[nn.Module, float]:
        """The network without these classes, proven.

        Raises:
            ModelError: It does not run, or is not equal.
        """
        subject, found = self.subject, self.found
        kept = {_own_key(key, subject.prefix): each for key, each in kept_indices(found, dead).items()}
        states = {_own(name, subject.prefix): axes for name, axes in kept_of_states(found, dead).items()}
        smaller = cut(subject.network, kept, states)
        tell_layers(subject.network, smaller, _named_norms(found, subject.prefix), dead)
        multiplied = {product.weight for product in found.products} | {name for name, _ in found.made}
        silent = zeroed(subject.network, kept, frozenset(_own(name, subject.prefix) for name in multiplied))
        return fitted(subject, smaller, silent, self._sizes(smaller, dead))

    def _sizes(self, smaller: nn.Module, dead: Ids) -> dict[str, dict[int, int]]:
        """For each module what the sizes become that are found in it or below; without those that become several."""
        changes: list[tuple[str, int, int]] = []
        for (name, _), classes in self.found.axes.items():
            changes.append((_own(name, self.subject.prefix), len(classes), int((~np.isin(classes, dead)).sum())))
        for name, axes in kept_of_states(self.found, dead).items():
            shape = self.found.states[name].shape
            changes += [(_own(name, self.subject.prefix), shape[axis], len(index)) for axis, index in axes.items()]
        for name, classes in self.found.norms.items():
            left = len(set(np.unique(classes)) - set(dead))
            changes.append((_own(f"{name}.weight", self.subject.prefix), len(np.unique(classes)), left))
        for group in self.peers:
            left = len(set(group.classes) - set(dead))
            changes += [(_own(name, self.subject.prefix), len(group.classes), left) for name, _ in group.axes]
        return {name: _one_way(name, changes) for name, _ in smaller.named_modules()}


def _one_way(module: str, changes: Sequence[tuple[str, int, int]]) -> dict[int, int]:
    found: dict[int, set[int]] = {}
    for name, before, after in changes:
        if not module or name.startswith(f"{module}."):
            found.setdefault(before, set()).add(after)
    known = {before: after - {before} for before, after in found.items()}
    return {before: next(iter(after)) for before, after in known.items() if len(after) == 1}


def _shown(group: Peers, prefix: str) -> Peers:
    return Peers(tuple(_own(f"{each}.", prefix)[:-1] for each in group.layers), group.kind, group.classes, group.axes)


def _shown_whole(kept: KeptWhole, prefix: str) -> KeptWhole:
    return KeptWhole(_own(f"{kept.layer}.", prefix)[:-1], kept.size, kept.reason)


def _own(name: str, prefix: str) -> str:
    """As the network itself calls it."""
    return name.removeprefix("self.").removeprefix(prefix)


def _own_key(key: tuple[str, int], prefix: str) -> tuple[str, int]:
    return _own(key[0], prefix), key[1]


def _named_norms(found: Dependencies, prefix: str) -> dict[str, Ids]:
    return {_own(name, prefix): ids for name, ids in found.norms.items()}


def _block(given: Any) -> list[Tensor]:
    return list(given) if isinstance(given, (tuple, list)) else [given]


def _check_blocks(subject: Subject, blocks: Sequence[Sequence[Tensor]]) -> None:
    if not blocks:
        raise ParameterError("calibration must hold at least one block of sound, got none.")
    expected = [each.shape[:-1] for each in subject.block()]
    for block in blocks:
        for each in block:
            require_kind(each, Tensor, ParameterError)
        shapes = [list(each.shape) for each in block]
        if [each.shape[:-1] for each in block] != expected or block[0].shape[-1] != subject.example.samples:
            raise ParameterError(
                f"calibration: each block must be like the example, with {subject.example.samples} samples: "
                f"{[list(each.shape) for each in subject.block()]}, got {shapes}."
            )
    if not any(bool(block[0].abs().max() > 0) for block in blocks):
        raise ParameterError(
            "calibration is silent, so that it tells nothing. Give sounds that the network is used with."
        )
