"""The artifacts that are committed in ``exported/``."""

import json

from support.places import EXPORTED

FOLDERS = sorted(path.parent for path in EXPORTED.glob("*/model.nm"))
LIVE_FOLDERS = [
    folder
    for folder in FOLDERS
    if json.loads((folder / "metadata.json").read_text("utf-8"))["neutone_like"].get("realtime", True)
]
