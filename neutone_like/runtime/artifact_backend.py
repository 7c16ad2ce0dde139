"""An artifact as a backend: the libtorch backend plays its model core, or the whole wrapper."""

from typing import TYPE_CHECKING

import torch

from neutone_like.artifact import Artifact, LiveMetadata
from neutone_like.errors import RuntimeEngineError
from neutone_like.model import NumericalParameter
from neutone_like.runtime.backends import Backend, ModelFacts, option_lines
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.model_calls import ModelCaller
from neutone_like.runtime.torch_backend import ensure_torch_backend

if TYPE_CHECKING:
    from neutone_like.runtime import _native


class ArtifactBackend(Backend):
    """Plays a live ``.nm`` without Python."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    @property
    def facts(self) -> ModelFacts:
        return facts_of_metadata(self.artifact.live_metadata, self.artifact.numerical_parameters)

    @property
    def backend_name(self) -> str:
        return "torchscript"

    @property
    def adapts_itself(self) -> bool:
        return True

    def latency_growth_samples(self, host: HostConfig) -> int:
        if host.varying_blocks or not self.artifact.block_sizes or self.artifact.live_metadata.neutone_like is None:
            return 0
        wrapper = self.artifact.fresh_module()
        wrapper.set_daw_sample_rate_and_buffer_size(host.sample_rate, host.block_size)
        regular = wrapper.latency_samples()
        chosen = (wrapper.current_model_sample_rate(), wrapper.current_model_block_size())
        wrapper.set_daw_sample_rate_and_buffer_size(host.sample_rate, 1, *chosen)
        return wrapper.latency_samples() - regular

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        if self.artifact.metadata.neutone_like is None and not config.embedded:
            raise RuntimeEngineError(
                f"{self.artifact.path} was not made by neutone_like: only its own wrapper knows how to call the model. "
                'Open it with adaptation="embedded".'
            )
        options = option_lines({"part": "wrapper" if config.embedded else "model"})
        library = str(ensure_torch_backend())
        try:
            return engine.open_shared_object(config, library, str(self.artifact.path), options)
        except RuntimeEngineError as error:
            usual = torch.get_default_dtype()
            if usual is torch.float32:
                raise
            raise RuntimeEngineError(
                f"{error}\nTorch's default type is {usual} in this process, and belongs to all its threads: what the "
                "model makes by torch.zeros(...) or the like, without a dtype, has that type here. Write "
                "dtype=torch.float32 there, or call torch.set_default_dtype(torch.float32) before the engine plays."
            ) from error


def facts_of_metadata(metadata: LiveMetadata, parameters: tuple[NumericalParameter, ...]) -> ModelFacts:
    """What a session must know of a live model that metadata were written for."""
    ours = metadata.neutone_like
    return ModelFacts(
        name=metadata.model_name,
        in_channels=metadata.channels[0],
        out_channels=metadata.channels[1],
        sample_rates=metadata.native_sample_rates,
        block_sizes=metadata.native_buffer_sizes,
        look_behind_samples=metadata.look_behind_samples,
        parameters=parameters,
        quality="high" if ours is None else ours.quality,
    )
