"""A compiled model behind the wrapper that plays live models: it stands where the network would."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from neutone_like.arguments import is_one_of
from neutone_like.artifact import Artifact
from neutone_like.errors import ParameterError
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import ModelMetadata, WaveformToWaveformBase
from neutone_like.render.audio_arrays import Audio
from neutone_like.runtime.backends import ModelFacts
from neutone_like.runtime.choosing import BackendName, compiled_for
from neutone_like.runtime.compiled_backend import CompiledBackend
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled


class CompiledCore(WaveformToWaveformBase):
    """What calls a compiled model with the blocks that its artifact's network would get.

    Args:
        facts: What the wrapper must know of it.
        compiled: The model.
    """

    def __init__(self, facts: ModelFacts, compiled: CompiledModel) -> None:
        super().__init__()
        self._compiled = compiled
        self.metadata = ModelMetadata(name=facts.name, authors=("unknown",), version="unknown")
        self.parameters = facts.parameters
        self.in_channels = facts.in_channels
        self.out_channels = facts.out_channels
        self.sample_rates = facts.sample_rates
        self.block_sizes = facts.block_sizes
        self.look_behind_samples = facts.look_behind_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(self.play(x.numpy(), {name: value.numpy() for name, value in params.items()}))

    def play(self, x: Audio, params: Mapping[str, Audio]) -> Audio:
        """The same without tensors."""
        return self._compiled.process(x, params)

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self._compiled = self._compiled.at_rate(sample_rate)

    def reset_model(self) -> None:
        self._compiled.reset()

    def model_delay_samples(self) -> int:
        return self._compiled.delay_samples


class CompiledWrapper(SampleQueueWrapper):
    """The wrapper of live models, in Python, around a compiled one.

    While a block-rate parameter moves, the model is called every few samples: that is done here without PyTorch, whose
    operations would take longer than the model.
    """

    def __init__(self, core: CompiledCore, quality: str) -> None:
        super().__init__(core, quality)
        self._core = core

    def _run(self, x: Tensor) -> Tensor:
        samples, caller = x.size(1), self.caller
        if self.plan.model_block > 0 or caller.takes_whole(samples):
            return super()._run(x)
        behind = caller.look_behind
        window = torch.cat((caller.past, x), 1).numpy()
        y = np.empty((self.out_channels, samples), np.float32)
        for begin, end, values in caller.track.on_grid(caller.position, samples, caller.control_grid):
            piece = self._core.play(window[:, begin : end + behind], values)
            if not np.isfinite(piece).all():
                caller.silenced_samples += int((~np.isfinite(piece)).any(0).sum())
                self._reset_model()
                window[:, end : end + behind] = 0.0
                piece = np.zeros_like(piece)
            y[:, begin:end] = piece
        caller.position += samples
        caller.past = torch.from_numpy(window[:, samples:].copy())
        return torch.from_numpy(y)


def compiled_module(artifact: Artifact, sample_rate: int, wanted: BackendName) -> SampleQueueWrapper | None:
    """A wrapper around the compiled form of an artifact; ``None`` where TorchScript is to play.

    Args:
        artifact: Of a live model.
        sample_rate: The host's, in Hz.
        wanted: As for :class:`~neutone_like.render.ModelPlugin`.

    Raises:
        ArtifactError: ``"compiled"`` is wanted, and there is none that can be played.
    """
    compiled = compiled_for(artifact, sample_rate, wanted)
    if compiled is None:
        return None
    facts = CompiledBackend.beside(artifact, compiled).facts
    return CompiledWrapper(CompiledCore(facts, compiled), facts.quality)


def checked_backend(backend: Any, model: Any) -> BackendName:
    """What a user says that an artifact is to be played by.

    Raises:
        ParameterError: Nothing that there is, or the model is no artifact.
    """
    if not is_one_of(backend, get_args(BackendName)):
        raise ParameterError(f"backend must be one of {get_args(BackendName)}, got {backend!r}.")
    if backend != "auto" and not isinstance(model, Artifact):
        raise ParameterError(
            f"backend={backend!r} says what plays an artifact, and a {type(model).__name__} is played as it is. "
            "Leave backend out, or export the model first."
        )
    return backend


def require_compiled(artifact: Artifact) -> None:
    """Check that an artifact has a compiled form that can be played.

    Raises:
        ArtifactError: It has none; says what makes one.
    """
    load_compiled(artifact.path)
