"""Networks that need fewer steps: trained from data, by halving a teacher's steps, or to be right in one."""

import copy
import hashlib
from collections.abc import Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError, ParameterError
from neutone_like.numbers import real_number, whole_number
from neutone_like.optimise.diffusion.losses import Denoising, Draw, SameData, TwoStepsInOne, WholeWay
from neutone_like.optimise.diffusion.process import Diffusion
from neutone_like.optimise.diffusion.sampler import Sampler
from neutone_like.optimise.diffusion.samplers import ddim, dpm_solver, times_of
from neutone_like.optimise.diffusion.training import train

MOST_UPDATES = 100_000_000
USUAL_TEACHER_STEPS = 16  # of order 2
_LEAST_LOG_SNR = -6.0  # where an error of a predicted noise is one 20 times as large of the data


@checked_arguments(ParameterError)
def train_diffusion(
    network: nn.Module,
    diffusion: Diffusion,
    draw: Draw,
    updates: int,
    *,
    learning_rate: float = 1e-3,
    seed: int = 0,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool = True,
) -> nn.Module:
    """Train a network to predict what the diffusion predicts; every sampler then plays it.

    Args:
        network: Called as ``network(point, time, *conditions)``; trained in place.
        diffusion: Its schedule and prediction.
        draw: A function of a ``torch.Generator`` that returns ``(data, noise, *conditions)``, each ``[batch, ...]``.
        updates: How many.
        learning_rate: The highest, of Adam. It rises shortly and falls with half a cosine.
        seed: The same one gives the same weights on the same machine.
        checkpoint: A file that is written now and then; called again, training goes on from it, to the same weights.
        progress: Draw a bar on stderr, where that is a terminal.

    Returns:
        The network, in evaluation mode.

    Raises:
        ParameterError: A number out of its range.
        TrainingError: No weight can be trained; the loss or its gradient is not finite; or the checkpoint is damaged,
            of other arguments, or can't be written.
    """
    _run(network, Denoising(diffusion), draw, updates, learning_rate, seed, checkpoint, progress)
    return network


@checked_arguments(ParameterError)
def distil_progressively(
    teacher: nn.Module,
    diffusion: Diffusion,
    draw: Draw,
    steps: Sequence[int],
    updates: int,
    *,
    learning_rate: float = 5e-4,
    seed: int = 0,
    folder: str | PathLike[str] | None = None,
    progress: bool = True,
) -> dict[int, nn.Module]:
    """Halve a network's steps, again and again (T. Salimans and J. Ho, "Progressive Distillation", 2022).

    Each student starts as its teacher, learns to do two of its DDIM steps in one, and is the teacher of the next. It is
    good for its own number of steps, played by ``ddim(diffusion, steps)``, and for no other.

    Args:
        teacher: Trained with the same diffusion; stays as it is.
        diffusion: Its schedule and prediction; of data or v, where the noisy end has no data in it.
        draw: As of :func:`train_diffusion`.
        steps: Of the students, each half of the one before, such as ``(16, 8, 4)``; the first teacher does 32.
        updates: For each halving.
        learning_rate, seed, progress: As of :func:`train_diffusion`.
        folder: For a checkpoint of each halving.

    Returns:
        A network in evaluation mode for each number of steps.

    Raises:
        ParameterError: A number out of its range, or steps that are no halvings.
        TrainingError: As of :func:`train_diffusion`.
    """
    wanted = [whole_number(each, "steps", 1, 100_000, error=ParameterError) for each in steps]
    if not wanted or any(before != 2 * after for before, after in pairwise(wanted)):
        raise ParameterError(f"steps must be halved each time, such as (16, 8, 4), got {tuple(steps)!r}.")
    _require_data(diffusion)
    found: dict[int, nn.Module] = {}
    for count in wanted:
        student = copy.deepcopy(teacher)
        teacher.eval()
        loss = TwoStepsInOne(diffusion, teacher, tuple(times_of(diffusion.schedule, count)))
        checkpoint = None if folder is None else Path(folder) / f"steps-{count}.pt"
        _run(student, loss, draw, updates, learning_rate, seed, checkpoint, progress)
        found[count] = teacher = student
    return found


@checked_arguments(ParameterError)
def distil_whole_way(
    network: nn.Module,
    diffusion: Diffusion,
    draw: Draw,
    updates: int,
    *,
    steps: int,
    teacher: nn.Module,
    teacher_sampler: Sampler | None = None,
    learning_rate: float = 1e-3,
    seed: int = 0,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool = True,
) -> nn.Module:
    """Train few steps to end together where many of a teacher do, from the same noise.

    What halving leaves, this takes away: a student of :func:`distil_progressively` was taught each step by itself, and
    learns here that one step makes up for another. An update costs all steps of both.

    Args:
        network: Trained in place: a student of so many steps, or a copy of the teacher, which wants more updates.
        diffusion, draw, updates: As of :func:`train_diffusion`.
        steps: Of the student, played by ``ddim(diffusion, steps)``.
        teacher: Trained with the same diffusion, and another object than the student; stays as it is.
        teacher_sampler: How the teacher is played, without noise; ``None``: 16 steps of :func:`dpm_solver`.
        learning_rate, seed, checkpoint, progress: As of :func:`train_diffusion`.

    Returns:
        The network, in evaluation mode.

    Raises:
        ParameterError: A number out of its range, a sampler that adds noise, or a network that is its own teacher.
        TrainingError: As of :func:`train_diffusion`.
    """
    _require_data(diffusion)
    few = ddim(diffusion, steps)
    many = dpm_solver(diffusion, USUAL_TEACHER_STEPS) if teacher_sampler is None else teacher_sampler
    teacher.eval()
    _run(network, WholeWay(diffusion, teacher, few, many), draw, updates, learning_rate, seed, checkpoint, progress)
    return network


@checked_arguments(ParameterError)
def train_consistency(
    network: nn.Module,
    diffusion: Diffusion,
    draw: Draw,
    updates: int,
    *,
    teacher: nn.Module | None = None,
    grid_steps: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool = True,
) -> nn.Module:
    """Train a network that says the data in one step from anywhere, for the sampler :func:`consistency`.

    Args:
        network: Trained in place. A copy of a trained network is a good start.
        diffusion, draw, updates: As of :func:`train_diffusion`.
        teacher: Steps are its own (consistency distillation); ``None``: those of data and noise that belong together
            (consistency training), which needs no teacher, and more updates.
        grid_steps: Between as many steps neighbours agree, 2..10000. Fewer learn faster and end further off.
        learning_rate, seed, checkpoint, progress: As of :func:`train_diffusion`.

    Returns:
        The network, in evaluation mode.

    Raises:
        ParameterError: A number out of its range, or a network that is its own teacher.
        TrainingError: As of :func:`train_diffusion`.
    """
    count = whole_number(grid_steps, "grid_steps", 2, 10_000, error=ParameterError)
    _require_data(diffusion)
    loss = SameData(diffusion, tuple(times_of(diffusion.schedule, count)), teacher)
    if teacher is not None:
        teacher.eval()
    _run(network, loss, draw, updates, learning_rate, seed, checkpoint, progress)
    return network


def _require_data(diffusion: Diffusion) -> None:
    """Refuse a noisy end at which a prediction of the noise tells nothing."""
    ends = diffusion.schedule
    if diffusion.prediction == "noise" and ends.time_of_log_snr(_LEAST_LOG_SNR) < ends.noisy_end:
        raise ParameterError(
            f"At the noisy end, {ends.noisy_end}, there is so little data in a point that a prediction of the noise "
            'tells nothing of it in one step. Train with prediction="v" or "data", or end the schedule earlier.'
        )


def _checked_batch(drawn: Any) -> tuple[Tensor, ...]:
    """Raises ModelError for what is no ``(data, noise, *conditions)``: a single tensor would be taken apart."""
    batch = tuple(drawn) if isinstance(drawn, (tuple, list)) else ()
    tensors = all(isinstance(each, Tensor) and each.dim() > 0 for each in batch)
    if len(batch) < 2 or not tensors or batch[0].shape != batch[1].shape:
        shapes = [tuple(each.shape) for each in batch] if tensors else f"{drawn!r:.200}"
        raise ModelError(
            "draw must return (data, noise, *conditions), tensors [batch, ...] of which the first two have one shape, "
            f"got {shapes or type(drawn).__name__}."
        )
    return batch


def _run(
    network: nn.Module,
    loss: Denoising | TwoStepsInOne | WholeWay | SameData,
    draw: Draw,
    updates: int,
    learning_rate: float,
    seed: int,
    checkpoint: str | PathLike[str] | None,
    progress: bool,
) -> None:
    if getattr(loss, "teacher", None) is network:
        raise ParameterError(
            "The network is its own teacher, which would change with it. Pass copy.deepcopy(teacher) as the network."
        )
    train(
        network,
        loss,
        lambda generator: _checked_batch(draw(generator)),
        whole_number(updates, "updates", 1, MOST_UPDATES, error=ParameterError),
        learning_rate=real_number(learning_rate, "learning_rate", 1e-12, 10.0, error=ParameterError),
        seed=whole_number(seed, "seed", 0, (1 << 62) - 1, error=ParameterError),
        checkpoint=None if checkpoint is None else Path(checkpoint),
        purpose=_purpose(loss),
        progress=progress,
    )


def _purpose(loss: Denoising | TwoStepsInOne | WholeWay | SameData) -> str:
    """What a checkpoint must have been made for to be gone on from."""
    asked = f"{type(loss).__name__} {loss.diffusion} {getattr(loss, 'times', '')}"
    teacher = getattr(loss, "teacher", None)
    if teacher is None:
        return asked
    digest = hashlib.sha256()
    for name, value in sorted(teacher.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().view(-1).numpy().tobytes())
    return f"{asked} {digest.hexdigest()}"
