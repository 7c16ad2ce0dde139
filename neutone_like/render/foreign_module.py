"""Artifacts that other makers wrote: the common contract is all they have."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.errors import ParameterError

CONTRACT_ROWS = 4


class ForeignModule(torch.nn.Module):
    """The wrapper of a ``.nm`` that was not made here, with the methods that rendering calls.

    Mix and gains are the host's business there, and so are not offered: the model alone is heard.
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def set_daw_sample_rate_and_buffer_size(self, sample_rate: int, block_size: int) -> None:
        """As in the contract."""
        self.module.set_daw_sample_rate_and_buffer_size(sample_rate, block_size)

    def reset(self) -> None:
        """As in the contract."""
        self.module.reset()

    def latency_samples(self) -> int:
        """The sum that hosts make."""
        return self.module.calc_buffering_delay_samples() + self.module.calc_model_delay_samples()

    def nonfinite_samples(self) -> int:
        """Not counted there."""
        return 0

    def get_wet_default_value(self) -> float:
        """Nothing but the model."""
        return 1.0

    def get_dry_default_value(self) -> float:
        """Nothing but the model."""
        return 0.0

    def get_input_gain_default_value(self) -> float:
        """0 dB."""
        return 0.5

    def get_output_gain_default_value(self) -> float:
        """0 dB."""
        return 0.5

    def set_mix(self, wet: float, dry: float) -> None:
        """Refuse all but the model alone."""
        if (wet, dry) != (1.0, 0.0):
            raise ParameterError(
                f"wet and dry: this artifact of another maker can't mix, so allowed is 1 and 0, got {wet} and {dry}."
            )

    def set_gains(self, input_gain: float, output_gain: float) -> None:
        """Refuse all but 0 dB."""
        if (input_gain, output_gain) != (0.5, 0.5):
            raise ParameterError(
                "input_gain_db and output_gain_db: this artifact of another maker has no gains, so allowed is 0 dB."
            )

    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        """One host block, with as many rows of parameters as the contract says."""
        if params is not None and params.size(0) < CONTRACT_ROWS:
            params = torch.nn.functional.pad(params, (0, 0, 0, CONTRACT_ROWS - params.size(0)))
        return self.module.forward(x, params)
