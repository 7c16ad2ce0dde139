"""A compiled model is played beside the graph that it was made of before anyone relies on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like.compiler.facts import torch_value
from neutone_like.compiler.plan import Plan
from neutone_like.errors import CompileError
from neutone_like.graph import Graph, GraphPlayer, Lengths, Node
from neutone_like.model import CategoricalParameter, NumericalParameter

EAGER_FACTOR = 2.0
"""The error against float64 may be this many times PyTorch's own in float32."""

LEAST_ERROR = 1e-6
"""In parts of the output's peak: less than this is not held against anyone."""

ROUNDING_FACTOR = 2.0
"""Where numbers on the way are rounded to few levels, the error may be at most this many times what that rounding does.

A number between two levels goes to either, by the last bit of what came before, so that PyTorch in float32 and in
float64 may be as far apart as two draws of the same noise: 1.4 times as far as each is from what was not rounded.
How much of that a network makes is tried: by PyTorch's float32, and by input that is another by a few last bits.
"""

_FEW_LEVELS = 0.1
"""Of what the rounding does: a few numbers at the other level, in a network that makes no more of them."""

_MOVES = 4
_MOVED_BY = 2.0**-16  # in parts of each sample: sixteen times what float32 makes of numbers on the way

_ROUNDS = "aten::fake_quantize_per_tensor_affine.default"
_SIZES = (1, 17, 64, 256)
_SEED = 11


@dataclass(frozen=True)
class Accuracy:
    """How far a compiled model is from float64, and PyTorch in float32, as largest differences over all blocks.

    Attributes:
        error: Of the compiled model.
        eager_error: Of PyTorch, on the same input.
        peak: Of the output.
        blocks: The lengths of the blocks, in samples.
        from_eager: How far it is from PyTorch in float32.
        rounded: Whether numbers on the way are rounded to few levels.
        rounding_share: The power of the error over that of what this rounding does, as a ratio of amplitudes.
        rounding_allowed: How large that may be.
    """

    error: float
    eager_error: float
    peak: float
    blocks: tuple[int, ...]
    from_eager: float = 0.0
    rounded: bool = False
    rounding_share: float = 0.0
    rounding_allowed: float = 0.0

    @property
    def allowed(self) -> float:
        """The largest error that is good enough."""
        return max(EAGER_FACTOR * self.eager_error, LEAST_ERROR * self.peak)

    @property
    def is_good(self) -> bool:
        """Whether the error is small enough."""
        if not isfinite(self.allowed) or not isfinite(self.error):
            return False
        return self.error <= self.allowed or (self.rounded and self.rounding_share <= self.rounding_allowed)

    def __str__(self) -> str:
        if self.rounded and self.error > self.allowed:
            return (
                f"error {self.rounding_share:.2g} times what 8 bits on the way make of it, allowed are "
                f"{self.rounding_allowed:.2g} times, at most {self.error:.1e} at a peak of {self.peak:.2g}"
            )
        return (
            f"error {self.error:.1e}, allowed {self.allowed:.1e} ({EAGER_FACTOR:g} times PyTorch's own in float32, at "
            f"a peak of {self.peak:.2g}), over blocks of {', '.join(map(str, sorted(set(self.blocks))))} samples"
        )


class Examples:
    """Sound and parameters for a graph, block after block, from one seed."""

    def __init__(self, graph: Graph, look_behind: int, parameters: Sequence[NumericalParameter]) -> None:
        self._graph = graph
        self._look_behind = look_behind
        self._parameters = list(parameters)
        self._generator = torch.Generator().manual_seed(_SEED)
        shape = graph.inputs[0].shape
        self._channels = [torch_value(each, 64) for each in shape[:-1]]
        self._past = torch.zeros(*self._channels, look_behind)
        self._loudness = 0

    def block(self, samples: int) -> list[Tensor]:
        """The graph's inputs for ``samples`` new ones: quiet and loud noise by turns, knobs anywhere."""
        self._loudness = (self._loudness + 1) % 3
        level = (0.5, 0.05, 0.001)[self._loudness]
        new = level * torch.randn(*self._channels, samples, generator=self._generator)
        audio = torch.cat((self._past, new), dim=-1)
        self._past = audio[..., audio.shape[-1] - self._look_behind :] if self._look_behind else self._past
        whole = samples + self._look_behind
        values: list[Tensor] = []
        for given, parameter in zip(self._graph.inputs[1:], self._parameters, strict=True):
            length = torch_value(given.shape[-1], whole)
            host_values = torch.rand(length, generator=self._generator).tolist()
            values.append(torch.tensor([value_at(parameter, each) for each in host_values]))
        return [audio, *values]


def value_at(parameter: NumericalParameter, host_value: float) -> float:
    """A parameter's value, in its own unit, for a host's 0..1; of a choice its index."""
    if isinstance(parameter, CategoricalParameter):
        return float(round(host_value * parameter.maximum))
    return parameter.minimum + host_value * (parameter.maximum - parameter.minimum)


def play(native: Any, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
    """One block through the native player, ``[out_channels, samples]``."""
    audio = inputs[0].reshape(-1, inputs[0].shape[-1]).contiguous().numpy()
    return np.asarray(native.play(audio, [each.contiguous().numpy() for each in inputs[1:]]))


def prove(native: Any, graph: Graph, plan: Plan, parameters: Sequence[NumericalParameter]) -> Accuracy:
    """Play blocks of several lengths through the compiled model and the graph.

    Args:
        native: The compiled model, from the state it begins in.
        graph: What it was compiled from.
        plan: How.
        parameters: The model's.

    Raises:
        CompileError: They differ by more than PyTorch's own rounding allows.
    """
    longest = graph.lengths.longest
    accuracy = _accuracy(native, graph, plan, parameters, longest or max(_blocks(plan)))
    require_finite(accuracy)
    if accuracy.is_good:
        return accuracy
    native.reset()
    if longest is None and _accuracy(native, graph, plan, parameters, plan.granule).is_good:
        raise CompileError(
            "What the model gives depends on how its sound is cut into blocks, and a compiled model plays those beyond "
            f"{plan.granule} samples in pieces: {accuracy}. Calculate the same however the sound is cut, or declare "
            f"block_sizes = ({plan.granule},)."
        )
    raise CompileError(
        f"The compiled model does not give what the network does: {accuracy}. This is a mistake in the compiler; "
        "TorchScript plays the model. Please report it with the model."
    )


def require_finite(accuracy: Accuracy) -> None:
    """Whether there is something to hold anything against.

    Raises:
        CompileError: What the network gives is NaN or infinite.
    """
    if not isfinite(accuracy.peak) or not isfinite(accuracy.eager_error):
        raise CompileError(
            "What the network gives for noise is NaN or infinite, so that nothing can be held against it: a weight or "
            "a state is, or it divides by nothing. Train or load it again, or keep what it divides by away from 0; "
            "TorchScript plays it as it is."
        )


def _accuracy(
    native: Any, graph: Graph, plan: Plan, parameters: Sequence[NumericalParameter], longest: int
) -> Accuracy:
    """Beside the graph in pieces of at most ``longest`` samples."""

    def played(inputs: Sequence[Tensor]) -> Tensor:
        return torch.from_numpy(play(native, inputs))

    return accuracy_of(played, graph, parameters, plan.look_behind, _blocks(plan), longest)


def accuracy_of(
    played: Callable[[Sequence[Tensor]], Tensor],
    graph: Graph,
    parameters: Sequence[NumericalParameter],
    look_behind: int,
    blocks: Sequence[int],
    longest: int | None = None,
) -> Accuracy:
    """Play a graph in another form beside PyTorch, block after block.

    Args:
        played: Plays one block of the graph's inputs, and keeps the states; ``[channels, samples]``.
        graph: What it was made of.
        parameters: The model's.
        look_behind: How many samples before each block are past ones.
        blocks: The lengths of the blocks, in new samples.
        longest: PyTorch plays longer blocks in pieces of this length; ``None``: as they are.
    """
    exact, eager = GraphPlayer(graph, torch.float64), GraphPlayer(graph)
    whole = without_rounding(graph)
    rounding = None if whole is None else _Rounding(graph, whole)
    examples = Examples(graph, look_behind, parameters)
    error = eager_error = peak = from_eager = 0.0
    with torch.no_grad():
        for samples in blocks:
            inputs = examples.block(samples)
            pieces = _pieces(inputs, look_behind, longest or samples)
            wanted = torch.cat([_rows(exact(*[each.double() for each in piece])) for piece in pieces], 1)
            rounded = torch.cat([_rows(eager(*piece)) for piece in pieces], 1)
            got = _rows(played(inputs))
            if got.shape != wanted.shape:
                raise CompileError(f"a block of {samples} samples gives {list(got.shape)}, not {list(wanted.shape)}")
            error = max(error, _largest(got - wanted))
            from_eager = max(from_eager, _largest(got - rounded))
            eager_error = max(eager_error, _largest(rounded - wanted))
            peak = max(peak, _largest(wanted))
            if rounding is not None:
                rounding.hear(pieces, wanted, rounded, got)
    found = Accuracy(error, eager_error, peak, tuple(blocks), from_eager)
    if rounding is None:
        return found
    return replace(found, rounded=True, rounding_share=rounding.share, rounding_allowed=rounding.allowed)


class _Rounding:
    """The power of what rounding on the way does, of the error, and of what a few last bits make."""

    def __init__(self, graph: Graph, unrounded: Graph) -> None:
        self._unrounded = GraphPlayer(unrounded, torch.float64)
        self._moved = [GraphPlayer(graph, torch.float64) for _ in range(_MOVES)]
        self._generator = torch.Generator().manual_seed(_SEED)
        self._noise = self._error = self._eager = 0.0
        self._moves = [0.0] * _MOVES

    def hear(self, pieces: Sequence[Sequence[Tensor]], wanted: Tensor, eager: Tensor, got: Tensor) -> None:
        """One block's inputs, and what float64, float32 and the other form made of them."""
        exact = [[each.double() for each in piece] for piece in pieces]
        self._noise += _power(torch.cat([_rows(self._unrounded(*piece)) for piece in exact], 1) - wanted)
        self._error += _power(got - wanted)
        self._eager += _power(eager - wanted)
        for at, player in enumerate(self._moved):
            made = torch.cat([_rows(player(self._moved_by_bits(audio), *values)) for audio, *values in exact], 1)
            self._moves[at] += _power(made - wanted)

    @property
    def share(self) -> float:
        """The error's, as a ratio of amplitudes."""
        return self._share_of(self._error)

    @property
    def allowed(self) -> float:
        """The largest share that is good enough."""
        return min(ROUNDING_FACTOR, _FEW_LEVELS + 2.0 * self._share_of(max(self._eager, *self._moves)))

    def _share_of(self, power: float) -> float:
        return (power / self._noise) ** 0.5 if self._noise > 0.0 else inf

    def _moved_by_bits(self, audio: Tensor) -> Tensor:
        return audio * (1.0 + _MOVED_BY * (2.0 * torch.rand(audio.shape, generator=self._generator) - 1.0))


def _power(difference: Tensor) -> float:
    return float(difference.square().sum())


def without_rounding(graph: Graph) -> Graph | None:
    """The same with numbers that are clipped, but not rounded to few levels; ``None`` where none are."""
    if all(node.op != _ROUNDS for node in graph.nodes):
        return None
    return replace(graph, nodes=tuple(_clipped(each) if each.op == _ROUNDS else each for each in graph.nodes))


def _clipped(node: Node) -> Node:
    x, scale, zero_point, lowest, highest = node.args
    ends = ((each - zero_point) * scale for each in (lowest, highest))
    return replace(node, op="aten::clamp.default", args=(x, *ends), kwargs={})


def _rows(sound: Tensor) -> Tensor:
    return sound.reshape(-1, sound.shape[-1])


def _pieces(inputs: Sequence[Tensor], look_behind: int, longest: int) -> list[list[Tensor]]:
    """A block in pieces, each with its own past."""
    audio, *values = inputs
    samples = audio.shape[-1] - look_behind
    pieces: list[list[Tensor]] = []
    for start in range(0, samples, longest):
        end = min(start + longest, samples)
        own = [each if each.shape[-1] == 1 else each[..., start:end] for each in values]
        pieces.append([audio[..., start : end + look_behind], *own])
    return pieces


def _largest(values: Tensor) -> float:
    return float(values.abs().nan_to_num(float("inf"), posinf=float("inf")).max())


def _blocks(plan: Plan) -> tuple[int, ...]:
    if not plan.lengths.multiple_of:
        return (plan.granule,) * 6
    sizes = blocks_to_try(plan.lengths)
    return (*sizes, plan.granule, sizes[0]) if plan.granule > max(sizes) else sizes


def blocks_to_try(lengths: Lengths) -> tuple[int, ...]:
    """Blocks of several lengths, short and long ones by turns, for a graph that takes several."""
    whole = max(lengths.multiple_of, lengths.shortest)
    sizes = [-(-max(size, whole) // lengths.multiple_of) * lengths.multiple_of for size in _SIZES]
    return (*sizes, *sizes[::-1], whole)
