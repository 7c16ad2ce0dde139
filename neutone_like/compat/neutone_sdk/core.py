"""What every wrapper written for the Neutone SDK says about itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import constants
from neutone_like.compat.neutone_sdk.parameter import AnyParameter, default_0to1
from neutone_like.errors import ModelError


class NeutoneModel(ABC, nn.Module):
    """A network, and getters that describe it. Limits are those of the Neutone SDK, checked at export.

    Args:
        model: The network, available as ``self.model``.
        use_debug_mode: Off once the wrapper is prepared for export; for the wrapper's own checks.
    """

    neutone_parameter_names: list[str]
    if TYPE_CHECKING:
        model: Any  # TorchScript would take an annotation of a submodule for its type

    def __init__(self, model: nn.Module, use_debug_mode: bool = True) -> None:
        if not isinstance(model, nn.Module):
            raise ModelError(
                f"{type(self).__name__}(model): model must be a torch.nn.Module, got {type(model).__name__}."
            )
        super().__init__()
        self.model = model.eval()
        self.use_debug_mode = use_debug_mode
        self.MAX_N_PARAMS = constants.MAX_N_PARAMS
        self.neutone_parameter_names = [parameter.name for parameter in self.get_neutone_parameters()]
        self.n_neutone_parameters = len(self.neutone_parameter_names)

    @abstractmethod
    def get_model_name(self) -> str:
        """Up to 30 characters."""

    @abstractmethod
    def get_model_authors(self) -> list[str]:
        """One to five names."""

    @abstractmethod
    def get_model_short_description(self) -> str:
        """Up to 150 characters."""

    @abstractmethod
    def get_model_long_description(self) -> str:
        """Up to 500 characters."""

    @abstractmethod
    def get_technical_description(self) -> str:
        """Up to 500 characters."""

    @abstractmethod
    def get_tags(self) -> list[str]:
        """Up to seven, of up to 15 characters each."""

    @abstractmethod
    def get_model_version(self) -> str:
        """Free text, semantic versioning suggested."""

    @abstractmethod
    def is_experimental(self) -> bool:
        """Hosts may warn about it."""

    def get_technical_links(self) -> dict[str, str]:
        """Up to three, from a title to an address. None is looked up."""
        return {}

    def get_citation(self) -> str:
        """Up to 150 characters."""
        return ""

    def get_neutone_parameters(self) -> Sequence[AnyParameter]:
        """Up to four. Parameters of this package may stand among them: they arrive in their own unit, smoothed."""
        return []

    def get_wet_default_value(self) -> float:
        """Where a host's knob for the model's sound starts, 0..1."""
        return 1.0

    def get_dry_default_value(self) -> float:
        """Where a host's knob for the untouched sound starts, 0..1."""
        return 0.0

    def get_input_gain_default_value(self) -> float:
        """0..1 for -30..30 dB."""
        return 0.5

    def get_output_gain_default_value(self) -> float:
        """0..1 for -30..30 dB."""
        return 0.5

    def prepare_for_inference(self) -> None:
        """Get ready for export: called on a copy, before it is compiled."""
        self.use_debug_mode = False
        self.eval()

    @torch.jit.unused
    def get_numerical_params_default_values_0to1(self) -> Tensor:
        """The knobs' defaults, ``(4, 1)``; unused knobs are 0."""
        values = [default_0to1(parameter) for parameter in self.get_neutone_parameters()]
        return torch.tensor((values + [0.0] * self.MAX_N_PARAMS)[: self.MAX_N_PARAMS]).unsqueeze(1)
