"""Whole layers: blocks of a list that add to what passes them, and can be left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from neutone_like.errors import ModelError
from neutone_like.graph import own_copy
from neutone_like.optimise.pruning.followed import Followed
from neutone_like.optimise.pruning.labels import LOCKED
from neutone_like.optimise.pruning.plan import count_to_cut
from neutone_like.optimise.pruning.proving import fitted, outputs
from neutone_like.optimise.pruning.result import PrunedLayers
from neutone_like.streaming import StreamingLayer


@dataclass(frozen=True)
class _Row:
    """Lists of one length beside each other, whose entries of one index are one block."""

    lists: tuple[str, ...]
    length: int

    def prefixes(self, indices: Sequence[int]) -> tuple[str, ...]:
        return tuple(f"{each}.{index}." for each in self.lists for index in indices)


def without_blocks(
    followed: Followed, share: Callable[[str], float], calibration: Sequence[Any] | None
) -> tuple[nn.Module, tuple[PrunedLayers, ...], float]:
    """A copy without the blocks that change the output least, each judged by leaving it out.

    Returns:
        The network, the table, and the largest difference from the network in which these blocks add nothing.

    Raises:
        ModelError: No block can be left out.
    """
    subject = followed.subject
    model, silent = own_copy(subject.network), own_copy(subject.network)
    table: list[PrunedLayers] = []
    gone_sizes: dict[int, int] = {}
    reasons: list[str] = []
    blocks = [subject.block(7)] if calibration is None else [_block(each) for each in calibration]
    for row in _rows(subject.network):
        found: list[tuple[float, int]] = []
        for index in range(row.length):
            quiet = _silenced(followed, subject.network, row.prefixes([index]))
            try:
                fitted(subject, _removed(subject.network, row, [index]), quiet, _sizes(subject.network, row.length, 1))
            except ModelError as error:
                reasons.append(f"{' + '.join(row.lists)}: {str(error).splitlines()[0]}")
                continue
            found.append((_changed(followed, quiet, blocks), index))
        count = min(count_to_cut(row.length, share(row.lists[0])), len(found))
        indices = sorted(index for _, index in sorted(found)[:count])
        if found:
            table.append(PrunedLayers(row.lists, "layers", row.length, row.length - len(indices)))
        if indices:
            model, silent = _removed(model, row, indices), _silenced(followed, silent, row.prefixes(indices))
            gone_sizes[row.length] = row.length - len(indices)
    if not table:
        raise ModelError(
            f"{type(subject.network).__name__} has no block in a list (ModuleList, Sequential) that adds to what "
            "passes it and can be left out." + "".join(f"\n- {each}" for each in dict.fromkeys(reasons[:6]))
        )
    model, equality = fitted(subject, model, silent, {name: gone_sizes for name, _ in model.named_modules()})
    return model, tuple(table), equality


def _rows(network: nn.Module) -> Iterator[_Row]:
    """Lists that are each by themselves, and, of one parent, those of one length together."""
    for parent_name, parent in network.named_modules():
        lists = {
            f"{parent_name}.{name}".lstrip("."): len(child)
            for name, child in parent.named_children()
            if isinstance(child, nn.ModuleList) and len(child) > 1
        }
        for length in sorted(set(lists.values())):
            names = tuple(name for name, own in lists.items() if own == length)
            yield _Row(names, length)
    for name, module in network.named_modules():
        # One that streams adds up delays when it is made.
        if isinstance(module, nn.Sequential) and not isinstance(module, StreamingLayer) and len(module) > 1:
            yield _Row((name,), len(module))


def _removed(network: nn.Module, row: _Row, indices: Sequence[int]) -> nn.Module:
    smaller = own_copy(network)
    for name in row.lists:
        entries: Any = smaller.get_submodule(name)
        for index in sorted(indices, reverse=True):
            del entries[index]
    return smaller


def _silenced(followed: Followed, network: nn.Module, prefixes: tuple[str, ...]) -> nn.Module:
    """A copy in which the blocks give nothing to channels that are also found outside of them."""
    silent = own_copy(network)
    prefix = followed.subject.prefix
    axes = {
        (name.removeprefix("self.").removeprefix(prefix), axis, (name, axis) in followed.found.made): classes
        for (name, axis), classes in followed.found.axes.items()
    }
    outside = {LOCKED}
    for (name, _, _), classes in axes.items():
        if not name.startswith(prefixes):
            outside.update(int(each) for each in np.unique(classes))
    named = dict(nn.Module.named_parameters(silent))
    with torch.no_grad():
        for (name, axis, made), classes in axes.items():
            if name.startswith(prefixes) and name in named and (made or named[name].dim() == 1):
                named[name].index_fill_(axis, torch.from_numpy(np.flatnonzero(np.isin(classes, sorted(outside)))), 0.0)
    return silent


def _changed(followed: Followed, quiet: nn.Module, blocks: Sequence[Sequence[Any]]) -> float:
    """The error-to-signal ratio without a block."""
    subject = followed.subject
    whole, found = outputs(subject, subject.network, blocks), outputs(subject, quiet, blocks)
    error = sum(float((a.double() - b.double()).square().sum()) for a, b in zip(whole, found, strict=True))
    return error / max(sum(float(each.double().square().sum()) for each in whole), 1e-30)


def _sizes(network: nn.Module, length: int, gone: int) -> dict[str, dict[int, int]]:
    return {name: {length: length - gone} for name, _ in network.named_modules()}


def _block(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (tuple, list)) else [given]
