"""The Neutone SDK's temporal convolutional network and its conditioning, with weights of the same names."""

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import Conv1d, Delay, SilentStart


def causal_crop(x: Tensor, length: int) -> Tensor:
    """``length`` samples of ``[..., samples]``, without the last one; ``x`` itself where it is that long already."""
    if x.size(-1) == length:
        return x
    end = x.size(-1) - 1
    return x[..., end - length : end]


class FiLM(nn.Module):
    """Scales and shifts every channel by what a condition says.

    Source: Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, 2018.

    Args:
        cond_dim: Numbers in the condition.
        num_features: Channels.
        use_bn: Whether a batch normalisation without weights of its own comes first.
    """

    def __init__(self, cond_dim: int, num_features: int, use_bn: bool = True) -> None:
        super().__init__()
        self.num_features = num_features
        self.use_bn = use_bn
        self.bn = nn.BatchNorm1d(num_features, affine=False) if use_bn else None
        self.adaptor = nn.Linear(cond_dim, 2 * num_features)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        """``x`` is ``[batch, num_features, samples]``, ``cond`` is ``[batch, cond_dim]``."""
        if cond.dim() != 2:
            raise ModelError(f"FiLM: a condition of shape {cond.shape}; expected [batch, cond_dim].")
        scale, shift = self.adaptor(cond).unsqueeze(-1).chunk(2, 1)
        if self.bn is not None:
            x = self.bn(x)
        return x * scale + shift


class TCN1DBlock(nn.Module):
    """A dilated convolution, its conditioning or normalisation, an activation and a residual branch.

    Args:
        padding: Zeros on both sides, for whole sounds; by default ``(kernel_size - 1) // 2 * dilation``.
        cond_dim: Numbers in the condition; 0 for none.
        act: Instead of a PReLU with ``prelu_ch`` weights.
        res_groups: Groups of the residual's convolution.
        cached: Whether this is played as a stream, as of :class:`TCN1D`.
        start_samples: Of a stream: how many samples before the sound's first one come in.

    Raises:
        ModelError: A stream with a padding that neither keeps the length nor is 0.
    """

    def __init__(
        self,
        in_ch: int,
        out_ch: int,
        kernel_size: int,
        dilation: int,
        padding: int | None = None,
        cond_dim: int = 0,
        use_bias_in_conv: bool = True,
        use_bn: bool = True,
        use_act: bool = True,
        use_res: bool = True,
        act: nn.Module | None = None,
        prelu_ch: int = 1,
        res_groups: int = 1,
        *,
        cached: bool = False,
        start_samples: int = 0,
    ) -> None:
        super().__init__()
        self.padding = (kernel_size - 1) // 2 * dilation if padding is None else padding
        self.cached = cached
        span = (kernel_size - 1) * dilation
        self.delay_samples = span - self.padding if cached and self.padding > 0 else 0
        if cached:
            _require_cacheable(self.padding, span)
            self.start: nn.Module = SilentStart(start_samples)
            self.lag: nn.Module = Delay(self.delay_samples if self.padding > 0 else min(span, 1), in_ch)
            self.conv: nn.Module = Conv1d(in_ch, out_ch, kernel_size, dilation=dilation, bias=use_bias_in_conv)
        else:
            self.start, self.lag = nn.Identity(), nn.Identity()
            self.conv = nn.Conv1d(in_ch, out_ch, kernel_size, 1, self.padding, dilation, bias=use_bias_in_conv)
        self.act = (nn.PReLU(prelu_ch) if act is None else act) if use_act else None
        self.film = FiLM(cond_dim, out_ch, use_bn) if cond_dim > 0 else None
        self.bn = nn.BatchNorm1d(out_ch) if use_bn and cond_dim == 0 else None
        self.res = nn.Conv1d(in_ch, out_ch, 1, groups=res_groups, bias=False) if use_res else None

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """``x`` is ``[batch, in_ch, samples]``, ``cond`` is ``[batch, cond_dim]``."""
        x = self.start(x)
        y = self.conv(x)
        if self.film is not None:
            if cond is not None:
                y = self.film(y, cond)
        elif self.bn is not None:
            y = self.bn(y)
        if self.act is not None:
            y = self.act(y)
        if self.res is not None:
            y = y + causal_crop(self.res(self.lag(x)), y.size(2))
        return y


class TCN1D(nn.Module):
    """``[batch, in_ch, samples]`` to ``[batch, out_ch, ...]`` through blocks of growing dilation.

    As in the Neutone SDK it takes whole sounds: in a live wrapper, blocks would hear zeros around them. There, give it
    ``padding=0`` and return ``calc_receptive_field() - 1`` from ``get_look_behind_samples``; or, which computes nothing
    twice, ``cached=True``, which this package adds: then as many samples come out as go in, and blocks join. It is what
    :func:`neutone_like.streaming.to_streaming` makes of a network, with a condition too.

    Source: Steinmetz and Reiss, Efficient Neural Networks for Real-time Modeling of Analog Dynamic Range Compression,
    2022; Bai et al., An Empirical Evaluation of Generic Convolutional and Recurrent Networks, 2018.

    Args:
        n_channels: Channels between blocks.
        dil_growth: From one block's dilation to the next.
        padding: As of :class:`TCN1DBlock`.
        cond_dim: Numbers in the condition; 0 for none.
        cached: Whether blocks of a stream follow each other. Weights are the same.

    Raises:
        ModelError: ``cached`` with a padding that neither keeps the length nor is 0.
    """

    def __init__(
        self,
        in_ch: int = 1,
        out_ch: int = 1,
        n_blocks: int = 10,
        kernel_size: int = 13,
        n_channels: int = 64,
        dil_growth: int = 4,
        padding: int | None = None,
        cond_dim: int = 0,
        use_act: bool = True,
        use_bn: bool = False,
        use_bias_in_conv: bool = True,
        *,
        cached: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.n_channels = n_channels
        self.dil_growth = dil_growth
        self.n_blocks = n_blocks
        self.cond_dim = cond_dim
        self.cached = cached
        self.delay_samples = 0
        self.receptive_field_samples = 1 + (kernel_size - 1) * sum(dil_growth**n for n in range(n_blocks))
        blocks: list[TCN1DBlock] = []
        for n in range(n_blocks):
            block = TCN1DBlock(
                in_ch if n == 0 else n_channels,
                out_ch if n == n_blocks - 1 else n_channels,
                kernel_size,
                dil_growth**n,
                padding,
                cond_dim,
                use_bias_in_conv,
                use_bn,
                use_act,
                cached=cached,
                start_samples=self.delay_samples,
            )
            self.delay_samples += block.delay_samples
            blocks.append(block)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """``cond`` is ``[batch, cond_dim]``."""
        if x.dim() != 3:
            raise ModelError(f"TCN1D: audio of shape {x.shape}; expected [batch, in_ch, samples].")
        for block in self.blocks:
            x = block(x, cond)
        return x

    @torch.jit.export
    def calc_receptive_field(self) -> int:
        """Input samples that one output sample depends on."""
        return self.receptive_field_samples

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """Cached, how much later a sample comes than of a whole sound; 0 with ``padding=0``, which hears no future."""
        return self.delay_samples


def _require_cacheable(padding: int, span: int) -> None:
    if padding != 0 and 2 * padding != span:
        raise ModelError(
            f"TCN1D: cached=True takes padding=0 or one that keeps the length, here {span / 2:g} (an odd kernel_size), "
            f"got {padding}."
        )
