"""JSON that every reader understands alike: UTF-8, no key twice, no NaN or Infinity, and not endlessly many values."""

import json
import math
from collections import Counter
from typing import Any, NoReturn

MAXIMUM_VALUES = 60_000
"""Fingerprints of 20,000 members fit, and sounds are long texts that count as one each. Without this limit, 64 MB of
brackets become gigabytes of objects."""


def parse_strict_json(text: bytes | str) -> object:
    """What ``json.loads`` returns.

    Raises:
        ValueError: Not such JSON; the message says what is wrong with it, and where.
        RecursionError: Nested too deeply.
    """
    content = text.decode("utf-8") if isinstance(text, bytes) else text
    separators = sum(content.count(character) for character in "[{,:")
    if separators > MAXIMUM_VALUES:
        raise ValueError(f"it has up to {separators} values, allowed are {MAXIMUM_VALUES}")
    return json.loads(content, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite_number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r:.80} is there twice")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite_number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits:.40} is beyond float64")
    return number
