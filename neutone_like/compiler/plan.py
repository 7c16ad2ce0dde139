"""A plan: what a compiled model computes, step by step, in a form that people and tests can build and print."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neutone_like.compiler.kernels import Activation, KernelId, Operation
from neutone_like.compiler.tensor import Tensor, View
from neutone_like.graph import Lengths

Weights = NDArray[np.float64]
MOVED_ON = {
    **dict.fromkeys((KernelId.LSTM, KernelId.GRU, KernelId.RNN), slice(1, -1)),
    KernelId.RECURRENCE: slice(2, 3),
}
"""Kernels that change some of their inputs, and which."""


@dataclass(eq=False)
class Step:
    """A kernel with what it writes and reads.

    Attributes:
        kernel: Which one.
        outputs: Written; the first is what the step gives, others are states that it moves on.
        inputs: Read.
        integers: As the kernel has them.
        line: Of the code that asked for it.
        overwrites: A copy over what is there already, so that its source can't be calculated in its place.
    """

    kernel: KernelId
    outputs: list[View]
    inputs: list[View]
    integers: list[int] = field(default_factory=list[int])
    line: str = ""
    overwrites: bool = False

    @property
    def views(self) -> list[View]:
        """In the order in which the kernel takes them."""
        return [*self.outputs, *self.inputs]

    @property
    def written(self) -> list[View]:
        """What is another afterwards: the outputs, and what a recurrent layer remembers."""
        return [*self.outputs, *self.inputs[MOVED_ON.get(self.kernel, slice(0))]]

    def replace_views(self, change: Any) -> None:
        """Each view for what ``change`` gives for it."""
        self.outputs = [change(each) for each in self.outputs]
        self.inputs = [change(each) for each in self.inputs]

    def __str__(self) -> str:
        numbers = f" {self.integers}" if self.integers else ""
        read = " ".join(map(str, self.inputs))
        return f"{' '.join(map(str, self.outputs))} = {self.kernel.name.lower()}{numbers} {read}"


@dataclass(eq=False)
class Affine(Step):
    """Sums of products with weights: one for each segment of rows.

    Attributes:
        weights: For each segment ``[groups, outputs, rows]``.
        bias: ``[groups, outputs]``.
        addends: Views of the output's shape that are added.
        activation: What follows.
    """

    weights: list[Weights] = field(default_factory=list[Weights])
    bias: Weights = field(default_factory=lambda: np.zeros((1, 1)))
    addends: list[View] = field(default_factory=list[View])
    activation: Activation = Activation.NONE

    @property
    def views(self) -> list[View]:
        return [*self.outputs, *self.inputs, *self.addends]

    def replace_views(self, change: Any) -> None:
        super().replace_views(change)
        self.addends = [change(each) for each in self.addends]

    def __str__(self) -> str:
        shapes = " + ".join(f"W{list(w.shape)} {x}" for w, x in zip(self.weights, self.inputs, strict=True))
        more = "".join(f" + {each}" for each in self.addends)
        return f"{self.outputs[0]} = {self.activation.name.lower()}({shapes}{more} + b)"


@dataclass(frozen=True, eq=False)
class Expression:
    """What is calculated for each element: an operation of expressions, a number, or the element of an input.

    Attributes:
        operation: ``LOAD`` for an input, ``NUMBER`` for a number.
        operands: Expressions; the index of the input, or the number.
    """

    operation: Operation
    operands: tuple[Any, ...]

    def loads(self) -> Iterator[int]:
        """The inputs it reads, some more than once."""
        if self.operation is Operation.LOAD:
            yield self.operands[0]
        elif self.operation is not Operation.NUMBER:
            for each in self.operands:
                yield from each.loads()

    def size(self) -> int:
        """How many operations it has."""
        if self.operation in (Operation.LOAD, Operation.NUMBER):
            return 1
        return 1 + sum(each.size() for each in self.operands)

    def with_loads(self, replacements: Sequence["Expression"]) -> "Expression":
        """With another expression in the place of each input."""
        if self.operation is Operation.LOAD:
            return replacements[self.operands[0]]
        if self.operation is Operation.NUMBER:
            return self
        return Expression(self.operation, tuple(each.with_loads(replacements) for each in self.operands))

    def __str__(self) -> str:
        if self.operation is Operation.LOAD:
            return f"x{self.operands[0]}"
        if self.operation is Operation.NUMBER:
            return f"{self.operands[0]:g}"
        return f"{self.operation.name.lower()}({', '.join(map(str, self.operands))})"


@dataclass(eq=False)
class Pointwise(Step):
    """An expression for each element.

    Attributes:
        expression: Of the inputs, all of which have the output's dimensions.
        double: Calculated in float64.
    """

    expression: Expression = Expression(Operation.NUMBER, (0.0,))
    double: bool = False

    def __str__(self) -> str:
        read = " ".join(f"x{index}={each}" for index, each in enumerate(self.inputs))
        return f"{self.outputs[0]} = {self.expression} {read}{' in float64' if self.double else ''}"


@dataclass
class Plan:
    """All steps of a block, and what it is called with.

    Attributes:
        lengths: Which numbers of new samples it takes, up to the granule.
        granule: The longest block.
        look_behind: Past samples before each block.
        audio: The input, ``[channels, look_behind + samples]``.
        parameters: By name, of one value or one a sample.
        output: ``[channels, samples]``.
        steps: In order.
        rings: Tensors that keep the past before the block.
        states: Other tensors that live between blocks.
    """

    lengths: Lengths
    granule: int
    look_behind: int
    audio: View
    parameters: dict[str, View]
    output: View
    steps: list[Step]
    rings: list[Tensor] = field(default_factory=list[Tensor])
    states: list[Tensor] = field(default_factory=list[Tensor])

    def views(self) -> Iterator[View]:
        """Every view, in order."""
        yield self.audio
        yield from self.parameters.values()
        for step in self.steps:
            yield from step.views
        yield self.output

    def replace_views(self, change: Any) -> None:
        """Each view for what ``change`` gives for it."""
        self.audio, self.output = change(self.audio), change(self.output)
        self.parameters = {name: change(each) for name, each in self.parameters.items()}
        for step in self.steps:
            step.replace_views(change)

    def __str__(self) -> str:
        head = [f"blocks of {self.lengths}, at most {self.granule}", f"audio {self.audio}"]
        head += [f"parameter {name} {each}" for name, each in self.parameters.items()]
        head += [f"ring {each} {each.rows} x {each.history}, walks {each.advance}" for each in self.rings]
        head += [f"state {each} {each.rows} x {each.columns}" for each in self.states]
        return "\n".join([*head, *map(str, self.steps), f"output {self.output}"])


def untouched(plan: Plan, earlier: Step, later: Step) -> bool:
    """Whether nothing from one step to another writes what the first one reads, so that it can move there."""
    read = {view.tensor for view in earlier.views[len(earlier.outputs) :]}
    between = plan.steps[plan.steps.index(earlier) + 1 : plan.steps.index(later)]
    return not any(view.tensor in read for step in between for view in step.written)
