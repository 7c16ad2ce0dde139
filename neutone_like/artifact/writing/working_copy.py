"""A copy of a user's model to work on, so that exporting changes nothing of the original."""

import copy
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.compact_tensors import compact_tensors
from neutone_like.artifact.writing.plain_network import make_plain, require_weights
from neutone_like.errors import ExportError
from neutone_like.numbers import as_number

Model = TypeVar("Model", bound=nn.Module)


def working_copy(model: Model) -> Model:
    """A :func:`faithful_copy` that computes the same in plainer parts.

    What only training needs is folded into plain weights, NumPy's numbers become Python's, and a slice of a large
    tensor keeps no more than the slice.

    Raises:
        ExportError: The model can't be copied, or has no weights yet; the message says why.
    """
    shared: set[int] = set()
    plain = faithful_copy(model, shared)
    make_plain(plain)
    _make_numbers_plain(plain)
    compact_tensors(plain, shared)
    return plain


def faithful_copy(model: Model, shared: set[int] | None = None) -> Model:
    """Copy a model onto the CPU, in evaluation mode and without gradients; parametrizations stay as they are.

    What Python can't copy (a lock, an open file, a generator) is shared with the original: a model that only carries
    such a thing along still exports. ``shared`` receives the ``id`` of each.

    Raises:
        ExportError: The model can't be copied, or has no weights yet; the message says why.
    """
    require_weights(model)
    shared = set() if shared is None else shared
    memo: dict[int, Any] = {}
    for value in _attribute_values(model):
        if isinstance(value, Tensor) and not value.is_leaf:
            memo[id(value)] = value.detach().clone()
        elif not isinstance(value, (Tensor, nn.Module)) and not _can_be_copied(value):
            memo[id(value)] = value
            shared.add(id(value))
    try:
        with torch.no_grad():  # a network that is already TorchScript copies its weights by a differentiable clone
            copied = copy.deepcopy(model, memo)
    except Exception as error:  # whatever a __deepcopy__ or __reduce__ of the user's raises
        raise ExportError(
            f"{type(model).__name__} can't be copied, and an export never works on the original: "
            f"copy.deepcopy(model) raised {type(error).__name__}: {error}. Remove the attribute it names."
        ) from error
    return copied.cpu().eval().requires_grad_(False)


def _make_numbers_plain(model: nn.Module) -> None:
    """NumPy's numbers become Python's, which TorchScript knows; also within lists, tuples and dictionaries."""
    for module in model.modules():
        if not isinstance(module, torch.jit.ScriptModule):
            for name, value in list(vars(module).items()):
                if not name.startswith("_") or isinstance(value, np.generic):
                    module.__dict__[name] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.generic):
        number = as_number(value)
        return value if number is None else number
    if type(value) in (list, tuple):
        return type(value)(_plain(each) for each in value)
    if type(value) is dict:
        return {key: _plain(each) for key, each in value.items()}
    return value


def _attribute_values(model: nn.Module) -> list[Any]:
    """The values of all attributes of a model and its submodules, but for parameters, buffers and submodules."""
    own = {"_parameters", "_buffers", "_modules"}
    return [value for module in model.modules() for name, value in vars(module).items() if name not in own]


def _can_be_copied(value: Any) -> bool:
    try:
        copy.deepcopy(value)
    except Exception:  # the answer is the point; the error itself comes again, and is reported, in working_copy
        return False
    return True
