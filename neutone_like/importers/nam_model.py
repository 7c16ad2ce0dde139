"""A network from a `.nam` file as a live model."""

import torch
from torch import Tensor, nn

from neutone_like.model.live import WaveformToWaveformBase
from neutone_like.model.metadata import ModelMetadata


class NamModel(WaveformToWaveformBase):
    """Mono in and out, any block length. Its state lies in the network's streaming layers."""

    in_channels = 1
    out_channels = 1
    block_sizes = ()

    def __init__(self, network: nn.Module, sample_rate: int, metadata: ModelMetadata) -> None:
        super().__init__(network.requires_grad_(False).eval())
        self.metadata = metadata
        self.sample_rates = (sample_rate,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """The next block, ``[1, N]``."""
        return self.model(x.unsqueeze(0)).squeeze(0)

    @torch.jit.export
    def reset_model(self) -> None:
        """Back to what silence leaves; for whoever plays the model without a wrapper, which does this itself."""
        for module in self.model.modules():
            if hasattr(module, "reset_streaming_state"):
                module.reset_streaming_state()  # pyright: ignore[reportCallIssue]
