"""What hosts ask an offline ``.nm`` about itself."""

from typing import Any, Dict, List, Optional

import torch
from torch import Tensor

from neutone_like.arguments import is_one_of, require_kind
from neutone_like.errors import ModelError
from neutone_like.host.contract_face import ContractFace
from neutone_like.host.offline_metadata import offline_contract_metadata
from neutone_like.host.text_inputs import TextInputs
from neutone_like.model import NonRealtimeBase
from neutone_like.signal.channel_bus import ChannelBus
from neutone_like.signal.filter_design import QUALITIES
from neutone_like.signal.offline_caller import OfflineCaller
from neutone_like.signal.offline_plan import OfflinePlan


class OfflineFace(ContractFace):
    """What it is, which never changes after wrapping; how it is fitted to a host, and how its calls went.

    Raises:
        ModelError: The model is not declared correctly, or there is no such quality.
    """

    def __init__(self, model: NonRealtimeBase, quality: str) -> None:
        require_kind(model, NonRealtimeBase, ModelError)
        declaration = model.declaration()
        metadata = offline_contract_metadata(declaration)
        knobs = {key: slot for key, slot in metadata["neutone_parameters"].items() if key in ("p1", "p2", "p3", "p4")}
        super().__init__("offline", declaration.metadata, metadata, knobs)
        if not is_one_of(quality, (*QUALITIES, "soxr")):
            raise ModelError(f"quality must be one of {(*QUALITIES, 'soxr')}, got {quality!r}.")
        self.nrb = model
        self.quality = quality
        self.plan = OfflinePlan(declaration, quality)
        self.caller = OfflineCaller(declaration)
        self.inputs = ChannelBus(declaration.audio_in_channels, declaration.in_labels)
        self.outputs = ChannelBus(declaration.audio_out_channels, declaration.out_labels)
        self.text_inputs = TextInputs(declaration.text_parameters, declaration.tokens_parameters)
        self.one_shot = declaration.is_one_shot
        defaults = [parameter.default_0to1 for parameter in declaration.numerical_parameters]
        self.default_param_values = torch.tensor(defaults, dtype=torch.float32).reshape(len(defaults), 1)

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def is_text_model(self) -> bool:
        return len(self.text_inputs.text_names) > 0

    @torch.jit.export
    def is_tokens_model(self) -> bool:
        return len(self.text_inputs.tokens_names) > 0

    @torch.jit.export
    def get_audio_in_channels(self) -> List[int]:
        """The channels of each input; empty for a generator."""
        return self.inputs.counts

    @torch.jit.export
    def get_audio_out_channels(self) -> List[int]:
        """The channels of each output."""
        return self.outputs.counts

    @torch.jit.export
    def get_audio_in_labels(self) -> List[str]:
        return self.inputs.labels

    @torch.jit.export
    def get_audio_out_labels(self) -> List[str]:
        return self.outputs.labels

    @torch.jit.export
    def get_model_bpm(self) -> Optional[int]:
        return self.nrb.get_model_bpm()

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        """The tokenizer's file in base64; empty without one."""
        return self.nrb.get_tokenizer_str()

    @torch.jit.export
    def get_tokenizer_type(self) -> Optional[str]:
        """``"JSON"``, ``"SentencePiece"``, ``"RWKVWorld"``, or ``None``."""
        return self.nrb.get_tokenizer_type()

    @torch.jit.export
    def get_numerical_params_default_values_0to1(self) -> Tensor:
        """The knobs' defaults, 0..1, ``(P, 1)``."""
        return self.default_param_values

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """Whether progress moves before the end."""
        return self.nrb.has_progress_percentage()

    @torch.jit.export
    def get_progress_percentage(self) -> float:
        """How far the signal is, 0..100; never falls while one is processed, and may be read from any thread."""
        return self.nrb.get_progress_percentage()

    @torch.jit.export
    def should_cancel_forward_pass(self) -> bool:
        return self.nrb.should_cancel_forward_pass()

    @torch.jit.export
    def request_cancel_forward_pass(self) -> None:
        """Ask, from any thread, that the forward that runs, or the next one, return nothing after its block."""
        self.nrb.request_cancel_forward_pass()

    @torch.jit.export
    def to_metadata(self) -> Dict[str, Any]:
        """The format's own keys of ``metadata.json``, without sample sounds; of several texts, the first."""
        metadata = self.about.to_dictionary()
        slots: Dict[str, Any] = {}
        for knob in range(len(self.about.slot_strings)):
            slots[f"p{len(slots) + 1}"] = self.about.slot_dictionary(knob)
        if len(self.text_inputs.text_names) > 0:
            slots[f"p{len(slots) + 1}"] = self.text_inputs.text_slot(0)
        if len(self.text_inputs.tokens_names) > 0:
            slots[f"p{len(slots) + 1}"] = self.text_inputs.tokens_slot(0)
        metadata["neutone_parameters"] = slots
        metadata["audio_in_channels"] = self.inputs.counts
        metadata["audio_out_channels"] = self.outputs.counts
        metadata["audio_in_labels"] = self.inputs.labels
        metadata["audio_out_labels"] = self.outputs.labels
        metadata["model_bpm"] = self.nrb.get_model_bpm()
        return metadata

    @torch.jit.export
    def is_resampling(self) -> bool:
        return self.plan.resampling

    @torch.jit.export
    def get_current_model_sample_rate(self) -> int:
        """The rate in Hz that the model is called at. Outputs come back at the host's."""
        return self.plan.model_rate

    @torch.jit.export
    def get_current_model_buffer_size(self) -> int:
        """The block size in samples that the model is called with; 0 for a one-shot model that takes any length."""
        return self.plan.model_block

    @torch.jit.export
    def set_device(self, device: str) -> None:
        """Hand the model tensors on this device; its output comes back to the CPU. The weights are moved apart."""
        self.caller.device = str(torch.device(device))

    @torch.jit.export
    def nonfinite_samples(self) -> int:
        """Model output samples of the last signal that were NaN or Inf and became silence."""
        return self.caller.silenced_samples
