"""Which of the ways to make a model smaller and faster meets a budget of time and a quality, as played."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from neutone_like.arguments import words_of
from neutone_like.artifact.reading.operators import checked_operators
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.numbers import real_number, whole_number
from neutone_like.optimise.artifacts import LiveModel, opened, written
from neutone_like.optimise.budget.confirming import confirmed, keep_case
from neutone_like.optimise.budget.makers import METHODS, Makers, Method
from neutone_like.optimise.budget.measuring import measured, player
from neutone_like.optimise.budget.plotting import write_plot
from neutone_like.optimise.budget.report import BudgetReport, with_front
from neutone_like.optimise.distilling.facts import facts_of
from neutone_like.optimise.distilling.material import answered, recordings_from, split
from neutone_like.optimise.distilling.proposing import checked_sizes
from neutone_like.optimise.distilling.signals import Generator, phrases
from neutone_like.optimise.played_cost import BLOCK_SIZES
from neutone_like.optimise.sounds import Sounds
from neutone_like.torch_settings import plain_settings
from neutone_like.whole_file import write_whole

REPORT_NAME, PLOT_NAME = "report.json", "front.png"
_CALIBRATION_PHRASES = 4


@checked_arguments(ParameterError, but=("model", "audio", "methods", "allow_operators"))
@plain_settings()
def search_budget(
    model: LiveModel,
    out: str | PathLike[str],
    audio: Sounds | Generator | None = None,
    *,
    budget: float = 0.5,
    error_to_signal_ratio: float = 0.02,
    sample_rate: int | None = None,
    block_sizes: Sequence[int] = BLOCK_SIZES,
    methods: Sequence[Method] = METHODS,
    seconds: float = 60.0,
    students: int = 2,
    audio_seconds: float = 60.0,
    seed: int = 0,
    confirm: bool = True,
    progress: Callable[[str], None] | None = None,
    allow_operators: Iterable[str] = (),
) -> BudgetReport:
    """Make a model smaller in several ways, and find which of them is within a budget of time and good enough.

    Weights of 16, 8 and 4 bits; fewer channels and units, taught by the original where the network can be trained as it
    is played; students that are timed before they are trained, and the best of them with weights of 8 bits. Each is an
    artifact, compiled where that works. All are timed by turns in the engine, at their parameters' defaults, and
    compared with the original on phrases that nothing was trained on, which are kept as ``held_out.npz``. A fresh
    process measures them once more from their files, and :attr:`BudgetPoint.differs` says what came out otherwise.
    Called again after a kill with the same arguments, trainings go on from their checkpoints.

    Args:
        model: A live model, an artifact or its path, or a ``.nam`` file. Of an artifact only students can be made: its
            network is no longer one of layers.
        out: A folder: an artifact for each point, ``report.json`` and ``front.png``; ``held_out.npz`` and
            ``held_out.json``, which say on what and how the fresh process measures.
        audio, audio_seconds: As of :func:`distil`.
        budget: The most time of a block, over the original's.
        error_to_signal_ratio: The most, against the original.
        sample_rate: Of the host, Hz; needed where the model has several rates.
        block_sizes: Of the host, samples; the budget holds in each.
        methods: Which of ``"quantise"``, ``"prune"`` and ``"distil"``.
        seconds: Of CPU time for each training; 0.1 or more.
        students: How many are trained at most, of those that fit: of different families first. Of more families each
            has a tenth of the time to show how it learns.
        seed: Of audio, weights and training.
        confirm: Whether everything is measured again by a fresh process.
        progress: Is told what is being done.
        allow_operators: As of :func:`~neutone_like.export_model`, for the model and what is made of it.

    Raises:
        ParameterError: A number out of range, an unknown method, or none.
        ModelError, ExportError, AudioError: The model or the audio can't be used.
        TrainingError: A checkpoint can't be written, or is of a search with other arguments.
        OSError: The folder can't be written.
    """
    share = real_number(budget, "budget", 1e-3, 100.0, error=ParameterError)
    allowed = real_number(error_to_signal_ratio, "error_to_signal_ratio", 0.0, 1e6, error=ParameterError)
    students = whole_number(students, "students", 1, 100, error=ParameterError)
    seconds = real_number(seconds, "seconds", 0.1, 1e7, unit="s", error=ParameterError)  # a tenth is to try
    audio_seconds = real_number(audio_seconds, "audio_seconds", 1.0, 36000.0, unit="s", error=ParameterError)
    seed = whole_number(seed, "seed", 0, (1 << 40) - 1, error=ParameterError)
    block_sizes = checked_sizes(block_sizes)
    wanted = _known(methods)
    allowed_operators = checked_operators(allow_operators)
    subject = opened(model, "model", allowed_operators)
    facts = facts_of(subject, sample_rate, {}, what="model")
    rate, folder = facts.sample_rate, Path(out)
    given = phrases(rate, facts.in_channels) if audio is None else audio
    sounds = recordings_from(given, rate, facts.in_channels, audio_seconds, seed)
    learned, _, held_out = split(sounds, seed)
    original = written(subject, folder / "original", allowed_operators)
    judged = answered(player(original), held_out)
    heard = answered(player(original), learned[:_CALIBRATION_PHRASES])
    makers = Makers(
        subject=subject,
        original=original,
        folder=folder,
        has_parameters=bool(original.numerical_parameters),
        sample_rate=rate,
        block_sizes=block_sizes,
        budget=share,
        training={
            "audio": given,
            "audio_seconds": audio_seconds,
            "seconds": seconds,
            "seed": seed,
            "sample_rate": rate,
            "params": {},
        },
        calibration=[each.samples for each, _ in heard],
        students=students,
        show=progress or (lambda text: None),
        allow_operators=original.allow_operators,
    )
    made = [("original", original), *makers.all(wanted)]
    makers.show("Measuring")
    points = measured(made, [each.samples for each, _ in judged], rate, block_sizes)
    report = BudgetReport(with_front(points), share, allowed, tuple(makers.left_out))
    _write(report, folder)
    if confirm:
        makers.show("Measuring again in a fresh process")
        sounds_kept = [each.samples for each, _ in judged]
        keep_case(folder, points, sounds_kept, rate, block_sizes, original.allow_operators)
        points, note = confirmed(folder, points)
        report = replace(report, points=with_front(points), note=note)
        _write(report, folder)
    write_plot(report, folder / PLOT_NAME)
    return report


def _write(report: BudgetReport, folder: Path) -> None:
    write_whole(folder / REPORT_NAME, (json.dumps(report.to_dict(), indent=1) + "\n").encode())


def _known(methods: Sequence[Method]) -> list[Method]:
    wanted = words_of(methods, METHODS)
    if wanted is None:
        raise ParameterError(f"methods must be some of {METHODS}, got {methods!r:.200}.")
    return wanted
