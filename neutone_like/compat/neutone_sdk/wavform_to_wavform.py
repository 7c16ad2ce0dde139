"""The base class of live models as the Neutone SDK has it. The file is spelt as it is there."""

import json
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.working_copy import faithful_copy
from neutone_like.compat.neutone_sdk.core import NeutoneModel
from neutone_like.compat.neutone_sdk.live_model import adapt
from neutone_like.compat.neutone_sdk.non_realtime_model import give_own_classes
from neutone_like.compat.neutone_sdk.parameter import value_for_model
from neutone_like.compat.neutone_sdk.renamed import refuse_old_names
from neutone_like.errors import ModelError
from neutone_like.host.contract_metadata import contract_metadata
from neutone_like.model import WaveformToWaveformBase as LiveModelBase


class WaveformToWaveformBase(NeutoneModel):
    """Subclass this as with the Neutone SDK: write the getters and :meth:`do_forward_pass`.

    Export it with ``save_neutone_model``. For the functions of this package itself (``export_model``, the command
    line...), :meth:`live_model` gives the same wrapper as one of its own models.
    """

    def __init__(self, model: nn.Module, use_debug_mode: bool = True) -> None:
        super().__init__(model, use_debug_mode)
        self.realtime = True
        self.in_n_ch = 1 if self.is_input_mono() else 2

    @abstractmethod
    def is_input_mono(self) -> bool:
        """Whether the model takes one channel; else two."""

    @abstractmethod
    def is_output_mono(self) -> bool:
        """Whether the model returns one channel; else two."""

    @abstractmethod
    def get_native_sample_rates(self) -> list[int]:
        """Rates in Hz that the model was made for; empty means any."""

    @abstractmethod
    def get_native_buffer_sizes(self) -> list[int]:
        """Block lengths in samples that the model takes; empty means any length, which may change from call to call."""

    @abstractmethod
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Process one block.

        Args:
            x: ``[1 or 2, look_behind + N]`` at the model's rate: the last ``N`` samples are new.
            params: A row of what :meth:`aggregate_params` returns for each parameter.

        Returns:
            ``[1 or 2, N]``.
        """

    def get_look_behind_samples(self) -> int:
        """Past samples that the model wants to see again, before each new block."""
        return 0

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        """Get ready for a rate in Hz and blocks of up to ``n_samples``. What it returns is not looked at."""
        return False

    def reset_model(self) -> bool:
        """Forget the past. Where this is not written, the buffers that the model changes are put back at a reset."""
        return False

    def calc_model_delay_samples(self) -> int:
        """How many samples, at the model's rate, the model's output lags behind its input."""
        return 0

    def aggregate_params(self, params: Tensor) -> Tensor:
        """From values 0..1 for each sample, ``(4, look_behind + N)``, to what the model receives: here the mean."""
        return torch.mean(params, dim=1, keepdim=True)

    @torch.jit.unused
    def forward(self, x: Tensor, params: Tensor | None = None) -> Tensor:
        """Run :meth:`do_forward_pass` once on ``(channels, n)``, for notebooks; ``params`` is ``(4, n)`` in 0..1.

        Raises:
            ModelError: The model looks behind, so that one block alone says nothing.
        """
        if self.get_look_behind_samples() > 0:
            raise ModelError(
                f"{type(self).__name__} wants {self.get_look_behind_samples()} past samples before each block, which "
                "the wrapper alone does not keep. Play it through SampleQueueWrapper(wrapper)."
            )
        knobs = self.get_numerical_params_default_values_0to1().repeat(1, x.size(1)) if params is None else params
        rows = self.aggregate_params(knobs)
        values = {
            parameter.name: value_for_model(parameter, rows[index])
            for index, parameter in enumerate(self.get_neutone_parameters())
        }
        return self.do_forward_pass(x, values)

    @torch.jit.unused
    def reset(self) -> bool:
        """:meth:`reset_model`."""
        return self.reset_model()

    @torch.jit.unused
    def set_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        """:meth:`set_model_sample_rate_and_buffer_size`."""
        return self.set_model_sample_rate_and_buffer_size(sample_rate, n_samples)

    @torch.jit.unused
    def to_metadata(self) -> dict[str, Any]:
        """``metadata.json`` as an export writes it, without sounds and this package's own section."""
        metadata = contract_metadata(adapt(self).declaration())
        return {key: value for key, value in metadata.items() if key not in ("sample_sound_files", "neutone_like")}

    @torch.jit.unused
    def get_metadata_json(self) -> str:
        """:meth:`to_metadata` as indented JSON."""
        return json.dumps(self.to_metadata(), indent=4, sort_keys=True)

    @torch.jit.unused
    def live_model(self) -> LiveModelBase:
        """A copy of this wrapper, prepared for inference, as a model of this package.

        Raises:
            ModelError: The getters say what a ``.nm`` has no room for, or a method has its name from an older Neutone
                SDK; each is named.
            ExportError: The wrapper fails on the first block, or can't be copied.
        """
        refuse_old_names(self, WaveformToWaveformBase)
        with torch.no_grad():  # a network that is already scripted is copied with its graph otherwise
            prepared = faithful_copy(self)
        give_own_classes(prepared)
        prepared.prepare_for_inference()
        return adapt(prepared)
