"""The binary that is the plugin of every model, and what makes it that of one: who it is, and the model at its end."""

import json
import re
from collections.abc import Mapping

from neutone_like.errors import RuntimeEngineError
from neutone_like.plugin.identity import PluginIdentity
from neutone_like.runtime.native_files import native_file

BINARY = "neutone_like_plugin.so"
_PLACE = b"neutone-like: here stands which plugin this is"  # native/plugin/identity.cpp
_ROOM = 4096
_ALIGNMENT = 4096
_FACTS = re.compile(rb'(\{"name": [^\0]{1,%d}\})\0' % _ROOM)  # where they stand differs between versions
_OURS = {"id", "uri", "uid", "model_offset"}


def plugin_binary(identity: PluginIdentity, model: bytes, parameters: int, *, worker: bool = False) -> bytes:
    """The file of a model's plugin, the same in every format.

    Args:
        identity: Who it is.
        model: The content of a ``model.nlc``.
        parameters: How many the model has.
        worker: Whether the model has a thread of its own.

    Raises:
        RuntimeEngineError: The binary was not built with this installation, or is not the one of this version.
    """
    empty = native_file(BINARY).read_bytes()
    padded = empty + bytes(-len(empty) % _ALIGNMENT)
    facts = _facts(identity, parameters, worker=worker, offset=len(padded), model_bytes=len(model))
    return _named(padded, _encoded(facts)) + model


def player_binary(identity: PluginIdentity, artifact: str, slots: int) -> bytes:
    """The file of the player, which has no model of its own.

    Args:
        identity: Who it is.
        artifact: The path of what it begins with; empty: nothing.
        slots: How many knobs it has.

    Raises:
        RuntimeEngineError: As :func:`plugin_binary`.
    """
    facts = _facts(identity, slots, worker=False, offset=0, model_bytes=0)
    return _named(native_file(BINARY).read_bytes(), _encoded({**facts, "player": 1, "artifact": artifact}))


def id_in(binary: bytes) -> str | None:
    """The ``clap_id`` that stands in a plugin's file, of whichever version; ``None``: it is no plugin of ours."""
    for written in _FACTS.findall(binary):
        try:
            facts = json.loads(written)
        except (ValueError, RecursionError):
            continue
        if facts.keys() >= _OURS:
            return str(facts["id"])
    return None


def _facts(
    identity: PluginIdentity, parameters: int, *, worker: bool, offset: int, model_bytes: int
) -> dict[str, str | int]:
    return {
        "name": identity.name,
        "vendor": identity.vendor,
        "version": identity.version,
        "description": identity.description,
        "id": identity.clap_id,
        "uri": identity.lv2_uri,
        "uid": identity.vst3_id,
        "parameters": parameters,
        "worker": int(worker),
        "model_offset": offset,
        "model_bytes": model_bytes,
    }


def _encoded(facts: Mapping[str, str | int]) -> bytes:
    return json.dumps(facts, ensure_ascii=False).encode()


def _named(binary: bytes, facts: bytes) -> bytes:
    if binary.count(_PLACE) != 1 or len(facts) >= _ROOM:
        raise RuntimeEngineError(
            f"{native_file(BINARY)} is not the plugin's binary of this version of neutone-like: expected one place for "
            f"{len(facts)} bytes of facts in it, found {binary.count(_PLACE)} of {_ROOM}. Install neutone-like again: "
            "pip install --force-reinstall --no-deps --no-cache-dir neutone-like, or make native in a checkout."
        )
    at = binary.index(_PLACE)
    return binary[:at] + facts.ljust(_ROOM, b"\0") + binary[at + _ROOM :]
