"""The base class of an offline model that brings the tokenizer for its tokens."""

import base64

import torch
from torch import nn

from neutone_like.arguments import is_one_of
from neutone_like.errors import ModelError
from neutone_like.model.offline import NonRealtimeBase

TOKENIZER_TYPES = ("JSON", "SentencePiece", "RWKVWorld")


class NonRealtimeTokenizerBase(NonRealtimeBase):
    """An offline model with a tokenizer, which a host uses to turn text into the tokens that the model takes.

    Args:
        model: As for :class:`NonRealtimeBase`.
        tokenizer: The content of the tokenizer's file. It is kept in base64, whatever its type, since SentencePiece
            files are binary.
        tokenizer_type: ``"JSON"`` (a ``tokenizer.json`` of the library ``tokenizers``), ``"SentencePiece"`` (a
            ``.model`` file) or ``"RWKVWorld"`` (a vocabulary of lines ``index literal length``).

    Raises:
        ModelError: An unknown type, or an empty file.
    """

    def __init__(self, model: nn.Module | None = None, tokenizer: str | bytes = b"", tokenizer_type: str = "") -> None:
        super().__init__(model)
        if not is_one_of(tokenizer_type, TOKENIZER_TYPES):
            raise ModelError(f"tokenizer_type must be one of {TOKENIZER_TYPES}, got {tokenizer_type!r}.")
        if not isinstance(tokenizer, (str, bytes)) or not tokenizer:
            raise ModelError(
                "tokenizer must be the content of the tokenizer's file, as text or bytes, "
                f"got {tokenizer!r:.80}. Read it with Path(...).read_bytes()."
            )
        content = tokenizer.encode() if isinstance(tokenizer, str) else tokenizer
        self.tokenizer_str = base64.b64encode(content).decode("ascii")
        self.tokenizer_type = tokenizer_type

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        """The tokenizer's file in base64."""
        return self.tokenizer_str

    @torch.jit.export
    def get_tokenizer_type(self) -> str | None:
        """``"JSON"``, ``"SentencePiece"`` or ``"RWKVWorld"``."""
        return self.tokenizer_type
