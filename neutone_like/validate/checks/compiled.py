"""The compiled model beside an artifact gives what the artifact's own module does."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.reading.rounded_activations import rounded_otherwise, tolerated
from neutone_like.compiler.proof import value_at
from neutone_like.errors import ArtifactError, CompileError
from neutone_like.model import NumericalParameter
from neutone_like.runtime.compiled_core import Core, core_of
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled
from neutone_like.validate.outcome import Outcome, skipped, verdict
from neutone_like.validate.subject import Subject

TOLERANCE = 1e-4
"""In parts of the peak. Compiling is held to twice PyTorch's own rounding; this asks whether it is the same model."""

ALLOWED = f"differences of at most {TOLERANCE:g} of the peak"
ADVICE = "Compile the model again: neutone-like compile PATH. Without model.nlc beside it, TorchScript plays the model."
_BLOCKS = (64, 1, 17, 64, 256)


def check_compiled_equals_eager(subject: Subject) -> Outcome:
    """Play blocks of several lengths, with moving parameters, through both, at each rate that there is a plan for."""
    artifact = subject.artifact
    if not artifact.path.with_name(COMPILED_NAME).is_file():
        return skipped(f"there is no {COMPILED_NAME} beside it", ALLOWED)
    try:
        compiled = load_compiled(artifact.path)
        core = core_of(artifact)
    except (ArtifactError, CompileError) as error:
        return Outcome("failed", str(error), ALLOWED, ADVICE)
    sizes = artifact.block_sizes
    found: list[tuple[float, float, float]] = []
    rates = compiled.sample_rates or (subject.native_rate,)
    for rate in rates if compiled.sample_rate else rates[:1]:
        core.model.prepare_model(rate, core.prepared_block)
        played = _Played(core, compiled.at_rate(rate), sizes[:1] * 4 or _BLOCKS)
        peak = float(played.expected.abs().nan_to_num(0.0, posinf=0.0).max())
        allowed = TOLERANCE * max(peak, 1e-3)
        if subject.rounds_activations:
            allowed = max(allowed, tolerated(played.expected.numpy(), played.otherwise().numpy()))
        found.append((played.difference, allowed, peak))
    difference, allowed, peak = max(found, key=lambda each: each[0] / each[1])
    at = f" at {', '.join(map(str, compiled.sample_rates))} Hz" if compiled.sample_rate else ""
    measured = f"largest difference {difference:.2g} at a peak of {peak:.2g}, {compiled.steps} steps{at}"
    told = f"{ALLOWED}; of a model that rounds on the way {allowed:.2g}" if subject.rounds_activations else ALLOWED
    return verdict(difference <= allowed, measured, told, ADVICE)


class _Played:
    """Blocks through both."""

    def __init__(self, core: Core, compiled: CompiledModel, blocks: tuple[int, ...]) -> None:
        self._core = core
        generator = torch.Generator().manual_seed(7)
        past = torch.zeros(core.in_channels, compiled.look_behind_samples)
        self._calls: list[tuple[Tensor, dict[str, Tensor]]] = []
        for samples in blocks:
            new = 0.3 * torch.randn(core.in_channels, samples, generator=generator)
            audio = torch.cat((past, new), 1)
            past = audio[:, audio.size(1) - compiled.look_behind_samples :]
            self._calls.append((audio, {each.name: _values(each, samples, generator) for each in core.parameters}))
        self.expected = self._through_core(lambda audio: audio)
        got = [
            compiled.process(audio.numpy(), {name: each.numpy() for name, each in values.items()}).copy()
            for audio, values in self._calls
        ]
        apart = (torch.from_numpy(np.concatenate(got, 1)) - self.expected).abs().numpy()
        self.difference = float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))

    def otherwise(self) -> Tensor:
        """What the network makes of the same sound, otherwise rounded."""
        return self._through_core(rounded_otherwise)

    def _through_core(self, change: Callable[[Tensor], Tensor]) -> Tensor:
        self._core.model.reset_model()
        with torch.no_grad():
            played = [self._core.played(change(x), *values.values()).clone() for x, values in self._calls]
        return torch.cat(played, 1)


def _values(parameter: NumericalParameter, samples: int, generator: torch.Generator) -> Tensor:
    host_values = torch.rand(samples if parameter.rate == "sample" else 1, generator=generator)
    return torch.tensor([value_at(parameter, each) for each in host_values.tolist()])
