"""Texts and tokens on their way to a model: defaults and limits."""

from typing import Any, Dict, List, Optional

import torch
from torch import nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import ParameterError
from neutone_like.model import TextParameter, TokensParameter
from neutone_like.signal.eager_arguments import require_texts


def character_count(text: str) -> int:
    """How many Unicode characters a text has; TorchScript's own ``len`` counts the bytes of its UTF-8."""
    if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
        return len(text)
    count = 0
    for index in range(len(text)):
        byte = ord(text[index])
        if byte < 128 or byte >= 192:  # the others continue a character
            count += 1
    return count


class TextInputs(nn.Module):
    """Checks what a host passes for a model's text and tokens parameters.

    Args:
        texts, tokens: As declared.
    """

    text_names: List[str]
    text_descriptions: List[str]
    text_defaults: List[str]
    text_limits: List[int]
    tokens_names: List[str]
    tokens_descriptions: List[str]
    tokens_defaults: List[List[int]]
    tokens_limits: List[int]

    def __init__(self, texts: tuple[TextParameter, ...], tokens: tuple[TokensParameter, ...]) -> None:
        super().__init__()
        self.text_names = [parameter.name for parameter in texts]
        self.text_descriptions = [parameter.description for parameter in texts]
        self.text_defaults = [parameter.default for parameter in texts]
        self.text_limits = [parameter.max_characters for parameter in texts]
        self.tokens_names = [parameter.name for parameter in tokens]
        self.tokens_descriptions = [parameter.description for parameter in tokens]
        self.tokens_defaults = [list(parameter.default) for parameter in tokens]
        self.tokens_limits = [parameter.max_tokens for parameter in tokens]

    @torch.jit.export
    def texts(self, given: Optional[List[str]]) -> List[str]:
        """One text for each parameter; the defaults where none are given.

        Raises:
            ParameterError: Another number of texts, or one over its limit.
        """
        if not is_scripting():
            require_texts(given, None)
        if given is None or len(self.text_names) == 0:
            return self.text_defaults.copy()
        if len(given) != len(self.text_names):
            raise ParameterError(
                f"Expected {len(self.text_names)} texts, for {self.text_names}, got {len(given)}. "
                "Pass one for each, or None for the defaults."
            )
        for index, text in enumerate(given):
            limit = self.text_limits[index]
            count = character_count(text)
            if limit >= 0 and count > limit:
                raise ParameterError(
                    f"Parameter '{self.text_names[index]}': allowed are up to {limit} characters, got {count}. "
                    "Shorten the text."
                )
        return given.copy()

    @torch.jit.export
    def tokens(self, given: Optional[List[List[int]]]) -> List[List[int]]:
        """One list of tokens for each parameter; the defaults where none are given.

        Raises:
            ParameterError: Another number of lists, or one over its limit.
        """
        if not is_scripting():
            require_texts(None, given)
        chosen = self.tokens_defaults if given is None or len(self.tokens_names) == 0 else given
        if len(chosen) != len(self.tokens_names):
            raise ParameterError(
                f"Expected {len(self.tokens_names)} lists of tokens, for {self.tokens_names}, got {len(chosen)}. "
                "Pass one for each, or None for the defaults."
            )
        copies: List[List[int]] = []
        for index, tokens in enumerate(chosen):
            limit = self.tokens_limits[index]
            if limit >= 0 and len(tokens) > limit:
                raise ParameterError(
                    f"Parameter '{self.tokens_names[index]}': allowed are up to {limit} tokens, got {len(tokens)}. "
                    "Pass fewer."
                )
            copies.append(tokens.copy())
        return copies

    @torch.jit.export
    def text_slot(self, index: int) -> Dict[str, Any]:
        """One text parameter as the format's metadata has it."""
        slot: Dict[str, Any] = {"used": True}
        slot["name"] = self.text_names[index]
        slot["description"] = self.text_descriptions[index]
        slot["default_value"] = self.text_defaults[index]
        slot["type"] = "text"
        slot["max_n_chars"] = self.text_limits[index]
        return slot

    @torch.jit.export
    def tokens_slot(self, index: int) -> Dict[str, Any]:
        """One tokens parameter as the format's metadata has it."""
        slot: Dict[str, Any] = {"used": True}
        slot["name"] = self.tokens_names[index]
        slot["description"] = self.tokens_descriptions[index]
        slot["default_value"] = self.tokens_defaults[index]
        slot["type"] = "tokens"
        slot["max_n_tokens"] = self.tokens_limits[index]
        return slot
