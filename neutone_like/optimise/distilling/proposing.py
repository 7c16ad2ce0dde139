"""Which students are fast enough: candidates are compiled and timed before any of them is trained."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from neutone_like.arguments import words_of
from neutone_like.artifact import Artifact, write_artifact
from neutone_like.artifact.writing.captured_model import graph_of_block, played_core
from neutone_like.checked_arguments import checked_arguments
from neutone_like.compiler.file import TestVector, write_plan
from neutone_like.compiler.planning import planned, simplified, specialised
from neutone_like.errors import ParameterError
from neutone_like.numbers import real_number, whole_number
from neutone_like.optimise.artifacts import LiveModel, opened, written
from neutone_like.optimise.distilling.facts import Facts, facts_of
from neutone_like.optimise.distilling.students import FAMILIES, Family, StudentModel, StudentShape, student_network
from neutone_like.optimise.played_cost import BLOCK_SIZES, PlayedCost, played_costs
from neutone_like.printing import Printed, Row
from neutone_like.runtime.compiled_core import EXAMPLE_BLOCK
from neutone_like.streaming import Conv1d
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread

WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_FIRST_WIDTH = WIDTHS.index(8)
_OCTAVES = tuple(2**power for power in range(10))
_THIRDS = tuple(3**power for power in range(6))
LAYOUTS: Mapping[Family, tuple[tuple[int, tuple[int, ...]], ...]] = {
    "wavenet": ((3, _OCTAVES * 2), (3, _OCTAVES), (6, _THIRDS)),
    "separable": ((6, _THIRDS),),
    "tcn": ((9, (1, 5, 25, 125)), (16, (1, 8, 64))),
    "lstm": ((1, ()),),
    "wiener_hammerstein": ((48, (1, 16)),),
}
"""Taps and dilations that are tried of each family: they hear 1096 to 4093 samples, or all."""


@dataclass(frozen=True, repr=False)
class StudentCandidate(Printed):
    """A shape, with what it costs as played.

    Attributes:
        shape: What :func:`distil` takes.
        weights: How many it has.
        cost: Measured, with weights that nobody trained; ``file_bytes`` to about a kilobyte.
        time_ratio: Over the teacher's time, in the block where that is worst.
        fits: Whether that is within the budget.
    """

    shape: StudentShape
    weights: int
    cost: PlayedCost
    time_ratio: float
    fits: bool

    def _title(self) -> str:
        return f"StudentCandidate: {self.shape}, {self.time_ratio:.2f} x, {'fits' if self.fits else 'too slow'}"


@dataclass(frozen=True, repr=False)
class StudentProposals(Printed):
    """What fits a budget of time, and what was measured on the way.

    Attributes:
        candidates: All that were measured: those that fit first, most weights first.
        teacher_cost: Measured beside them.
        budget: The most time, over the teacher's.
    """

    candidates: tuple[StudentCandidate, ...]
    teacher_cost: PlayedCost
    budget: float

    @property
    def shapes(self) -> tuple[StudentShape, ...]:
        """What fits: of each layout the widest, most weights first. Which learns best, only training tells."""
        widest: dict[tuple[Any, ...], StudentShape] = {}
        for each in self.candidates:
            if each.fits:
                widest.setdefault((each.shape.family, each.shape.taps, each.shape.dilations), each.shape)
        return tuple(widest.values())

    @property
    def nearest(self) -> StudentCandidate:
        """The fastest of all."""
        return min(self.candidates, key=lambda each: each.time_ratio)

    def _title(self) -> str:
        fitting = len(self.shapes)
        if not fitting:
            return f"StudentProposals: none within {self.budget:.2f} x; nearest {self.nearest.time_ratio:.2f} x"
        return f"StudentProposals: {fitting} of {len(self.candidates)} measured, within {self.budget:.2f} x"

    def _rows(self) -> list[Row]:
        return [
            (
                str(each.shape),
                f"{each.time_ratio:.2f} x",
                *(f"{value:.1f} us for {block}" for block, value in each.cost.block_us.items()),
                f"{each.weights} weights",
                "fits" if each.fits else "too slow",
            )
            for each in self.candidates
        ]


@checked_arguments(ParameterError, but=("teacher", "families"))
@plain_settings()
def propose_students(
    teacher: LiveModel,
    budget: float | None = None,
    *,
    budget_us: float | None = None,
    block_sizes: Sequence[int] = BLOCK_SIZES,
    sample_rate: int | None = None,
    families: Sequence[Family] = FAMILIES,
) -> StudentProposals:
    """Measure compiled students beside a teacher, each layout at growing widths until one is too slow.

    Candidates are compiled as an export compiles them and played in the engine, a block of the teacher's and one of
    theirs by turns. What depends on weights, such as how exact the compiled model is, is left for the export.

    Args:
        teacher: A live model, an artifact or its path, or a ``.nam`` file.
        budget: The most time, over the teacher's: 0.5 is half. ``None``: 0.5.
        budget_us: The most time of the first block size in microseconds instead, on this machine.
        block_sizes: Of the host, in samples; the budget holds in each.
        sample_rate: Where the teacher has several, Hz.
        families: Which kinds of networks are tried.

    Raises:
        ParameterError: A budget that is not positive, or two; no family, or one that is not known.
        ModelError: Nothing that is a live model.
    """
    wanted, sizes = _wanted_families(families), checked_sizes(block_sizes)
    if budget is not None and budget_us is not None:
        raise ParameterError("Give budget, a fraction of the teacher's time, or budget_us, microseconds; not both.")
    share = real_number(0.5 if budget is None else budget, "budget", 1e-3, 100.0, error=ParameterError)
    if budget_us is not None:
        budget_us = real_number(budget_us, "budget_us", 0.1, 1e7, unit="us", error=ParameterError)
    taught = opened(teacher, "teacher")
    facts = facts_of(taught, sample_rate, {})
    with one_thread(), tempfile.TemporaryDirectory(prefix="neutone_like_") as place:
        folder = Path(place)
        artifact = written(taught, folder / "teacher")
        if budget_us is not None:
            (alone,) = played_costs([artifact], facts.sample_rate, sizes[:1])
            share = budget_us / alone.block_us[sizes[0]]
        trial = Trial(artifact, facts, sizes, share, folder)
        candidates = [
            each for family in wanted for layout in LAYOUTS[family] for each in _grown(trial, family, *layout)
        ]
    ordered = sorted(candidates, key=lambda each: (not each.fits, -each.weights))
    return StudentProposals(tuple(ordered), trial.teacher_cost, share)


def _wanted_families(families: Sequence[Family]) -> list[Family]:
    wanted = words_of(families, FAMILIES)
    if wanted is None:
        raise ParameterError(f"families must be some of {FAMILIES}, got {families!r:.200}.")
    return wanted


def checked_sizes(block_sizes: Sequence[int]) -> list[int]:
    """Blocks of a host, in samples."""
    sizes = [
        whole_number(each, "block_sizes", 1, 1 << 16, unit="samples", error=ParameterError) for each in block_sizes
    ]
    if not sizes:
        raise ParameterError("block_sizes: expected at least one, got none.")
    return sizes


class Trial:
    """Times one shape after another beside the teacher."""

    def __init__(self, teacher: Artifact, facts: Facts, sizes: Sequence[int], share: float, folder: Path) -> None:
        self.teacher, self.facts, self.sizes, self.share, self.folder = teacher, facts, sizes, share, folder
        template = write_artifact(
            self._model(Conv1d(facts.in_channels, facts.out_channels, 1)), folder / "template", render_samples=False
        )
        self.metadata = template.metadata.to_json()
        self.teacher_cost: PlayedCost

    def candidate(self, shape: StudentShape) -> StudentCandidate:
        """Compile and time a shape."""
        network = student_network(shape, self.facts.in_channels, self.facts.out_channels)
        file = self.folder / "candidate.nlc"
        file.write_bytes(self.compiled(network))
        cost, self.teacher_cost = played_costs([file, self.teacher], self.facts.sample_rate, self.sizes)
        ratio = cost.time_ratio(self.teacher_cost)
        weights = sum(each.numel() for each in network.parameters())
        return StudentCandidate(shape, weights, cost, ratio, ratio <= self.share)

    def _model(self, network: nn.Module) -> StudentModel:
        return StudentModel(
            network.requires_grad_(False).eval(),
            sample_rate=self.facts.sample_rate,
            in_channels=self.facts.in_channels,
            out_channels=self.facts.out_channels,
        )

    def compiled(self, network: nn.Module) -> bytes:
        """As an export compiles it, but for the proof, which takes most of the time and is about weights."""
        audio = torch.rand(self.facts.in_channels, EXAMPLE_BLOCK) - 0.5
        graph = graph_of_block(played_core(self._model(network), []), audio, [], [], only_length=False)
        plan = planned(simplified(specialised(graph, 0, None)), 0, None)
        nothing = np.zeros((1, 0), np.float32)
        empty = [np.zeros((each, 0), np.float32) for each in (self.facts.in_channels, self.facts.out_channels)]
        return write_plan(plan, self.metadata, TestVector(empty[0], nothing[0], empty[1]))


def _grown(trial: Trial, family: Family, taps: int, dilations: tuple[int, ...]) -> Iterator[StudentCandidate]:
    """A middling width, then the one that it lets expect, then neighbours until one fits and the next does not."""
    place, known = _FIRST_WIDTH, dict[int, bool]()
    while 0 <= place < len(WIDTHS) and place not in known:
        found = trial.candidate(StudentShape(family, WIDTHS[place], taps, dilations))
        yield found
        known[place] = found.fits
        step = 1 if found.fits else -1
        expected = place + step
        if len(known) == 1:  # time grows a little faster than the width
            wanted = WIDTHS[place] * trial.share / found.time_ratio
            expected = max((at for at, width in enumerate(WIDTHS) if width <= wanted), default=0)
        place = expected if (expected - place) * step > 0 else place + step
