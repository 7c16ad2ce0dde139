"""The binary that is the plugin of every model, and what makes it that of one: who it is, and the model at its end."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.errors import RuntimeEngineError
from neutone_like.plugin.identity import PluginIdentity
from neutone_like.plugin.platforms import Platform, this_machine
from neutone_like.plugin.tail import PluginTail
from neutone_like.runtime.native_files import native_file

BINARY = "neutone_like_plugin.so"
FACTS_FILE = "plugin.json"
STEREO = (2, 2)
_PLACE = b"neutone-like: here stands which plugin this is"  # native/plugin/identity.cpp
_ROOM = 4096
_ALIGNMENT = 4096
_FACTS = re.compile(rb'(\{"name": [^\0]{1,%d}\})\0' % _ROOM)  # where they stand differs between versions
_OURS = {"id", "uri", "uid", "model_offset"}


@dataclass(frozen=True)
class PluginCode:
    """What makes a plugin play: its binary, and for macOS files that lie beside it."""

    binary: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


def plugin_binary(
    identity: PluginIdentity,
    model: bytes,
    parameters: int,
    *,
    worker: bool = False,
    channels: tuple[int, int] = STEREO,
) -> bytes:
    """The file of a model's plugin for this machine, the same in every format.

    Args:
        identity: Who it is.
        model: The content of a ``model.nlc``.
        parameters: How many the model has.
        worker: Whether the model has a thread of its own.
        channels: How many it takes and gives.

    Raises:
        RuntimeEngineError: The binary was not built with this installation, or is not the one of this version.
    """
    return plugin_code(this_machine(), identity, model, parameters, worker=worker, channels=channels).binary


def plugin_code(
    platform: Platform,
    identity: PluginIdentity,
    model: bytes,
    parameters: int,
    *,
    worker: bool = False,
    channels: tuple[int, int] = STEREO,
    tail: PluginTail | None = None,
) -> PluginCode:
    """As :func:`plugin_binary`, for a platform, and with a tail: ``None`` is an endless one.

    Raises:
        CompileError: It can't be compiled.
        MissingExtraError: There is no compiler for other platforms.
        RuntimeEngineError: As :func:`plugin_binary`.
    """
    empty = _empty(platform)
    facts = _facts(identity, parameters, worker=worker, model_bytes=len(model), channels=channels)
    if tail is not None:
        facts |= {"tail_samples": tail.samples, "tail_rate": tail.sample_rate}
    if platform.is_mac:
        return PluginCode(empty, {FACTS_FILE: _encoded(facts), COMPILED_NAME: model})
    padded = empty + bytes(-len(empty) % _ALIGNMENT)
    return PluginCode(_named(padded, _encoded({**facts, "model_offset": len(padded)})) + model)


def player_code(platform: Platform, identity: PluginIdentity, artifact: str, slots: int) -> PluginCode:
    """The player's, which has no model of its own.

    Args:
        platform: For which.
        identity: Who it is.
        artifact: The path of what it begins with; empty: nothing.
        slots: How many knobs it has.

    Raises:
        CompileError: As :func:`plugin_code`.
        MissingExtraError: As :func:`plugin_code`.
        RuntimeEngineError: As :func:`plugin_binary`.
    """
    empty = _empty(platform)
    facts = _facts(identity, slots, worker=False, model_bytes=0, channels=STEREO) | {"player": 1, "artifact": artifact}
    return (
        PluginCode(empty, {FACTS_FILE: _encoded(facts)})
        if platform.is_mac
        else PluginCode(_named(empty, _encoded(facts)))
    )


def _empty(platform: Platform) -> bytes:
    if not platform.name:
        return native_file(BINARY).read_bytes()
    from neutone_like.plugin.cross_binary import cross_binary

    return cross_binary(platform)


def id_in(binary: bytes) -> str | None:
    """The ``clap_id`` that stands in a plugin's file, of whichever version; ``None``: it is no plugin of ours."""
    for written in _FACTS.findall(binary + b"\0"):
        try:
            facts = json.loads(written)
        except (ValueError, RecursionError):
            continue
        if facts.keys() >= _OURS:
            return str(facts["id"])
    return None


def _facts(
    identity: PluginIdentity, parameters: int, *, worker: bool, model_bytes: int, channels: tuple[int, int]
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
        "in_channels": channels[0],
        "out_channels": channels[1],
        "worker": int(worker),
        "model_offset": 0,
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
