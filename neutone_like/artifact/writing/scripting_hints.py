"""What to change when TorchScript refuses a model: a table from its messages to advice."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """One cause of failure.

    Args:
        name: Short name of the cause.
        message: Regular expression found in TorchScript's message.
        advice: The change to make; ``{1}``, ``{2}`` stand for the groups of ``message``.
        source: Regular expression that the user's line must contain too, when the message alone is ambiguous. It also
            finds the line for the messages that come without one.
    """

    name: str
    message: str
    advice: str
    source: str = ""

    def advice_for(self, message: str, source_line: str) -> str | None:
        """The advice, or None when this is not the cause."""
        found = re.search(self.message, message)
        if found is None or (self.source and not re.search(self.source, source_line)):
            return None
        return re.sub(r"\{(\d)\}", lambda group: found.group(int(group.group(1))) or "", self.advice)


LIVE_SIGNATURE = "def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:"
OFFLINE_SIGNATURE = (
    "def do_forward_pass(self, curr_block_idx: int, audio_in: list[Tensor], numerical_params: dict[str, Tensor], "
    "text_params: list[str], tokens_params: list[list[int]]) -> list[Tensor]:"
)
# By the arguments that only this method has.
SIGNATURES = {
    "params": LIVE_SIGNATURE,
    "curr_block_idx|audio_in|numerical_params|text_params|tokens_params": OFFLINE_SIGNATURE,
    "sample_rate|block_size": "def prepare_model(self, sample_rate: int, block_size: int) -> None:",
    "progress_percentage": "def set_progress_percentage(self, progress_percentage: float) -> None:",
}

_LOOP = "Write it as a plain for loop that appends to a list."

# The first one that fits wins, so the narrow ones stand before the wide ones.
HINTS = (
    Hint(
        "context manager",
        r"",
        "TorchScript knows `with torch.no_grad():` and its own scriptable classes only. Leave the `with` out: exported "
        "models always run without gradients.",
        source=r"^\s*with (?!torch\.no_grad\(\))",
    ),
    Hint(
        "isinstance",
        r"Unknown type name|variable number of arguments|isinstance|not a type",
        "isinstance in TorchScript is decided when the model is compiled, and for its own types only (Tensor, int, "
        "float, str, list[...], dict[...]). Decide in __init__, and keep the answer in a bool attribute.",
        source=r"isinstance\(",
    ),
    Hint(
        "numpy",
        r"numpy|np\.|python value of type '(?:ndarray|u?int\d+|float\d+|bool_)'",
        "NumPy does not exist inside TorchScript. Use the torch function of the same name (np.tanh -> torch.tanh); "
        "convert constants in __init__ with float(value) or torch.from_numpy(array).",
        source=r"\bnp\.|\bnumpy\b|\bnumpy\(",
    ),
    Hint(
        "numpy value",
        r"python value of type '(ndarray|u?int\d+|float\d+|bool_)'",
        "This is a NumPy value of type {1}, which TorchScript can't hold. Convert it in __init__: "
        "self.value = float(...), or torch.from_numpy(array) for an array.",
    ),
    Hint(
        "old weight_norm",
        r"'(WeightNorm|SpectralNorm)' object has no attribute '__name__'",
        "The old hook-based torch.nn.utils.weight_norm and spectral_norm can't be scripted. Use "
        "torch.nn.utils.parametrizations.weight_norm, or call torch.nn.utils.remove_weight_norm(layer) on the trained "
        "layers before export.",
        source=r"(weight|spectral)_norm\(",
    ),
    Hint(
        "parametrization",
        r"Parametrization is not working with scripting",
        "The layer has a parametrization, which TorchScript can't run. Fold it into the weight before export: "
        'torch.nn.utils.parametrize.remove_parametrizations(layer, "weight").',
    ),
    Hint(
        "ignored function",
        r"(?:Could not export Python function call '(\w+)'|Python function is annotated to be ignored)",
        "This calls a function that is left in Python: marked @torch.jit.ignore or @torch.jit.unused, or nothing that "
        "TorchScript compiles. No Python runs inside an artifact. Take the mark off, so that it is compiled too, or "
        "write what it does with torch functions.",
    ),
    Hint(
        "super()",
        r"",
        "TorchScript has no super(). Give the method of the base class a name that no subclass takes, and call that: "
        "`self.base_pass(x, params)`, where the base class's do_forward_pass calls base_pass too.",
        source=r"\bsuper\(",
    ),
    Hint(
        "truth of a module",
        r"Could not cast value of type __torch__\..* to bool",
        "In TorchScript a module is neither true nor false. Ask `if self.name is not None:`, or keep the answer in a "
        "bool attribute.",
    ),
    Hint(
        "generator as an argument",
        r"",
        _LOOP,
        source=r"\b(?:sum|any|all|min|max|sorted|set|tuple|dict|join)\([^()]*(?:\([^()]*\)[^()]*)*\bfor\b.*\bin\b",
    ),
    Hint(
        "dictionary of several types",
        r"has no attribute '(\w+)' \(.*Dictionary inputs to traced functions must have consistent type",
        "The values of a dictionary are all of one type, and those of self.{1} are not. Make it one dictionary for "
        "each type, or an attribute for each value.",
    ),
    Hint(
        "object made in the model",
        r"(?:Failed to get source for|[Cc]an't get source for) <function (\w+)\.__(?:init|eq|repr)__",
        "{1} is a dataclass, whose methods have no source that TorchScript could read. Keep its fields in variables of "
        "their own, or pass a tuple.",
    ),
    Hint(
        "NamedTuple as attribute",
        r"'Tuple\[.*\]' object has no attribute or method '(\w+)'",
        "A NamedTuple in an attribute becomes a plain tuple, unless its type stands at class level, above __init__: "
        "`state: MyNamedTuple`. Or take its fields by place: `self.state[0]`.",
    ),
    Hint(
        "source not available",
        r"[Cc]an't get source for|could not get source|source code not available",
        "TorchScript reads the source of the model, which has to be in a .py file or a notebook cell: classes made by "
        "exec(), in `python -c`, or typed at the >>> prompt have none. Move the class into a file and import it.",
    ),
    *(
        Hint(
            "missing annotation of ours",
            rf"Inferred '({arguments})' to be of type 'Tensor'",
            f"The argument {{1}} has no type annotation, and then counts as a Tensor. Write it as `{signature}`.",
        )
        for arguments, signature in SIGNATURES.items()
    ),
    Hint(
        "missing annotation",
        r"Inferred '(\w+)' to be of type 'Tensor'",
        "The argument {1} has no type annotation, and then counts as a Tensor. Annotate it: {1}: int, {1}: float, "
        "{1}: list[Tensor], ...",
    ),
    Hint(
        "missing annotation of ours",
        r"Tensor \(inferred\)|indexing tensor with unsupported index type 'str'",
        f"An argument without a type annotation counts as a Tensor. Annotate all of them, as in `{OFFLINE_SIGNATURE}`.",
        source=r"\b(?:audio_in|numerical_params|text_params|tokens_params)\b",
    ),
    Hint(
        "missing annotation",
        r"Tensor \(inferred\)|indexing tensor with unsupported index type 'str'",
        f"An argument without a type annotation counts as a Tensor. Annotate all of them, as in `{LIVE_SIGNATURE}`.",
    ),
    Hint(
        "attribute that is None",
        r"attribute assignment\. Expected NoneType|NoneType' object has no attribute|type NoneType",
        "An attribute that is None in __init__ needs its type at class level, above __init__: "
        "`state: Tensor | None`, or the same spelt `state: Optional[Tensor]` with `from typing import Optional`.",
    ),
    Hint(
        "attribute of another type",
        r"Wrong type for attribute assignment\. Expected (.+) but got (.+?)[:\n]",
        "The attribute was {1} in __init__ and can't become {2}. Give it its later type from the start (0.0, not 0, "
        "for a float), or annotate it at class level.",
    ),
    Hint(
        "Optional not narrowed",
        r"found type 'Optional\[|'Optional\[.+\]' object|is actually of type Optional\[",
        "TorchScript believes that an Optional is not None only for a local variable. Write `value = self.value`, then "
        "`assert value is not None` (or `if value is not None:`), and go on with `value`. Conv1d.bias is Optional too.",
    ),
    Hint(
        "empty list or dictionary",
        r"has no attribute '(\w+)' \(.*(?:List|Dictionary) (?:trace )?inputs must have (?:elements|entries)",
        "TorchScript can't tell what the empty container self.{1} will hold. Annotate it at class level: "
        "`{1}: list[Tensor]` or `{1}: dict[str, Tensor]`, above __init__.",
    ),
    Hint(
        "function as attribute",
        r"has no attribute '(\w+)' \(This function exists as an attribute",
        "self.{1} is a Python function that can't be compiled, such as a lambda. Make it a method of the class, or an "
        "nn.Module such as nn.Tanh().",
    ),
    Hint(
        "attribute of a Python type",
        r"has no attribute '(\w+)' \(.*failed to convert Python type: '([\w.]+)'",
        "self.{1} is a {2}, which TorchScript can't hold: no dataclass, no array, no object of a class that isn't an "
        "nn.Module. Keep what is in it in attributes of their own: numbers, strings, tensors, modules, and lists or "
        "dictionaries of these; convert in __init__.",
    ),
    Hint(
        "class attribute",
        r"Module '\w+' has no attribute '(\w+)'",
        "TorchScript does not see attributes of the class, only those of the instance. Set it in __init__, after "
        "super().__init__(...): `self.{1} = ...`. Methods are seen when they are called or marked @torch.jit.export.",
    ),
    Hint(
        "undeclared attribute",
        r"Tried to set nonexistent attribute: (\w+)",
        "An attribute can't appear while the model runs. Create it in __init__, with its type: "
        '`self.{1} = torch.zeros(...)`, or `self.register_buffer("{1}", torch.zeros(...))`.',
    ),
    Hint(
        "lambda",
        r"Lambda aren't supported",
        "TorchScript has no lambda. Make it a method, a function of the module, or write the expression in its place.",
    ),
    Hint("comprehension", r"Comprehension ifs|Only a single generator|(?:Set|Dict|List)Comp|GeneratorExp", _LOOP),
    Hint(
        "f-string",
        r"in JoinedStr|JoinedStr aren't|FormattedValue",
        "TorchScript's f-strings take no format ({x:.3f}) and no conversion ({x!r}, {x=}). Use plain {x}, or "
        '"...".format(x); better, leave printing out of the model.',
    ),
    Hint(
        "print",
        r"print doesn't accept any keyword",
        "TorchScript's print takes values only: no end=, file= or flush=. Leave printing out of the model.",
    ),
    Hint(
        "*args or **kwargs",
        r"variable number of arguments|keyword-only arguments|[Ss]tarred|unpacking of dict",
        "TorchScript needs a fixed list of arguments: name and annotate each one instead of *args and **kwargs, or "
        "pass a list[Tensor] or dict[str, Tensor].",
    ),
    Hint(
        "generator", r"Yield(?:From)? aren't supported", "TorchScript has no generators. Collect a list and return it."
    ),
    Hint(
        "try",
        r"try blocks aren't supported|Try(?:Star)? aren't supported",
        "TorchScript has no try/except. Test for the condition with `if` before it can fail.",
    ),
    Hint(
        "import in a method",
        r"import statements aren't supported",
        "Import at the top of the file. Only torch and the math module work inside TorchScript.",
    ),
    Hint(
        "nested function or class",
        r"(?:function|class) definitions aren't supported",
        "TorchScript has no functions inside functions. Make it a method, or a function at the top of the file.",
    ),
    Hint(
        "match or :=",
        r"(?:Match|NamedExpr) aren't supported",
        "TorchScript knows neither `match` nor `:=`. Use if/elif, and assign on a line of its own.",
    ),
    Hint(
        "unknown type",
        r"Unknown type name '([\w.]+)'",
        "TorchScript does not know the type {1}. Annotate with Tensor, int, float, bool, str, and with list, "
        "dict, tuple of these, or `| None`.",
    ),
    Hint(
        "global variable",
        r"python value of type '(\w+)' cannot be used as a value|global variables aren't supported",
        "A variable from outside the class is not part of the model. Make it an attribute in __init__ "
        "(`self.table = ...`; tensors with register_buffer), or pass it as an argument.",
    ),
    Hint(
        "branches of different types",
        r"Type mismatch: (\w+) is set to type (.+?) in the true branch and type (.+?) in the false branch",
        "A variable keeps one type: {1} is {2} on one branch and {3} on the other. Make both the same, as in "
        "torch.tensor(0.0) or torch.zeros_like(x) for a Tensor.",
    ),
    Hint(
        "variable of one branch only",
        r"(\w+) is not defined in the (true|false) branch",
        "Give {1} a value before the `if`, so that both branches have one.",
    ),
    Hint(
        "return type",
        r"Return value was annotated as having type (.+) but is actually of type (.+?)[:\n]",
        "The method is annotated to return {1} and this line returns {2}. Return {1} on every path, or correct the "
        "annotation after `->`.",
    ),
    Hint(
        "return type",
        r"Previous return statement returned a value of type (.+) but this return statement returns a value of type "
        r"(.+?)[:\n]",
        "One `return` gives {1} and another {2}. Return the same type on every path, and annotate it after `->`.",
    ),
    Hint(
        "variable of another type",
        r"Variable '(\w+)' (?:is annotated with type|previously had type) (.+?) but is being assigned to a value of "
        r"type (.+?)[:\n]",
        "A variable keeps one type: {1} is {2} and can't become {3}. Use a second variable, or convert it first.",
    ),
    Hint(
        "index of a ModuleList",
        r"Expected integer literal for index",
        "A ModuleList takes no computed index. Go through it: `for index, layer in enumerate(self.layers): "
        "if index == wanted: ...`.",
    ),
    Hint(
        ".item() as an argument",
        r"instead found type '(?:number|Scalar)'",
        "TorchScript can't tell whether .item() gives an int or a float. Say it: int(value) or float(value).",
    ),
    Hint(
        "operation not in TorchScript",
        r"(?:Unknown builtin op: aten::|^\s*object has no attribute )(\w+)",
        "TorchScript knows no {1}. Build it from other torch functions, or compute it in __init__.",
    ),
    Hint(
        "method not in TorchScript",
        r"'(.+?)' object has no attribute or method '(\w+)'",
        "TorchScript's {1} has no {2}. Use the torch function that does the same, or compute it in __init__.",
    ),
    Hint(
        "argument of another type",
        r"Expected a value of type '(.+?)' for argument '([\w<>]+)' but instead found type '(.+?)'",
        "The argument {2} has to be {1} here and is {3}. Convert it, or correct the annotation it comes from.",
    ),
    Hint(
        "recursion",
        r"is called recursively|recursion",
        "TorchScript compiles no method that calls itself without annotations for its arguments and its result; "
        "a loop always works.",
    ),
    Hint(
        "statement not in TorchScript",
        r"(\w[\w ]*) aren't supported",
        "TorchScript has no such thing ({1}). Write it with plain assignments, if and for.",
    ),
)

THIRD_PARTY_ADVICE = (
    "{function} is code of the package {package}, which was not written for TorchScript. Replace it with torch "
    "operations, or with a layer that is made for TorchScript. A network that keeps no state, and does the same "
    "whatever the values are, can be traced instead, for a declared block size: "
    "`torch.jit.trace(network, torch.zeros(1, 2, 512))` in __init__. Where it only wraps a network of yours, pass that "
    "one."
)


RUNNING_ADVICE = (
    "Python forgives here what TorchScript does not: look at the types and shapes on this line, integer division, and "
    "indices. `torch.jit.script(network)` alone shows it too."
)
GENERAL_ADVICE = "Rewrite this line with torch functions on tensors, numbers, and Python's if, for and while."


def find_advice(
    message: str, source_line: str, *, only_by_source: bool = False, otherwise: str = GENERAL_ADVICE
) -> str:
    """The change to make; general advice for a cause that is not in the table.

    Args:
        message: TorchScript's.
        source_line: The user's.
        only_by_source: Use the part of the table that looks at the user's line; the answer may then be empty.
        otherwise: The general advice.
    """
    for hint in HINTS:
        if only_by_source and not hint.source:
            continue
        advice = hint.advice_for(message, source_line)
        if advice is not None and (hint.message or source_line):
            return advice
    return "" if only_by_source else otherwise


def source_patterns(message: str) -> list[str]:
    """What the user's line looks like, for the messages that come without a line."""
    return [hint.source for hint in HINTS if hint.source and hint.message and re.search(hint.message, message)]
