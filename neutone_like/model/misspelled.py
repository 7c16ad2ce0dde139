"""Names on a model that were surely meant to be others: ``sample_rate`` for ``sample_rates``.

A name is refused only where the right one is missing, so that whoever declares ``sample_rates`` may keep a
``sample_rate`` beside it; and never where it is annotated, written in capitals, or used by the model's own methods.
"""

import difflib
import dis
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from neutone_like.errors import ModelError
from neutone_like.model.metadata import ModelMetadata
from neutone_like.model.parameters import CategoricalParameter, ContinuousParameter, TextParameter, TokensParameter
from neutone_like.numbers import as_whole_number

METHODS = ("do_forward_pass", "reset_model", "prepare_model", "model_delay_samples", "is_one_shot_model")
_OTHER_NAMES = {
    "forward_pass": "do_forward_pass",
    "do_forward": "do_forward_pass",
    "reset": "reset_model",
    "reset_state": "reset_model",
    "prepare": "prepare_model",
    "delay_samples": "model_delay_samples",
    "latency_samples": "model_delay_samples",
    "is_one_shot": "is_one_shot_model",
    "sampling_rate": "sample_rates",
    "sampling_rates": "sample_rates",
    "native_sample_rates": "sample_rates",
    "native_block_sizes": "block_sizes",
    "native_buffer_sizes": "block_sizes",
    "buffer_sizes": "block_sizes",
    "input_channels": "in_channels",
    "output_channels": "out_channels",
}
_PARAMETERS = (ContinuousParameter, CategoricalParameter, TextParameter, TokensParameter)
_UNITS = ("hz", "khz", "samples", "sample")
_NUMBERS = ("in_channels", "out_channels", "look_behind_samples")
_ALIKE = 0.9  # of two names without their underscores, plurals and units


def refuse_misspelled_names(model_class: type, declarable: Iterable[str], model: Any = None) -> None:
    """Look at what a class (and an instance) adds to the base class.

    Args:
        model_class: A subclass of a base class of models.
        declarable: The attributes that the base class reads.
        model: Also look at what stands on this instance.

    Raises:
        ModelError: Names what was written, where, and what was meant.
    """
    declared = _declared_names(model_class, model)
    missing = [name for name in (*declarable, *METHODS) if hasattr(model_class, name)]
    missing = [name for name in missing if name not in declared]
    if not missing:
        return
    for owner in _users_classes(model_class):
        for name, value in _own_names(owner):
            _refuse(model_class, f"class {owner.__name__}", name, _meant(name, value, missing))
    for name, value in [] if model is None else _values_on(model):
        _refuse(model_class, f"this {model_class.__name__}", name, _meant(name, value, missing))


def _refuse(model_class: type, where: str, name: str, meant: str | None) -> None:
    if meant is None or name in _names_used_by_methods(model_class):
        return
    raise ModelError(
        f"{where} has {name!r}, which nothing reads: did you mean {meant!r}? "
        f"If it is your own, give it another name, or set {meant} too."
    )


def _meant(name: str, value: Any, missing: list[str]) -> str | None:
    """The missing name that this one stands for."""
    if name in missing or name.isupper():
        return None
    if isinstance(value, FunctionType):
        return _closest(name, [each for each in missing if each in METHODS])
    if not isinstance(value, (bool, int, float, str, tuple, list, ModelMetadata, *_PARAMETERS, type(None))):
        return None
    if isinstance(value, ModelMetadata):
        return "metadata" if "metadata" in missing else None
    if isinstance(value, _PARAMETERS) or (isinstance(value, (tuple, list)) and _are_parameters(value)):
        return "parameters" if "parameters" in missing else None
    return _closest(name, [each for each in missing if each not in METHODS])


def _are_parameters(values: Iterable[Any]) -> bool:
    entries = list(values)
    return bool(entries) and all(isinstance(each, _PARAMETERS) for each in entries)


def _closest(name: str, candidates: list[str]) -> str | None:
    other = _OTHER_NAMES.get(name)
    if other in candidates:
        return other
    plain = _plain(name)
    for candidate in candidates:
        wanted = _plain(candidate)
        alike = difflib.SequenceMatcher(None, plain, wanted).ratio()
        if plain[:1] == wanted[:1] and alike >= _ALIKE:
            return candidate
    return None


def _plain(name: str) -> str:
    """Without what is easily mistaken: underscores, capitals, plurals, a unit at the end."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().strip("_").split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        words.pop()
    return "".join(word.removesuffix("s") for word in words)


def _declared_names(model_class: type, model: Any) -> set[str]:
    """What the user set or wrote, on any class of theirs or on the instance."""
    owners: list[Mapping[str, Any]] = [vars(owner) for owner in _theirs(model_class)]
    # The base class sets some of its defaults on the instance, for TorchScript.
    on_instance = {} if model is None else vars(model)
    names = {
        name
        for name, value in on_instance.items()
        if not (name in _NUMBERS and _is_default(value, _default(model, name)))
    }
    names |= {name for owner in owners for name in owner}
    return names | ({"parameters"} if "_declared_parameters" in names else set[str]())


def _is_default(value: Any, default: Any) -> bool:
    return as_whole_number(value) == as_whole_number(default)


def _default(model: Any, name: str) -> Any:
    return getattr(type(model), name, None)


def _theirs(model_class: type) -> Iterator[type]:
    """All classes of the line that are not this package's, mixins included."""
    for owner in model_class.__mro__:
        if not owner.__module__.startswith(("neutone_like.", "torch.")) and owner is not object:
            yield owner


def _users_classes(model_class: type) -> Iterator[type]:
    """Those that were written as models: a mixin may be anything, and is left alone."""
    return (owner for owner in _theirs(model_class) if hasattr(owner, "do_forward_pass"))


def _own_names(owner: type) -> Iterator[tuple[str, Any]]:
    annotated = inspect.get_annotations(owner)
    bases = owner.__mro__[1:]
    for name, value in vars(owner).items():
        if not name.startswith("_") and name not in annotated and not any(name in vars(base) for base in bases):
            yield name, value


def _values_on(model: Any) -> Iterator[tuple[str, Any]]:
    """Plain values that ``__init__``, or whoever came after it, put on the instance."""
    known = {name for owner in type(model).__mro__ for name in (*vars(owner), *inspect.get_annotations(owner))}
    for name, value in vars(model).items():
        if not name.startswith("_") and name not in known and name not in _OF_EVERY_MODULE:
            yield name, value


_OF_EVERY_MODULE = {"training", "call_super_init", "dump_patches"}


def _names_used_by_methods(model_class: type) -> set[str]:
    """Attributes that methods read or set; of ``__init__``, where every attribute is set once, only what it reads."""
    used: set[str] = set()
    for owner in _theirs(model_class):
        for name, value in vars(owner).items():
            function = inspect.unwrap(value) if isinstance(value, FunctionType) else None
            if isinstance(function, FunctionType):
                used |= _names_in(function.__code__, only_read=name == "__init__")
    return used


def _names_in(code: CodeType, only_read: bool) -> set[str]:
    operations = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR") + (() if only_read else ("STORE_ATTR",))
    names = {str(each.argval) for each in dis.get_instructions(code) if each.opname in operations}
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return names.union(*(_names_in(each, only_read) for each in inner))
