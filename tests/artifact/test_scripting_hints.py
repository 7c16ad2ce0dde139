"""What TorchScript refuses is reported with the user's own line and the change to make: a model for each cause."""

import functools
import importlib
import inspect
import linecache
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import ExportError, WaveformToWaveformBase, user_code
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.artifact.writing.scripting_hints import HINTS
from neutone_like.host import SampleQueueWrapper
from support import unscriptable_models as models
from support import unscriptable_state

ADVICE: dict[type[models.Base], str] = {
    models.MissingAnnotation: "without a type annotation counts as a Tensor",
    models.MissingAnnotationOfAnArgument: "argument samples has no type annotation",
    models.NoAnnotationAtAll: "without a type annotation counts as a Tensor",
    models.NoneAttribute: r"`state: Optional\[Tensor\]`",
    models.OptionalNotNarrowed: r"`assert value is not None`",
    models.OptionalBias: "Conv1d.bias is Optional",
    models.ClassAttribute: r"Set it in __init__.*`self.gain = ...`",
    models.MutatedClassAttribute: r"Set it in __init__.*`self.count = ...`",
    models.UndeclaredAttribute: r"Create it in __init__.*`self.last = torch.zeros",
    models.AttributeOfAnotherType: "was int in __init__ and can't become float",
    models.EmptyList: r"`blocks: list\[Tensor\]`",
    models.PathAttribute: r"self.file is a .*Path",
    models.OldWeightNorm: "torch.nn.utils.parametrizations.weight_norm",
    models.NumpyInForward: "NumPy does not exist inside TorchScript",
    models.NumpyMethod: "NumPy does not exist inside TorchScript",
    models.NumpyGlobal: "NumPy value of type float64",
    models.Lambda: "TorchScript has no lambda",
    models.LambdaAttribute: "self.activation is a Python function that can't be compiled",
    models.ComprehensionWithIf: "plain for loop",
    models.NestedComprehension: "plain for loop",
    models.FormattedString: r"f-strings take no format",
    models.PrintToFile: "print takes values only",
    models.StarArguments: r"instead of \*args and \*\*kwargs",
    models.KeywordArguments: r"instead of \*args and \*\*kwargs",
    models.Generator: "no generators",
    models.TryExcept: "no try/except",
    models.GlobalDictionary: "outside the class is not part of the model",
    models.GlobalStatement: "outside the class is not part of the model",
    models.BranchesOfTwoTypes: "gain is Tensor on one branch and float on the other",
    models.OneBranchOnly: "Give gain a value before the `if`",
    models.WrongReturnType: "annotated to return Tensor and this line returns int",
    models.ImportInside: "Import at the top",
    models.NestedFunction: "no functions inside functions",
    models.MatchStatement: "neither `match` nor `:=`",
    models.IsInstance: "isinstance in TorchScript is decided when",
    models.UnknownType: "does not know the type bytes",
    models.UnknownContextManager: "Leave the `with` out",
    models.InferenceMode: "Leave the `with` out",
    models.ComputedIndex: "no computed index",
    models.ItemAsArgument: r"int\(value\) or float\(value\)",
    models.UnknownOperation: "TorchScript knows no manual_seed_of_mine",
    models.UnknownMethod: "TorchScript's Tensor has no louder",
    models.VariableOfAnotherType: "gain is float and can't become Tensor",
    models.WrongArgument: r"argument <varargs> has to be str here and is int",
    models.ForElse: r"no such thing \(else branches of for loops\)",
    models.NotInTheTable: "Rewrite this line",
    models.RefusedInside: "TorchScript has no lambda",
    unscriptable_state.Super: r"TorchScript has no super\(\)",
    unscriptable_state.TruthOfAModule: "a module is neither true nor false",
    unscriptable_state.GeneratorArgument: "plain for loop",
    unscriptable_state.DictionaryOfTwoTypes: r"a dictionary are all of one type, and those of self\.state are not",
    unscriptable_state.NamedTupleAttribute: "becomes a plain tuple",
    unscriptable_state.DataclassInside: "State is a dataclass",
}


def refused_line(owner: type) -> tuple[str, int]:
    """The file and line of a class that carry the mark."""
    lines, first = inspect.getsourcelines(owner)
    marked = [first + index for index, line in enumerate(lines) if "# refused" in line]
    assert len(marked) == 1, f"{owner.__name__} must mark one line"
    return inspect.getfile(owner), marked[0]


@functools.cache
def message_for(refused: type[models.Base]) -> str:
    return message_of(refused())


def message_of(model: WaveformToWaveformBase) -> str:
    with pytest.raises(ExportError) as caught:
        script_wrapper(SampleQueueWrapper(model).eval())
    assert caught.value.__cause__ is not None, "TorchScript's own error stays reachable"
    return str(caught.value)


@pytest.mark.parametrize("refused", ADVICE, ids=lambda owner: owner.__name__)
def test_message_has_the_users_line_and_the_change_to_make(refused: type[models.Base]) -> None:
    message = message_for(refused)
    path, line = refused_line(models.Layer if refused is models.RefusedInside else refused)
    source = Path(path).read_text().splitlines()[line - 1].strip()
    assert message.startswith(f"{refused.__name__} can't be turned into TorchScript.\n{path}:{line}\n    {source}\n")
    assert re.search(f"What to do: .*{ADVICE[refused]}", message, re.DOTALL)


@pytest.mark.parametrize("refused", ADVICE, ids=lambda owner: owner.__name__)
def test_message_is_short_and_shows_no_code_of_ours(refused: type[models.Base]) -> None:
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
    monkeypatch.setattr(models, "third_party", importlib.import_module("somefilters"))
    message = message_of(models.CallsThirdParty())
    path, line = refused_line(models.CallsThirdParty)
    assert f"\n{path}:{line}\n    return third_party.smooth(x)" in message
    assert "smooth is code of the package somefilters, which was not written for TorchScript" in message


def test_class_without_source() -> None:
    names: dict[str, Any] = {"Base": models.Base, "Tensor": Tensor, "Dict": dict}
    exec(
        "class Typed(Base):\n"
        "    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:\n"
        "        return x\n",
        names,
    )
    assert "Move the class into a file and import it" in message_of(names["Typed"]())


def test_cell_of_a_notebook() -> None:
    # A notebook's cell is no file: IPython keeps its source in the line cache, under a name of its own.
    name, lines = (
        "<ipython-input-7-0123456789ab>",
        [
            "class Cell(Base):\n",
            "    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:\n",
            "        return x * self.gain\n",
            "    gain = 2.0\n",
        ],
    )
    linecache.cache[name] = (len("".join(lines)), None, lines, name)
    names: dict[str, Any] = {"Base": models.Base, "Tensor": Tensor, "Dict": dict}
    exec(compile("".join(lines), name, "exec"), names)
    assert f"\n{name}:3\n    return x * self.gain\n" in message_of(names["Cell"]())


def test_every_cause_in_the_table_is_shown_by_a_model() -> None:
    messages = "\n".join(message_for(refused) for refused in ADVICE)
    when_saved_or_run = {"parametrization", "ignored function"}
    rare = when_saved_or_run | {
        "source not available",
        "return type",
        "recursion",
        "unknown type",
        "operation not in TorchScript",
    }
    rare |= {"missing annotation of ours"}  # its own test is in model/test_first_model.py
    for hint in HINTS:
        opening = re.split(r"\{\d\}", hint.advice)[0]
        if hint.name not in rare and len(opening) > 8:
            assert opening in messages, f"no model shows the hint {hint.name!r}"


def test_second_try_of_the_same_class_says_the_same() -> None:
    # PyTorch keeps half-compiled classes of a refused model; a notebook cell that is run again meets them.
    assert message_of(models.UnknownContextManager()) == message_of(models.UnknownContextManager())


def test_a_good_model_is_compiled() -> None:
    class Inverted(models.Base):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return -x

    module = script_wrapper(SampleQueueWrapper(Inverted()).eval())
    x = torch.rand(2, 512)
    torch.testing.assert_close(module.forward(x), -x)
