"""``parameters`` means two things on a model: what a host can turn, and (called) PyTorch's weights."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import torch.jit
from torch import nn

from neutone_like.errors import ModelError
from neutone_like.model.metadata import ModelMetadata
from neutone_like.model.misspelled import refuse_misspelled_names
from neutone_like.model.parameters import (
    CategoricalParameter,
    ContinuousParameter,
    Parameter,
    TextParameter,
    TokensParameter,
    summary,
)
from neutone_like.printing import html_table, printable

PARAMETER_KINDS = (ContinuousParameter, CategoricalParameter, TextParameter, TokensParameter)


class _DeclaredParameters(tuple[Any, ...]):
    """The declared parameters, which still answer ``model.parameters()`` with the weights, as PyTorch expects."""

    weights: Callable[..., Iterator[nn.Parameter]]

    def __call__(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        return self.weights(recurse)


class _ParametersAttribute:
    """What ``model.parameters`` gives and takes."""

    def __get__(self, model: "DeclaresParameters | None", owner: type) -> Any:
        if model is None:
            return getattr(owner, "_declared_parameters", ())
        declared = _DeclaredParameters(getattr(model, "_declared_parameters"))  # noqa: B009
        declared.weights = lambda recurse=True: nn.Module.parameters(model, recurse)
        return declared

    def __set__(self, model: "DeclaresParameters", value: Any) -> None:
        model.__dict__["_declared_parameters"] = _as_parameter_tuple(value)


def _as_parameter_tuple(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise ModelError(
            "parameters must be a tuple of parameters such as ContinuousParameter, "
            f"got {value!r}. A single one needs a comma: (ContinuousParameter(...),)."
        )
    return tuple(value)


def refuse_impossible_modules(model: nn.Module, above: tuple[nn.Module, ...] = ()) -> None:
    """Raises ModelError for a network whose ``__init__`` never came to PyTorch's, or that is a part of itself."""
    if "_modules" not in vars(model):
        name = type(model).__name__
        raise ModelError(
            f"{name}.__init__ does not call super().__init__(), without which PyTorch does not know the module. "
            f"Write super().__init__() as its first line (in {type(model).__module__}, class {name})."
        )
    for attribute, child in model.named_children():
        if any(child is each for each in (*above, model)):
            raise ModelError(
                f"{type(child).__name__} is a part of itself: {type(model).__name__}.{attribute} is what it lies in. "
                f"PyTorch would never come to an end there. Keep it in a tuple: self.{attribute} = (parent,)."
            )
        if not isinstance(child, torch.jit.ScriptModule):
            refuse_impossible_modules(child, (*above, model))


class DeclaresParameters(nn.Module):
    """What every base class of models has: a network inside, and ``parameters`` set on the class or the instance."""

    # What TorchScript must not look at: these are for Python and for the artifact's metadata.
    __jit_ignored_attributes__ = ["metadata", "parameters", "_declared_parameters", "sample_rates", "block_sizes"]
    _declarable: ClassVar[tuple[str, ...]] = ()
    _declared_parameters: Any = ()
    if TYPE_CHECKING:
        parameters: Sequence[Parameter]  # pyright: ignore[reportIncompatibleMethodOverride]
    else:
        parameters = _ParametersAttribute()

    metadata: ModelMetadata = None  # pyright: ignore[reportAssignmentType] # until a subclass sets it
    sample_rates: tuple[int, ...] = ()
    block_sizes: tuple[int, ...] = ()
    look_behind_samples: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "parameters" in cls.__dict__:
            _as_parameter_tuple(cls.__dict__["parameters"])
        cls._adopt_parameters()
        refuse_misspelled_names(cls, cls._declarable)

    @classmethod
    def _adopt_parameters(cls) -> None:
        """Put the attribute back that a plain tuple hides: one of a mixin's, or one assigned after the class body."""
        for owner in cls.__mro__:
            found = owner.__dict__.get("parameters")
            if isinstance(found, _ParametersAttribute):
                return
            if isinstance(found, PARAMETER_KINDS):
                _as_parameter_tuple(found)  # says what is missing
            if isinstance(found, (tuple, list)):
                changed = owner if issubclass(owner, DeclaresParameters) else cls
                changed._declared_parameters = tuple(found)
                changed.parameters = DeclaresParameters.__dict__["parameters"]
                return

    def __init__(self, model: nn.Module | None = None) -> None:
        self._require_network(model)
        self._adopt_parameters()
        if "parameters" in self.__dict__:  # set on the instance while the attribute was hidden
            self.parameters = self.__dict__.pop("parameters")  # pyright: ignore[reportIncompatibleMethodOverride]
        super().__init__()
        self.model = nn.Identity() if model is None else model

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "model" and "_modules" in self.__dict__:
            self._require_network(value)
        super().__setattr__(name, value)

    def _require_network(self, model: Any) -> None:
        """Raises ModelError for what PyTorch can't take as a network."""
        if model is not None and not isinstance(model, nn.Module):
            raise ModelError(
                f"{type(self).__name__}: model must be a torch.nn.Module, got {type(model).__name__}. "
                "Pass none, or torch.nn.Identity(), if the subclass needs none."
            )

    def _check_names(self) -> None:
        """Look for misspelled names on the class and on the instance, whenever they were set.

        Raises:
            ModelError: Names what was meant.
        """
        refuse_impossible_modules(self)
        self._adopt_parameters()
        refuse_misspelled_names(type(self), self._declarable, self)

    def _repr_html_(self) -> str:
        declared = [(f"parameter {summary(each)}",) for each in self._declared_parameters]
        return html_table(f"{type(self).__name__}: {self.metadata!r}", [*declared, (f"network {self.model!r}",)])

    def extra_repr(self) -> str:
        """What is declared, above the network, where a model is printed."""
        names = {name: getattr(self, name, None) for name in ("sample_rates", "block_sizes", "look_behind_samples")}
        title = getattr(getattr(self, "metadata", None), "name", None)
        lines = [f"{title!r}"] if title else []
        lines += [f"parameter {summary(each)}" for each in self._declared_parameters]
        lines += [f"{name}={value}" for name, value in names.items() if value and isinstance(value, (int, tuple, list))]
        return printable("\n".join(lines))
