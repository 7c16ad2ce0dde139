"""The base class of a live model: audio in, audio out, block by block."""

from collections.abc import Callable, Iterator
from typing import Any, Dict, Optional

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.model.declaration import Declaration, check_declaration


class _DeclaredParameters(tuple[Any, ...]):
    """The declared parameters, which still answer ``model.parameters()`` with the weights, as PyTorch expects."""

    weights: Callable[..., Iterator[nn.Parameter]]

    def __call__(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        return self.weights(recurse)


class _ParametersAttribute:
    """``parameters`` means two things on a model: what a host can turn, and (called) PyTorch's weights."""

    def __get__(self, model: Optional["WaveformToWaveformBase"], owner: type) -> Any:
        if model is None:
            return getattr(owner, "_declared_parameters", ())
        declared = _DeclaredParameters(getattr(model, "_declared_parameters"))  # noqa: B009
        declared.weights = lambda recurse=True: nn.Module.parameters(model, recurse)
        return declared

    def __set__(self, model: "WaveformToWaveformBase", value: Any) -> None:
        model.__dict__["_declared_parameters"] = _as_parameter_tuple(value)


def _as_parameter_tuple(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise ModelError(
            "parameters must be a tuple of ContinuousParameter and CategoricalParameter, "
            f"got {value!r}. A single one needs a comma: (ContinuousParameter(...),)."
        )
    return tuple(value)


class WaveformToWaveformBase(nn.Module):
    """Subclass this, set the attributes, write :meth:`do_forward_pass`.

    Attributes may be set on the class or on the instance, before or after ``super().__init__()``; they are read when
    the model is wrapped or exported.

    Attributes:
        metadata: Who made it and what it is (:class:`ModelMetadata`).
        parameters: What a host can turn. Called, as in ``model.parameters()``, it yields the weights as ever.
        in_channels: 1 or 2 for an ``.nm`` artifact.
        out_channels: 1 or 2 for an ``.nm`` artifact.
        sample_rates: Rates in Hz that the model was made for; ``()`` means any. Another host rate is resampled to.
        block_sizes: Block lengths in samples that the model takes; ``()`` means any length, 1 included.
        look_behind_samples: Past samples that the model wants to see again, before each new block.

    Args:
        model: The network, available as ``self.model``; ``nn.Identity()`` when the subclass is the whole model.
    """

    # What TorchScript must not look at: these are for Python and for the artifact's metadata.
    __jit_ignored_attributes__ = ["metadata", "parameters", "_declared_parameters", "sample_rates", "block_sizes"]

    metadata: Any = None
    in_channels: int = 2
    out_channels: int = 2
    sample_rates: Any = ()
    block_sizes: Any = ()
    look_behind_samples: int = 0

    _declared_parameters: Any = ()
    parameters: Any = _ParametersAttribute()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "parameters" in cls.__dict__:
            _as_parameter_tuple(cls.__dict__["parameters"])
        cls._adopt_parameters()

    @classmethod
    def _adopt_parameters(cls) -> None:
        """Put the attribute back that a plain tuple hides: one of a mixin's, or one assigned after the class body."""
        for owner in cls.__mro__:
            found = owner.__dict__.get("parameters")
            if isinstance(found, _ParametersAttribute):
                return
            if isinstance(found, (tuple, list)):
                changed = owner if issubclass(owner, WaveformToWaveformBase) else cls
                changed._declared_parameters = tuple(found)
                changed.parameters = WaveformToWaveformBase.__dict__["parameters"]
                return

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, nn.Module):
            raise ModelError(
                f"{type(self).__name__}(model): model must be a torch.nn.Module, got {type(model).__name__}. "
                "Pass torch.nn.Identity() if the subclass needs none."
            )
        self._adopt_parameters()
        if "parameters" in self.__dict__:  # set on the instance while the attribute was hidden
            self.parameters = self.__dict__.pop("parameters")
        super().__init__()
        self.model = model
        for name in ("in_channels", "out_channels", "look_behind_samples"):
            # TorchScript sees what is on the instance, not what is on the class.
            setattr(self, name, getattr(self, name))

    def declaration(self) -> Declaration:
        """What the attributes say now, checked.

        Raises:
            ModelError: An attribute is missing or not allowed; every such one is named.
        """
        self._adopt_parameters()
        return check_declaration(self)

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        """Process one block: the method to write.

        Args:
            x: Audio at the model's rate, ``[in_channels, look_behind_samples + N]``: the last ``N`` samples are new.
            params: Each declared parameter in its own unit; shape ``(1,)``, or ``(N,)`` for ``rate="sample"``.

        Returns:
            ``[out_channels, N]``: the output for the new samples.
        """
        raise NotImplementedError("Write do_forward_pass(self, x, params) in your subclass.")

    @torch.jit.export
    def reset_model(self) -> None:
        """Forget the past: write this if the model keeps state. The same input must then give the same output."""
        pass

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Get ready for ``sample_rate`` Hz and blocks of up to ``block_size`` samples. Called before audio starts."""
        pass

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """How many samples, at the model's rate, the model's output lags behind its input."""
        return 0

    @torch.jit.unused
    def forward(self, x: Tensor, params: Optional[Dict[str, Tensor]] = None) -> Tensor:
        """Run :meth:`do_forward_pass` once, with the declared defaults for parameters that are not given.

        A convenience for notebooks. Hosts go through :class:`neutone_like.SampleQueueWrapper`.
        """
        values = self.default_parameter_values(x.size(1) - self.look_behind_samples)
        return self.do_forward_pass(x, {**values, **(params or {})})

    @torch.jit.unused
    def default_parameter_values(self, block_size: int) -> Dict[str, Tensor]:
        """Every numerical parameter at its default, in the shape that :meth:`do_forward_pass` receives."""
        values: Dict[str, Tensor] = {}
        for parameter in self.declaration().parameters:
            length = block_size if parameter.rate == "sample" else 1
            values[parameter.name] = torch.full((length,), float(parameter.default))
        return values
