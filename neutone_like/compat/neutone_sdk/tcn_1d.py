"""The Neutone SDK's temporal convolutional network and its conditioning, with weights of the same names."""

from torch import Tensor, nn

from neutone_like.errors import ModelError


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
        if use_bn:
            self.bn = nn.BatchNorm1d(num_features, affine=False)
        self.adaptor = nn.Linear(cond_dim, 2 * num_features)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        """``x`` is ``[batch, num_features, samples]``, ``cond`` is ``[batch, cond_dim]``."""
        if cond.dim() != 2:
            raise ModelError(f"FiLM: a condition of shape {cond.shape}; expected [batch, cond_dim].")
        scale, shift = self.adaptor(cond).unsqueeze(-1).chunk(2, 1)
        if self.use_bn:
            x = self.bn(x)
        return x * scale + shift
