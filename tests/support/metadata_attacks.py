"""Hostile ``metadata.json``: seeded, from a good one."""

import json
import random
from collections.abc import Callable
from typing import Any

_VALUES = (
    None, True, -1, 0, 1, 10**30, 2**63, -(2**40), 1e300, "", "text", "\x1b[31m\x07", "x" * 100_000, "\u202e",
    [], [1], [None] * 3, {}, {"a": 1}, [[[[]]]], {"type": "continuous"}, 0.5, "1", "\U0001f600" * 200,
)  # fmt: skip
_RAW_NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000, b"1" + b"0" * 400, b"1.0", b"-0")
_SURROGATES = (b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xed\xa0\x80"', b'"\\ud83d"')


def hostile_metadata(rng: random.Random, text: bytes) -> bytes:
    """The bytes to put in the place of a good ``metadata.json``."""
    return rng.choice(_KINDS)(rng, text)


def _nested(rng: random.Random, text: bytes) -> bytes:
    depth = rng.choice((50, 500, 5000, 200_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    nest = opening * depth + b"1" + (closing * depth if rng.random() < 0.7 else b"")
    return rng.choice((nest, text.replace(b"{", b'{"more":' + nest + b",", 1)))


def _not_utf8(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text))
    return rng.choice(
        (
            text[:at] + rng.choice((b"\xff", b"\xc0\x80", b"\xe2\x82")) + text[at:],
            text.decode().encode("utf-16"),
            text.decode().encode("utf-32-le"),
            b"\xef\xbb\xbf" + text,
            rng.randbytes(len(text)),
        )
    )


def _bits(rng: random.Random, text: bytes) -> bytes:
    content = bytearray(text)
    for _ in range(rng.choice((1, 1, 5))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _cut(rng: random.Random, text: bytes) -> bytes:
    return rng.choice((text[: rng.randrange(len(text))], b"", b"null", b"[]", b'"x"', text + text, text + b"\x00"))


def _places(content: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every place in a JSON value, as a container and a key or index."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in pairs:
        found.append((content, key))
        _places(value, found)
    return found


def _choose_place(rng: random.Random, content: dict[str, Any]) -> tuple[Any, Any]:
    """Any place; those of the long lists of fingerprints and test vector samples less often than they are many."""
    places = _places(content, [])
    named = [(box, key) for box, key in places if isinstance(key, str) and "/" not in key]
    return rng.choice(named if rng.random() < 0.8 else places)


def _wrong_value(rng: random.Random, text: bytes) -> bytes:
    content = json.loads(text)
    for _ in range(rng.choice((1, 1, 3))):
        box, key = _choose_place(rng, content)
        box[key] = rng.choice(_VALUES)
    return json.dumps(content, ensure_ascii=rng.random() < 0.5).encode()


def _nudged_number(rng: random.Random, text: bytes) -> bytes:
    """A number that may well be allowed, only not true of this model."""
    content = json.loads(text)
    places = [(b, k) for b, k in _places(content, []) if isinstance(b[k], (int, float)) and not isinstance(b[k], bool)]
    box, key = rng.choice(places)
    box[key] = rng.choice((box[key] + 1, box[key] * 2, box[key] / 2, -box[key], float(box[key])))
    return json.dumps(content).encode()


def _missing_key(rng: random.Random, text: bytes) -> bytes:
    content = json.loads(text)
    for _ in range(rng.choice((1, 1, 4))):
        box, key = _choose_place(rng, content)
        if key in box or isinstance(box, list):
            box.pop(key if isinstance(box, dict) else min(key, len(box) - 1))
    return json.dumps(content).encode()


def _raw(rng: random.Random, text: bytes) -> bytes:
    """What json.dumps does not write: numbers that are none, lone surrogates."""
    content = json.loads(text)
    box, key = _choose_place(rng, content)
    box[key] = "@@@"
    return json.dumps(content).encode().replace(b'"@@@"', rng.choice(_RAW_NUMBERS + _SURROGATES))


def _twice(rng: random.Random, text: bytes) -> bytes:
    content = json.loads(text)
    box, key = _choose_place(rng, content)
    if not isinstance(box, dict):
        box, key = content, "model_name"
    twin = json.dumps({key: rng.choice((box[key], rng.choice(_VALUES)))})[1:-1]
    mark = f"{json.dumps(key)}: "
    return json.dumps(content).replace(mark, f"{twin}, {mark}", 1).encode()


def _newer(rng: random.Random, text: bytes) -> bytes:
    content = json.loads(text)
    content["neutone_like"]["schema_version"] = rng.choice((2, 7, 10**18, 10**4000, 0, -1, 1.0, 2.5, "2", None, [2]))
    content["neutone_like"]["neutone_like_version"] = rng.choice(("9.9.9", "v" * 10**6, "\x1b[2J", 9, None, "\ud800"))
    return json.dumps(content).encode()


def _many(rng: random.Random, text: bytes) -> bytes:
    """Very many keys, entries or wrong entries."""
    content = json.loads(text)
    count = rng.choice((1000, 50_000, 400_000))
    where = rng.randrange(4)
    if where == 0:
        content.update({f"k{index}": index for index in range(count)})
    elif where == 1:
        content["neutone_parameters"] = {f"q{index}": index for index in range(count)}
    elif where == 2:
        content["neutone_like"]["members_sha256"] = {f"data/{index}": "0" for index in range(count)}
    else:
        content["native_sample_rates"] = [-1] * count
    return json.dumps(content).encode()


def _harmless(rng: random.Random, text: bytes) -> bytes:
    """What a host may do: keys of its own, another order, other spaces, no fingerprints."""
    content = json.loads(text)
    kind = rng.randrange(4)
    if kind == 0:
        content["model_id"] = {"any": ["thing", 1, None]}
    elif kind == 1:
        content = dict(reversed(content.items()))
    elif kind == 2:
        del content["neutone_like"]["members_sha256"]
    return json.dumps(content, indent=rng.choice((None, 7))).encode()


_KINDS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _nested,
    _not_utf8,
    _bits,
    _cut,
    _wrong_value,
    _wrong_value,
    _nudged_number,
    _missing_key,
    _raw,
    _raw,
    _twice,
    _newer,
    _many,
    _harmless,
)
