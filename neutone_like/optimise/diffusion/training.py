"""One training loop for all losses: seeded, with a bar, and a checkpoint that it goes on from after a kill."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neutone_like.errors import TrainingError
from neutone_like.optimise.checkpoint_file import checkpoint_file, write_checkpoint_file
from neutone_like.optimise.diffusion.losses import Draw, Loss
from neutone_like.streaming import reset_streaming

_WARM_UP = 0.05  # of all updates
_MOST_NORM = 1.0  # of gradients
_UPDATES_BETWEEN_CHECKPOINTS = 50


def train(
    network: nn.Module,
    loss: Loss,
    draw: Draw,
    updates: int,
    *,
    learning_rate: float,
    seed: int = 0,
    checkpoint: Path | None = None,
    purpose: str = "",
    progress: bool = True,
) -> float:
    """Train in place by Adam; the rate rises shortly and falls with half a cosine. Returns CPU seconds.

    The same arguments give the same weights on the same machine, also when it was killed in between: what a checkpoint
    holds is the network, the optimiser and the generator, for what ``purpose`` they are, and the CPU seconds of the
    process until then, which count as well.

    Raises:
        TrainingError: No weight can be trained; the loss or its gradient is not finite; or the checkpoint is damaged,
            of other arguments, or can't be written.
    """
    if not any(each.requires_grad for each in network.parameters()):
        raise TrainingError(
            "No weight of the network can be trained: it has none, or all are frozen. "
            "Call network.requires_grad_(True) first."
        )
    generator = torch.Generator().manual_seed(seed)
    optimiser: Any = torch.optim.Adam(network.parameters(), lr=learning_rate)
    settings = [updates, learning_rate, seed, sorted(network.state_dict()), purpose]
    begun, seconds = (0, 0.0) if checkpoint is None else _restore(checkpoint, settings, network, optimiser, generator)
    started = time.process_time() - seconds
    network.train()
    with _showing(progress, updates) as show:
        for update in range(begun, updates):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * _share(update / updates)
            reset_streaming(network)  # a batch is no continuation of the one before, whose graph is gone
            value = loss(network, draw(generator), generator)
            if not bool(torch.isfinite(value)):
                raise TrainingError(_diverged("loss", float(value.detach()), update, learning_rate, checkpoint))
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), _MOST_NORM)
            if not bool(torch.isfinite(norm)):  # or the next checkpoint would be of weights that are no numbers
                raise TrainingError(_diverged("gradient", float(norm), update, learning_rate, checkpoint))
            optimiser.step()
            done = update + 1
            if checkpoint is not None and (done % _UPDATES_BETWEEN_CHECKPOINTS == 0 or done == updates):
                _keep(checkpoint, settings, done, time.process_time() - started, network, optimiser, generator)
            show(done, float(value.detach()))
    network.eval()
    reset_streaming(network)
    return time.process_time() - started


def _share(done: float) -> float:
    return min(1.0, (done + 1e-3) / _WARM_UP) * 0.5 * (1.0 + math.cos(math.pi * done))


def _keep(
    path: Path,
    settings: list[Any],
    done: int,
    seconds: float,
    network: nn.Module,
    optimiser: Any,
    generator: torch.Generator,
) -> None:
    states = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "generator": generator.get_state()}
    write_checkpoint_file(
        path,
        {"settings": repr(settings), "done": done, "cpu_seconds": seconds, **states},
        f" after update {done}",
        "Make room and begin again with the same arguments: it goes on from the last checkpoint, which is whole.",
    )


def _restore(
    path: Path, settings: list[Any], network: nn.Module, optimiser: Any, generator: torch.Generator
) -> tuple[int, float]:
    """How many updates were done already, and the CPU seconds that they took; 0 where nobody counted them."""
    if not path.exists():
        return 0, 0.0
    with checkpoint_file(path, "Remove it to begin anew.") as found:
        before, done, seconds = found["settings"], int(found["done"]), float(found.get("cpu_seconds", 0.0))
        if before == repr(settings):
            network.load_state_dict(found["network"])
            optimiser.load_state_dict(found["optimiser"])
            generator.set_state(found["generator"])
    if before != repr(settings):
        raise TrainingError(
            f"{path} is of another training: other updates, rate, seed, layers, diffusion or teacher. Give what was "
            "given then to go on, or remove it to begin anew."
        )
    return done, seconds


def _diverged(what: str, value: float, update: int, learning_rate: float, checkpoint: Path | None) -> str:
    kept = "" if checkpoint is None or not checkpoint.exists() else f" The last checkpoint is kept in {checkpoint}."
    return (
        f"The {what} became {value} at update {update}, with a highest learning rate of {learning_rate:.2g}.{kept} "
        f"Look for data that is not finite, or begin anew with learning_rate={learning_rate / 4:.1g}."
    )


@contextmanager
def _showing(wanted: bool, updates: int) -> Iterator[Any]:
    """A bar on stderr, where that is a terminal."""
    if not wanted or not sys.stderr.isatty():
        yield lambda done, value: None
        return
    from rich.console import Console  # here, since whoever draws nothing needs no rich
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=updates)
        yield lambda done, value: bar.update(task, completed=done, description=f"loss {value:.4f}")
