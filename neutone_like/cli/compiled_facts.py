"""What ``inspect`` says about the compiled model beside an artifact."""

from pathlib import Path
from typing import Any


def compiled_facts(path: Path) -> dict[str, Any]:
    """What is beside a ``.nm``: ``{}`` for nothing, ``{"error": ...}`` for what can't be played, else its facts."""
    from neutone_like.errors import ArtifactError, RuntimeEngineError
    from neutone_like.runtime.compiled_model import COMPILED_NAME, load_compiled

    if not path.with_name(COMPILED_NAME).exists():
        return {}
    try:
        compiled = load_compiled(path)
    except (ArtifactError, RuntimeEngineError) as error:
        return {"error": str(error)}
    file = path.with_name(COMPILED_NAME)
    return {
        "path": str(file),
        "granules": list(compiled.granules),
        "steps": compiled.steps,
        "file_bytes": file.stat().st_size,
        "sample_rates": list(compiled.sample_rates),
        "kernels": compiled.kernels,
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
        f"{rates}; played here with {facts['kernels']}"
    )
