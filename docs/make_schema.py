"""Writes the JSON schema of an artifact's metadata to docs/schema/metadata.json. Run after changing the metadata."""

import json
from pathlib import Path

from neutone_like.artifact.schema import json_schema

TARGET = Path(__file__).parent / "schema" / "metadata.json"

if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Wrote {TARGET}")
