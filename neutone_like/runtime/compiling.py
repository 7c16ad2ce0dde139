"""From an artifact to its compiled model, proved before anyone gets it."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.compiler.file import TestVector, write_plan
from neutone_like.compiler.plan import Plan
from neutone_like.compiler.planning import planned, simplified, specialised
from neutone_like.compiler.proof import Examples, prove
from neutone_like.errors import CaptureError, CompileError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.runtime.compiled_model import COMPILED_KEY, CompiledModel, CompileReport
from neutone_like.runtime.core_capture import Captured, capture_artifact
from neutone_like.runtime.native_module import native_module
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.version import __version__

_TEST_BLOCKS = 4


@plain_settings()
def compile_model(
    model: str | PathLike[str] | Artifact, *, path: str | PathLike[str] | None = None, sample_rate: int | None = None
) -> CompiledModel:
    """Compile an artifact's model, prove the result, and write ``model.nlc`` beside ``model.nm``.

    Args:
        model: The ``.nm`` of a live model.
        path: Where to write instead.
        sample_rate: Hz: where the model is prepared anew for each rate, a compiled model is right for one.

    Returns:
        The compiled model; ``report`` says how exact it is.

    Raises:
        CompileError: Its network can't be compiled, with the operation and what to do; TorchScript plays it.
        ArtifactError: The file is no artifact.
        OSError: The file can't be written.
    """
    artifact = model if isinstance(model, Artifact) else load_artifact(model)
    target = artifact.path.with_name(COMPILED_NAME) if path is None else Path(path)
    compiled = compile_artifact(artifact, sample_rate=sample_rate)
    compiled.write(target)
    compiled.path = target
    return compiled


def compile_artifact(
    artifact: Artifact, *, sample_rate: int | None = None, model: WaveformToWaveformBase | None = None
) -> CompiledModel:
    """As :func:`compile_model`, without writing; ``model`` is what the artifact was exported from.

    Raises:
        CompileError: Its network can't be compiled.
    """
    with one_thread(), torch.no_grad():
        captured, plan = _planned(artifact, sample_rate, model)
        draft = _written(artifact, captured, plan)
        return _proved(draft, plan, captured)


@plain_settings()
def plan_artifact(model: str | PathLike[str], *, sample_rate: int | None = None) -> Plan:
    """The plan that :func:`compile_model` would write, for people to read.

    Raises:
        CompileError: Its network can't be compiled.
    """
    with one_thread(), torch.no_grad():
        return _planned(load_artifact(model), sample_rate, None)[1]


def _planned(
    artifact: Artifact, sample_rate: int | None, model: WaveformToWaveformBase | None
) -> tuple[Captured, Plan]:
    try:
        captured = capture_artifact(artifact, sample_rate, model)
        graph = simplified(specialised(captured.graph, captured.look_behind_samples, captured.block_size))
    except CaptureError as error:
        raise CompileError(str(error)) from error
    return captured, planned(graph, captured.look_behind_samples, captured.block_size)


def _written(artifact: Artifact, captured: Captured, plan: Plan) -> bytes:
    content: dict[str, Any] = json.loads(artifact.metadata.to_json())
    content["sample_sound_files"] = []
    if captured.sample_rate is not None:
        content["native_sample_rates"] = [captured.sample_rate]
    content[COMPILED_KEY] = {
        "model_sha256": digest_of_file(artifact.path),
        "defaults": [float(each.default) for each in captured.parameters],
        "neutone_like_version": __version__,
    }
    samples = plan.granule * _TEST_BLOCKS
    zeros = TestVector(
        np.zeros((artifact.in_channels, captured.look_behind_samples + samples), np.float32),
        np.asarray([float(each.default) for each in captured.parameters], np.float32),
        np.zeros((artifact.out_channels, samples), np.float32),
    )
    metadata = json.dumps(content)
    first = native_module().CompiledModel(write_plan(plan, metadata, zeros, captured.delay_samples), "")
    inputs = Examples(captured.graph, captured.look_behind_samples, captured.parameters).block(samples)
    audio = np.ascontiguousarray(inputs[0].reshape(-1, inputs[0].shape[-1]).numpy())
    output = np.asarray(first.play(audio, [np.atleast_1d(each) for each in zeros.parameters]))
    return write_plan(plan, metadata, TestVector(audio, zeros.parameters, output), captured.delay_samples)


def _proved(data: bytes, plan: Plan, captured: Captured) -> CompiledModel:
    native = native_module().CompiledModel(data, "")
    accuracy = prove(native, captured.graph, plan, captured.parameters)
    report = CompileReport(
        steps=len(plan.steps),
        file_bytes=len(data),
        memory_bytes=int(native.instance_bytes),
        accuracy=accuracy,
        sample_rate=captured.sample_rate,
    )
    return CompiledModel(data, report=report)
