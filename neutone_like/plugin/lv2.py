"""What an LV2 bundle says of its plugins, in Turtle. Their ports are those of native/plugin/lv2_entry.cpp."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neutone_like.plugin.identity import PluginIdentity

PREFIXES = """@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pprops: <http://lv2plug.in/ns/ext/port-props#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
"""
_ENDING_WITH_WINDOW = ".so"  # it is drawn by X11
_MANIFEST_PREFIXES = f"""{PREFIXES}@prefix opts: <http://lv2plug.in/ns/ext/options#> .
@prefix ui: <http://lv2plug.in/ns/extensions/ui#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
"""
_WINDOW = (
    "{window} a ui:X11UI ; ui:binary <{binary}> ; "
    "lv2:requiredFeature ui:idleInterface, ui:parent, <http://lv2plug.in/ns/ext/instance-access> ; "
    "lv2:optionalFeature ui:resize, ui:touch, opts:options, urid:map ; lv2:extensionData ui:idleInterface, ui:resize ."
)
_FREQUENCIES = ("Hz", "kHz")
_UNITS = {
    "dB": "units:db",
    "Hz": "units:hz",
    "kHz": "units:khz",
    "ms": "units:ms",
    "s": "units:s",
    "%": "units:pc",
    "BPM": "units:bpm",
    "cent": "units:cent",
    "ct": "units:cent",
    "st": "units:semitone12TET",
    "°": "units:degree",
    "oct": "units:oct",
}


@dataclass(frozen=True)
class Layout:
    """Channels of one of a bundle's plugins."""

    ending: str
    suffix: str
    inputs: int
    outputs: int


LAYOUTS = (Layout("", "", 2, 2), Layout("#mono", " (mono)", 1, 1), Layout("#mono-to-stereo", " (mono to stereo)", 1, 2))
"""Those of a model for mono and stereo."""


def layouts_of(in_channels: int, out_channels: int) -> tuple[Layout, ...]:
    """A model of more channels than two is one plugin, as ``layouts_of`` in native/plugin/port_layout.hpp has it."""
    if max(in_channels, out_channels) <= 2:
        return LAYOUTS
    return (Layout("", "", in_channels, out_channels),)


def manifest(identity: PluginIdentity, ending: str = ".so", layouts: Sequence[Layout] = LAYOUTS) -> str:
    """``manifest.ttl``: where each plugin is.

    Args:
        identity: Whose.
        ending: Of the binary's file.
        layouts: Of its plugins.
    """
    window = f"<{identity.lv2_uri}#window>"
    has_window = ending == _ENDING_WITH_WINDOW
    plugins = [
        f"<{identity.lv2_uri}{layout.ending}> a lv2:Plugin ; lv2:binary <{identity.file_name}{ending}> ; "
        + (f"ui:ui {window} ; " if has_window else "")
        + f"rdfs:seeAlso <{identity.file_name}.ttl> ."
        for layout in layouts
    ]
    windows = [_WINDOW.format(window=window, binary=f"{identity.file_name}{ending}")] if has_window else []
    return "\n".join([_MANIFEST_PREFIXES, *plugins, *windows, ""])


def description(
    identity: PluginIdentity,
    parameters: Sequence[Mapping[str, Any]],
    *,
    worker: bool = False,
    layouts: Sequence[Layout] = LAYOUTS,
) -> str:
    """``NAME.ttl``: names, ports, ranges, units.

    Args:
        identity: Whose.
        parameters: The model's.
        worker: Whether the model has a thread of its own, which the host's may have to wait for.
        layouts: Of its plugins.
    """
    symbols = _symbols(parameters)
    knobs = [_control(record, symbol) for record, symbol in zip(parameters, symbols, strict=True)]
    # A host's thread may have to wait for the model's own.
    extras = "" if worker else "    lv2:optionalFeature lv2:hardRTCapable ;\n"
    return "\n".join([PREFIXES, *(plugin(identity, layout, knobs, extras) for layout in layouts)])


def plugin(
    identity: PluginIdentity, layout: Layout, knobs: Sequence[str], extras: str, *, after: Sequence[str] = ()
) -> str:
    """One of a bundle's plugins.

    Args:
        identity: Whose.
        layout: Its channels.
        knobs: What its control ports say, without their numbers.
        extras: Lines about the whole plugin.
        after: What ports behind all others say.
    """
    minor, micro = _versions(identity.version)
    return (
        f"<{identity.lv2_uri}{layout.ending}> a lv2:Plugin ;\n"
        f"    doap:name {_text(identity.name + layout.suffix)} ;\n"
        f"    lv2:project [ a doap:Project ; doap:name {_text(identity.name)} ; "
        f"doap:maintainer [ a foaf:Person ; foaf:name {_text(identity.vendor)} ] ] ;\n"
        f"    rdfs:comment {_text(identity.description)} ;\n"
        f"    lv2:minorVersion {minor} ; lv2:microVersion {micro} ;\n"
        f"{extras}"
        f"    lv2:port {_ports(layout, knobs, after)} .\n"
    )


def _ports(layout: Layout, knobs: Sequence[str], after: Sequence[str]) -> str:
    ports = [
        *(_audio("Input", channel) for channel in range(layout.inputs)),
        *(_audio("Output", channel) for channel in range(layout.outputs)),
        *knobs,
        'a lv2:InputPort, lv2:ControlPort ; lv2:symbol "enabled" ; lv2:name "Enabled" ; lv2:designation lv2:enabled ; '
        "lv2:portProperty lv2:toggled ; lv2:default 1 ; lv2:minimum 0 ; lv2:maximum 1",
        'a lv2:OutputPort, lv2:ControlPort ; lv2:symbol "latency" ; lv2:name "Latency" ; lv2:designation lv2:latency ; '
        "lv2:portProperty lv2:reportsLatency, lv2:integer ; lv2:minimum 0 ; units:unit units:frame",
        *after,
    ]
    return ",\n        ".join(f"[ lv2:index {index} ; {port} ]" for index, port in enumerate(ports))


def _audio(kind: str, channel: int) -> str:
    number = channel + 1
    return (
        f'a lv2:{kind}Port, lv2:AudioPort ; lv2:symbol "{kind.lower()}_{number}" ; lv2:name {_text(f"{kind} {number}")}'
    )


def _control(record: Mapping[str, Any], symbol: str) -> str:
    labels: Sequence[str] = record.get("labels") or ()
    lowest, highest = (0.0, len(labels) - 1.0) if labels else (float(record["minimum"]), float(record["maximum"]))
    parts = [
        "a lv2:InputPort, lv2:ControlPort",
        f'lv2:symbol "{symbol}"',
        f"lv2:name {_text(str(record['name']))}",
        f"rdfs:comment {_text(str(record['description']))}",
        f"lv2:default {_number(float(record['default']))}",
        f"lv2:minimum {_number(lowest)}",
        f"lv2:maximum {_number(highest)}",
    ]
    if labels:
        points = (f"[ rdfs:label {_text(label)} ; rdf:value {value} ]" for value, label in enumerate(labels))
        parts += ["lv2:portProperty lv2:integer, lv2:enumeration", f"lv2:scalePoint {', '.join(points)}"]
    elif record.get("unit"):
        parts.append(f"units:unit {_unit(str(record['unit']))}")
        if record["unit"] in _FREQUENCIES and 0.0 < 10.0 * lowest < highest:  # as native/plugin/window/dial.cpp has it
            parts.append("lv2:portProperty pprops:logarithmic")
    return " ; ".join(parts)


def _unit(unit: str) -> str:
    known = _UNITS.get(unit)
    if known is not None:
        return known
    text, shown = _text(unit), _text("%f " + unit.replace("%", "%%"))
    return f"[ a units:Unit ; rdfs:label {text} ; units:symbol {text} ; units:render {shown} ]"


def _symbols(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names that LV2 takes, each once."""
    symbols: list[str] = []
    for record in parameters:
        symbol = re.sub(r"[^0-9a-z]+", "_", str(record["name"]).lower()).strip("_") or "knob"
        symbol = f"knob_{symbol}" if symbol[0].isdigit() else symbol
        while symbol in (*symbols, "enabled", "latency") or re.fullmatch(r"(input|output)_\d", symbol):
            symbol += "_"
        symbols.append(symbol)
    return symbols


def _versions(version: str) -> Iterator[int]:
    """LV2 has two numbers, of which hosts take the larger one for newer: 1.2.3 becomes 102 and 3."""
    major, minor, micro = ([int(number) for number in re.findall(r"\d{1,6}", version)] + [0, 0, 0])[:3]
    yield major * 100 + minor
    yield micro


def _number(value: float) -> str:
    """A decimal that Turtle reads."""
    return repr(float(value))


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(each):04X}" if ord(each) < 32 else each for each in escaped) + '"'
