"""What hosts ask every ``.nm`` about itself, of either kind."""

import json
from typing import Any, List

import torch
from torch import nn

from neutone_like.errors import ModelError
from neutone_like.host.contract import Kind, preserved_names
from neutone_like.host.metadata_dictionary import MetadataDictionary
from neutone_like.host.one_at_a_time import OneAtATime
from neutone_like.model import ModelMetadata


class ContractFace(nn.Module):
    """The constants of both contracts: what the author wrote never changes after wrapping.

    Args:
        kind: Which contract.
        author_metadata: What the author wrote.
        metadata: All keys of ``metadata.json`` that are known when a model is wrapped.
        knobs: The slots of ``neutone_parameters`` that hold numbers.
    """

    turn: OneAtATime
    preserved: List[str]

    def __init__(
        self, kind: Kind, author_metadata: ModelMetadata, metadata: dict[str, Any], knobs: dict[str, Any]
    ) -> None:
        super().__init__()
        self.turn = OneAtATime()
        self.realtime = kind == "live"
        self.use_debug_mode = False
        self.about = MetadataDictionary({**metadata, "neutone_parameters": knobs})
        self.metadata_json = json.dumps(metadata)
        self.preserved = preserved_names(kind)
        self.wet_default = author_metadata.wet_default
        self.dry_default = author_metadata.dry_default
        self.input_gain_default: float = metadata["input_gain_default_value"]
        self.output_gain_default: float = metadata["output_gain_default_value"]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_modules", ()) and not isinstance(value, nn.Module):
            raise ModelError(
                f"{type(self).__name__}: {name} is a part of it, and can't become {value!r:.200}. "
                "For another model make another wrapper."
            )
        super().__setattr__(name, value)

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:
        return self.about.integer_lists["native_sample_rates"]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:
        return self.about.integer_lists["native_buffer_sizes"]

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
    def get_metadata_json(self) -> str:
        """``metadata.json`` as of wrapping: without sample sounds and without what export adds."""
        return self.metadata_json

    @torch.jit.export
    def get_preserved_attributes(self) -> List[str]:
        """What ``torch.jit.freeze`` must be told to keep; the model stays, as it is used by what is kept."""
        return self.preserved
