"""Models where music is made: plugins for DAWs, and web pages."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.plugin.building import build_plugin as build_plugin
    from neutone_like.plugin.bundles import FORMATS as FORMATS
    from neutone_like.plugin.identity import PluginIdentity as PluginIdentity
    from neutone_like.plugin.load import PluginLoad as PluginLoad
    from neutone_like.plugin.player import build_player_plugin as build_player_plugin
    from neutone_like.plugin.result import PlayerResult as PlayerResult
    from neutone_like.plugin.result import PluginFile as PluginFile
    from neutone_like.plugin.result import PluginResult as PluginResult
    from neutone_like.plugin.tail import PluginTail as PluginTail
    from neutone_like.plugin.web_page import build_web_page as build_web_page

export_lazily(
    globals(),
    {
        "neutone_like.plugin.building": ("build_plugin",),
        "neutone_like.plugin.bundles": ("FORMATS",),
        "neutone_like.plugin.identity": ("PluginIdentity",),
        "neutone_like.plugin.load": ("PluginLoad",),
        "neutone_like.plugin.player": ("build_player_plugin",),
        "neutone_like.plugin.result": ("PlayerResult", "PluginFile", "PluginResult"),
        "neutone_like.plugin.tail": ("PluginTail",),
        "neutone_like.plugin.web_page": ("build_web_page",),
    },
)
