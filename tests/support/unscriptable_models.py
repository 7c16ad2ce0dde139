"""Models that TorchScript refuses, one for each cause; the line it refuses is marked."""

# These models are wrong on purpose.
# pyright: basic, reportAssignmentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportArgumentType=false
# pyright: reportOperatorIssue=false, reportOptionalSubscript=false, reportOptionalOperand=false
# pyright: reportIncompatibleMethodOverride=false, reportUnusedExpression=false, reportCallIssue=false
# ruff: noqa: E731
import contextlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase

TABLE = {"gain": 0.5}
NUMPY_GAIN = np.float64(0.5)
third_party: Any = None


class Base(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Refused", authors=("Ada",), version="1.0.0")

    def __init__(self) -> None:
        super().__init__(nn.Identity())


class MissingAnnotation(Base):
    def delayed(self, x: Tensor, samples):
        return torch.roll(x, samples, 1)  # refused

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.delayed(x, 3)


class MissingAnnotationOfAnArgument(Base):
    def delayed(self, x: Tensor, samples):
        return torch.zeros(samples)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.delayed(x, 3)  # refused


class NoAnnotationAtAll(Base):
    def do_forward_pass(self, x, params):
        return x * params["gain"]  # refused


class NoneAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.last = None

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.last = x  # refused
        return x


class OptionalNotNarrowed(Base):
    last: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.last = None

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.last is not None:
            x = x + self.last  # refused
        return x


class OptionalBias(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv1d(2, 2, 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + self.layer.bias[0]  # refused


class ClassAttribute(Base):
    gain = 2.0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * self.gain  # refused


class MutatedClassAttribute(Base):
    count = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.count += 1  # refused
        return x


class UndeclaredAttribute(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.last = x  # refused
        return x


class AttributeOfAnotherType(Base):
    def __init__(self) -> None:
        super().__init__()
        self.position = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.position = self.position + 0.5  # refused
        return x


class EmptyList(Base):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.blocks.append(x)  # refused
        return x


class PathAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.file = Path("weights")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        print(self.file)  # refused
        return x


class OldWeightNorm(Base):
    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.layer = nn.utils.weight_norm(nn.Conv1d(2, 2, 1))  # refused

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.layer(x)


class NumpyInForward(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))  # refused


class NumpyMethod(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.tensor(x.numpy())  # refused


class NumpyGlobal(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * NUMPY_GAIN  # refused


class Lambda(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        double = lambda y: y * 2  # refused
        return double(x)


class LambdaAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.activation = lambda y: y * 2

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.activation(x)  # refused


class ComprehensionWithIf(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        odd = [index for index in range(4) if index % 2]  # refused
        return x * odd[0]


class NestedComprehension(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        products = [i * j for i in range(4) for j in range(3)]  # refused
        return x * products[0]


class FormattedString(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        print(f"peak {x.max().item():.3f}")  # refused
        return x


class PrintToFile(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        print("block", flush=True)  # refused
        return x


class StarArguments(Base):
    def gained(self, x: Tensor, *gains):  # refused
        return x * gains[0]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.gained(x, 1.0)


class KeywordArguments(Base):
    def gained(self, x: Tensor, **gains):  # refused
        return x * gains["a"]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.gained(x, a=1.0)


class Generator(Base):
    def rows(self, x: Tensor):
        for index in range(x.size(0)):
            yield x[index]  # refused

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.stack(list(self.rows(x)))


class TryExcept(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        try:  # refused
            return x / 2
        except RuntimeError:
            return x


class GlobalDictionary(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * TABLE["gain"]  # refused


class GlobalStatement(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        global TABLE  # refused
        return x


class BranchesOfTwoTypes(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if x.size(1) > 3:  # refused
            gain = x.max()
        else:
            gain = 0.0
        return x * gain


class OneBranchOnly(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if x.size(1) > 3:  # refused
            gain = 2.0
        return x * gain


class WrongReturnType(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.size(1)  # refused


class ImportInside(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        import math  # refused

        return x * math.pi


class NestedFunction(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        def inner(y: Tensor) -> Tensor:  # refused
            return y

        return inner(x)


class MatchStatement(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        match x.size(0):  # refused
            case 1:
                return x
            case _:
                return -x


class IsInstance(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if isinstance(self.model, Path):  # refused
            return x
        return -x


class UnknownType(Base):
    def gained(self, x: Tensor, gain: bytes) -> Tensor:  # refused
        return x * gain

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.gained(x, 2.0)


class UnknownContextManager(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        with contextlib.suppress(ValueError):  # refused
            x = x * 2
        return x


class InferenceMode(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():  # refused
            return x * 2


class ComputedIndex(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Tanh(), nn.ReLU()])

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        chosen = x.size(1) % 2
        return self.layers[chosen](x)  # refused


class ItemAsArgument(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.roll(x, x.max().item())  # refused


class UnknownOperation(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        torch.manual_seed_of_mine(3)  # refused
        return x


class UnknownMethod(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.louder()  # refused


class VariableOfAnotherType(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        gain: float = x.max()  # refused
        return x * gain


class WrongArgument(Base):
    def gained(self, x: Tensor, names: list[str]) -> Tensor:
        return x

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.gained(x, 3)  # refused


class ForElse(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        for _ in range(2):  # refused
            x = x * 0.5
        else:
            x = -x
        return x


class NotInTheTable(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[..., ..., 0]  # refused


class Layer(nn.Module):
    """Somebody's layer inside the model: its line is the one to show."""

    def forward(self, x: Tensor) -> Tensor:
        return (lambda y: y)(x)  # refused


class RefusedInside(Base):
    def __init__(self) -> None:
        WaveformToWaveformBase.__init__(self, Layer())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class CallsThirdParty(Base):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return third_party.smooth(x)  # refused
