"""A pass: biases, factors, sums and activations become part of the product that they follow."""

from collections import Counter
from typing import Any

import numpy as np

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.compiler.file_format import MOST_OPERANDS
from neutone_like.compiler.kernels import Activation
from neutone_like.compiler.kernels import Operation as O
from neutone_like.compiler.passes.fuse_elementwise import readers_of, reordered, writers_of
from neutone_like.compiler.plan import Affine, Expression, Plan, Pointwise, Step, Weights, untouched
from neutone_like.compiler.tensor import STILL, Kind, Stride, Tensor, View

_MOST_ADDENDS = 4
_MOST_VIEWS = MOST_OPERANDS - 8  # constants come to them
_ACTIVATIONS = {O.HYPERBOLIC_TANGENT: Activation.TANH, O.SIGMOID_OF: Activation.SIGMOID}


def fuse_products(plan: Plan) -> None:
    """Let each product do what only follows it, and add up with other products."""
    changed = True
    while changed:
        changed = False
        writers, readers = writers_of(plan), readers_of(plan)
        for step in plan.steps:
            if isinstance(step, Pointwise) and not step.double and _absorb(plan, step, writers, readers):
                changed = True
                break


def _absorb(plan: Plan, step: Pointwise, writers: dict[Tensor, list[Step]], readers: dict[Tensor, set[Step]]) -> bool:
    counts = Counter(each.tensor for each in step.inputs)
    loads = Counter(step.expression.loads())
    for index, view in enumerate(step.inputs):
        tensor = view.tensor
        made = writers.get(tensor, [])
        alone = len(made) == 1 and readers[tensor] == {step} and counts[tensor] == 1 and loads[index] == 1
        if (
            tensor.kind is not Kind.BLOCK
            or not alone
            or tensor is plan.output.tensor
            or not isinstance(made[0], Affine)
            or not untouched(plan, made[0], step)
        ):
            continue
        if (groups := _as_output(view, made[0])) is not None:
            take = _Taking(plan, step, index, made[0], groups, writers, readers)
            if take.run():
                return True
    return False


def _as_output(view: View, product: Affine) -> Any:
    """How the dimensions of ``view`` become those of the product's output; ``None``: they are other elements."""
    out = product.outputs[0]
    if view.row != out.row or view.column != out.column:
        return None
    groups, rows, _ = out.dims
    steps = dict(zip(("g", "m", "t"), out.strides, strict=True))
    merged = groups != ONE and rows != ONE and steps["g"] == _times(steps["m"], rows)
    wanted: list[Any] = [(size, stride) for size, stride in zip(out.dims, out.strides, strict=True)]
    places: list[Any] = [None, None, None]
    for dim, (size, stride) in enumerate(zip(view.dims, view.strides, strict=True)):
        if size == ONE:
            continue
        match = next((i for i in range(3) if places[i] is None and wanted[i] == (size, stride) and size != ONE), None)
        if match is not None and stride != STILL:
            places[match] = dim
        elif merged and stride == steps["m"] and size == groups * (rows.constant or 0) and places[0] is None:
            places[0] = places[1] = ("split", dim)
        else:
            return None
    if any(place is None and size != ONE for place, size in zip(places, out.dims, strict=True)):
        return None
    return places


def _times(stride: Stride, size: Extent) -> Stride | None:
    count = size.constant
    return None if count is None else Stride(stride.rows * count, stride.columns * count)


def _like_output(view: View, places: Any, rows: Extent) -> View | None:
    """An operand of the elementwise step with the dimensions of the product's output."""
    if isinstance(places[0], tuple):
        dim = places[0][1]
        view = view.split(dim, rows.constant or 1)
        time = None if places[2] is None else places[2] + (places[2] > dim)
        return reordered(view, [dim, dim + 1, time])
    return reordered(view, places)


class _Taking:
    """One product that takes over what it can of one elementwise step."""

    def __init__(
        self,
        plan: Plan,
        step: Pointwise,
        index: int,
        product: Affine,
        places: Any,
        writers: dict[Tensor, list[Step]],
        readers: dict[Tensor, set[Step]],
    ) -> None:
        self.plan, self.step, self.index, self.product, self.places = plan, step, index, product, places
        self.writers, self.readers = writers, readers
        self.taken = False

    def run(self) -> bool:
        """Whether anything was taken over."""
        while self._parent_taken():
            self.taken = True
        if not self.taken:
            return False
        plan, step, product = self.plan, self.step, self.product
        plan.steps.remove(product)
        place = plan.steps.index(step)
        out = _like_output(step.outputs[0], self.places, product.outputs[0].dims[1])
        whole = _is_load(step.expression, self.index)
        if whole and out is not None and (out.strides[2] == Stride(0, 1) or out.dims[2] == ONE):
            product.outputs = [out]
            plan.steps[place] = product
        else:
            plan.steps.insert(place, product)
            _drop_unread(step)
        return True

    def _parent_taken(self) -> bool:
        parent = _parent_of(self.step.expression, self.index)
        if parent is None or self.product.activation is not Activation.NONE:
            return False
        if not self._take(parent):
            return False
        load = Expression(O.LOAD, (self.index,))
        self.step.expression = _with(self.step.expression, parent, load)
        return True

    def _take(self, parent: Expression) -> bool:
        first = parent.operands[0]
        mine_first = _is_load(first, self.index)
        other = parent.operands[1 if mine_first else 0] if len(parent.operands) == 2 else None
        if parent.operation in _ACTIVATIONS:
            self.product.activation = _ACTIVATIONS[parent.operation]
            return True
        if other is None:
            return parent.operation is O.NEGATE and self._scale(-1.0)
        if parent.operation is O.MAXIMUM and other.operation is O.NUMBER and other.operands[0] == 0.0:
            self.product.activation = Activation.RELU
            return True
        if parent.operation is O.MULTIPLY and other.operation is O.NUMBER:
            return self._scale(other.operands[0])
        if parent.operation is O.MULTIPLY and other.operation is O.LOAD:
            return self._scale_outputs(other)
        if parent.operation is O.DIVIDE and mine_first and other.operation is O.NUMBER and other.operands[0]:
            return self._scale(1.0 / other.operands[0])
        if parent.operation is O.ADD:
            return self._add(other)
        if parent.operation is O.SUBTRACT and not mine_first:
            return self._can_add(other) and self._scale(-1.0) and self._add(other)
        if parent.operation is O.SUBTRACT and other.operation is O.NUMBER:
            return self._add(Expression(O.NUMBER, (-other.operands[0],)))
        return False

    def _scale(self, factor: float) -> bool:
        if self.product.addends:
            return False
        self.product.weights = [each * factor for each in self.product.weights]
        self.product.bias = self.product.bias * factor
        return True

    def _scale_outputs(self, other: Expression) -> bool:
        """By a constant for each output, as batch norm does."""
        view = self._addend(other)
        if view is None or view.tensor.kind is not Kind.CONSTANT or view.strides[2] != STILL or self.product.addends:
            return False
        factors = _column(view)
        self.product.weights = [each * factors[:, :, None] for each in self.product.weights]
        self.product.bias = self.product.bias * factors
        return True

    def _can_add(self, other: Expression) -> bool:
        return other.operation is O.NUMBER or (other.operation is O.LOAD and self._addend(other) is not None)

    def _addend(self, other: Expression) -> View | None:
        view = _like_output(self.step.inputs[other.operands[0]], self.places, self.product.outputs[0].dims[1])
        if view is None or view.tensor.double or view.strides[2] not in (STILL, Stride(0, 1)):
            return None
        return view

    def _add(self, other: Expression) -> bool:
        if other.operation is O.NUMBER:
            self.product.bias = self.product.bias + other.operands[0]
            return True
        if other.operation is not O.LOAD or (view := self._addend(other)) is None:
            return False
        if view.tensor.kind is Kind.CONSTANT and view.strides[2] == STILL:
            self.product.bias = self.product.bias + _column(view)
            return True
        if self._merge(view):
            return True
        if len(self.product.addends) >= _MOST_ADDENDS:
            return False
        self.product.addends.append(view)
        return True

    def _merge(self, view: View) -> bool:
        """The sum of two products is one product of more rows."""
        tensor = view.tensor
        made = self.writers.get(tensor, [])
        alone = len(made) == 1 and self.readers[tensor] == {self.step} and tensor is not self.plan.output.tensor
        if not alone or not isinstance(made[0], Affine) or made[0] is self.product:
            return False
        other = made[0]
        if len(other.views) + len(self.product.views) > _MOST_VIEWS:
            return False
        once = sum(each.tensor is tensor for each in self.step.inputs) == 1
        if not once or other.activation is not Activation.NONE or not _is_same(other.outputs[0], view):
            return False
        if not untouched(self.plan, other, self.step):
            return False
        self.product.inputs += other.inputs
        self.product.weights += other.weights
        self.product.bias = self.product.bias + other.bias
        self.product.addends += other.addends
        self.plan.steps.remove(other)
        return True


def _is_same(a: View, b: View) -> bool:
    """The same elements, whatever the strides of dimensions of one."""
    strides = zip(a.dims, a.strides, b.strides, strict=True)
    same = all(size == ONE or mine == theirs for size, mine, theirs in strides)
    return same and a.tensor is b.tensor and a.dims == b.dims and a.row == b.row and a.column == b.column


def _column(view: View) -> Weights:
    """A constant's values as ``[groups, outputs]``."""
    data = view.tensor.data
    assert data is not None
    start = view.column.constant or 0
    sizes = [each.constant or 1 for each in view.dims[:2]]
    steps = [each.columns for each in view.strides[:2]]
    places = start + steps[0] * np.arange(sizes[0])[:, None] + steps[1] * np.arange(sizes[1])[None, :]
    return data.reshape(-1).double().numpy()[places]


def _is_load(expression: Any, index: int) -> bool:
    return isinstance(expression, Expression) and expression.operation is O.LOAD and expression.operands[0] == index


def _parent_of(expression: Expression, index: int) -> Expression | None:
    if expression.operation in (O.LOAD, O.NUMBER):
        return None
    if any(_is_load(each, index) for each in expression.operands):
        return expression
    for each in expression.operands:
        if (found := _parent_of(each, index)) is not None:
            return found
    return None


def _with(expression: Expression, part: Expression, replacement: Expression) -> Expression:
    if expression is part:
        return replacement
    if expression.operation in (O.LOAD, O.NUMBER):
        return expression
    return Expression(expression.operation, tuple(_with(each, part, replacement) for each in expression.operands))


def _drop_unread(step: Pointwise) -> None:
    """Leave out inputs that the expression no longer has."""
    used = sorted(set(step.expression.loads()))
    places = {old: new for new, old in enumerate(used)}
    loads = [Expression(O.LOAD, (places.get(old, 0),)) for old in range(len(step.inputs))]
    step.expression = step.expression.with_loads(loads)
    step.inputs = [step.inputs[old] for old in used]
