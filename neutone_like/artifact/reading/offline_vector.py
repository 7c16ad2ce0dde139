"""Make and check the test vector of an offline model; see :class:`OfflineTestVectorRecord`."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_like.artifact.format.offline_vector_record import (
    OfflineTestVectorRecord,
    OutputRecord,
    StimulusRecord,
)
from neutone_like.artifact.reading.reference_vector import noise
from neutone_like.artifact.reading.rounded_activations import rounded_otherwise, rounds_activations, tolerated
from neutone_like.artifact.reading.vector_comparison import (
    Output,
    compare,
    digest,
    kept_samples,
    levels,
    short,
    spread_indices,
    tolerance_for,
)
from neutone_like.errors import ArtifactError

_SEED = 20250
_SAMPLE_RATE = 48000
_BLOCK_SIZE = 2048
_SAMPLES = 24_000


def make_offline_vector(
    module: ScriptModule,
    in_channels: Sequence[int],
    parameters_0to1: Sequence[float],
    text: Sequence[str],
    tokens: Sequence[Sequence[int]],
) -> OfflineTestVectorRecord:
    """Run a module, which must not be the one that is saved: running leaves traces in its state."""
    stimulus = StimulusRecord(
        seed=_SEED,
        sample_rate=_SAMPLE_RATE,
        block_size=_BLOCK_SIZE,
        samples=_SAMPLES,
        in_channels=tuple(in_channels),
        parameters_0to1=tuple(float(value) for value in parameters_0to1),
        text=tuple(text),
        tokens=tuple(tuple(each) for each in tokens),
    )
    outputs = _play(module, stimulus)
    apart = [0.0] * len(outputs)
    if rounds_activations(module):
        otherwise = _play(module, stimulus, change=rounded_otherwise)
        apart = [tolerated(each, other) for each, other in zip(outputs, otherwise, strict=True)]
    records = tuple(_record(*each) for each in zip(outputs, apart, strict=True))
    return OfflineTestVectorRecord(**dict(stimulus), outputs=records)


def check_offline_vector(module: ScriptModule, vector: OfflineTestVectorRecord, where: str) -> float:
    """Play the test vector on a module and compare every output.

    Returns:
        The largest difference found; 0 when all digests are equal.

    Raises:
        ArtifactError: An output is missing, of another length, or differs by more than its tolerance.
    """
    outputs = _play(module, vector)
    _check_shape(outputs, vector, where)
    difference = max(compare(output, kept, where) for output, kept in zip(outputs, vector.outputs, strict=True))
    alone = _play(module, vector, with_parameters=False)  # which are the defaults; who sends none is to hear the same
    _check_shape(alone, vector, where)
    for output, other, kept in zip(outputs, alone, vector.outputs, strict=True):
        apart = float(np.abs(output - other).max(initial=0.0))
        if not apart <= kept.tolerance:
            raise ArtifactError(
                f"{where} does not play the same when parameters are left out as at their defaults: the test vector "
                f"differs by {apart:.3g}, allowed is {kept.tolerance:.3g}. Export the model again."
            )
    return difference


def _check_shape(outputs: list[Output], vector: OfflineTestVectorRecord, where: str) -> None:
    got = [output.shape for output in outputs]
    expected = [(len(kept.samples), kept.length) for kept in vector.outputs]
    if got != expected:
        raise ArtifactError(
            f"{where}: the test vector expects outputs of shape {expected}, the module returned {got}. "
            "Export the model again."
        )


def _play(
    module: ScriptModule,
    stimulus: StimulusRecord,
    *,
    with_parameters: bool = True,
    change: Callable[[Tensor], Tensor] = lambda x: x,
) -> list[Output]:
    inputs = [change(noise(stimulus.seed + k, n, stimulus.samples)) for k, n in enumerate(stimulus.in_channels)]
    module.set_daw_sample_rate_and_buffer_size(stimulus.sample_rate, stimulus.block_size)
    module.reset()
    knobs = torch.tensor(stimulus.parameters_0to1).reshape(-1, 1).expand(-1, stimulus.samples).contiguous()
    tokens = [list(each) for each in stimulus.tokens]
    # Only the knobs tell a generator how long to go on.
    values = (knobs, list(stimulus.text), tokens) if with_parameters else () if inputs else (knobs,)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(stimulus.seed)
        outputs: list[Tensor] = module.forward(inputs, *values)
    return [output.numpy() for output in outputs]


def _record(output: Output, tolerance: float) -> OutputRecord:
    indices = spread_indices(0, output.shape[1])
    return OutputRecord(
        length=output.shape[1],
        digest=digest(output),
        sample_indices=indices,
        samples=kept_samples(output, indices),
        rms=tuple(short(value) for value in levels(output)),
        tolerance=tolerance_for(output, tolerance),
    )
