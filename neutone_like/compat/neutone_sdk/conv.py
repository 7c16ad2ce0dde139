"""The Neutone SDK's convolution that is played whole or block by block, on top of the streaming one."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk.not_offered import refuse
from neutone_like.errors import ModelError
from neutone_like.streaming import Conv1d

_PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class Conv1dGeneral(nn.Module):
    """``[batch, in_channels, samples]`` to ``[batch, out_channels, ...]``: of a whole sound, or, cached, of a stream.

    Not cached, it pads as :class:`torch.nn.Conv1d` does, but only on the left where it is causal. Cached, as many
    samples come out as went in, and each hears the samples before it, across blocks; the sound begins after silence.
    Weights have the names that they have in the Neutone SDK.

    Source: :class:`neutone_like.streaming.Conv1d`.

    Args:
        padding: ``"same"``, ``"valid"`` or a number of samples.
        padding_mode: Of :class:`torch.nn.Conv1d`, for whole sounds.
        causal: Whether an output sample hears nothing later.
        cached: See :meth:`set_cached`.
        use_dynamic_bs: Whether another number of sounds in a batch is taken, and forgets the past.
        batch_size: How many sounds there are otherwise.
        debug_mode: Kept as an attribute. What comes in is checked either way.

    Raises:
        ModelError: A stride, or another padding; in ``forward``, audio of another shape.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: str | int | tuple[int] = "same",
        dilation: int = 1,
        bias: bool | None = True,
        padding_mode: str = "zeros",
        causal: bool = True,
        cached: bool = False,
        use_dynamic_bs: bool = True,
        batch_size: int = 1,
        debug_mode: bool = True,
    ) -> None:
        super().__init__()
        _require_options(stride, padding_mode)
        self.in_channels = in_channels
        self.batch_size = batch_size
        self.use_dynamic_bs = use_dynamic_bs
        self.padding_mode = _PAD_MODES[padding_mode]
        self.causal = causal
        self.cached = cached
        self.debug_mode = debug_mode
        self.padded_kernel_size = (kernel_size - 1) * dilation
        self.padding_l, self.padding_r = _paddings(padding, self.padded_kernel_size, causal)
        self.conv1d: Any = Conv1d(in_channels, out_channels, kernel_size, dilation=dilation, bias=bias)
        self.dilation = dilation
        self.register_load_state_dict_pre_hook(_leave_out_pasts)

    @torch.jit.export
    def is_cached(self) -> bool:
        return self.cached

    @torch.jit.export
    def set_cached(self, cached: bool) -> None:
        """Whether blocks of a stream follow each other, or every call is a whole sound; it also resets."""
        self.cached = cached
        self.reset(None)

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Forget the past; ``batch_size`` is how many sounds there are from now on."""
        if batch_size is not None:
            self.batch_size = batch_size
        self.conv1d.reset_streaming_state()

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """How much later a sample comes than without ``cached``: 0 where the layer is causal, or pads that much."""
        return 0 if self.causal else max(0, self.padded_kernel_size - self.padding_l)

    def prepare_for_inference(self) -> None:
        """Get ready to be played as a stream: cached."""
        self.set_cached(True)
        self.debug_mode = False
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 3 or x.size(1) != self.in_channels:
            raise ModelError(
                f"Conv1dGeneral: audio of shape {x.shape}; expected [batch, in_channels={self.in_channels}, samples]."
            )
        if not self.cached:
            if self.padding_l > 0 or self.padding_r > 0:
                x = F.pad(x, [self.padding_l, self.padding_r], self.padding_mode)
            return F.conv1d(x, self.conv1d.weight, self.conv1d.bias, dilation=self.dilation)
        if x.size(0) != self.batch_size:
            if not self.use_dynamic_bs:
                raise ModelError(
                    f"Conv1dGeneral: a batch of {x.size(0)}; expected {self.batch_size}. Call reset(batch_size), or "
                    "set use_dynamic_bs."
                )
            self.reset(x.size(0))
        return self.conv1d(x)


def _leave_out_pasts(module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    """What the Neutone SDK's layer last heard is stored with its weights there."""
    for name in ("pad_l_buf", "pad_r_buf"):
        state_dict.pop(f"{prefix}padding_cached.{name}", None)


def _require_options(stride: int, padding_mode: str) -> None:
    if stride != 1:
        raise ModelError(
            f"Conv1dGeneral: stride must be 1, got {stride}. Use neutone_like.streaming.Conv1d(..., stride={stride})."
        )
    if padding_mode not in _PAD_MODES:
        raise ModelError(f"Conv1dGeneral: padding_mode must be one of {', '.join(_PAD_MODES)}, got {padding_mode!r}.")


def _paddings(padding: str | int | tuple[int], span: int, causal: bool) -> tuple[int, int]:
    """Samples left and right of a whole sound, for taps that reach over ``span`` samples."""
    wanted = padding[0] if isinstance(padding, tuple) and len(padding) == 1 else padding
    if wanted == "valid":
        return 0, 0
    if wanted == "same":
        return (span, 0) if causal else (span // 2, span - span // 2)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ModelError(f"Conv1dGeneral: padding must be 'same', 'valid' or a whole number from 0, got {padding!r}.")
    return (wanted, 0) if causal else (wanted, wanted)


def __getattr__(name: str) -> Any:
    return refuse(__name__, name)
