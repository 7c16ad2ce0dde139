"""Distilling: a student learns from its teacher, and is measured beside it as both are played."""

import json
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from neutone_like.artifact import Artifact
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError, ParameterError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.numbers import real_number, whole_number
from neutone_like.optimise.artifacts import LiveModel, opened, written
from neutone_like.optimise.comparing import quality
from neutone_like.optimise.distilling.checkpoint import CHECKPOINT_NAME
from neutone_like.optimise.distilling.facts import Facts, facts_of, require_same
from neutone_like.optimise.distilling.losses import Losses
from neutone_like.optimise.distilling.material import Material, checked_levels, material, recordings_from, with_levels
from neutone_like.optimise.distilling.result import CurvePoint, DistilResult, verdict
from neutone_like.optimise.distilling.schedule import Budget, windows_for
from neutone_like.optimise.distilling.showing import showing
from neutone_like.optimise.distilling.signals import Generator, phrases
from neutone_like.optimise.distilling.student_check import require_trainable
from neutone_like.optimise.distilling.students import StudentModel, StudentShape, student_network
from neutone_like.optimise.distilling.training import Training
from neutone_like.optimise.played_cost import BLOCK_SIZES, played_costs
from neutone_like.optimise.sounds import Recording, Sounds
from neutone_like.render.model_plugin import ModelPlugin
from neutone_like.torch_settings import plain_settings
from neutone_like.whole_file import write_whole

RESULT_NAME = "result.json"
_SECONDS = 60.0


@checked_arguments(ParameterError, but=("teacher", "student", "audio"))
@plain_settings()
def distil(
    teacher: LiveModel,
    student: StudentShape | StudentModel | nn.Module,
    audio: Sounds | Generator | None = None,
    *,
    out: str | PathLike[str] | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    sample_rate: int | None = None,
    audio_seconds: float = 60.0,
    levels_db: tuple[float, float] | None = None,
    params: Mapping[str, Any] | None = None,
    losses: Losses | None = None,
    error_to_signal_ratio: float = 0.1,
    progress: bool = True,
) -> DistilResult:
    """Train a student to sound as its teacher, and measure both as they are played.

    Phrases are split into those that are learned from, those that steer (the weights that are best on them are kept),
    and those that the student is judged by. Training is seeded: as many steps with the same arguments give the same
    weights on the same machine, also when it was stopped and gone on with in between.

    Args:
        teacher: A live model, an artifact or its path, or a ``.nam`` file. It plays wet alone.
        student: A shape, such as :func:`propose_students` measures; a network of streaming layers that takes and gives
            ``[batch, channels, N]``; or such a network as a ``StudentModel``. It is trained in place: what of it is not
            frozen, or all of it where everything is.
        audio: What they hear: a folder, sound files or arrays at the teacher's rate; a function of a
            ``torch.Generator`` that returns a phrase ``[channels, N]``; or ``None`` for plucked strings, drums, sweeps
            and noise at levels from -40 to 0 dB.
        out: A folder for the checkpoint, the student's artifact (``student/``) and ``result.json``. A call with the
            same arguments goes on from the checkpoint that is there.
        steps, seconds: When training ends: after so many updates, or so many seconds of CPU time of this process,
            which other programs don't shorten; the first that is reached. Neither: 60 seconds.
        seed: Of the split, the generated audio, the weights of a shape, and the windows.
        learning_rate: The highest; it rises shortly and falls with half a cosine to the end of the budget. ``None``: by
            the number of steps.
        batch_size: Windows side by side; ``None``: 4, of recurrent students 16.
        sample_rate: Of both, in Hz, where the teacher has several; and of arrays.
        audio_seconds: How much a generator makes.
        levels_db: Bring the peak of each phrase to a level drawn evenly from this range, such as ``(-40, 0)``.
        params: Settings of the teacher's parameters. The student has none, so a teacher with parameters needs them.
        losses: What is made small.
        error_to_signal_ratio: The most that a student may have to be called an improvement.
        progress: Draw a bar on stderr, where that is a terminal.

    Raises:
        TrainingError: The loss became NaN, or a checkpoint can't be written or is of another training. The last
            checkpoint stays.
        ModelError: Teacher and student differ in rate, channels or delay, or one of them can't be used; what differs
            is named.
        AudioError: Audio of another rate, of too few phrases, or silent.
        ParameterError: A budget or another number out of range, or a parameter that the teacher does not have.
    """
    budget = _budget(steps, seconds)
    allowed = real_number(error_to_signal_ratio, "error_to_signal_ratio", 0.0, 1e6, error=ParameterError)
    seed = whole_number(seed, "seed", 0, (1 << 40) - 1, error=ParameterError)
    levels_db = None if levels_db is None else checked_levels(levels_db)
    taught = opened(teacher, "teacher")
    facts = facts_of(taught, sample_rate, params)
    model = _student(student, facts, seed)
    folder = None if out is None else Path(out)
    place: Any = tempfile.TemporaryDirectory(prefix="neutone_like_") if folder is None else nullcontext(str(folder))
    with place as name:
        there = Path(name)
        artifact = written(taught, there / "teacher")
        player = ModelPlugin(artifact, params, wet=1.0, dry=0.0, input_gain_db=0.0, output_gain_db=0.0)
        sounds = recordings_from(
            phrases(facts.sample_rate, facts.in_channels) if audio is None else audio,
            facts.sample_rate,
            facts.in_channels,
            real_number(audio_seconds, "audio_seconds", 1.0, 36000.0, unit="s", error=ParameterError),
            seed,
        )
        if levels_db is not None:
            sounds = with_levels(sounds, levels_db, seed)
        learned = material(player, sounds, facts.delay_samples, seed)
        curve = _trained(model, learned, budget, losses or Losses(), seed, learning_rate, batch_size, folder, progress)
        kept = written(model, there / "student")
        result = _measured(model, kept, artifact, learned, facts, curve, allowed)
        result = replace(result, path=None if folder is None else kept.path.parent)
        if folder is not None:
            write_whole(folder / RESULT_NAME, (json.dumps(result.to_dict(), indent=1) + "\n").encode())
    return result


def _budget(steps: int | None, seconds: float | None) -> Budget:
    if steps is None and seconds is None:
        seconds = _SECONDS
    if steps is not None:
        steps = whole_number(steps, "steps", 1, 1 << 40, error=ParameterError)
    if seconds is not None:
        seconds = real_number(seconds, "seconds", 0.01, 1e7, unit="s", error=ParameterError)
    return Budget(steps, seconds)


def _student(student: Any, facts: Facts, seed: int) -> StudentModel:
    """As a live model with the teacher's rate, channels and delay; one that comes with its own must have the same."""
    if isinstance(student, StudentShape):
        student = student_network(student, facts.in_channels, facts.out_channels, seed=seed)
    if isinstance(student, WaveformToWaveformBase):
        require_same(facts, facts_of(student, facts.sample_rate, {}, what="student"))
        if not isinstance(student, StudentModel):
            raise ModelError(
                f"student: {type(student).__name__} is a live model of its own, and what is trained is a network. Pass "
                "StudentModel(network, sample_rate=...), whose do_forward_pass is the network alone."
            )
        model = student
    elif isinstance(student, nn.Module):
        model = StudentModel(
            student,
            sample_rate=facts.sample_rate,
            in_channels=facts.in_channels,
            out_channels=facts.out_channels,
            delay_samples=facts.delay_samples,
            metadata=facts.student_metadata(),
        )
    else:
        raise ModelError(
            f"student: expected a StudentShape, a network or a StudentModel, got {type(student).__name__}."
        )
    network = cast("nn.Module", model.model)
    require_trainable(network, facts)
    if not any(each.requires_grad for each in network.parameters()):
        network.requires_grad_(True)
    return model


def _trained(
    model: StudentModel,
    learned: Material,
    budget: Budget,
    losses: Losses,
    seed: int,
    learning_rate: float | None,
    batch_size: int | None,
    folder: Path | None,
    progress: bool,
) -> tuple[CurvePoint, ...]:
    network = cast("nn.Module", model.model)
    shortest = min(each.dry.size(1) for each in learned.training)
    if batch_size is not None:
        batch_size = whole_number(batch_size, "batch_size", 1, 4096, error=ParameterError)
    if learning_rate is not None:
        learning_rate = real_number(learning_rate, "learning_rate", 1e-9, 10.0, error=ParameterError)
    windows = windows_for(network, shortest, batch_size)
    settings = {
        "steps": budget.steps,
        "seconds": budget.seconds,
        "seed": seed,
        "learning_rate": learning_rate,
        "windows": vars(windows),
        "losses": str(losses),
        "student": {name: list(value.shape) for name, value in network.state_dict().items()},
    }
    losses = replace(losses, floor=max(losses.floor, 1e-4 * learned.mean_square))
    training = Training(
        network,
        learned,
        windows,
        budget,
        losses,
        seed=seed,
        learning_rate=learning_rate,
        checkpoint=None if folder is None else folder / CHECKPOINT_NAME,
        settings=settings,
    )
    network.requires_grad_(True)
    with torch.enable_grad(), showing(progress, "Distilling") as show:
        reached = training.run(show)
    network.requires_grad_(False)
    return tuple(CurvePoint(*each) for each in reached.curve)


def _measured(
    model: StudentModel,
    student: Artifact,
    teacher: Artifact,
    learned: Material,
    facts: Facts,
    curve: tuple[CurvePoint, ...],
    allowed: float,
) -> DistilResult:
    """Both as they are played: quality on the phrases that were held out, time and bytes by turns."""
    held_out = [heard for heard, _ in learned.held_out]
    made = [answer for _, answer in learned.held_out]
    reference: list[Any] = [each.samples for each in made]
    found = quality(
        reference,
        ModelPlugin(student, wet=1.0, dry=0.0, input_gain_db=0.0, output_gain_db=0.0),
        [each.samples for each in held_out],
        sample_rate=facts.sample_rate,
    )
    student_cost, teacher_cost = played_costs([student, teacher], facts.sample_rate, BLOCK_SIZES)
    untaught = _untaught_esr(held_out, made)
    return DistilResult(
        model=model,
        path=None,
        curve=curve,
        quality=found,
        untaught_esr=untaught,
        student_cost=student_cost,
        teacher_cost=teacher_cost,
        verdict=verdict(found, untaught, student_cost, teacher_cost, allowed),
    )


def _untaught_esr(heard: list[Recording], made: list[Recording]) -> float:
    """Of the sound that goes in, each output channel from the input channel that is most like it, at the best gain."""
    ratios: list[float] = []
    for one, other in zip(heard, made, strict=True):
        x, y = one.samples.astype(np.float64), other.samples.astype(np.float64)
        products = (y @ x.T) ** 2 / np.maximum((x**2).sum(axis=1), 1e-30)
        ratios.append(1.0 - float(products.max(axis=1).sum()) / float((y**2).sum()))
    return sum(ratios) / len(ratios)
