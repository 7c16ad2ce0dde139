"""Writes the JSON schemas of an artifact's metadata to docs/schema. Run after changing the metadata."""

import json
from pathlib import Path

from neutone_like.artifact.format.schema import json_schema

TARGETS = {"metadata.json": True, "metadata-offline.json": False}
"""Whether each is that of a live model."""

if __name__ == "__main__":
    folder = Path(__file__).parent / "schema"
    folder.mkdir(exist_ok=True)
    for name, is_realtime in TARGETS.items():
        schema = json.dumps(json_schema(realtime=is_realtime), indent=2, ensure_ascii=False)
        (folder / name).write_text(schema + "\n", encoding="utf-8")
        print(f"Wrote {folder / name}")
