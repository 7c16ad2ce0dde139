"""What TorchScript refuses is reported with the user's own line and the change to make: a model for each cause."""

# These models are wrong on purpose.
# pyright: basic, reportAssignmentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportArgumentType=false
# pyright: reportOperatorIssue=false, reportOptionalSubscript=false, reportOptionalOperand=false
# pyright: reportIncompatibleMethodOverride=false, reportUnusedExpression=false, reportCallIssue=false
# ruff: noqa: E731
import contextlib
import functools
import importlib
import inspect
import re
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import ExportError, ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact import user_code
from neutone_like.artifact.scripting import script_wrapper
from neutone_like.artifact.scripting_hints import HINTS
from neutone_like.host import SampleQueueWrapper

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

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.delayed(x, 3)


class MissingAnnotationOfAnArgument(Base):
    def delayed(self, x: Tensor, samples):
        return torch.zeros(samples)

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.delayed(x, 3)  # refused


class NoAnnotationAtAll(Base):
    def do_forward_pass(self, x, params):
        return x * params["gain"]  # refused


class NoneAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.last = None

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        self.last = x  # refused
        return x


class OptionalNotNarrowed(Base):
    last: Optional[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.last = None

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if self.last is not None:
            x = x + self.last  # refused
        return x


class OptionalBias(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv1d(2, 2, 1)

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x + self.layer.bias[0]  # refused


class ClassAttribute(Base):
    gain = 2.0

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x * self.gain  # refused


class MutatedClassAttribute(Base):
    count = 0

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        self.count += 1  # refused
        return x


class UndeclaredAttribute(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        self.last = x  # refused
        return x


class AttributeOfAnotherType(Base):
    def __init__(self) -> None:
        super().__init__()
        self.position = 0

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        self.position = self.position + 0.5  # refused
        return x


class EmptyList(Base):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = []

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        self.blocks.append(x)  # refused
        return x


class PathAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.file = Path("weights")

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        print(self.file)  # refused
        return x


class OldWeightNorm(Base):
    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.layer = nn.utils.weight_norm(nn.Conv1d(2, 2, 1))  # refused

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.layer(x)


class NumpyInForward(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(np.tanh(x.numpy()))  # refused


class NumpyMethod(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.tensor(x.numpy())  # refused


class NumpyGlobal(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x * NUMPY_GAIN  # refused


class Lambda(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        double = lambda y: y * 2  # refused
        return double(x)


class LambdaAttribute(Base):
    def __init__(self) -> None:
        super().__init__()
        self.activation = lambda y: y * 2

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.activation(x)  # refused


class ComprehensionWithIf(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        odd = [index for index in range(4) if index % 2]  # refused
        return x * odd[0]


class NestedComprehension(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        products = [i * j for i in range(4) for j in range(3)]  # refused
        return x * products[0]


class FormattedString(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        print(f"peak {x.max().item():.3f}")  # refused
        return x


class PrintToFile(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        print("block", flush=True)  # refused
        return x


class StarArguments(Base):
    def gained(self, x: Tensor, *gains):  # refused
        return x * gains[0]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.gained(x, 1.0)


class KeywordArguments(Base):
    def gained(self, x: Tensor, **gains):  # refused
        return x * gains["a"]

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.gained(x, a=1.0)


class Generator(Base):
    def rows(self, x: Tensor):
        for index in range(x.size(0)):
            yield x[index]  # refused

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.stack(list(self.rows(x)))


class TryExcept(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        try:  # refused
            return x / 2
        except RuntimeError:
            return x


class GlobalDictionary(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x * TABLE["gain"]  # refused


class GlobalStatement(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        global TABLE  # refused
        return x


class BranchesOfTwoTypes(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if x.size(1) > 3:  # refused
            gain = x.max()
        else:
            gain = 0.0
        return x * gain


class OneBranchOnly(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if x.size(1) > 3:  # refused
            gain = 2.0
        return x * gain


class WrongReturnType(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x.size(1)  # refused


class ImportInside(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        import math  # refused

        return x * math.pi


class NestedFunction(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        def inner(y: Tensor) -> Tensor:  # refused
            return y

        return inner(x)


class MatchStatement(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        match x.size(0):  # refused
            case 1:
                return x
            case _:
                return -x


class IsInstance(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        if isinstance(self.model, Path):  # refused
            return x
        return -x


class UnknownType(Base):
    def gained(self, x: Tensor, gain: bytes) -> Tensor:  # refused
        return x * gain

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.gained(x, 2.0)


class UnknownContextManager(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        with contextlib.suppress(ValueError):  # refused
            x = x * 2
        return x


class InferenceMode(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        with torch.inference_mode():  # refused
            return x * 2


class ComputedIndex(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Tanh(), nn.ReLU()])

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        chosen = x.size(1) % 2
        return self.layers[chosen](x)  # refused


class ItemAsArgument(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return torch.roll(x, x.max().item())  # refused


class UnknownOperation(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        torch.manual_seed_of_mine(3)  # refused
        return x


class UnknownMethod(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x.louder()  # refused


class VariableOfAnotherType(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        gain: float = x.max()  # refused
        return x * gain


class WrongArgument(Base):
    def gained(self, x: Tensor, names: List[str]) -> Tensor:
        return x

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.gained(x, 3)  # refused


class ForElse(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        for _ in range(2):  # refused
            x = x * 0.5
        else:
            x = -x
        return x


class NotInTheTable(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x[..., ..., 0]  # refused


class Layer(nn.Module):
    """Somebody's layer inside the model: its line is the one to show."""

    def forward(self, x: Tensor) -> Tensor:
        return (lambda y: y)(x)  # refused


class RefusedInside(Base):
    def __init__(self) -> None:
        WaveformToWaveformBase.__init__(self, Layer())

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return self.model(x)


class CallsThirdParty(Base):
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return third_party.smooth(x)  # refused


ADVICE = {
    MissingAnnotation: "without a type annotation counts as a Tensor",
    MissingAnnotationOfAnArgument: "argument samples has no type annotation",
    NoAnnotationAtAll: "without a type annotation counts as a Tensor",
    NoneAttribute: r"`state: Optional\[Tensor\]`",
    OptionalNotNarrowed: r"`assert value is not None`",
    OptionalBias: "Conv1d.bias is Optional",
    ClassAttribute: r"Set it in __init__.*`self.gain = ...`",
    MutatedClassAttribute: r"Set it in __init__.*`self.count = ...`",
    UndeclaredAttribute: r"Create it in __init__.*`self.last = torch.zeros",
    AttributeOfAnotherType: "was int in __init__ and can't become float",
    EmptyList: r"`blocks: List\[Tensor\]`",
    PathAttribute: r"self.file is a .*Path",
    OldWeightNorm: "torch.nn.utils.parametrizations.weight_norm",
    NumpyInForward: "NumPy does not exist inside TorchScript",
    NumpyMethod: "NumPy does not exist inside TorchScript",
    NumpyGlobal: "NumPy value of type float64",
    Lambda: "TorchScript has no lambda",
    LambdaAttribute: "self.activation is a Python function that can't be compiled",
    ComprehensionWithIf: "plain for loop",
    NestedComprehension: "plain for loop",
    FormattedString: r"f-strings take no format",
    PrintToFile: "print takes values only",
    StarArguments: r"instead of \*args and \*\*kwargs",
    KeywordArguments: r"instead of \*args and \*\*kwargs",
    Generator: "no generators",
    TryExcept: "no try/except",
    GlobalDictionary: "outside the class is not part of the model",
    GlobalStatement: "outside the class is not part of the model",
    BranchesOfTwoTypes: "gain is Tensor on one branch and float on the other",
    OneBranchOnly: "Give gain a value before the `if`",
    WrongReturnType: "annotated to return Tensor and this line returns int",
    ImportInside: "Import at the top",
    NestedFunction: "no functions inside functions",
    MatchStatement: "neither `match` nor `:=`",
    IsInstance: "isinstance in TorchScript is decided when",
    UnknownType: "does not know the type bytes",
    UnknownContextManager: "Leave the `with` out",
    InferenceMode: "Leave the `with` out",
    ComputedIndex: "no computed index",
    ItemAsArgument: r"int\(value\) or float\(value\)",
    UnknownOperation: "TorchScript knows no manual_seed_of_mine",
    UnknownMethod: "TorchScript's Tensor has no louder",
    VariableOfAnotherType: "gain is float and can't become Tensor",
    WrongArgument: r"argument <varargs> has to be str here and is int",
    ForElse: r"no such thing \(else branches of for loops\)",
    NotInTheTable: "Rewrite this line",
    RefusedInside: "TorchScript has no lambda",
}


def refused_line(owner: type) -> tuple[str, int]:
    """The file and line of a class that carry the mark."""
    lines, first = inspect.getsourcelines(owner)
    marked = [first + index for index, line in enumerate(lines) if "# refused" in line]
    assert len(marked) == 1, f"{owner.__name__} must mark one line"
    return inspect.getfile(owner), marked[0]


@functools.cache
def message_for(refused: type[Base]) -> str:
    return message_of(refused())


def message_of(model: WaveformToWaveformBase) -> str:
    with pytest.raises(ExportError) as caught:
        script_wrapper(SampleQueueWrapper(model).eval())
    assert caught.value.__cause__ is not None, "TorchScript's own error stays reachable"
    return str(caught.value)


@pytest.mark.parametrize("refused", ADVICE, ids=lambda owner: owner.__name__)
def test_message_has_the_users_line_and_the_change_to_make(refused: type[Base]) -> None:
    message = message_for(refused)
    path, line = refused_line(Layer if refused is RefusedInside else refused)
    source = Path(path).read_text().splitlines()[line - 1].strip()
    assert message.startswith(f"{refused.__name__} can't be turned into TorchScript.\n{path}:{line}\n    {source}\n")
    assert re.search(f"What to do: .*{ADVICE[refused]}", message, re.DOTALL)


@pytest.mark.parametrize("refused", ADVICE, ids=lambda owner: owner.__name__)
def test_message_is_short_and_shows_no_code_of_ours(refused: type[Base]) -> None:
    message = message_for(refused)
    assert len(message) < 1600
    assert "neutone_like/host" not in message
    assert "HERE" not in message


def test_call_of_a_third_party_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "site-packages"
    (library / "somefilters").mkdir(parents=True)
    (library / "somefilters" / "__init__.py").write_text(
        "def smooth(x):\n    try:\n        return x * 0.5\n    except ValueError:\n        return x\n"
    )
    monkeypatch.syspath_prepend(str(library))
    monkeypatch.setattr(user_code, "_LIBRARY_FOLDERS", (str(library),))
    monkeypatch.setitem(globals(), "third_party", importlib.import_module("somefilters"))
    message = message_of(CallsThirdParty())
    path, line = refused_line(CallsThirdParty)
    assert f"\n{path}:{line}\n    return third_party.smooth(x)" in message
    assert "smooth is code of the package somefilters, which was not written for TorchScript" in message


def test_class_without_source() -> None:
    names: dict[str, Any] = {"Base": Base, "Tensor": Tensor, "Dict": Dict}
    exec(
        "class Typed(Base):\n"
        "    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:\n"
        "        return x\n",
        names,
    )
    assert "Move the class into a file and import it" in message_of(names["Typed"]())


def test_every_cause_in_the_table_is_shown_by_a_model() -> None:
    messages = "\n".join(message_for(refused) for refused in ADVICE)
    rare = {"source not available", "return type", "recursion", "unknown type", "operation not in TorchScript"}
    for hint in HINTS:
        opening = re.split(r"\{\d\}", hint.advice)[0]
        if hint.name not in rare and len(opening) > 8:
            assert opening in messages, f"no model shows the hint {hint.name!r}"


def test_second_try_of_the_same_class_says_the_same() -> None:
    # PyTorch keeps half-compiled classes of a refused model; a notebook cell that is run again meets them.
    assert message_of(UnknownContextManager()) == message_of(UnknownContextManager())


def test_a_good_model_is_compiled() -> None:
    class Inverted(Base):
        def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
            return -x

    module = script_wrapper(SampleQueueWrapper(Inverted()).eval())
    x = torch.rand(2, 512)
    torch.testing.assert_close(module.forward(x), -x)
