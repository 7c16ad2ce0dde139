"""The WaveNet of `.nam` files, of every format from 0.5.0 to 0.7.0."""

from typing import Any, cast

from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.importers.activations import activation
from neutone_like.importers.causal import CausalConv1d
from neutone_like.importers.fields import Fields, is_finite
from neutone_like.importers.wavenet_layer import FILMS, LayerShape, Paired, WaveNetLayer, film_shape
from neutone_like.importers.weights import Weights

SLIMMING = "slice_channels_uniform"


class LayerArray(nn.Module):
    """Layers of the same width, and the convolution that makes of them what the next array's head starts from."""

    def __init__(self, config: Fields, weights: Weights) -> None:
        super().__init__()
        _take_early_names(config)
        self.in_channels, shape = config.whole("input_size", maximum=4096), _shape(config)
        self.channels, self.condition = shape.channels, shape.condition
        dilations = config.wholes("dilations")
        kernels = _kernels(config, len(dilations))
        activations = _activations(config, shape.bottleneck, len(dilations))
        self.head_in = shape.head1x1 or shape.bottleneck
        self.head_out, head_kernel, head_bias = _head(config)
        _check_slimming(config)
        config.done()
        self.rechannel = CausalConv1d(self.in_channels, shape.channels, 1, bias=False)
        self.rechannel.fill(weights)
        rows = zip(kernels, dilations, activations, strict=True)
        self.layers = nn.ModuleList([WaveNetLayer(shape, *row, weights) for row in rows])
        self.head = CausalConv1d(self.head_in, self.head_out, head_kernel, bias=head_bias)
        self.head.fill(weights)
        past = sum(dilation * (kernel - 1) for dilation, kernel in zip(dilations, kernels, strict=True))
        self.settling_samples = past + head_kernel - 1

    def forward(self, x: Tensor, condition: Tensor, head: Tensor | None) -> tuple[Tensor, Tensor]:
        """What the next array gets: its input, and its head's."""
        x = self.rechannel(x)
        for layer in self.layers:
            x, out = layer(x, condition)
            head = out if head is None else head + out
        assert head is not None  # TorchScript: there is at least one layer
        return x, self.head(head)


class WaveNet(nn.Module):
    """Arrays of layers. The condition is the input, or what a network of its own makes of it."""

    def __init__(self, config: Fields, weights: Weights, condition: nn.Module | None) -> None:
        super().__init__()
        self.in_channels = config.whole("in_channels", 1, maximum=4096)
        arrays = [
            LayerArray(Fields(each, f"config.layers[{at}]"), weights) for at, each in enumerate(config.items("layers"))
        ]
        _check_joints(arrays, self.in_channels, condition)
        self.arrays = nn.ModuleList(arrays)
        self.condition = nn.Identity() if condition is None else condition
        self.out_channels = arrays[-1].head_out
        self.settling_samples = sum(array.settling_samples for array in arrays)
        self.settling_samples += 0 if condition is None else int(cast("int", condition.settling_samples))
        self.head: nn.Module = nn.Identity()
        if config.get("head") is not None:
            self._add_head(Fields(config.get("head"), "config.head"), weights)
        if not is_finite(scale := config.need("head_scale")):  # the last of the weights counts, as in the players
            raise ModelFileError(f"config.head_scale must be a finite number, got {scale!r:.60}. Export it again.")
        config.done()
        self.head_scale = float(weights.take(1))

    def _add_head(self, config: Fields, weights: Weights) -> None:
        channels, out = config.whole("channels", maximum=4096), config.whole("out_channels", maximum=4096)
        if config.whole("in_channels", self.out_channels) != self.out_channels:
            raise ModelFileError(f"config.head.in_channels must be {self.out_channels}, the last array's head.")
        kernels = [1] * config.whole("num_layers", maximum=1000) if "num_layers" in config.values else []
        kernels = kernels or config.wholes("kernel_sizes")
        kind, width, layers = config.need("activation"), self.out_channels, cast("list[nn.Module]", [])
        config.done()
        for at, kernel in enumerate(kernels):
            conv = CausalConv1d(width, out if at == len(kernels) - 1 else channels, kernel)
            conv.fill(weights)
            layers += [activation(kind, "config.head.activation", width), conv]
            width = channels
        self.head, self.out_channels = nn.Sequential(*layers), out
        self.settling_samples += sum(kernels) - len(kernels)

    def forward(self, x: Tensor) -> Tensor:
        """The next block, ``[1, in_channels, N]`` to ``[1, out_channels, N]``."""
        condition = self.condition(x)
        head: Tensor | None = None
        for array in self.arrays:
            x, head = array(x, condition, head)
        assert head is not None  # TorchScript: there is at least one array
        return self.head(self.head_scale * head)


def _take_early_names(config: Fields) -> None:
    """Files of January 2026 have other names for three things; the sound is the same."""
    for early, name in (("head_1x1", "head1x1"), ("1x1_post_film", "layer1x1_post_film")):
        if early in config.values and name not in config.values:
            config.values[name] = config.values.pop(early)
    if "groups_1x1" in config.values and "layer1x1" not in config.values:
        config.values["layer1x1"] = {"groups": config.values.pop("groups_1x1")}


def _shape(config: Fields) -> LayerShape:
    channels = config.whole("channels", maximum=4096)
    residual = Fields(config.get("layer1x1", {}), f"{config.where}.layer1x1")
    head = Fields(config.get("head1x1", {}), f"{config.where}.head1x1")
    if not residual.flag("active", True):
        raise ModelFileError(
            f"{config.where}.layer1x1.active is false: the format's trainer and its players disagree on what "
            "such a layer passes on, so it is refused. Train with layer1x1 active."
        )
    films = {name: film_shape(config, name) for name in FILMS}
    head_active = head.flag("active", False)
    if films["head1x1_post_film"].active and not head_active:
        raise ModelFileError(f"{config.where}.head1x1_post_film is active, and head1x1 is not. Activate both or none.")
    shape = LayerShape(
        channels=channels,
        condition=config.whole("condition_size", maximum=4096),
        bottleneck=config.whole("bottleneck", channels, maximum=4096),
        groups_input=config.whole("groups_input", 1),
        groups_mixin=config.whole("groups_input_mixin", 1),
        groups_1x1=residual.whole("groups", 1),
        head1x1=head.whole("out_channels", channels, maximum=4096) if head_active else 0,
        groups_head1x1=head.whole("groups", 1) if head_active else 1,
        films=films,
    )
    residual.done()
    for unused in ("out_channels", "groups"):
        head.get(unused)
    head.done()
    return shape


def _each(value: object, count: int, what: str) -> list[Any]:
    """One for every layer: the file has a list, or one for all."""
    if not isinstance(value, list):
        return [value] * count
    values = cast("list[Any]", value)
    if len(values) != count:
        raise ModelFileError(f"{what} has {len(values)} entries, and there are {count} dilations.")
    return values


def _kernels(config: Fields, count: int) -> list[int]:
    if "kernel_size" in config.values and "kernel_sizes" in config.values:
        raise ModelFileError(f"{config.where} has both kernel_size and kernel_sizes. Leave one out.")
    if "kernel_sizes" in config.values:
        return _each(config.wholes("kernel_sizes"), count, f"{config.where}.kernel_sizes")
    config.need("kernel_size")
    if isinstance(config.values["kernel_size"], list):
        return _each(config.wholes("kernel_size"), count, f"{config.where}.kernel_size")
    return [config.whole("kernel_size")] * count


def _activations(config: Fields, channels: int, count: int) -> list[nn.Module]:
    first = _each(config.need("activation"), count, f"{config.where}.activation")
    gated = "gated" if config.flag("gated", False) else "none"
    modes = _each(config.get("gating_mode", gated), count, f"{config.where}.gating_mode")
    second = _each(config.get("secondary_activation"), count, f"{config.where}.secondary_activation")
    made: list[nn.Module] = []
    for one, mode, two in zip(first, modes, second, strict=True):
        if mode not in ("none", "gated", "blended"):
            raise ModelFileError(f"{config.where}.gating_mode must be none, gated or blended, got {mode!r:.60}.")
        primary = activation(one, f"{config.where}.activation", channels)
        if mode != "none":
            secondary = activation(two or "Sigmoid", f"{config.where}.secondary_activation", channels)
            primary = Paired(primary, secondary, mode == "blended")
        made.append(primary)
    return made


def _head(config: Fields) -> tuple[int, int, bool]:
    """Channels, kernel and bias of an array's head: an object since 0.6, two keys before."""
    if config.get("head") is None:
        return config.whole("head_size", maximum=4096), 1, config.flag("head_bias")
    for older in ("head_size", "head_bias"):  # beside it, for players that know no other
        config.get(older)
    fields = Fields(config.get("head"), f"{config.where}.head")
    head = (fields.whole("out_channels", maximum=4096), fields.whole("kernel_size"), fields.flag("bias"))
    fields.done()
    return head


def _check_slimming(config: Fields) -> None:
    """At its full width, which is what plays here, a slimmable array is like any other."""
    value = config.get("slimmable")
    if value is None:
        return
    fields = Fields(value, f"{config.where}.slimmable")
    if fields.need("method") != SLIMMING:
        raise ModelFileError(f"{fields.where}.method is {fields.get('method')!r:.60}; known is {SLIMMING}.")
    fields.get("kwargs")
    fields.done()


def _check_joints(arrays: list[LayerArray], in_channels: int, condition: nn.Module | None) -> None:
    width = in_channels if condition is None else condition.out_channels
    if condition is not None and condition.in_channels != in_channels:
        raise ModelFileError(f"condition_dsp takes {condition.in_channels} channels, expected {in_channels}.")
    for at, array in enumerate(arrays):
        expected = in_channels if at == 0 else arrays[at - 1].channels
        if array.in_channels != expected:
            raise ModelFileError(f"config.layers[{at}].input_size must be {expected}, got {array.in_channels}.")
        if array.condition != width:
            raise ModelFileError(f"config.layers[{at}].condition_size must be {width}, got {array.condition}.")
        if at and arrays[at - 1].head_out != array.head_in:
            raise ModelFileError(
                f"config.layers[{at - 1}]: its head has {arrays[at - 1].head_out} channels, the next array takes "
                f"{array.head_in}."
            )
