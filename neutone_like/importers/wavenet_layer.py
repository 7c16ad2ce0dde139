"""One layer of a `.nam` WaveNet: dilated convolution, condition, activation, and the ways out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from neutone_like.importers.causal import CausalConv1d
from neutone_like.importers.fields import Fields
from neutone_like.importers.weights import Weights

FILMS = (
    "conv_pre_film",
    "conv_post_film",
    "input_mixin_pre_film",
    "input_mixin_post_film",
    "activation_pre_film",
    "activation_post_film",
    "layer1x1_post_film",
    "head1x1_post_film",
)


@dataclass(frozen=True)
class FilmShape:
    """Whether a modulation is there, whether it shifts too, and its groups."""

    active: bool
    shift: bool
    groups: int


@dataclass(frozen=True)
class LayerShape:
    """What the layers of one array have in common."""

    channels: int
    condition: int
    bottleneck: int
    groups_input: int
    groups_mixin: int
    groups_1x1: int
    head1x1: int  # channels; 0 where there is none
    groups_head1x1: int
    films: dict[str, FilmShape]


def film_shape(layers: Fields, key: str) -> FilmShape:
    """The modulation that stands under ``key``: nothing, false, or an object."""
    value = layers.get(key)
    if value is None or value is False:
        return FilmShape(False, False, 1)
    fields = Fields(value, f"{layers.where}.{key}")
    shape = FilmShape(fields.flag("active", True), fields.flag("shift", True), fields.whole("groups", 1))
    fields.done()
    return shape


class Film(nn.Module):
    """Feature-wise modulation: gain, and with ``shift`` an offset, computed from the condition."""

    def __init__(self, channels: int, condition: int, shape: FilmShape, weights: Weights) -> None:
        super().__init__()
        self.shift = shape.shift
        self.conv = CausalConv1d(condition, channels * (2 if shape.shift else 1), 1, groups=shape.groups)
        self.conv.fill(weights)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``x`` with gain and offset."""
        numbers = self.conv(condition)
        if not self.shift:
            return x * numbers
        gain, offset = numbers.chunk(2, dim=1)
        return x * gain + offset


class NoFilm(nn.Module):
    """No modulation."""

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """``x`` as it came."""
        return x


class Paired(nn.Module):
    """Two activations, one for each half of the channels: multiplied, or mixing the first with its own input."""

    def __init__(self, first: nn.Module, second: nn.Module, blended: bool) -> None:
        super().__init__()
        self.first, self.second, self.blended = first, second, blended

    def forward(self, x: Tensor) -> Tensor:
        """``[1, 2 C, N]`` to ``[1, C, N]``."""
        left, right = x.chunk(2, dim=1)
        gate = self.second(right)
        if self.blended:
            return gate * self.first(left) + (1.0 - gate) * left
        return gate * self.first(left)


class WaveNetLayer(nn.Module):
    """Gives what the next layer gets, and what the head gets."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # the modulations, by their names in the file

    def __init__(self, shape: LayerShape, kernel: int, dilation: int, activation: nn.Module, weights: Weights) -> None:
        super().__init__()
        middle = shape.bottleneck * (2 if isinstance(activation, Paired) else 1)
        self.activation = activation
        self.conv = CausalConv1d(shape.channels, middle, kernel, dilation, groups=shape.groups_input)
        self.mixin = CausalConv1d(shape.condition, middle, 1, bias=False, groups=shape.groups_mixin)
        self.layer1x1 = CausalConv1d(shape.bottleneck, shape.channels, 1, groups=shape.groups_1x1)
        for layer in (self.conv, self.mixin, self.layer1x1):
            layer.fill(weights)
        self.head1x1: nn.Module = nn.Identity()
        if shape.head1x1:
            head = CausalConv1d(shape.bottleneck, shape.head1x1, 1, groups=shape.groups_head1x1)
            head.fill(weights)
            self.head1x1 = head
        sizes = (shape.channels, middle, shape.condition, middle, middle, shape.bottleneck, shape.channels)
        for name, channels in zip(FILMS, (*sizes, shape.head1x1), strict=True):
            film = shape.films[name]
            setattr(self, name, Film(channels, shape.condition, film, weights) if film.active else NoFilm())

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """``x`` is ``[1, channels, N]``, ``condition`` ``[1, condition, N]``."""
        z = self.conv_post_film(self.conv(self.conv_pre_film(x, condition)), condition)
        mixed = self.mixin(self.input_mixin_pre_film(condition, condition))
        z = self.activation_pre_film(z + self.input_mixin_post_film(mixed, condition), condition)
        z = self.activation_post_film(self.activation(z), condition)
        onward = x + self.layer1x1_post_film(self.layer1x1(z), condition)
        return onward, self.head1x1_post_film(self.head1x1(z), condition)
