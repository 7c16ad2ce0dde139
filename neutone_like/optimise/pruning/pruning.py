"""A network without the channels, heads and units that count least: captured, followed, cut, and proven."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from neutone_like.errors import ModelError, ParameterError
from neutone_like.graph import own_copy
from neutone_like.optimise.pruning.cutting import cut, tell_layers, without_norms_of_weights, zeroed
from neutone_like.optimise.pruning.dependencies import Dependencies, dependencies
from neutone_like.optimise.pruning.importance import by_sound, by_weights
from neutone_like.optimise.pruning.labels import Ids
from neutone_like.optimise.pruning.plan import (
    ADVICE,
    KINDS,
    KeptWhole,
    Peers,
    checked_ratio,
    count_to_cut,
    find_peers,
    kept_indices,
    kept_of_states,
    kept_whole,
    ratio_of_each,
)
from neutone_like.optimise.pruning.proving import fitted
from neutone_like.optimise.pruning.result import PrunedLayers, PruneResult
from neutone_like.optimise.pruning.subject import Subject, subject_of
from neutone_like.torch_settings import plain_settings


@plain_settings()
def prune(
    network: nn.Module,
    example: Any = None,
    *,
    ratio: float = 0.5,
    ratios: Mapping[str, float] | None = None,
    kinds: Sequence[str] = KINDS,
    calibration: Sequence[Any] | None = None,
) -> PruneResult:
    """Cut whole channels, attention heads and recurrent units, so that what is left is a smaller ordinary network.

    The network is captured, every channel is followed through it, and those that are added, multiplied, gated or
    concatenated are cut together. The smaller network is played beside the whole one with the same channels silenced
    before it is returned: it differs by at most 1e-6 of the peak. It still has to be trained on, as a rule.

    Args:
        network: A live model, or any network with an example. It stays as it was. Weight norm becomes plain weights.
        example: What the network is called with, as for :func:`~neutone_like.graph.capture`: a tensor, or a tuple of
            arguments; ``None``: noise for the first layer's channels. Not for models.
        ratio: The share that is cut of the channels, heads or units of each layer: from 0 up to, and without, 1.
        ratios: By layer's name another share; layers whose channels are added have one together.
        kinds: Which of ``"channels"``, ``"heads"`` and ``"units"``.
        calibration: Sounds to judge by: consecutive blocks of what the network is called with, each as long as the
            example. What gives the least energy to the layers after it is cut first. ``None``: judged by weights.

    Raises:
        ModelError: Nothing can be cut, with the layers and why; sizes are written into the code, with the line; or the
            smaller network is not equal.
        ParameterError: A ratio out of range, a layer or kind that is not there.
        CaptureError: The network can't be captured.
    """
    share = checked_ratio("ratio", ratio)
    _check_kinds(kinds)
    plain = own_copy(network)
    was_training = {name: module.training for name, module in plain.named_modules()}
    norms = without_norms_of_weights(plain.eval())
    subject = subject_of(plain, example)
    followed = _Followed(subject)
    shares = ratio_of_each(followed.peers, followed.whole, share, dict(ratios or {}))
    shares = [own if group.kind in kinds else 0.0 for own, group in zip(shares, followed.peers, strict=True)]
    if not any(group.kind in kinds for group in followed.peers):
        raise ModelError(_nothing(type(network).__name__, followed, kinds))
    dead, table = followed.chosen(shares, calibration)
    smaller, equality = followed.without(dead)
    for name, module in smaller.named_modules():
        module.training = was_training.get(name, True)
    return PruneResult(
        model=smaller,
        layers=table,
        kept_whole=tuple(followed.whole),
        parameters_before=sum(each.numel() for each in plain.parameters()),
        parameters_after=sum(each.numel() for each in smaller.parameters()),
        bytes_before=_bytes(plain),
        bytes_after=_bytes(smaller),
        equality=equality,
        norms_removed=tuple(dict.fromkeys(norms)),
    )


class _Followed:
    """A network of which it is known what depends on what."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        played = subject.played(subject.network)
        self.weights = {name: each.detach() for name, each in played.named_parameters()}
        found = dependencies(subject.graph, subject.block(), frozenset(self.weights))
        self.found = found
        self.peers = [_shown(group, subject.prefix) for group in find_peers(found)]
        self.whole = [_shown_whole(each, subject.prefix) for each in kept_whole(found, self.peers)]

    def chosen(
        self, shares: Sequence[float], calibration: Sequence[Any] | None
    ) -> tuple[Ids, tuple[PrunedLayers, ...]]:
        """The classes that are cut, and the table of what that makes of each layer."""
        found, peers = self.found, self.peers
        if calibration is None:
            scores = by_weights(found, peers, self.weights)
        else:
            blocks = [_block(each) for each in calibration]
            _check_blocks(self.subject, blocks)
            scores = by_sound(found, peers, self.subject.graph, self.weights, blocks)
        dead: list[int] = []
        table: list[PrunedLayers] = []
        for group, share in zip(peers, shares, strict=True):
            count = count_to_cut(len(group.classes), share)
            worst = sorted(group.classes, key=lambda each: (scores.get(each, 0.0), each))[:count]
            dead += worst
            table.append(PrunedLayers(group.layers, group.kind, *_sizes_of(found, group, worst)))
        return np.asarray(sorted(dead), np.int64), tuple(table)

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


def _sizes_of(found: Dependencies, group: Peers, dead: Sequence[int]) -> tuple[int, int]:
    """How many there are before and after: of channels that stand in for several (a gate's halves) each once."""
    if group.kind != "channels":
        return len(group.classes), len(group.classes) - len(dead)
    own = [np.isin(found.axes[key], group.classes) for key in group.axes if key in found.made]
    gone = [np.isin(found.axes[key], dead) for key in group.axes if key in found.made]
    before, after = min((int(each.sum()), int((each & ~cut).sum())) for each, cut in zip(own, gone, strict=True))
    return before, after


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


def _nothing(network: str, followed: _Followed, kinds: Sequence[str]) -> str:
    if followed.peers:
        there = ", ".join(sorted({group.kind for group in followed.peers}))
        return f"{network} has none of {', '.join(kinds)} that can be cut; it has {there}."
    if not followed.whole:
        return f"{network} has no layer with several channels, heads or units between its input and its output."
    named = "\n".join(f"- {each.layer} ({each.size}): {each.reason}" for each in followed.whole[:8])
    return f"Nothing of {network} can be pruned so that the rest stays as it is:\n{named}\n{ADVICE}."


def _check_kinds(kinds: Sequence[str]) -> None:
    if isinstance(kinds, str) or not kinds or set(kinds) - set(KINDS):
        raise ParameterError(f"kinds must be some of {', '.join(map(repr, KINDS))}, got {kinds!r}.")


def _block(given: Any) -> list[Tensor]:
    return list(given) if isinstance(given, (tuple, list)) else [given]


def _check_blocks(subject: Subject, blocks: Sequence[Sequence[Tensor]]) -> None:
    if not blocks:
        raise ParameterError("calibration must hold at least one block of sound, got none.")
    expected = [each.shape[:-1] for each in subject.block()]
    for block in blocks:
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


def _bytes(network: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in (*network.parameters(), *network.buffers()))
