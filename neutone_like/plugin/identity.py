"""Who a plugin is: what hosts show, and what they know it by."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_VENDOR_BYTES = 63  # what VST3 has room for


@dataclass(frozen=True)
class PluginIdentity:
    """What a host shows of a plugin, and what it knows it by.

    The identifiers are made of the model's name and authors. A new version of a model takes the place of the old one in
    a host's projects; a model of another name, or of somebody else, is another plugin beside it.

    Attributes:
        name: The model's.
        vendor: Its authors.
        version: The model's.
        description: Its short description.
        file_name: What the plugin's files are called by: the name with ``_`` for spaces; where other characters had to
            give way, six digits behind it tell it from others.
        clap_id: In CLAP.
        lv2_uri: In LV2, of the stereo plugin, or of the only one of a model of more channels; ``#mono`` and
            ``#mono-to-stereo`` after it are the other two.
        vst3_id: In VST3, 32 hexadecimal digits.
    """

    name: str
    vendor: str
    version: str
    description: str
    file_name: str
    clap_id: str
    lv2_uri: str
    vst3_id: str


def plugin_identity(metadata: Mapping[str, Any]) -> PluginIdentity:
    """That of a model, from its metadata."""
    name = str(metadata["model_name"])
    authors = [str(author) for author in metadata["model_authors"]]
    digest = hashlib.sha256("\n".join([name, *authors]).encode()).hexdigest()
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "model"
    return PluginIdentity(
        name=name,
        vendor=_within(", ".join(authors) or "neutone-like", _VENDOR_BYTES),
        version=str(metadata["model_version"]),
        description=str(metadata["model_short_description"]),
        file_name=_file_name(name, digest),
        clap_id=f"neutone-like.{word}.{digest[:12]}",
        lv2_uri=f"urn:neutone-like:{word}:{digest[:12]}",
        vst3_id=hashlib.sha256(f"vst3 {digest}".encode()).hexdigest()[:32],
    )


def _file_name(name: str, digest: str) -> str:
    kept = re.sub(r"[^0-9A-Za-z._-]+", "_", name).strip("._") or "model"
    return kept if kept == name.replace(" ", "_") else f"{kept}-{digest[:6]}"


def _within(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
