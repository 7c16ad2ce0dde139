"""Networks to learn with: streaming by construction, of a few families whose cost can be measured beforehand."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments, checked_fields
from neutone_like.errors import ModelError
from neutone_like.model.live import WaveformToWaveformBase
from neutone_like.model.metadata import ModelMetadata
from neutone_like.numbers import whole_number
from neutone_like.streaming import LSTM, Conv1d

Family = Literal["wavenet", "separable", "tcn", "lstm", "wiener_hammerstein"]
FAMILIES: tuple[Family, ...] = get_args(Family)
_MOST_WIDTH = 1024
_HIGHEST_GAIN = 30.0
_FIRST_TAPS = 0.01  # of a long filter, beside its newest


@checked_fields(ModelError)
@dataclass(frozen=True)
class StudentShape:
    """How large a student is.

    Attributes:
        family: ``"wavenet"``: dilated convolutions with a skip from each layer (van den Oord et al., WaveNet, 2016);
            ``"separable"``: the same with depthwise and 1x1 convolutions in the place of full ones; ``"tcn"``: few
            layers of many taps (Bai et al., 2018); ``"lstm"``: one recurrent layer, whose input is added to its output
            (Wright et al., 2019); ``"wiener_hammerstein"``: long filters, a bend without memory, and long filters, as
            amplifiers, pedals and cabinets are built (Billings and Fakhouri, 1982).
        width: Channels of each layer, or units.
        taps: Of each convolution, or filter.
        dilations: Samples between taps, for each layer; for ``"wiener_hammerstein"`` those between the near taps and
            between the far taps of both filters; ``()`` for ``"lstm"``.

    Raises:
        ModelError: A number out of range, or another family.
    """

    family: Family
    width: int
    taps: int = 3
    dilations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ModelError(f"family must be one of {', '.join(map(repr, FAMILIES))}, got {self.family!r}.")
        whole_number(self.width, "width", 1, _MOST_WIDTH, error=ModelError)
        whole_number(self.taps, "taps", 1, 4096, error=ModelError)
        if (self.family == "lstm") != (not self.dilations):
            raise ModelError(
                f"dilations: expected {'none' if self.family == 'lstm' else 'one for each layer'} of a student of "
                f"family {self.family!r}, got {self.dilations}."
            )
        if self.family == "wiener_hammerstein" and len(self.dilations) != 2:
            raise ModelError(
                "dilations: expected 2, of near taps and of far ones, of a student of family "
                f"'wiener_hammerstein', got {self.dilations}."
            )
        for each in self.dilations:
            whole_number(each, "dilations", 1, 1 << 16, unit="samples", error=ModelError)

    @property
    def receptive_field_samples(self) -> int | None:
        """How many samples an output depends on; ``None``: all that came before."""
        if self.family == "lstm":
            return None
        filters = 2 if self.family == "wiener_hammerstein" else 1
        return 1 + filters * (self.taps - 1) * sum(self.dilations)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "dilations": list(self.dilations)}

    def __str__(self) -> str:
        if self.family == "lstm":
            return f"lstm, {self.width} units"
        if self.family == "wiener_hammerstein":
            return f"wiener_hammerstein, {self.width} channels, filters of {self.receptive_field_samples} samples"
        return f"{self.family}, {self.width} channels, {len(self.dilations)} layers of {self.taps} taps"


class WaveNetLayer(nn.Module):
    """A dilated convolution to which the sound itself is added, tanh, and the two ways out."""

    def __init__(self, in_channels: int, width: int, taps: int, dilation: int, separable: bool) -> None:
        super().__init__()
        self.conv = Conv1d(width, width, taps, dilation=dilation, groups=width if separable else 1)
        self.across: nn.Module = Conv1d(width, width, 1, bias=False) if separable else nn.Identity()
        self.mixin = Conv1d(in_channels, width, 1, bias=False)
        self.onward = Conv1d(width, width, 1)

    def forward(self, x: Tensor, sound: Tensor) -> tuple[Tensor, Tensor]:
        """What the next layer gets, and what the head gets: ``[batch, width, N]`` each."""
        z = torch.tanh(self.across(self.conv(x)) + self.mixin(sound))
        return x + self.onward(z), z


class WaveNetStudent(nn.Module):
    """``[batch, in_channels, N]`` to ``[batch, out_channels, N]``."""

    def __init__(self, shape: StudentShape, in_channels: int, out_channels: int) -> None:
        super().__init__()
        separable = shape.family == "separable"
        self.start = Conv1d(in_channels, shape.width, 1, bias=False)
        self.layers = nn.ModuleList(
            WaveNetLayer(in_channels, shape.width, shape.taps, dilation, separable) for dilation in shape.dilations
        )
        self.head = Conv1d(shape.width, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        y, skips = self.start(x), torch.zeros(1)
        for layer in self.layers:
            y, skip = layer(y, x)
            skips = skips + skip
        return self.head(skips)


class TcnStudent(nn.Module):
    """``[batch, in_channels, N]`` to ``[batch, out_channels, N]``; a layer is ``x + mix(tanh(convolution(x)))``."""

    def __init__(self, shape: StudentShape, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.start = Conv1d(in_channels, shape.width, 1, bias=False)
        self.convolutions = nn.ModuleList(
            Conv1d(shape.width, shape.width, shape.taps, dilation=dilation) for dilation in shape.dilations
        )
        self.mixes = nn.ModuleList(Conv1d(shape.width, shape.width, 1, bias=False) for _ in shape.dilations)
        self.head = Conv1d(shape.width, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        y = self.start(x)
        for convolution, mix in zip(self.convolutions, self.mixes):  # noqa: B905 - TorchScript takes no strict
            y = y + mix(torch.tanh(convolution(y)))
        return self.head(y)


class LstmStudent(nn.Module):
    """``[batch, in_channels, N]`` to ``[batch, out_channels, N]``."""

    def __init__(self, shape: StudentShape, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.lstm = LSTM(in_channels, shape.width)
        self.head = Conv1d(shape.width, out_channels, 1)
        self.around = Conv1d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        return self.head(self.lstm(x)) + self.around(x)


class LongFilter(nn.Module):
    """Taps side by side for what happens fast, and taps far apart, of the smoothed sound, for what dies away slowly."""

    def __init__(self, in_channels: int, out_channels: int, taps: int, near: int, far: int) -> None:
        super().__init__()
        self.near = Conv1d(in_channels, out_channels, taps, dilation=near)
        self.smooth = Conv1d(in_channels, in_channels, taps, dilation=near, groups=in_channels, bias=False)
        self.far = Conv1d(in_channels, out_channels, taps, dilation=far, bias=False)
        smoothing = torch.hann_window(taps + 2, periodic=False)[1:-1]
        with torch.no_grad():  # it begins as nothing but the newest sample
            newest = self.near.weight[..., -1] * math.sqrt(taps)
            self.near.weight.mul_(_FIRST_TAPS)
            self.near.weight[..., -1] = newest
            self.smooth.weight.copy_((smoothing / smoothing.sum()).expand_as(self.smooth.weight))
            self.far.weight.mul_(_FIRST_TAPS)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        return self.near(x) + self.far(self.smooth(x))


class WienerHammersteinStudent(nn.Module):
    """``[batch, in_channels, N]`` to ``[batch, out_channels, N]``: a filter, what bends without memory, a filter."""

    def __init__(self, shape: StudentShape, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.start = LongFilter(in_channels, shape.width, shape.taps, *shape.dilations)
        self.mix = Conv1d(shape.width, shape.width, 1)
        self.join = Conv1d(shape.width, out_channels, 1)
        self.head = LongFilter(out_channels, out_channels, shape.taps, *shape.dilations)
        with torch.no_grad():
            self.head.near.weight[..., -1] = torch.eye(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        y = torch.tanh(self.start(x))
        return self.head(self.join(y + torch.tanh(self.mix(y))))


class StudentModel(WaveformToWaveformBase):
    """A student as a live model of one rate, without parameters. Its state lies in its streaming layers.

    Args:
        network: ``[batch, in_channels, N]`` to ``[batch, out_channels, N]``, of streaming layers.
        sample_rate: Hz.
        delay_samples: By how much what it learned is late.

    Raises:
        ModelError: No network, no rate or another argument that is none.
    """

    @checked_arguments(ModelError)
    def __init__(
        self,
        network: nn.Module,
        *,
        sample_rate: int,
        in_channels: int = 1,
        out_channels: int = 1,
        delay_samples: int = 0,
        metadata: ModelMetadata | None = None,
    ) -> None:
        self.in_channels, self.out_channels = in_channels, out_channels
        super().__init__(network)
        self.sample_rates = (sample_rate,)
        self.delay_samples = delay_samples
        self.metadata = metadata or ModelMetadata(name="Student", authors=("unknown",), version="1.0.0")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """The next block, ``[in_channels, N]``."""
        return self.model(x.unsqueeze(0)).squeeze(0)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """As the teacher's."""
        return self.delay_samples


_NETWORKS = {
    "wavenet": WaveNetStudent,
    "separable": WaveNetStudent,
    "tcn": TcnStudent,
    "lstm": LstmStudent,
    "wiener_hammerstein": WienerHammersteinStudent,
}


def student_network(shape: StudentShape, in_channels: int = 1, out_channels: int = 1, *, seed: int = 0) -> nn.Module:
    """A network of a shape, with weights drawn from a seed.

    What takes the sound in does so at gains from 1 to 30, spread over the channels: a device that distorts bends soft
    sound too, and small steps would take thousands of updates to find such gains.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _NETWORKS[shape.family](shape, in_channels, out_channels)
    gains = torch.logspace(0.0, math.log10(_HIGHEST_GAIN), shape.width)
    with torch.no_grad():
        for weight in _taking_in(network):
            weight.mul_(gains.repeat(weight.size(0) // shape.width).view(-1, *[1] * (weight.dim() - 1)))
    return network


def _taking_in(network: nn.Module) -> Iterator[Tensor]:
    for name, weight in network.named_parameters():
        if name in ("start.weight", "start.near.weight") or name.endswith(("mixin.weight", "weight_ih_l0")):
            yield weight
