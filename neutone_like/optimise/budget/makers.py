"""Smaller and faster models made of one, each in its own way; what can't be made is told."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from torch import nn

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.errors import ModelError, NeutoneLikeError, TrainingError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.optimise.artifacts import written
from neutone_like.optimise.distilling.distillation import distil
from neutone_like.optimise.distilling.proposing import propose_students
from neutone_like.optimise.distilling.result import DistilResult
from neutone_like.optimise.distilling.students import StudentShape
from neutone_like.optimise.pruning.pruning import prune
from neutone_like.optimise.quantising.quantise import quantise

Method = Literal["quantise", "prune", "distil"]
METHODS: tuple[Method, ...] = get_args(Method)
SHARES_CUT = (0.25, 0.5)
_WEIGHTS: tuple[tuple[Literal["fp16", "int8", "int4"], int | None], ...] = (("fp16", None), ("int8", None), ("int4", 8))
_TRY = 0.1  # of the time of a training
_NO_LAYERS = "an artifact's network is no longer one of layers; give the model itself"

Made = tuple[str, Artifact]


@dataclass
class Makers:
    """What is made, and of what.

    Attributes:
        subject: The model, or its artifact.
        original: Its artifact.
        folder: Where each result gets a folder.
        has_parameters: Whether the model has any, which students have not.
        budget: Of time, over the original's, for students.
        training: What ``distil`` is given beside teacher, student and folder.
        calibration: Sound that rounding hears, at the rate.
        students: How many are trained at most.
        show: Is told what is being done.
        allow_operators: As the original was loaded with.
        left_out: What was not made, and why.
    """

    subject: WaveformToWaveformBase | Artifact
    original: Artifact
    folder: Path
    has_parameters: bool
    sample_rate: int
    block_sizes: Sequence[int]
    budget: float
    training: dict[str, Any]
    calibration: list[Any]
    students: int
    show: Callable[[str], None]
    allow_operators: Collection[str] = ()
    left_out: list[str] = field(default_factory=list)

    def all(self, methods: Sequence[Method]) -> Iterator[Made]:
        """Everything that can be made, as artifacts."""
        makers = {"quantise": self._quantised, "prune": self._pruned, "distil": self._distilled}
        for method in METHODS:
            if method in methods:
                yield from makers[method]()

    def _quantised(self) -> Iterator[Made]:
        if isinstance(self.subject, Artifact):
            self.left_out.append(f"quantise: {_NO_LAYERS}")
            return
        for weights, group_size in _WEIGHTS:
            name = weights if group_size is None else f"{weights}, groups of {group_size}"
            yield from self._tried(name, lambda w=weights, g=group_size: self._rounded(self.subject, w, g))

    def _rounded(self, model: Any, weights: Any, group_size: int | None) -> Any:
        rate = self.sample_rate
        return quantise(model, weights, self.calibration, sample_rate=rate, group_size=group_size, measure=False).model

    def _pruned(self) -> Iterator[Made]:
        if isinstance(self.subject, Artifact):
            self.left_out.append(f"prune: {_NO_LAYERS}")
            return
        for share in SHARES_CUT:
            yield from self._tried(f"{100 * share:.0f} % cut", lambda s=share: self._cut(s))

    def _cut(self, share: float) -> Any:
        """With fewer channels, taught by the original where the network can be trained as it is played."""
        smaller = cast("WaveformToWaveformBase", prune(cast("nn.Module", self.subject), ratio=share).model)
        network = cast("nn.Module | None", smaller.model)
        if network is None or self.has_parameters:
            self.left_out.append(f"{100 * share:.0f} % cut: not trained on, since its network is no student's")
            return smaller
        try:
            return _artifact_of(self._taught(f"{100 * share:.0f} % cut", network))
        except ModelError as reason:
            self.left_out.append(f"{100 * share:.0f} % cut: not trained on: {reason}")
            return smaller

    def _distilled(self) -> Iterator[Made]:
        if self.has_parameters:
            self.left_out.append("distil: a student has no parameters; distil(params=...) makes one of a setting")
            return
        self.show("Timing students")
        proposals = propose_students(
            self.original, self.budget, block_sizes=self.block_sizes, sample_rate=self.sample_rate
        )
        if not proposals.shapes:
            self.left_out.append(f"distil: no student takes {self.budget:.2f} x the time; {proposals.nearest!r:.90}")
        taught: list[tuple[float, str, DistilResult]] = []
        for shape in self.chosen(proposals.shapes):
            yield from self._tried(str(shape), lambda s=shape: self._student(s, taught))
        if taught:
            _, name, result = min(taught, key=lambda each: each[0])
            yield from self._tried(f"{name}, int8", lambda: self._rounded(result.model, "int8", None))

    def chosen(self, shapes: Sequence[StudentShape]) -> list[StudentShape]:
        """As many as are to be trained, of different families first.

        Where there are more families than that, the widest of each is taught for a tenth of the time, and those with
        the lowest error on phrases that steer are chosen: neither weights nor time tell what learns best.
        """
        first = {shape.family: shape for shape in reversed(shapes)}
        widest = [each for each in shapes if first[each.family] is each]
        if len(widest) <= self.students:
            return [*widest, *(each for each in shapes if each not in widest)][: self.students]
        tried: list[tuple[float, int, StudentShape]] = []
        for place, shape in enumerate(widest):
            self.show(f"{shape}, a tenth of the time")
            short = {**self.training, "seconds": _TRY * self.training["seconds"]}
            try:
                result = distil(self.original, shape, out=self.folder / "tries" / folder_name(str(shape)), **short)
            except ModelError as reason:
                self.left_out.append(f"{shape}: {reason}")
            else:
                tried.append((min(each.validation_esr for each in result.curve), place, shape))
        for error, _, shape in sorted(tried)[self.students :]:
            self.left_out.append(f"{shape}: an ESR of {error:.3g} after a tenth of the time, others had less")
        return [shape for _, _, shape in sorted(tried)[: self.students]]

    def _student(self, shape: StudentShape, taught: list[tuple[float, str, DistilResult]]) -> Any:
        result = self._taught(str(shape), shape)
        taught.append((min(each.validation_esr for each in result.curve), str(shape), result))
        return _artifact_of(result)

    def _taught(self, name: str, student: Any) -> DistilResult:
        return distil(self.original, student, out=self.folder / folder_name(name), **self.training)

    def _tried(self, name: str, make: Callable[[], Any]) -> Iterator[Made]:
        """The artifact of what is made, which may be one already, or nothing, and why."""
        self.show(name)
        try:
            made = written(make(), self.folder / folder_name(name), self.allow_operators)
        except TrainingError:
            raise  # a full disk, or a checkpoint of another search: the rest would fail as well
        except NeutoneLikeError as reason:
            self.left_out.append(f"{name}: {reason}")
        else:
            yield name, made


def _artifact_of(result: DistilResult) -> Artifact:
    """That was written and played when it was measured."""
    if result.path is None:
        raise ModelError("a student that was taught without a folder has no artifact")
    return load_artifact(result.path)


def folder_name(name: str) -> str:
    """A name as a folder may be called."""
    return re.sub(r"\W+", "_", name).strip("_")
