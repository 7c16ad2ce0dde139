"""What hosts ask a real-time ``.nm`` about itself: constants, and its metadata."""

import json
from typing import Any, Dict, List

import torch
from torch import Tensor, nn

from neutone_like.host.contract_metadata import contract_metadata
from neutone_like.host.metadata_dictionary import MetadataDictionary
from neutone_like.model import WaveformToWaveformBase


class ContractMethods(nn.Module):
    """The part of the host contract that never changes after wrapping."""

    def __init__(self, model: WaveformToWaveformBase) -> None:
        declaration = model.declaration()
        metadata = contract_metadata(declaration)
        super().__init__()
        self.about = MetadataDictionary(metadata)
        self.realtime = True
        self.use_debug_mode = False
        self.w2w_base = model
        self.in_channels = declaration.in_channels
        self.out_channels = declaration.out_channels
        self.metadata_json = json.dumps(metadata)
        self.wet_default = declaration.metadata.wet_default
        self.dry_default = declaration.metadata.dry_default
        self.input_gain_default: float = metadata["input_gain_default_value"]
        self.output_gain_default: float = metadata["output_gain_default_value"]
        defaults = [parameter.default_0to1 for parameter in declaration.parameters]
        self.default_param_values = torch.tensor((defaults + [0.0] * 4)[: max(4, len(defaults))]).unsqueeze(1)

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return self.in_channels == 1

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return self.out_channels == 1

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:
        return self.about.integer_lists["native_sample_rates"]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return self.about.integer_lists["native_buffer_sizes"]

    @torch.jit.export
    def get_default_param_values(self) -> Tensor:
        """The knobs' defaults, 0..1, ``(4, 1)``; unused knobs are 0."""
        return self.default_param_values

    @torch.jit.export
    def get_wet_default_value(self) -> float:
        return self.wet_default

    @torch.jit.export
    def get_dry_default_value(self) -> float:
        return self.dry_default

    @torch.jit.export
    def get_input_gain_default_value(self) -> float:
        return self.input_gain_default

    @torch.jit.export
    def get_output_gain_default_value(self) -> float:
        return self.output_gain_default

    @torch.jit.export
    def get_model_name(self) -> str:
        return self.about.strings["model_name"]

    @torch.jit.export
    def get_model_authors(self) -> List[str]:
        return self.about.string_lists["model_authors"]

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

    @torch.jit.export
    def get_metadata_json(self) -> str:
        """``metadata.json`` as of wrapping: without sample sounds and without what export adds."""
        return self.metadata_json
