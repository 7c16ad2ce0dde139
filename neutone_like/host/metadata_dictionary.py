"""The format's metadata as a dictionary that TorchScript can build.

TorchScript can't hold a dictionary of mixed types as an attribute, so values are kept by type and put together when
asked.
"""

from typing import Any, Dict, List

import torch
from torch import nn


class MetadataDictionary(nn.Module):
    """Keeps what ``contract_metadata`` returned; sample sounds and our own keys are left out."""

    strings: Dict[str, str]
    flags: Dict[str, bool]
    integers: Dict[str, int]
    numbers: Dict[str, float]
    integer_lists: Dict[str, List[int]]
    string_lists: Dict[str, List[str]]
    technical_links: Dict[str, str]
    slot_strings: List[Dict[str, str]]
    slot_numbers: List[Dict[str, float]]
    slot_labels: List[List[str]]

    def __init__(self, metadata: Dict[str, Any]) -> None:
        super().__init__()
        slots = list(metadata["neutone_parameters"].values())
        self.strings = {key: value for key, value in metadata.items() if isinstance(value, str)}
        self.flags = {key: value for key, value in metadata.items() if isinstance(value, bool)}
        self.integers = {key: value for key, value in metadata.items() if type(value) is int}
        self.numbers = {key: value for key, value in metadata.items() if type(value) is float}
        self.integer_lists = {key: metadata[key] for key in ("native_sample_rates", "native_buffer_sizes")}
        self.string_lists = {key: metadata[key] for key in ("model_authors", "tags")}
        self.technical_links = metadata["technical_links"]
        self.slot_strings = [{key: value for key, value in slot.items() if isinstance(value, str)} for slot in slots]
        self.slot_numbers = [
            {key: float(value) for key, value in slot.items() if type(value) in (int, float)} for slot in slots
        ]
        self.slot_labels = [slot.get("labels", []) for slot in slots]

    @torch.jit.export
    def to_dictionary(self) -> Dict[str, Any]:
        """The format's own keys of ``metadata.json``, without sample sounds."""
        metadata: Dict[str, Any] = {}
        for text_key, text in self.strings.items():
            metadata[text_key] = text
        for flag_key, flag in self.flags.items():
            metadata[flag_key] = flag
        for integer_key, integer in self.integers.items():
            metadata[integer_key] = integer
        for number_key, number in self.numbers.items():
            metadata[number_key] = number
        for list_key, integers in self.integer_lists.items():
            metadata[list_key] = integers
        for texts_key, texts in self.string_lists.items():
            metadata[texts_key] = texts
        metadata["technical_links"] = self.technical_links
        parameters: Dict[str, Any] = {}
        for slot in range(len(self.slot_strings)):
            parameters[f"p{slot + 1}"] = self.slot_dictionary(slot)
        metadata["neutone_parameters"] = parameters
        return metadata

    @torch.jit.export
    def slot_dictionary(self, slot: int) -> Dict[str, Any]:
        """One knob, ``slot`` counted from 0."""
        entry: Dict[str, Any] = {"used": len(self.slot_strings[slot]["name"]) > 0}
        for text_key, text in self.slot_strings[slot].items():
            entry[text_key] = text
        for number_key, number in self.slot_numbers[slot].items():
            if number_key == "n_values":
                entry[number_key] = int(number)
            else:
                entry[number_key] = number
        if len(self.slot_labels[slot]) > 0:
            entry["labels"] = self.slot_labels[slot]
        return entry
