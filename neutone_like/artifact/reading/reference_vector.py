"""Make and check the test vector that every artifact carries. What it is: :class:`TestVectorRecord`."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.jit import ScriptModule

from neutone_like.artifact.format.reference_vector_record import TestVectorRecord
from neutone_like.artifact.reading.rounded_activations import rounded_otherwise, rounds_activations, tolerated
from neutone_like.artifact.reading.vector_comparison import (
    compare,
    digest,
    kept_samples,
    levels,
    short,
    spread_indices,
    tolerance_for,
)
from neutone_like.errors import ArtifactError

_SEED = 20240
_SAMPLE_RATE = 48000
_BLOCK_SIZE = 256
_AUDIBLE_SAMPLES = 2048
_MULTIPLIER = 1664525
_INCREMENT = 1013904223


def noise(seed: int, channels: int, samples: int) -> Tensor:
    """The test vector's input: float32 ``[channels, samples]`` between -0.5 and 0.5."""
    count = channels * samples
    # s_k = a^k s_0 + c (a^(k-1) + ... + 1), and uint32 wraps at 2**32 by itself.
    powers = np.cumprod(np.full(count, _MULTIPLIER, np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.concatenate((np.ones(1, np.uint32), powers[:-1])), dtype=np.uint32)
    states = powers * np.uint32(seed) + np.uint32(_INCREMENT) * sums
    values = (states.astype(np.float64) / 2.0**31 - 1.0) / 2.0
    return torch.from_numpy(values.astype(np.float32).reshape(samples, channels).T.copy())


def make_test_vector(module: ScriptModule, channels: int, parameters_0to1: Sequence[float]) -> TestVectorRecord:
    """Run a module, which must not be the one that is saved: running leaves traces in its state."""
    module.set_daw_sample_rate_and_buffer_size(_SAMPLE_RATE, _BLOCK_SIZE)
    latency = int(module.calc_buffering_delay_samples() + module.calc_model_delay_samples())
    blocks = -(-(latency + _AUDIBLE_SAMPLES) // _BLOCK_SIZE)
    x = noise(_SEED, channels, _BLOCK_SIZE * blocks)

    def played(sound: Tensor) -> NDArray[np.float32]:
        return _play(module, sound, _SEED, _SAMPLE_RATE, _BLOCK_SIZE, parameters_0to1)

    output = played(x)
    apart = tolerated(output, played(rounded_otherwise(x))) if rounds_activations(module) else 0.0
    indices = spread_indices(latency, output.shape[1])
    return TestVectorRecord(
        seed=_SEED,
        sample_rate=_SAMPLE_RATE,
        block_size=_BLOCK_SIZE,
        blocks=blocks,
        channels=channels,
        parameters_0to1=tuple(float(value) for value in parameters_0to1),
        digest=digest(output),
        sample_indices=indices,
        samples=kept_samples(output, indices),
        rms=tuple(short(value) for value in levels(output)),
        tolerance=tolerance_for(output, apart),
    )


def check_test_vector(module: ScriptModule, vector: TestVectorRecord, where: str) -> float:
    """Play the test vector on a module and compare.

    Returns:
        The largest difference found; 0 when the digests are equal.

    Raises:
        ArtifactError: The output differs by more than the vector's tolerance.
    """
    output = _play_vector(module, vector, vector.parameters_0to1)
    difference = compare(output, vector, where)
    if vector.parameters_0to1:  # which are the defaults; hosts that send none are to hear the same
        alone = float(np.abs(_play_vector(module, vector, ()) - output).max(initial=0.0))
        if not alone <= vector.tolerance:
            raise ArtifactError(
                f"{where} does not play the same when parameters are left out as at their defaults: the test vector "
                f"differs by {alone:.3g}, allowed is {vector.tolerance:.3g}. Export the model again."
            )
    return difference


def _play_vector(
    module: ScriptModule, vector: TestVectorRecord, parameters_0to1: Sequence[float]
) -> NDArray[np.float32]:
    x = noise(vector.seed, vector.channels, vector.block_size * vector.blocks)
    return _play(module, x, vector.seed, vector.sample_rate, vector.block_size, parameters_0to1)


def _play(
    module: ScriptModule, x: Tensor, seed: int, sample_rate: int, block_size: int, parameters_0to1: Sequence[float]
) -> NDArray[np.float32]:
    parameters = None
    if parameters_0to1:
        parameters = torch.tensor(list(parameters_0to1)).unsqueeze(1).expand(-1, block_size).contiguous()
    module.set_daw_sample_rate_and_buffer_size(sample_rate, block_size)
    module.reset()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        outputs = [module.forward(block.contiguous(), parameters) for block in x.split(block_size, dim=1)]
    return torch.cat(outputs, dim=1).numpy()
