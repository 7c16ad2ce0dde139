"""Pruning little by little, with training in between, and a checkpoint after each step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neutone_like.errors import TrainingError
from neutone_like.optimise.checkpoint_file import checkpoint_file, write_checkpoint_file
from neutone_like.optimise.pruning.fine_tuning import FineTune, trained
from neutone_like.optimise.pruning.followed import Followed
from neutone_like.optimise.pruning.plan import Peers, count_to_cut
from neutone_like.optimise.pruning.result import PrunedLayers

Key = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Schedule:
    """How to come to the final shares.

    Attributes:
        steps: How many; after step ``i`` of ``n`` the part ``1 - (1 - i / n) ** 3`` of what is to go is gone. Source:
            Zhu and Gupta, To Prune or Not to Prune (2017).
        fine_tune: Trains after each step; ``None``: nobody does.
        checkpoint: A folder, from which it goes on after a kill; ``None``: nothing is written.
        settings: What makes a checkpoint one of this pruning.
    """

    steps: int
    fine_tune: FineTune | None
    checkpoint: Path | None
    settings: str

    def part(self, step: int) -> float:
        """Of what is to go, after so many steps."""
        return 1.0 - (1.0 - step / self.steps) ** 3


@dataclass(frozen=True)
class Stepped:
    """The network after all steps, the table, and the largest difference from silenced channels in any step."""

    model: nn.Module
    table: tuple[PrunedLayers, ...]
    equality: float


def prune_in_steps(
    first: Followed,
    shares: Sequence[float],
    again: Callable[[nn.Module], Followed],
    calibration: Sequence[Any] | None,
    schedule: Schedule,
) -> Stepped:
    """Cut, train, and so on.

    Args:
        first: The whole network.
        shares: The final share of each of its groups.
        again: Follows the channels of a smaller network.
        calibration: Sounds to judge by.
        schedule: How.
    """
    whole = {_key(group): group for group in first.peers}
    final = dict(zip(whole, shares, strict=True))
    done, followed, equality = 0, first, 0.0
    model = first.subject.network
    if schedule.checkpoint is not None:
        done, model, equality = _resumed(first, schedule)
    for step in range(done + 1, schedule.steps + 1):
        followed = first if step == 1 else again(model)
        dead: list[int] = []
        scores = followed.scores(calibration)
        for group in followed.peers:
            if _key(group) in whole:
                size = len(whole[_key(group)].classes)
                share = final[_key(group)] * schedule.part(step)
                count = len(group.classes) - (size - count_to_cut(size, share))
                dead += sorted(group.classes, key=lambda each: (scores.get(each, 0.0), each))[: max(0, count)]
        model, difference = followed.without(np.asarray(sorted(dead), np.int64))
        equality = max(equality, difference)
        if schedule.fine_tune is not None:
            inside = None if schedule.checkpoint is None else schedule.checkpoint / f"training-{step}.pt"
            trained(model, schedule.fine_tune, inside, f"{schedule.settings} step {step}")
        if schedule.checkpoint is not None:
            _keep(schedule, step, model, equality)
    table = [
        PrunedLayers(group.layers, group.kind, first.size(group), first.size(group, first.first_of(group, share)))
        for group, share in zip(first.peers, shares, strict=True)
    ]
    return Stepped(model, tuple(table), equality)


def _key(group: Peers) -> Key:
    return group.layers, group.kind


def _keep(schedule: Schedule, step: int, model: nn.Module, equality: float) -> None:
    assert schedule.checkpoint is not None
    write_checkpoint_file(
        schedule.checkpoint / f"step-{step}.pt",
        {"settings": schedule.settings, "equality": equality, "state": model.state_dict()},
        "",
        "Make room and begin again with the same arguments: it goes on after the last step that was kept.",
    )


def _resumed(first: Followed, schedule: Schedule) -> tuple[int, nn.Module, float]:
    """The last step that was kept, and its network: made anew in those sizes, with the weights that were kept."""
    assert schedule.checkpoint is not None
    for step in range(schedule.steps, 0, -1):
        path = schedule.checkpoint / f"step-{step}.pt"
        if not path.exists():
            continue
        with checkpoint_file(path, "Remove it to go on before it.") as found:
            settings, state, equality = found["settings"], found["state"], float(found["equality"])
        if settings != schedule.settings:
            raise TrainingError(
                f"{path} is of another pruning: another network, ratios, kinds or steps. Give what was given then to "
                "go on, or another folder to begin anew."
            )
        shares = _shares_of(first, state)
        model, _ = first.without(shares)
        model.load_state_dict(state)
        return step, model, equality
    return 0, first.subject.network, 0.0


def _shares_of(first: Followed, state: dict[str, torch.Tensor]) -> Any:
    """Classes, any ones, without which the network has the sizes of a checkpoint."""
    dead: list[int] = []
    for group in first.peers:
        name, axis = next(key for key in group.axes if key in first.found.made)
        classes = first.found.axes[name, axis]
        own = name.removeprefix("self.").removeprefix(first.subject.prefix)
        each_has = int((classes == group.classes[0]).sum())
        others = len(classes) - int(np.isin(classes, group.classes).sum())
        left = (state[own].shape[axis] - others) // each_has
        dead += group.classes[: len(group.classes) - left]
    return np.asarray(sorted(dead), np.int64)
