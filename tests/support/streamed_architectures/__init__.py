"""The architectures as networks that play in blocks: converted, or written again with streaming layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from neutone_like.streaming import StreamingLayer, to_streaming
from support.architectures import ARCHITECTURES, Architecture
from support.architectures.transformer import WINDOW_FRAMES
from support.streamed_architectures import ddsp, encodec, linear_state_space, mask_denoiser, transformer, vocos

CONVERTED, WRITTEN = "`to_streaming`", "streaming layers"


@dataclass(frozen=True)
class Streamed:
    """One way of one architecture into blocks.

    Attributes:
        architecture: The ordinary network.
        way_in: How it came to stream.
        make: Makes the streaming network of the ordinary one.
    """

    architecture: Architecture
    way_in: str
    make: Callable[[Any], StreamingLayer]

    @property
    def title(self) -> str:
        return f"{self.architecture.name}, {self.way_in.strip('`')}"

    def network(self) -> StreamingLayer:
        """With the weights of ``architecture.network()``."""
        return self.make(self.architecture.network()).eval()


def converted(architecture: Architecture, **options: Any) -> Streamed:
    def make(network: nn.Module) -> StreamingLayer:
        return to_streaming(network, architecture.example(architecture.block_multiple), **options)

    return Streamed(architecture, CONVERTED, make)


# Linear attention and the state space compare all times with all others in their ordinary form, which is refused.
_OPTIONS: dict[str, dict[str, Any]] = {"transformer": {"attention_window_samples": WINDOW_FRAMES}}
_REFUSED = "linear attention and state space"
_WRITTEN: dict[str, Callable[[Any], StreamingLayer]] = {
    "Vocos-like vocoder": vocos.stream,
    "transformer": transformer.stream,
    "linear attention and state space": linear_state_space.stream,
    "DDSP-like synthesiser": ddsp.stream,
    "EnCodec-like codec": encodec.stream,
    "mask denoiser": mask_denoiser.stream,
}
STREAMED = (
    *(converted(each, **_OPTIONS.get(each.name, {})) for each in ARCHITECTURES if each.name != _REFUSED),
    *(Streamed(each, WRITTEN, _WRITTEN[each.name]) for each in ARCHITECTURES if each.name in _WRITTEN),
)
