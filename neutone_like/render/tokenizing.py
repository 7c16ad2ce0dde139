"""Text to the tokens that a model takes, with the tokenizer that the model brings."""

import ast
import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, Protocol

from neutone_like.errors import ModelError, ParameterError
from neutone_like.extras import import_extra

EXTRA = "tokenizers"
PURPOSE = "Turning text into tokens"

_VOCABULARY_LINE = re.compile(r"(?P<index>\d+) (?P<literal>b?(?:'.*'|\".*\")) (?P<length>\d+)")


class Tokenizer(Protocol):
    """What each kind of tokenizer can do."""

    def encode(self, text: str) -> list[int]:
        """The tokens of a text.

        Raises:
            ParameterError: The text holds something that the vocabulary does not.
        """
        ...


def open_tokenizer(tokenizer_type: str | None, tokenizer_base64: str) -> Tokenizer:
    """The tokenizer that ``get_tokenizer_type()`` and ``get_tokenizer_str()`` of a model describe.

    Args:
        tokenizer_type: ``"JSON"``, ``"SentencePiece"`` or ``"RWKVWorld"``.
        tokenizer_base64: The tokenizer's file in base64; a JSON tokenizer may also be plain text.

    Raises:
        ModelError: The model has no tokenizer, or one that can't be used.
        MissingExtraError: The library that reads this type is not installed.
    """
    kinds = {"JSON": _JsonTokenizer, "SentencePiece": _SentencePieceTokenizer, "RWKVWorld": RwkvWorldTokenizer}
    if tokenizer_type is None:
        raise ModelError("The model has no tokenizer to turn text into tokens with. Pass the tokens, as a list.")
    if tokenizer_type not in kinds:
        raise ModelError(f"The tokenizer's type must be one of {', '.join(kinds)}, got {tokenizer_type!r}.")
    try:
        return kinds[tokenizer_type](_content(tokenizer_base64))
    except (ModelError, ImportError):
        raise
    except Exception as error:  # each library has its own
        raise ModelError(f"The model's tokenizer is no usable file of type {tokenizer_type}: {error}") from error


def _content(tokenizer_base64: str) -> bytes:
    if tokenizer_base64.lstrip().startswith("{"):
        return tokenizer_base64.encode()
    try:
        return base64.b64decode(tokenizer_base64, validate=True)
    except binascii.Error as error:
        raise ModelError(f"The model's tokenizer is not in base64: {error}.") from error


class _JsonTokenizer:
    """A ``tokenizer.json`` of the library tokenizers."""

    def __init__(self, content: bytes) -> None:
        library = import_extra("tokenizers", extra=EXTRA, purpose=PURPOSE)
        self._tokenizer: Any = library.Tokenizer.from_str(content.decode())

    def encode(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text).ids]


class _SentencePieceTokenizer:
    """A ``.model`` file of the library sentencepiece."""

    def __init__(self, content: bytes) -> None:
        library = import_extra("sentencepiece", extra=EXTRA, purpose=PURPOSE)
        self._tokenizer: Any = library.SentencePieceProcessor(model_proto=content)

    def encode(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text)]


class RwkvWorldTokenizer:
    """The tokenizer of the RWKV "World" models: at every place the longest entry of the vocabulary that fits.

    Args:
        content: A vocabulary in UTF-8 of lines ``index literal length``: the token, its bytes as a Python literal of
            type str or bytes, and how many bytes they are. As in ``257 b'\\xe4\\xbd' 2``.

    Raises:
        ModelError: A line that is none of these; the message has its number.
    """

    def __init__(self, content: bytes) -> None:
        self._children: list[dict[int, int]] = [{}]  # of each node: from a byte to another node
        self._tokens: list[int] = [-1]  # of each node: the token that ends there, if any
        for number, line in enumerate(content.decode().split("\n"), 1):
            if line.strip():
                self._add(*_read_entry(number, line))
        if len(self._children) == 1:
            raise ModelError("The model's tokenizer is an empty vocabulary.")

    def encode(self, text: str) -> list[int]:
        data = text.encode()
        tokens: list[int] = []
        start = 0
        while start < len(data):
            token, end = self._longest(data, start)
            if token < 0:
                at = len(data[:start].decode(errors="ignore"))
                raise ParameterError(
                    f"The model's vocabulary has no token for the byte {data[start]} of {text[at]!r}, character "
                    f"{at + 1} of the text. Leave that character out."
                )
            tokens.append(token)
            start = end
        return tokens

    def _longest(self, data: bytes, start: int) -> tuple[int, int]:
        """The token of the longest entry at ``start``, and where it ends; -1 if there is none."""
        node, token, end = 0, -1, start
        for place in range(start, len(data)):
            node = self._children[node].get(data[place], 0)
            if node == 0:
                break
            if self._tokens[node] >= 0:
                token, end = self._tokens[node], place + 1
        return token, end

    def _add(self, token: int, entry: Iterable[int]) -> None:
        node = 0
        for byte in entry:
            if byte not in self._children[node]:
                self._children[node][byte] = len(self._children)
                self._children.append({})
                self._tokens.append(-1)
            node = self._children[node][byte]
        self._tokens[node] = token


def _read_entry(number: int, line: str) -> tuple[int, bytes]:
    found = _VOCABULARY_LINE.fullmatch(line.strip())
    problem = "expected 'index literal length'"
    if found is not None:
        try:
            literal = ast.literal_eval(found["literal"])
        except (SyntaxError, ValueError):
            literal = b""
        entry: bytes = literal.encode() if isinstance(literal, str) else literal
        if entry and len(entry) == int(found["length"]):
            return int(found["index"]), entry
        problem = f"expected a literal of {found['length']} bytes"
    raise ModelError(f"The model's tokenizer, line {number}: {problem}, got {line.strip()!r:.80}.")
