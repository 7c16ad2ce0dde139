"""Layers one after another and side by side: delays add up, and branches of different delay are aligned."""

import math
from collections.abc import Iterable
from fractions import Fraction

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_multiple
from neutone_like.streaming.delay import Delay
from neutone_like.streaming.layer import StreamingLayer, block_multiple
from neutone_like.streaming.normalisation import refuse_unstreamable
from neutone_like.streaming.start import SilentStart


class Sequential(StreamingLayer, nn.Sequential):
    """Layers one after another; its weights have the names that they have in :class:`torch.nn.Sequential`.

    A layer at a lower rate counts its samples from the start of the signal, so the delay before it is made a multiple
    of its stride; and where a layer pads, what a delaying layer gave before its first sample is silenced. What does so
    is among the children, as ``align_N`` and ``start_N`` before child ``N``, and has no weights.

    Children are streaming layers, or modules that treat every sample on its own (activations, 1x1 convolutions).
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.source = "Composition"
        self._assemble(list(layers), 0)

    @checked_arguments(ModelError)
    def begin_after(self, samples: int) -> None:
        """Be ready for a signal that begins after so many input samples, a multiple of what blocks are."""
        layers = [child for name, child in self.named_children() if name.isdigit()]
        for name in [name for name, _ in self.named_children()]:
            delattr(self, name)
        self._assemble(layers, samples)

    def _assemble(self, layers: list[nn.Module], start: int) -> None:
        self.ratio, delay, self.block_multiple_samples = Fraction(1), start, 1
        for index, layer in enumerate(layers):
            multiple = block_multiple(layer)
            _require_samplewise(layer, str(index))
            if delay % multiple:
                self.add_module(f"align_{index}", Delay(-delay % multiple))
                delay += -delay % multiple
            if delay and isinstance(layer, Sequential | Parallel | Residual):
                layer.begin_after(delay)
            elif delay and isinstance(layer, StreamingLayer) and layer.padding_value is not None:
                self.add_module(f"start_{index}", SilentStart(delay, layer.padding_value))
            self.add_module(str(index), layer)
            needed = Fraction(multiple) / self.ratio  # input samples for a block that this layer takes
            self.block_multiple_samples = math.lcm(self.block_multiple_samples, needed.numerator)
            if isinstance(layer, StreamingLayer):
                delay = int(delay * layer.ratio) + layer.delay_samples
                self.ratio *= layer.ratio
        self.delay_samples = delay - int(start * self.ratio)
        self.receptive_field_samples = _receptive_field(self, list(self.children()))
        self.receptive_field_is_exact = _is_exact(list(self.children()))

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        require_multiple("Sequential", x.size(2), self.block_multiple_samples)
        for layer in self:
            x = layer(x)
        return x

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        for layer in reversed(list(self.children())):
            if isinstance(layer, StreamingLayer):
                first, last = layer.input_interval(first, last)
        return first, last


class Parallel(StreamingLayer):
    """Branches side by side, joined as ``"sum"`` or ``"concatenation"`` (of channels); later ones wait for none.

    Raises:
        ModelError: No branch, branches of different ratio, an unknown way to join.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, *branches: nn.Module, join: str = "sum") -> None:
        super().__init__()
        if join not in ("sum", "concatenation"):
            raise ModelError(f"join must be 'sum' or 'concatenation', got {join!r}.")
        ratios = [_ratio(branch) for branch in branches]
        if len(set(ratios)) != 1:
            named = ", ".join(
                f"branch {i} ({type(b).__name__}): {r}" for i, (b, r) in enumerate(zip(branches, ratios, strict=True))
            )
            raise ModelError(
                f"Branches must have one ratio of output to input samples, got {named or 'no branch'}. Bring them to "
                "one rate with a strided or transposed convolution, pooling or up-sampling."
            )
        self.join = join
        self.branches = nn.ModuleList(Sequential(branch) for branch in branches)
        self.ratio = ratios[0]
        self.block_multiple_samples = math.lcm(*(block_multiple(branch) for branch in self.branches))
        self.source = "Composition"
        self.begin_after(0)

    @checked_arguments(ModelError)
    def begin_after(self, samples: int) -> None:
        """Be ready for a signal that begins after so many input samples, a multiple of what blocks are."""
        branches = [branch for branch in self.branches if isinstance(branch, Sequential)]
        for branch in branches:
            branch.begin_after(samples)
        self.delay_samples = max(branch.delay_samples for branch in branches)
        self.delays = nn.ModuleList(Delay(self.delay_samples - branch.delay_samples) for branch in branches)
        self.receptive_field_samples = _receptive_field(self, branches)
        self.receptive_field_is_exact = _is_exact(branches)

    def forward(self, x: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        for branch, delay in zip(self.branches, self.delays):  # noqa: B905 - TorchScript takes no strict
            outputs.append(delay(branch(x)))
        if self.join == "concatenation":
            return torch.cat(outputs, 1)
        y = outputs[0]
        for other in outputs[1:]:
            y = y + other
        return y

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        intervals: list[tuple[int, int]] = []
        for branch, delay in zip(self.branches, self.delays, strict=True):
            if isinstance(branch, StreamingLayer) and isinstance(delay, Delay):
                intervals.append(branch.input_interval(*delay.input_interval(first, last)))
        return min(low for low, _ in intervals), max(high for _, high in intervals)


class Residual(StreamingLayer):
    """``x + body(x)``, with ``x`` as late as the body's output.

    Raises:
        ModelError: The body's output has another rate than its input, or it could be no child of
            :class:`Sequential`.
    """

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        _require_samplewise(body, "body")
        if _ratio(body) != 1:
            raise ModelError(
                f"A residual branch must have as many output samples as input samples, got ratio {_ratio(body)} of "
                f"{type(body).__name__}. Use Parallel with a shortcut of the same ratio."
            )
        self.body = body
        self.block_multiple_samples = block_multiple(body)
        self.source = "Composition"
        self.begin_after(0)

    @checked_arguments(ModelError)
    def begin_after(self, samples: int) -> None:
        """Be ready for a signal that begins after so many input samples, a multiple of what blocks are."""
        self.start = SilentStart(0)
        if isinstance(self.body, Sequential | Parallel | Residual):
            self.body.begin_after(samples)
        elif isinstance(self.body, StreamingLayer) and self.body.padding_value is not None:
            self.start = SilentStart(samples, self.body.padding_value)
        self.delay_samples = self.body.delay_samples if isinstance(self.body, StreamingLayer) else 0
        self.shortcut = Delay(self.delay_samples)
        self.receptive_field_samples = _receptive_field(self, [self.body])
        self.receptive_field_is_exact = _is_exact([self.body])

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(self.start(x))

    def input_interval(self, first: int, last: int) -> tuple[int, int]:
        low, high = self.shortcut.input_interval(first, last)
        if isinstance(self.body, StreamingLayer):
            body_low, body_high = self.body.input_interval(first, last)
            return min(low, body_low), max(high, body_high)
        return low, high


def _require_samplewise(layer: nn.Module, name: str) -> None:
    """Raise :class:`ModelError` for an ordinary torch layer that would treat every block as a signal of its own."""
    if type(layer) is nn.Sequential:
        for inner_name, inner in layer.named_children():
            _require_samplewise(inner, f"{name}.{inner_name}")
            if isinstance(inner, StreamingLayer):
                raise ModelError(
                    f"{name} (Sequential) holds a layer that streams, {inner_name} ({type(inner).__name__}), and "
                    "declares nothing of it: use neutone_like.streaming.Sequential there too."
                )
        return
    refuse_unstreamable(layer, name)
    kind = type(layer).__name__
    why = "" if isinstance(layer, StreamingLayer) else _why_not_samplewise(layer)
    if why:
        raise ModelError(f"{name} ({kind}) {why}.")


def _why_not_samplewise(layer: nn.Module) -> str:
    """Goes on from the layer's name."""
    kind = type(layer).__name__
    if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
        alone = (layer.kernel_size[0], layer.stride[0]) == (1, 1) and layer.padding in ((0,), "same", "valid")
        return "" if alone else f"keeps no state between blocks: use neutone_like.streaming.{kind}.from_torch"
    if isinstance(layer, nn.AvgPool1d | nn.MaxPool1d):
        return "keeps no state between blocks: use Pool1d.from_torch"
    if isinstance(layer, nn.RNN | nn.GRU | nn.LSTM):
        return f"begins every block anew: use neutone_like.streaming.{kind}.from_torch"
    if isinstance(layer, nn.ConstantPad1d | nn.ReflectionPad1d | nn.ReplicationPad1d | nn.CircularPad1d):
        return "pads every block: leave it out, and say look_ahead_samples to the Conv1d behind it"
    if isinstance(layer, nn.Upsample):
        return "changes the rate, and does not declare it: use Hold or Interpolate"
    return ""


def _ratio(module: nn.Module) -> Fraction:
    return module.ratio if isinstance(module, StreamingLayer) else Fraction(1)


def _receptive_field(container: StreamingLayer, children: Iterable[nn.Module]) -> int | None:
    """Exact: the widest interval of inputs, over the outputs of one block."""
    layers = [child for child in children if isinstance(child, StreamingLayer)]
    if any(layer.receptive_field_samples is None for layer in layers):
        return None
    outputs = range(max(1, int(container.block_multiple_samples * container.ratio)))
    intervals = [container.input_interval(n, n) for n in outputs]
    return max(last - first + 1 for first, last in intervals)


def _is_exact(children: Iterable[nn.Module]) -> bool:
    return all(child.receptive_field_is_exact for child in children if isinstance(child, StreamingLayer))
