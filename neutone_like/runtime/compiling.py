"""From an artifact to its compiled model, proved before anyone gets it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import torch

from neutone_like.arguments import as_path
from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.artifact.format.format_limits import Model
from neutone_like.compiler.file import FilePlan, TestVector, write_plan, write_plans
from neutone_like.compiler.plan import Plan
from neutone_like.compiler.planning import planned, simplified, specialised
from neutone_like.compiler.proof import Accuracy, Examples, prove, without_rounding
from neutone_like.errors import ArtifactError, CaptureError, CompileError
from neutone_like.runtime.compiled_model import COMPILED_KEY, CompiledModel, CompileReport
from neutone_like.runtime.core_capture import Captured, capture_artifact
from neutone_like.runtime.native_module import native_module
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.version import __version__

_TEST_BLOCKS = 4
_MOST_TEST_SAMPLES = 4096


@plain_settings()
def compile_model(
    model: str | PathLike[str] | Artifact, *, path: str | PathLike[str] | None = None, sample_rate: int | None = None
) -> CompiledModel:
    """Compile an artifact's model, prove the result, and write ``model.nlc`` beside ``model.nm``.

    Args:
        model: The ``.nm`` of a live model, or of an offline one that is played in blocks.
        path: Where to write instead.
        sample_rate: Hz: for this one alone. A model that is prepared anew for each rate is compiled for each that it
            declares; one of any rate for 48000, 44100, 88200 and 96000 Hz.

    Returns:
        The compiled model; ``report`` says how exact it is.

    Raises:
        CompileError: Its network can't be compiled, with the operation and what to do; TorchScript plays it.
        ArtifactError: The file is no artifact.
        OSError: The file can't be written.
    """
    artifact = model if isinstance(model, Artifact) else load_artifact(model)
    target = (
        artifact.path.with_name(COMPILED_NAME) if path is None else as_path(path, "the compiled model", CompileError)
    )
    compiled = compile_artifact(artifact, sample_rate=sample_rate)
    compiled.write(target)
    compiled.path = target
    return compiled


@dataclass(frozen=True)
class _Planned:
    """A model at one rate."""

    captured: Captured
    plan: Plan


def compile_artifact(
    artifact: Artifact, *, sample_rate: int | None = None, model: Model | None = None
) -> CompiledModel:
    """As :func:`compile_model`, without writing; ``model`` is what the artifact was exported from.

    Raises:
        CompileError: Its network can't be compiled.
    """
    with one_thread(), torch.no_grad():
        first = _planned(artifact, sample_rate, model)
        plans, left_out = [first], ()
        if sample_rate is None:
            more, left_out = _at_other_rates(artifact, first.captured.rates[1:], model)
            plans += more
        return _proved(_written(artifact, plans), plans, left_out)


@plain_settings()
def plan_artifact(model: str | PathLike[str] | Artifact, *, sample_rate: int | None = None) -> Plan:
    """The plan that :func:`compile_model` would write, for people to read; of several rates the first.

    Raises:
        CompileError: Its network can't be compiled.
    """
    with one_thread(), torch.no_grad():
        artifact = model if isinstance(model, Artifact) else load_artifact(model)
        return _planned(artifact, sample_rate, None).plan


def _planned(artifact: Artifact, sample_rate: int | None, model: Model | None, *, in_granules: bool = True) -> _Planned:
    captured = None
    try:
        captured = capture_artifact(artifact, sample_rate, model, in_granules=in_granules)
        return _planned_of(captured)
    except (CaptureError, CompileError) as error:
        if captured is not None and captured.graph.lengths.longest is not None:
            # Cut in pieces by its own program, as filters were by earlier releases: sample by sample there is a plan.
            return _planned(artifact, sample_rate, model, in_granules=False)
        raise CompileError(str(error)) from error


def _planned_of(captured: Captured) -> _Planned:
    graph = simplified(specialised(captured.graph, captured.look_behind_samples, captured.block_size))
    return _Planned(captured, planned(graph, captured.look_behind_samples, captured.block_size))


def _at_other_rates(
    artifact: Artifact, rates: Sequence[int], model: Model | None
) -> tuple[list[_Planned], tuple[str, ...]]:
    """Plans for the rates where that works; and why not for the others, where TorchScript plays."""
    plans: list[_Planned] = []
    left_out: list[str] = []
    for rate in rates:
        try:
            plans.append(_planned(artifact, rate, model))
        except CompileError as error:
            left_out.append(f"{rate} Hz: {error}")
    return plans, tuple(left_out)


def _written(artifact: Artifact, plans: Sequence[_Planned]) -> bytes:
    rates = _rates_of(plans)
    content: dict[str, Any] = json.loads(artifact.metadata.to_json())
    content["sample_sound_files"] = []
    content["neutone_like"].pop("members_sha256", None)  # of the archive, which is whole where its own digest says so
    if rates:
        content["native_sample_rates"] = rates
    content[COMPILED_KEY] = {
        "model_sha256": digest_of_file(artifact.path),
        "defaults": [float(each.default) for each in artifact.numerical_parameters],
        "neutone_like_version": __version__,
    }
    metadata = json.dumps(content, separators=(",", ":"))
    return write_plans([_with_test(each) for each in plans], metadata, rates if len(plans) > 1 else ())


def _rates_of(plans: Sequence[_Planned]) -> list[int]:
    """Hz, one of each plan; none where one is right for all that the model has."""
    return [each.captured.sample_rate for each in plans if each.captured.sample_rate is not None]


def _with_test(planned: _Planned) -> FilePlan:
    """A plan with a sound, and what it makes of it."""
    plan, captured = planned.plan, planned.captured
    samples = plan.granule * max(1, min(_TEST_BLOCKS, _MOST_TEST_SAMPLES // plan.granule))
    defaults = np.asarray([float(each.default) for each in captured.parameters], np.float32)
    inputs = Examples(captured.graph, captured.look_behind_samples, captured.parameters).block(samples)
    audio = np.ascontiguousarray(inputs[0].reshape(-1, inputs[0].shape[-1]).numpy())
    player = _opened(_written_alone(planned))
    output = np.asarray(player.play(audio, [np.atleast_1d(each) for each in defaults]))
    return FilePlan(plan, TestVector(audio, defaults, output), captured.delay_samples)


def _written_alone(planned: _Planned) -> bytes:
    """A plan with no test but of nothing, and no metadata."""
    captured = planned.captured
    inputs = Examples(captured.graph, captured.look_behind_samples, captured.parameters).block(planned.plan.granule)
    audio = np.ascontiguousarray(inputs[0].reshape(-1, inputs[0].shape[-1]).numpy())
    defaults = np.asarray([float(each.default) for each in captured.parameters], np.float32)
    empty = TestVector(audio[:, : captured.look_behind_samples], defaults, audio[:, :0])
    return write_plan(planned.plan, "{}", empty, captured.delay_samples)


def _prove_without_rounding(made: _Planned) -> None:
    """Hold all but the rounding of numbers on the way, whose noise would hide other mistakes, to the usual measure."""
    captured = made.captured
    graph = without_rounding(captured.graph)
    if graph is not None:
        plain = _planned_of(replace(captured, graph=graph))
        whole = _opened(_written_alone(plain))
        prove(native_module().CompiledModel(whole, 0), graph, plain.plan, captured.parameters)


def _opened(data: bytes) -> Any:
    """What was written, as whoever gets the file opens it."""
    try:
        return native_module().CompiledModel(data, "", "The plan")
    except ArtifactError as error:
        raise CompileError(
            f"{error} This is a mistake in the compiler, or the model is too large for it; TorchScript plays it. "
            "Please report it with the model."
        ) from error


def _proved(data: bytes, plans: Sequence[_Planned], left_out: tuple[str, ...]) -> CompiledModel:
    whole = _opened(data)
    rates = _rates_of(plans)
    accuracies: list[Accuracy] = []
    for each, rate in zip(plans, whole.rates or [0], strict=True):
        native = native_module().CompiledModel(whole, rate)
        accuracies.append(prove(native, each.captured.graph, each.plan, each.captured.parameters))
        _prove_without_rounding(each)
    report = CompileReport(
        steps=len(plans[0].plan.steps),
        file_bytes=len(data),
        memory_bytes=int(whole.instance_bytes),
        accuracy=max(accuracies, key=lambda each: each.error / max(each.allowed, 1e-30)),
        sample_rates=tuple(rates),
        left_out=left_out,
    )
    return CompiledModel(data, report=report)
