"""What every layer that keeps state between blocks has in common: what it declares, and how it forgets."""

import math
import os
from collections.abc import Iterator
from fractions import Fraction
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError, NeutoneLikeError

_inside: dict[int, tuple[int]] = {}
"""The thread in each layer that is called just now, by the layer's identity: kept here, since layers are copied."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_inside.clear)


class StreamingLayer(nn.Module):
    """A layer that plays a stream in blocks ``[batch, channels, samples]``, and gives what it would give at once.

    A subclass registers its state with :meth:`register_state`, reads and assigns it in ``forward`` under the same name,
    and sets what it declares in ``__init__``. States are buffers that ``state_dict`` leaves out, so that a layer takes
    the weights of its ordinary counterpart. They keep gradients until :meth:`reset_streaming_state`.

    Attributes:
        ratio: Output samples for each input sample. A block is a multiple of ``ratio.denominator`` long.
        delay_samples: How many samples of the output come before that of the ordinary (not streaming) layer:
            ``streamed[n + delay_samples] == whole[n]``.
        receptive_field_samples: Input samples that one output sample depends on; ``None``: all that came before.
        receptive_field_is_exact: Whether it always depends on as many; else on so many at most, as a maximum does.
        block_multiple_samples: Blocks are a multiple of this long too; above 1 where a layer goes to a lower rate.
        padding_value: What the layer takes for the time before the first sample, as an ordinary layer pads;
            ``None``: it begins with the first sample, as an RNN does.
        source: Where the mathematics is from.
    """

    if TYPE_CHECKING:  # TorchScript, which has no fractions, would read annotations of the class
        ratio: Fraction
        delay_samples: int
        receptive_field_samples: int | None
        receptive_field_is_exact: bool
        block_multiple_samples: int
        padding_value: float | None
        source: str

        def __getattr__(self, name: str) -> Any: ...  # states, by the names they are registered with

    def __init__(self) -> None:
        super().__init__()
        self.ratio = Fraction(1)
        self.delay_samples = 0
        self.receptive_field_samples = 1
        self.receptive_field_is_exact = True
        self.block_multiple_samples = 1
        self.padding_value = None
        self.source = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As every module's; where a block can't be played, its shape is looked at, and the message says what is wrong.

        Raises:
            ModelError: What came is no block of samples, or has other channels; or another thread is inside.
        """
        if torch.compiler.is_compiling():
            return super().__call__(*args, **kwargs)
        layer, call = id(self), (get_ident(),)
        try:
            if _inside.setdefault(layer, call) != call:  # one step, which no other thread can come between
                raise ModelError(
                    f"Another thread is in this {type(self).__name__}, which keeps state: two signals at once would be "
                    "mixed. Use one for each thread, such as copy.deepcopy(network)."
                )
            return super().__call__(*args, **kwargs)
        except NeutoneLikeError:
            raise
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:  # for such a tensor
            wrong = "".join(_what_is_wrong(self, block) for block in (*args, *kwargs.values())[:1])
            if not wrong:
                raise
            raise ModelError(f"{type(self).__name__}: {wrong}") from error
        finally:  # without a call, behind which Python would see to Ctrl-C
            try:
                if _inside[layer] is call:  # else it is of a call around this one, or of another thread
                    del _inside[layer]
            except KeyError:  # that thread has left, or this is a forked child
                pass

    @checked_arguments(ModelError)
    def register_state(self, name: str, initial: Tensor) -> None:
        """Add a buffer that is state. ``initial`` has a batch of one, and is what a reset returns to."""
        self.register_buffer(name, initial.clone(), persistent=False)
        self.register_buffer(f"initial_{name}", initial.clone(), persistent=False)

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        """First and last input sample on which the samples ``first..last`` of the stream that comes out depend.

        Layers whose newest input sample isn't the last one of it say so here, and containers then add up exactly.
        """
        up, down = self.ratio.numerator, self.ratio.denominator
        reach = self.receptive_field_samples or 1
        return ((first // up) + 1) * down - reach, ((last // up) + 1) * down - 1

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        """Forget the past, own and of no other layer: subclasses put back every state that they registered."""


def _what_is_wrong(layer: StreamingLayer, x: object) -> str:
    """Why a layer can't play this; empty: it isn't the block's form."""
    form = "expected a block [batch, channels, samples]"
    if not isinstance(x, Tensor):
        if hasattr(x, "__torch_function__"):  # what stands for a tensor, as where torch.fx traces
            return ""
        return f"{form} as a tensor, got {type(x).__name__}."
    if x.dim() != 3:
        more = " Add the batch: x.unsqueeze(0)." if x.dim() == 2 else ""
        return f"{form}, got a tensor of shape {list(x.shape)}.{more}"
    if not x.is_floating_point():
        return f"{form} of floating point, got {x.dtype}."
    if not x.numel():
        return f"{form} with something in it, got {list(x.shape)}. Call it once there are samples."
    past = getattr(layer, "initial_past", None)
    said = [getattr(layer, name, None) for name in ("in_channels", "input_size")]
    said.append(past.size(1) if isinstance(past, Tensor) else None)
    channels = next((each for each in said if isinstance(each, int)), x.size(1))
    if channels != x.size(1):
        return f"expected {channels} channels, got {x.size(1)}, in a block of shape {list(x.shape)}."
    return ""


@checked_arguments(ModelError)
def streaming_layers(network: nn.Module) -> Iterator[tuple[str, StreamingLayer]]:
    """The layers of a network that keep state between blocks, by name."""
    for name, module in network.named_modules():
        if isinstance(module, StreamingLayer):
            yield name, module


def block_multiple(module: nn.Module) -> int:
    """Blocks that go into the module are a multiple of so many samples long; 1 for a module that keeps no state."""
    if not isinstance(module, StreamingLayer):
        return 1
    return math.lcm(module.ratio.denominator, module.block_multiple_samples)


@checked_arguments(ModelError)
def reset_streaming(network: nn.Module) -> None:
    """Let every layer of the network forget the past; scripted networks too.

    Raises:
        ModelError: Another thread plays it just now. What is scripted can't tell.
    """
    own = (get_ident(),)
    for module in network.modules():
        if _inside.get(id(module), own) != own:
            raise ModelError(
                f"Another thread is in this {type(module).__name__}, which would go on with half of its past. Reset it "
                "between two blocks, or use a network for each thread, such as copy.deepcopy(network)."
            )
    for module in network.modules():
        if hasattr(module, "reset_streaming_state"):
            module.reset_streaming_state()  # pyright: ignore[reportCallIssue]
