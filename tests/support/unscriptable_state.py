"""Models with state or calls of a kind that TorchScript has no word for."""

# These models are wrong on purpose.
# pyright: basic, reportAssignmentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportArgumentType=false
# pyright: reportOperatorIssue=false, reportOptionalSubscript=false, reportCallIssue=false

import dataclasses
from typing import NamedTuple

import torch
from torch import Tensor

from support.unscriptable_models import Base


class Super(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.5 * super().do_forward_pass(x, params)  # refused


class TruthOfAModule(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.model:  # refused
            return self.model(x)
        return x


class GeneratorArgument(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return sum(x * number for number in range(3))  # refused


class DictionaryOfTwoTypes(Base):
    def __init__(self) -> None:
        super().__init__()
        self.state = {"past": torch.zeros(2, 1), "count": 3}

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + self.state["past"]  # refused


class Past(NamedTuple):
    samples: Tensor
    count: int


class NamedTupleAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.past = Past(torch.zeros(2, 1), 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + self.past.samples  # refused


@dataclasses.dataclass
class State:
    samples: Tensor


class DataclassInside(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # refused
        state = State(x)
        return state.samples
