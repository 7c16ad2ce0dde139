"""What the player's LV2 bundle says. Its ports are those of native/plugin/lv2_entry.cpp."""

from neutone_like.plugin import lv2
from neutone_like.plugin.identity import PluginIdentity

_PREFIXES = """@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix patch: <http://lv2plug.in/ns/ext/patch#> .
@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
@prefix work: <http://lv2plug.in/ns/ext/worker#> .
"""
_LONGEST_MESSAGE = 8192  # bytes; a path has at most 4096


def description(identity: PluginIdentity, slots: int) -> str:
    """``NAME.ttl``: ports, and the artifact as something that a host can write.

    Args:
        identity: Whose.
        slots: How many knobs it has. Their names and ranges can't follow the artifact in LV2: each is 0..1.
    """
    artifact = f"<{identity.lv2_uri}#artifact>"
    declared = (
        f'{artifact} a lv2:Parameter ; rdfs:label "Artifact" ; rdfs:range atom:Path ;\n'
        '    rdfs:comment "A folder with model.nlc, a model.nm beside one, or the .nlc." .\n'
    )
    knobs = [
        f'a lv2:InputPort, lv2:ControlPort ; lv2:symbol "knob_{number}" ; lv2:name "Knob {number}" ; '
        "lv2:default 0.5 ; lv2:minimum 0.0 ; lv2:maximum 1.0"
        for number in range(1, slots + 1)
    ]
    messages = [
        "a lv2:InputPort, atom:AtomPort ; atom:bufferType atom:Sequence ; atom:supports patch:Message ; "
        'lv2:designation lv2:control ; lv2:symbol "control" ; lv2:name "Control" ; '
        f"rsz:minimumSize {_LONGEST_MESSAGE}",
        "a lv2:OutputPort, atom:AtomPort ; atom:bufferType atom:Sequence ; atom:supports patch:Message ; "
        'lv2:designation lv2:control ; lv2:symbol "notify" ; lv2:name "Notify" ; '
        f"rsz:minimumSize {_LONGEST_MESSAGE}",
    ]
    extras = (
        "    lv2:optionalFeature urid:map, work:schedule, state:mapPath, state:freePath ;\n"
        "    lv2:extensionData work:interface, state:interface ;\n"
        f"    patch:writable {artifact} ;\n    patch:readable {artifact} ;\n"
    )
    plugins = (lv2.plugin(identity, layout, knobs, extras, after=messages) for layout in lv2.LAYOUTS)
    return "\n".join([lv2.PREFIXES + _PREFIXES, declared, *plugins])
