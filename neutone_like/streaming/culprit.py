"""Which layer of a network is at fault, found by trying each by itself on what it hears in the network."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from neutone_like.streaming.layer import StreamingLayer, block_multiple, streaming_layers
from neutone_like.streaming.trials import fresh

Fails = Callable[[nn.Module, Tensor, str], bool]
"""Whether a layer, given what it heard and its name, has the fault."""


class Culprits:
    """The layers of a network, streaming or not, with what each of them hears when the network plays ``x``."""

    def __init__(self, network: nn.Module, x: Tensor) -> None:
        self.network = network
        self.layers = dict(network.named_modules())
        self.heard: dict[str, Tensor] = {}
        trial = fresh(network)
        for name, layer in trial.named_modules():
            if not isinstance(layer, torch.jit.ScriptModule):  # which takes no hooks
                layer.register_forward_hook(partial(self._record, name))
        with torch.no_grad():
            trial(x.clone())

    def _record(self, name: str, layer: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        """A layer that takes several inputs can't be tried by itself, nor can one without a block to give."""
        alone = inputs[0] if len(inputs) == 1 else None
        if isinstance(alone, Tensor) and isinstance(output, Tensor) and alone.dim() == output.dim() == 3:
            self.heard.setdefault(name, alone.detach())

    def name(self, fails: Fails) -> str:
        """The innermost layer with the fault, with its type; the network itself where none has it alone."""
        deepest = self._below("", fails) or ""
        return f"{deepest} ({type(self.layers[deepest]).__name__})".strip()

    def streaming(self) -> list[tuple[str, StreamingLayer]]:
        """The streaming layers among them."""
        return [(name, layer) for name, layer in streaming_layers(self.network) if name in self.heard]

    def _below(self, parent: str, fails: Fails, *, streams: bool = False) -> str | None:
        """A layer that is sound has no culprit in it; one that can't be tried may have.

        What keeps state itself may give ordinary layers their past: in it (``streams``) only streaming ones are tried.
        """
        above = self.layers[parent]
        streams = streams or any(name.startswith("initial_") for name, _ in above.named_buffers(recurse=False))
        for child, layer in above.named_children():
            name = f"{parent}.{child}".strip(".")
            if name not in self.layers:  # a layer of two names is tried by its first
                continue
            if name not in self.heard or (streams and not isinstance(layer, StreamingLayer)):
                found = self._below(name, fails, streams=streams)
            elif self._is_at_fault(layer, name, fails):
                found = self._below(name, fails) or name
            else:
                found = None
            if found is not None:
                return found
        return None

    def _is_at_fault(self, layer: nn.Module, name: str, fails: Fails) -> bool:
        heard = self.heard[name]
        multiple = block_multiple(layer)
        try:
            with torch.no_grad():  # an ordinary layer that hears time elsewhere mostly takes no half of it
                fresh(layer)(heard[:, :, : heard.size(2) // 2 // multiple * multiple or multiple].clone())
            return fails(layer, heard, name)
        except Exception:
            return isinstance(layer, StreamingLayer)
