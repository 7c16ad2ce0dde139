"""Complex numbers as two real tensors, for engines that have none: Fourier transforms become products with tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import CompileError
from neutone_like.formats.fourier_tables import LONGEST, cosines, scale, sines, weights_of_bins
from neutone_like.graph import Graph, Node, operation


@dataclass(frozen=True)
class Pair:
    """Real and imaginary part, of the same dimensions."""

    real: Tensor
    imaginary: Tensor


Rule = Callable[..., Any]
_OF_EACH_PART = {
    "alias", "cat", "chunk", "clone", "contiguous", "cumsum", "detach", "expand", "flatten", "flip", "index",
    "index_select", "mean", "movedim", "narrow", "neg", "permute", "repeat", "reshape", "roll", "select", "slice",
    "split", "split_with_sizes", "squeeze", "stack", "sum", "t", "transpose", "unbind", "unflatten", "unfold",
    "unsqueeze", "view", "zeros_like", "_unsafe_view",
}  # fmt: skip
"""Operations that do to a complex tensor what they do to each of its parts."""
_JOIN = {"cat", "stack"}
"""Of these, operations that take real tensors beside complex ones."""
_COMPOSED = ("aten::stft", "aten::istft", "aten::fft_")


def is_composed(node: Node) -> bool:
    """Whether an operation is made of others, some of which have complex numbers."""
    return node.op.startswith(_COMPOSED)


def has_complex(graph: Graph) -> bool:
    """Whether there are complex numbers in a graph."""
    made = any(is_composed(each) or _name(each) in _MAKES_PAIRS for each in graph.nodes)
    return made or any(each.is_complex() for each in graph.parameters.values())


class InReals(nn.Module):
    """What operations give, with a :class:`Pair` in the place of each complex tensor.

    Tables are made when they are first needed, and kept as buffers: what is exported has been played before.
    """

    def function(self, node: Node) -> Rule:
        """To call in the place of a node's operation.

        Raises:
            CompileError: When it is called: the operation is not one that complex numbers are written for.
        """
        name = _name(node)

        def play(*args: Any, **kwargs: Any) -> Any:
            given = [*args, *kwargs.values()]
            if name in _CONVERTS and any(isinstance(each, torch.dtype) and each.is_complex for each in given):
                return args[0] if isinstance(args[0], Pair) else Pair(args[0], torch.zeros_like(args[0]))
            if name not in _MAKES_PAIRS and not any(map(_is_complex, given)):
                return _in_reals(operation(node.op)(*args, **kwargs), node)
            if node.op == "getitem":
                return operation(node.op)(*args)
            if name in _OF_EACH_PART:
                return _of_each_part(operation(node.op), args, kwargs, joins=name in _JOIN)
            rule = _TRANSFORMS.get(name)
            if rule is not None:
                return rule(self, *args, **kwargs)
            if name not in _RULES:
                raise CompileError(f"{node.place} of complex numbers: use their real and imaginary parts")
            return _RULES[name](*args, **kwargs)

        return play

    def multiplied(self, x: Tensor, dim: int, name: str, make: Callable[[], Tensor]) -> Tensor:
        """``x`` with a table, ``[points, results]``, applied along a dimension."""
        name = f"{name}_{x.dtype}".replace(".", "_")
        if not hasattr(self, name):
            self.register_buffer(name, make().to(x.dtype))
        return torch.matmul(x.movedim(dim, -1), getattr(self, name)).movedim(-1, dim)


def _real_to_complex(reals: InReals, x: Tensor, dim: Sequence[int], normalization: int, onesided: bool) -> Pair:
    *others, last = dim
    points = _points(x, last)
    bins = points // 2 + 1 if onesided else points
    factor, name = scale(normalization, points), f"{points}_{bins}_{normalization}"
    found = Pair(
        reals.multiplied(x, last, f"cosine_{name}", lambda: cosines(points, bins) * factor),
        reals.multiplied(x, last, f"minus_sine_{name}", lambda: -sines(points, bins) * factor),
    )
    return _complex_to_complex(reals, found, others, normalization, True)


def _complex_to_real(reals: InReals, x: Pair, dim: Sequence[int], normalization: int, last_dim_size: int) -> Tensor:
    *others, last = dim
    x = _complex_to_complex(reals, x, others, normalization, False)
    points = last_dim_size
    bins = min(_points(x.real, last), points // 2 + 1)
    real, imaginary = (each.narrow(last, 0, bins) for each in (x.real, x.imaginary))
    factor, name = weights_of_bins(points, bins) * scale(normalization, points), f"{bins}_{points}_{normalization}"
    return reals.multiplied(
        real, last, f"back_cosine_{name}", lambda: cosines(points, bins).T * factor
    ) - reals.multiplied(imaginary, last, f"back_sine_{name}", lambda: sines(points, bins).T * factor)


def _complex_to_complex(reals: InReals, x: Pair, dim: Sequence[int], normalization: int, forward: bool) -> Pair:
    for each in dim:
        points = _points(x.real, each)
        factor, name = scale(normalization, points), f"{points}_{points}_{normalization}"

        def cosine(part: Tensor) -> Tensor:
            return reals.multiplied(part, each, f"cosine_{name}", lambda: cosines(points, points) * factor)  # noqa: B023

        def sine(part: Tensor) -> Tensor:
            return reals.multiplied(part, each, f"minus_sine_{name}", lambda: -sines(points, points) * factor)  # noqa: B023

        turn = -1.0 if forward else 1.0
        x = Pair(
            cosine(x.real) + turn * sine(x.imaginary),
            cosine(x.imaginary) - turn * sine(x.real),
        )
    return x


def _points(x: Tensor, dim: int) -> int:
    points = x.size(dim)
    if not 0 < points <= LONGEST:
        raise CompileError(f"a Fourier transform of {points} points; up to {LONGEST} are written")
    return points


def _name(node: Node) -> str:
    return node.op.removeprefix("aten::").partition(".")[0]


def _is_complex(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_is_complex, value))
    return isinstance(value, (Pair, complex))


def _in_reals(found: Any, node: Node) -> Any:
    if isinstance(found, Tensor) and found.is_complex():
        raise CompileError(f"{node.place} makes complex numbers: make them of their real and imaginary parts")
    return found


def _of_each_part(function: Rule, args: Sequence[Any], kwargs: dict[str, Any], *, joins: bool) -> Any:
    def part(value: Any, name: str) -> Any:
        if isinstance(value, (list, tuple)):
            return [part(each, name) for each in value]
        if isinstance(value, torch.dtype):
            return value.to_real()
        if joins and isinstance(value, Tensor):
            return value if name == "real" else torch.zeros_like(value)
        return getattr(value, name) if isinstance(value, Pair) else value

    def played(name: str) -> Any:
        return function(*part(args, name), **{key: part(each, name) for key, each in kwargs.items()})

    given = [*args, *kwargs.values()]
    if any(isinstance(each, torch.dtype) and not each.is_complex for each in given):
        return played("real")
    real, imaginary = played("real"), played("imaginary")
    if isinstance(real, Tensor):
        return Pair(real, imaginary)
    return [Pair(*each) for each in zip(real, imaginary, strict=True)]


def _both(value: Any) -> tuple[Any, Any]:
    if isinstance(value, Pair):
        return value.real, value.imaginary
    return (value.real, value.imag) if isinstance(value, complex) else (value, 0.0)


def _pair(real: Any, imaginary: Any) -> Pair:
    """Of parts, one of which may be smaller."""
    return Pair(*torch.broadcast_tensors(real, imaginary))


def _sum(x: Any, other: Any, sign: float) -> Pair:
    (real, imaginary), (more, more_imaginary) = _both(x), _both(other)
    return _pair(real + sign * more, imaginary + sign * more_imaginary)


def _product(x: Any, other: Any) -> Pair:
    (real, imaginary), (more, more_imaginary) = _both(x), _both(other)
    if not _is_complex(other):
        return _pair(real * more, imaginary * more)
    if not _is_complex(x):
        return _pair(real * more, real * more_imaginary)
    return _pair(real * more - imaginary * more_imaginary, real * more_imaginary + imaginary * more)


def _padded(x: Pair, pad: Sequence[int], *more: Any, **named: Any) -> Pair:
    """``constant_pad_nd(x, pad, value)``, and ``pad(x, pad, mode, value)``."""
    given = [*more, *named.values()]
    mode = next((each for each in given if isinstance(each, str)), "constant")
    value = next((each for each in given if isinstance(each, (int, float, complex))), 0.0)
    real, imaginary = _both(value)
    sides = list(pad)
    if mode != "constant":
        return Pair(nn.functional.pad(x.real, sides, mode), nn.functional.pad(x.imaginary, sides, mode))
    return Pair(nn.functional.pad(x.real, sides, value=real), nn.functional.pad(x.imaginary, sides, value=imaginary))


def _chosen(condition: Tensor, x: Any, other: Any) -> Pair:
    return Pair(*(torch.where(condition, *each) for each in zip(_both(x), _both(other), strict=True)))


def _exponential(x: Pair) -> Pair:
    size = torch.exp(x.real)
    return Pair(size * torch.cos(x.imaginary), size * torch.sin(x.imaginary))


def _quotient(x: Any, other: Any) -> Pair:
    if _is_complex(other):
        raise CompileError("division by complex numbers: multiply by the conjugate, and divide by the square")
    return _pair(x.real / other, x.imaginary / other)


def _magnitude(x: Pair) -> Tensor:
    return torch.sqrt(x.real * x.real + x.imaginary * x.imaginary)


_TRANSFORMS: dict[str, Rule] = {
    "_fft_r2c": _real_to_complex,
    "_fft_c2r": _complex_to_real,
    "_fft_c2c": _complex_to_complex,
}
_RULES: dict[str, Rule] = {
    "abs": _magnitude,
    "add": lambda x, other, alpha=1: _sum(x, other, alpha),
    "angle": lambda x: torch.atan2(x.imaginary, x.real),
    "_conj": lambda x: Pair(x.real, -x.imaginary),
    "conj": lambda x: Pair(x.real, -x.imaginary),
    "resolve_conj": lambda x: x,
    "_conj_physical": lambda x: Pair(x.real, -x.imaginary),
    "complex": _pair,
    "constant_pad_nd": _padded,
    "div": _quotient,
    "exp": _exponential,
    "imag": lambda x: x.imaginary,
    "mul": _product,
    "pad": _padded,
    "polar": lambda size, turn: _pair(size * torch.cos(turn), size * torch.sin(turn)),
    "real": lambda x: x.real,
    "rsub": lambda x, other, alpha=1: _sum(other, x, -alpha),
    "square": lambda x: _product(x, x),
    "sub": lambda x, other, alpha=1: _sum(x, other, -alpha),
    "view_as_complex": lambda x: Pair(x[..., 0], x[..., 1]),
    "view_as_real": lambda x: torch.stack([x.real, x.imaginary], -1),
    "where": _chosen,
}
_CONVERTS = {"to", "_to_copy"}
_MAKES_PAIRS = {"_fft_r2c", "complex", "polar", "view_as_complex"}
