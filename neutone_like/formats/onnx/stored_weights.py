"""Quantised weights as integers or half-precision numbers, and the operations that make float32 of them again."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like.compiler.weight_grids import Found, find_grid
from neutone_like.formats.onnx.context import ONNX_TYPES, OnnxNode

_LEAST_NUMBERS = 64


def stored_weights(weights: Mapping[str, Tensor]) -> tuple[dict[str, NDArray[Any]], list[OnnxNode]]:
    """What a file holds for weights, and the operations that come first, which give exactly these weights.

    int8 and int4 become int8 numbers times scales, fp16 a ``Cast``; runtimes do both once, when they load a file. Not
    ``DequantizeLinear``: ONNX Runtime 1.32 takes that for a wish to multiply in integers (a linear layer then errs by
    4e-4), and calculates the rest of it anew in every block.
    """
    held: dict[str, NDArray[Any]] = {}
    nodes: list[OnnxNode] = []
    for name, value in weights.items():
        form = next(_forms(name, value), None) if _may_be_quantised(value) else None
        if form is None:
            held[name] = value.numpy()
        else:
            held |= form[0]
            nodes += form[1]
    return held, nodes


_Form = tuple[dict[str, NDArray[Any]], list[OnnxNode]]


def _may_be_quantised(value: Tensor) -> bool:
    return value.dtype == torch.float32 and value.dim() >= 2 and value.numel() >= _LEAST_NUMBERS and bool(value.any())


def _forms(name: str, value: Tensor) -> Iterator[_Form]:
    half = value.to(torch.float16)
    for axis in range(value.dim()):
        rows = value.movedim(axis, 0).flatten(1)
        found = find_grid(rows.double().numpy()[:, :, None])
        if found is not None and found.group == rows.shape[1]:
            yield _by_channel(name, value, axis, found)
    for axis in range(value.dim()):
        rows = value.movedim(axis, -1)
        found = find_grid(rows.flatten(0, -2).double().numpy()[:, :, None])
        if found is not None and 1 < found.group < rows.shape[-1] and rows.shape[-1] % found.group == 0:
            yield _by_group(name, value, axis, found)
    if torch.equal(half.to(torch.float32), value):
        cast = OnnxNode("Cast", (f"{name}_fp16",), (name,), {"to": ONNX_TYPES[torch.float32]})
        yield {f"{name}_fp16": half.numpy()}, [cast]


def _by_channel(name: str, value: Tensor, axis: int, found: Found) -> _Form:
    shape = value.movedim(axis, 0).shape
    numbers = np.ascontiguousarray(np.moveaxis(found.numbers.reshape(shape), 0, axis))
    scales = found.scales.reshape([-1 if dim == axis else 1 for dim in range(value.dim())])
    return {f"{name}_int8": numbers, f"{name}_scales": scales}, _product(name, name)


def _product(name: str, result: str) -> list[OnnxNode]:
    return [
        OnnxNode("Cast", (f"{name}_int8",), (f"{name}_float",), {"to": ONNX_TYPES[torch.float32]}),
        OnnxNode("Mul", (f"{name}_float", f"{name}_scales"), (result,)),
    ]


def _by_group(name: str, value: Tensor, axis: int, found: Found) -> _Form:
    """``[..., groups, group]`` times ``[..., groups, 1]``, with the grouped axis brought back to its place."""
    moved = value.movedim(axis, -1).shape
    groups = (*moved[:-1], moved[-1] // found.group)
    order = [*range(len(moved) - 1)]
    order.insert(axis, len(moved) - 1)
    held = {
        f"{name}_int8": found.numbers.reshape(*groups, found.group),
        f"{name}_scales": found.scales.reshape(*groups, 1),
        f"{name}_shape": np.asarray(moved, np.int64),
    }
    return held, [
        *_product(name, f"{name}_scaled"),
        OnnxNode("Reshape", (f"{name}_scaled", f"{name}_shape"), (f"{name}_rows",)),
        OnnxNode("Transpose", (f"{name}_rows",), (name,), {"perm": order}),
    ]
