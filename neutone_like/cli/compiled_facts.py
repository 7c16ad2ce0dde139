"""What ``inspect`` says about the compiled model beside an artifact."""

from pathlib import Path
from typing import Any


def compiled_facts(path: Path) -> dict[str, Any]:
    """What is beside a ``.nm``: ``{}`` for nothing, ``{"error": ...}`` for what can't be played, else its facts."""
    from neutone_like.artifact.format.archive import COMPILED_NAME
    from neutone_like.artifact.format.compiled_file import digest_of_file, read_compiled_facts
    from neutone_like.errors import ArtifactError

    file = path.with_name(COMPILED_NAME)
    if not file.exists():
        return {}
    try:
        facts = read_compiled_facts(file)
    except (ArtifactError, OSError) as error:
        return {"error": str(error)}
    if facts.model_sha256 != digest_of_file(path):
        return {
            "error": f"{file.name} was compiled from another {path.name}. Compile it again: neutone-like compile {path}"
        }
    return {
        "path": str(file),
        "granules": [facts.granule],
        "steps": facts.steps,
        "file_bytes": facts.file_bytes,
        "sample_rates": list(facts.sample_rates),
    }


def in_words(facts: dict[str, Any], path: Path) -> str:
    """The same in a line."""
    if not facts:
        return f"no; neutone-like compile {path} makes one"
    if "error" in facts:
        return f"can't be played: {facts['error']}"
    rates = ", ".join(f"{rate} Hz" for rate in facts["sample_rates"]) or "any rate"
    granules = ", ".join(map(str, facts["granules"]))
    return (
        f"{Path(facts['path']).name}: {facts['steps']} steps, granule {granules} samples, {facts['file_bytes']} bytes, "
        f"{rates}"
    )
