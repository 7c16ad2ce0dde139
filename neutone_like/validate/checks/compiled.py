"""The compiled model beside an artifact gives what the artifact's own module does."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.compiler.proof import value_at
from neutone_like.errors import ArtifactError
from neutone_like.model import NumericalParameter
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, skipped, verdict

TOLERANCE = 1e-4
"""In parts of the peak. Compiling is held to twice PyTorch's own rounding; this asks whether it is the same model."""

ALLOWED = f"differences of at most {TOLERANCE:g} of the peak"
ADVICE = "Compile the model again: neutone-like compile PATH. Without model.nlc beside it, TorchScript plays the model."
_BLOCKS = (64, 1, 17, 64, 256)


def check_compiled_equals_eager(subject: LiveSubject) -> Outcome:
    """Play blocks of several lengths, with moving parameters, through both."""
    artifact = subject.artifact
    if not artifact.path.with_name(COMPILED_NAME).is_file():
        return skipped(f"there is no {COMPILED_NAME} beside it", ALLOWED)
    try:
        compiled = load_compiled(artifact.path)
    except ArtifactError as error:
        return Outcome("failed", str(error), ALLOWED, ADVICE)
    core: Any = subject.copied().w2w_base
    sizes = artifact.block_sizes
    rates = compiled.sample_rates or artifact.sample_rates
    core.prepare_model(rates[0] if rates else subject.native_rate, sizes[0] if sizes else max(_BLOCKS))
    core.reset_model()
    difference, peak = _largest_difference(subject, compiled, core, sizes[:1] * 4 or _BLOCKS)
    measured = f"largest difference {difference:.2g} at a peak of {peak:.2g}, {compiled.steps} steps"
    return verdict(difference <= TOLERANCE * max(peak, 1e-3), measured, ALLOWED, ADVICE)


def _largest_difference(
    subject: LiveSubject, compiled: CompiledModel, core: Any, blocks: tuple[int, ...]
) -> tuple[float, float]:
    artifact = subject.artifact
    generator = torch.Generator().manual_seed(7)
    past = torch.zeros(artifact.in_channels, compiled.look_behind_samples)
    difference = peak = 0.0
    for samples in blocks:
        new = 0.3 * torch.randn(artifact.in_channels, samples, generator=generator)
        audio = torch.cat((past, new), 1)
        past = audio[:, audio.size(1) - compiled.look_behind_samples :]
        values = {each.name: _values(each, samples, generator) for each in artifact.numerical_parameters}
        with torch.no_grad():
            expected = core.do_forward_pass(audio, values)
        got = torch.from_numpy(compiled.process(audio.numpy(), {name: each.numpy() for name, each in values.items()}))
        apart = np.nan_to_num((got - expected).abs().numpy(), nan=np.inf)
        difference, peak = max(difference, float(apart.max(initial=0.0))), max(peak, float(expected.abs().max()))
    return difference, peak


def _values(parameter: NumericalParameter, samples: int, generator: torch.Generator) -> Tensor:
    host_values = torch.rand(samples if parameter.rate == "sample" else 1, generator=generator)
    return torch.tensor([value_at(parameter, each) for each in host_values.tolist()])
