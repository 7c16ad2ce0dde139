"""What hosts ask a real-time ``.nm`` about itself: constants, and its metadata."""

from typing import Any, Dict, List

import torch
from torch import Tensor

from neutone_like.host.common_contract import CommonContract
from neutone_like.host.contract_metadata import contract_metadata
from neutone_like.model import WaveformToWaveformBase


class ContractMethods(CommonContract):
    """The part of the host contract that never changes after wrapping."""

    def __init__(self, model: WaveformToWaveformBase) -> None:
        declaration = model.declaration()
        metadata = contract_metadata(declaration)
        super().__init__(declaration.metadata, metadata, metadata["neutone_parameters"])
        self.realtime = True
        self.w2w_base = model
        self.in_channels = declaration.in_channels
        self.out_channels = declaration.out_channels
        defaults = [parameter.default_0to1 for parameter in declaration.parameters]
        self.default_param_values = torch.tensor(
            (defaults + [0.0] * 4)[: max(4, len(defaults))], dtype=torch.float32
        ).unsqueeze(1)

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return self.in_channels == 1

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return self.out_channels == 1

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        """The knobs' defaults, 0..1, ``(4, 1)``; unused knobs are 0."""
        return self.default_param_values

    @torch.jit.export
    def to_metadata(self) -> Dict[str, Any]:
        """The format's own keys of ``metadata.json``, without sample sounds."""
        return self.about.to_dictionary()

    @torch.jit.export
    def get_preserved_attributes(self) -> List[str]:
        """What ``torch.jit.freeze`` must be told to keep; the model stays, as it is used by what is kept."""
        return [
            "realtime",
            "use_debug_mode",
            "forward_bt",
            "forward_offline",
            "set_daw_sample_rate_and_buffer_size",
            "reset",
            "is_resampling",
            "calc_buffering_delay_samples",
            "calc_model_delay_samples",
            "is_input_mono",
            "is_output_mono",
            "get_native_sample_rates",
            "get_native_buffer_sizes",
            "get_default_param_values",
            "get_wet_default_value",
            "get_dry_default_value",
            "get_input_gain_default_value",
            "get_output_gain_default_value",
            "to_metadata",
            "get_metadata_json",
            "get_model_name",
            "get_model_authors",
            "get_preserved_attributes",
            "latency_samples",
            "latency_parts",
            "set_mix",
            "set_gains",
            "nonfinite_samples",
            "inserted_silence_samples",
            "current_model_sample_rate",
            "current_model_block_size",
        ]
