"""A compiled model behind the wrapper that plays offline models: it stands where the network would."""

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.errors import ArtifactError
from neutone_like.host import NonRealtimeSampleQueueWrapper
from neutone_like.model import ModelMetadata, NonRealtimeBase
from neutone_like.runtime.choosing import BackendName, compiled_for
from neutone_like.runtime.compiled_model import CompiledModel


class CompiledOfflineCore(NonRealtimeBase):
    """What calls a compiled model with the blocks that its artifact's network would get.

    Args:
        artifact: Of an offline model of ours.
        compiled: Its compiled form.
    """

    def __init__(self, artifact: Artifact, compiled: CompiledModel) -> None:
        super().__init__()
        self._compiled = compiled
        metadata = artifact.metadata
        if not isinstance(metadata, OfflineMetadata) or metadata.neutone_like is None:
            raise ArtifactError(f"{artifact.path} holds no offline model of neutone_like's.")
        self.metadata = ModelMetadata(name=metadata.model_name, authors=("unknown",), version="unknown")
        self.parameters = artifact.numerical_parameters
        self.audio_in_channels = artifact.audio_in_channels
        self.audio_out_channels = artifact.audio_out_channels
        self.audio_in_labels = metadata.audio_in_labels
        self.audio_out_labels = metadata.audio_out_labels
        self.sample_rates = compiled.sample_rates
        self.block_sizes = artifact.block_sizes
        self.look_behind_samples = metadata.neutone_like.look_behind_samples
        self.overlap_window = metadata.neutone_like.overlap_window
        self.overlap_hop_samples = metadata.neutone_like.overlap_hop_samples

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        joined = audio_in[0] if len(audio_in) == 1 else torch.cat(audio_in, 0)
        values = {name: value.numpy() for name, value in numerical_params.items()}
        played = torch.from_numpy(self._compiled.process(joined.numpy(), values))
        return list(torch.split(played, list(self.audio_out_channels)))

    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self._compiled = self._compiled.at_rate(sample_rate)

    def reset_model(self) -> None:
        self._compiled.reset()

    def model_delay_samples(self) -> int:
        return self._compiled.delay_samples


def compiled_offline_module(
    artifact: Artifact, sample_rate: int, wanted: BackendName
) -> NonRealtimeSampleQueueWrapper | None:
    """A wrapper around the compiled form of an offline artifact; ``None`` where TorchScript is to play.

    Args:
        artifact: Of an offline model.
        sample_rate: The host's, in Hz.
        wanted: As for :class:`~neutone_like.render.OfflinePlugin`.

    Raises:
        ArtifactError: ``"compiled"`` is wanted, and there is none that can be played.
    """
    compiled = compiled_for(artifact, sample_rate, wanted)
    ours = artifact.metadata.neutone_like
    if compiled is None or ours is None:
        return None
    return NonRealtimeSampleQueueWrapper(CompiledOfflineCore(artifact, compiled), ours.quality)
