"""What a `.nam` file says about itself, as the metadata of a live model."""

from pathlib import Path
from typing import Any, cast

from neutone_like.errors import ModelFileError
from neutone_like.importers.fields import is_finite
from neutone_like.model.metadata import ModelMetadata

GEAR = ("gear_type", "gear_make", "gear_model", "tone_type")
LEVELS = {"loudness": "dB", "gain": "", "input_level_dbu": "dBu", "output_level_dbu": "dBu"}


def describe(metadata: object, path: Path, architecture: str) -> ModelMetadata:
    """Name, author, gear, levels and date. What is missing gets the file's name, or is left out."""
    said = cast("dict[str, Any]", metadata if metadata is not None else {})
    if not isinstance(metadata, dict) and metadata is not None:
        raise ModelFileError(f"metadata must be a JSON object, got {metadata!r:.60}.")
    written = {key: said.get(key) for key in (*GEAR, "name", "modeled_by")}
    texts = {key: " ".join(text.split()) for key, text in written.items() if isinstance(text, str) and text.strip()}
    gear = ", ".join(f"{key.replace('_', ' ')}: {texts[key]}" for key in GEAR if key in texts)
    numbers = [_level(key, said.get(key), unit) for key, unit in LEVELS.items()]
    technical = "; ".join([f"Neural Amp Modeler, {architecture}", *filter(None, numbers)])
    tags = ("nam", *(texts[key] for key in ("gear_type", "tone_type") if key in texts))
    return ModelMetadata(
        name=(texts.get("name") or path.stem)[:30],
        authors=(texts.get("modeled_by", "unknown")[:200],),
        version=_date(said.get("date")),
        short_description=(gear or "A model of the Neural Amp Modeler project")[:150],
        technical_description=technical[:500],
        tags=tuple(tag[:15] for tag in tags),
    )


def _level(key: str, value: object, unit: str) -> str:
    if not is_finite(value):
        return ""
    return f"{key.replace('_', ' ')} {value:.4g} {unit}".strip()


def _date(value: object) -> str:
    """The day of training stands for the version, which the format has none of."""
    parts = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    numbers = [parts.get(key) for key in ("year", "month", "day")]
    return ".".join(map(str, numbers)) if all(type(each) is int for each in numbers) else "1.0.0"
