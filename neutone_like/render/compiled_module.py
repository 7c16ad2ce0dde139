"""A compiled model behind the wrapper that plays live models: it stands where the network would."""

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import ModelMetadata, WaveformToWaveformBase
from neutone_like.runtime.backends import ModelFacts
from neutone_like.runtime.choosing import BackendName, compiled_for
from neutone_like.runtime.compiled_model import load_compiled


class CompiledCore(WaveformToWaveformBase):
    """What calls a compiled model with the blocks that its artifact's network would get.

    Args:
        facts: What the wrapper must know of it.
        path: Of the ``.nlc``.

    Raises:
        ArtifactError: It can't be read or played.
    """

    def __init__(self, facts: ModelFacts, path: str) -> None:
        super().__init__()
        self._compiled = load_compiled(path)
        self.metadata = ModelMetadata(name=facts.name, authors=("unknown",), version="unknown")
        self.parameters = facts.parameters
        self.in_channels = facts.in_channels
        self.out_channels = facts.out_channels
        self.sample_rates = facts.sample_rates
        self.block_sizes = facts.block_sizes
        self.look_behind_samples = facts.look_behind_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        values = {name: value.numpy() for name, value in params.items()}
        return torch.from_numpy(self._compiled.process(x.numpy(), values))

    def reset_model(self) -> None:
        self._compiled.reset()

    def model_delay_samples(self) -> int:
        return self._compiled.delay_samples


def compiled_module(artifact: Artifact, sample_rate: int, wanted: BackendName) -> SampleQueueWrapper | None:
    """A wrapper around the compiled form of an artifact; ``None`` where TorchScript is to play.

    Args:
        artifact: Of a live model.
        sample_rate: The host's, in Hz.
        wanted: As for :class:`~neutone_like.render.ModelPlugin`.

    Raises:
        ArtifactError: ``"compiled"`` is wanted, and there is none that can be played.
    """
    found = compiled_for(artifact, sample_rate, wanted)
    if found is None:
        return None
    return SampleQueueWrapper(CompiledCore(found.facts, str(found.path)), found.facts.quality)


def require_compiled(artifact: Artifact) -> None:
    """Check that an artifact has a compiled form that can be played.

    Raises:
        ArtifactError: It has none; says what makes one.
    """
    load_compiled(artifact.path)
