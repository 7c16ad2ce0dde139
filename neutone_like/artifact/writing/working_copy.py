"""A copy of a user's model to work on, so that exporting changes nothing of the original."""

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from neutone_like.errors import ExportError

Model = TypeVar("Model", bound=nn.Module)


def working_copy(model: Model) -> Model:
    """Copy a model onto the CPU, in evaluation mode and without gradients.

    What Python can't copy (a lock, an open file, a generator) is shared with the original: a model that only carries
    such a thing along still exports.

    Raises:
        ExportError: The model can't be copied; the message says why.
    """
    memo: dict[int, Any] = {}
    for value in _attribute_values(model):
        if isinstance(value, Tensor) and not value.is_leaf:
            memo[id(value)] = value.detach().clone()
        elif not isinstance(value, (Tensor, nn.Module)) and not _can_be_copied(value):
            memo[id(value)] = value
    try:
        with torch.no_grad():  # a network that is already TorchScript copies its weights by a differentiable clone
            copied = copy.deepcopy(model, memo)
    except Exception as error:  # whatever a __deepcopy__ or __reduce__ of the user's raises
        raise ExportError(
            f"{type(model).__name__} can't be copied, and an export never works on the original: "
            f"copy.deepcopy(model) raised {type(error).__name__}: {error}. Remove the attribute it names."
        ) from error
    return copied.cpu().eval().requires_grad_(False)


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
