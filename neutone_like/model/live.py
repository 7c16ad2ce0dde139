"""The base class of a live model: audio in, audio out, block by block."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.model.declaration import Declaration, check_declaration
from neutone_like.model.declared_parameters import DeclaresParameters
from neutone_like.model.parameter_values import by_name, check_names
from neutone_like.model.parameters import NumericalParameter
from neutone_like.numbers import as_whole_number, whole_number


class WaveformToWaveformBase(DeclaresParameters):
    """Subclass this, set the attributes, write :meth:`do_forward_pass`.

    Attributes may be set on the class or on the instance, before or after ``super().__init__()``; they are read when
    the model is wrapped or exported.

    Attributes:
        metadata: Who made it and what it is (:class:`ModelMetadata`).
        parameters: What a host can turn. Called, as in ``model.parameters()``, it yields the weights as usual.
        in_channels, out_channels: 1..64; more than 2, and more than four parameters, are for our own hosts alone.
        sample_rates: Rates in Hz that the model was made for; ``()`` means any. Hosts at other rates are resampled.
        block_sizes: Block lengths in samples that the model takes; ``()`` means any length, 1 included.
        look_behind_samples: Past samples that the model sees again before each new block.

    Args:
        model: The network, available as ``self.model``; ``None`` when the subclass is the whole model.
    """

    _declarable = (
        "metadata",
        "parameters",
        "in_channels",
        "out_channels",
        "sample_rates",
        "block_sizes",
        "look_behind_samples",
    )
    if TYPE_CHECKING:
        parameters: Sequence[NumericalParameter]  # pyright: ignore[reportIncompatibleVariableOverride]

    in_channels: int = 2
    out_channels: int = 2

    def __init__(self, model: nn.Module | None = None) -> None:
        super().__init__(model)
        for name in ("in_channels", "out_channels", "look_behind_samples"):
            # TorchScript sees what is on the instance, not what is on the class, and no number but Python's.
            value = getattr(self, name)
            number = as_whole_number(value)
            setattr(self, name, value if number is None else number)

    def declaration(self) -> Declaration:
        """What the attributes say now, checked.

        Raises:
            ModelError: An attribute is missing or not allowed; every such one is named.
        """
        self._check_names()
        return check_declaration(self)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
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
    def forward(self, x: Tensor, params: dict[str, Tensor] | None = None) -> Tensor:
        """Run :meth:`do_forward_pass` once, with the declared defaults for parameters that are not given.

        A convenience for notebooks. Hosts go through :class:`neutone_like.SampleQueueWrapper`.

        Raises:
            ModelError: No audio ``[in_channels, look_behind_samples + N]``, or values that are not by name.
            ParameterError: A name that no parameter has.
        """
        self._require_block(x)
        given = by_name(params)
        check_names(self.declaration().parameters, given)
        values = self.default_parameter_values(x.size(1) - self.look_behind_samples)
        return self.do_forward_pass(x, {**values, **given})

    def _require_block(self, x: Any) -> None:
        kind = f"{x.dtype} of shape {tuple(x.shape)}" if isinstance(x, Tensor) else f"{x!r:.200}"
        fits = isinstance(x, Tensor) and x.is_floating_point() and x.dim() == 2 and x.size(0) == self.in_channels
        if not fits or x.size(1) <= self.look_behind_samples:
            raise ModelError(
                f"{type(self).__name__}: expected audio as a floating-point tensor ({self.in_channels}, "
                f"{self.look_behind_samples} + N), channels first and without a batch, got {kind}."
            )

    @torch.jit.unused
    def default_parameter_values(self, block_size: int) -> dict[str, Tensor]:
        """Every numerical parameter at its default, in the shape that :meth:`do_forward_pass` receives.

        Raises:
            ModelError: ``block_size`` is no length of a block.
        """
        block_size = whole_number(block_size, "block_size", 1, 1 << 31, unit="samples", error=ModelError)
        values: dict[str, Tensor] = {}
        for parameter in self.declaration().parameters:
            length = block_size if parameter.rate == "sample" else 1
            values[parameter.name] = torch.full((length,), float(parameter.default), dtype=torch.float32)
        return values
