"""Operations that make tensors of nothing."""

from functools import partial
from typing import Any

import torch

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.kernels import Operation
from neutone_like.compiler.lowering.context import DOUBLES, Context, Lowered, lowers
from neutone_like.compiler.lowering.elementwise import apply, pointwise
from neutone_like.errors import CompileError
from neutone_like.graph import Node, WholeNumber


@lowers(
    "zeros_like",
    "ones_like",
    "full_like",
    "new_zeros",
    "new_ones",
    "zeros",
    "ones",
    "full",
    "new_full",
    "empty_like",
    "scalar_tensor",
)
def _filled(context: Context, node: Node, **given: Any) -> Lowered:
    value = given.get("fill_value", 1.0 if "ones" in node.op else given.get("s", 0.0))
    shape = context.shape(node)
    fill = torch.tensor(float(value), dtype=torch.float64 if shape.dtype in DOUBLES else torch.float32)
    return context.constant(fill).expanded(shape.dims)


@lowers("arange", "arange.start", "arange.start_step")
def _arange(context: Context, node: Node, end: Any, start: Any = 0, step: Any = 1, **_: Any) -> Lowered:
    """As far as the granule reaches; a block takes what it needs of it."""
    if isinstance(step, (Extent, WholeNumber)):
        raise CompileError("arange with a step that depends on the block; multiply by it afterwards")
    begins_later = isinstance(start, (Extent, WholeNumber))
    dims = context.shape(node).dims
    length = dims[0].at(context.granule)
    values = (0 if begins_later else start) + step * torch.arange(length, dtype=torch.float64)
    double = begins_later or context.shape(node).dtype in DOUBLES
    places = context.constant(values if double else values.float()).sliced(0, Extent.of(0), dims[0])
    return pointwise(context, node, partial(apply, Operation.ADD), [places, start]) if begins_later else places
