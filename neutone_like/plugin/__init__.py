"""Models where music is made."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.plugin.web_page import build_web_page as build_web_page

export_lazily(globals(), {"neutone_like.plugin.web_page": ("build_web_page",)})
