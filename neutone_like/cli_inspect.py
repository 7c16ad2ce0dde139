"""An artifact's metadata as tables."""

from typing import Any

from rich.markup import escape as escape_markup
from rich.table import Table

from neutone_like.cli_common import printable


def metadata_tables(metadata: Any) -> list[Table]:
    """What it is, and what can be turned.

    Args:
        metadata: An ``ArtifactMetadata``.
    """
    ours = metadata.neutone_like
    table = Table(
        title=escape(f"{metadata.model_name} {metadata.model_version}"), title_justify="left", show_header=False
    )
    for name, value in _rows(metadata):
        table.add_row(name, escape(value))
    if ours is None:
        table.add_row(
            "made by", escape(f"another maker (SDK {metadata.sdk_version}, PyTorch {metadata.pytorch_version})")
        )
    else:
        latency = ours.reported_latency
        at = f"at {latency.sample_rate} Hz / {latency.block_size}"
        table.add_row("latency", f"{latency.latency_samples} samples {at}")
        table.add_row("model delay", f"{ours.model_delay_samples} samples at the model's rate")
        table.add_row("resampler", ours.quality)
        table.add_row("schema", f"version {ours.schema_version}")
        table.add_row("made with", escape(f"neutone-like {ours.neutone_like_version}, PyTorch {ours.torch_version}"))
    return [table, _parameter_table(metadata)]


def escape(text: str) -> str:
    """Text from a file as a terminal may show it: control characters and changes of direction as ``\\x1b``."""
    return escape_markup(printable(text))


def _rows(metadata: Any) -> list[tuple[str, str]]:
    def listed(values: Any, unit: str) -> str:
        return ", ".join(f"{value} {unit}" for value in values) or "any"

    texts = [
        ("authors", ", ".join(metadata.model_authors)),
        ("what it does", metadata.model_short_description),
        ("description", metadata.model_long_description),
        ("technical", metadata.technical_description),
        ("links", "\n".join(f"{title}: {link}" for title, link in metadata.technical_links.items())),
        ("tags", ", ".join(metadata.tags)),
        ("citation", metadata.citation),
        ("experimental", "yes" if metadata.is_experimental else ""),
        ("channels", metadata.model_type.replace("-", " to ")),
        ("sample rates", listed(metadata.native_sample_rates, "Hz")),
        ("block sizes", listed(metadata.native_buffer_sizes, "samples")),
        ("look-behind", f"{metadata.look_behind_samples} samples" if metadata.look_behind_samples else ""),
        ("mix", f"wet {metadata.wet_default_value:g}, dry {metadata.dry_default_value:g}"),
        (
            "gains",
            f"in {_decibels(metadata.input_gain_default_value):+g} dB, "
            f"out {_decibels(metadata.output_gain_default_value):+g} dB",
        ),
        ("sounds inside", str(len(metadata.sample_sound_files) or "")),
    ]
    return [(name, value) for name, value in texts if value]


def _decibels(gain_0to1: float) -> float:
    return round((gain_0to1 - 0.5) * 60.0, 3)


def _parameter_table(metadata: Any) -> Table:
    table = Table(title="Parameters", title_justify="left")
    for heading in ("name", "default", "range", "unit", "read once a", "what it does"):
        table.add_column(heading, overflow="fold")
    ours = metadata.neutone_like
    for each in ours.parameters if ours is not None else _used_slots(metadata):
        labels = getattr(each, "labels", None)
        default = getattr(each, "default", getattr(each, "default_value", ""))
        shown = labels[int(default)] if labels and not isinstance(default, str) else default
        lowest, highest = (_first(each, names) for names in (("minimum", "min_value"), ("maximum", "max_value")))
        allowed = (
            ", ".join(labels) if labels else "" if lowest is None or highest is None else f"{lowest:g}..{highest:g}"
        )
        cells = (each.name, shown, allowed, getattr(each, "unit", ""), getattr(each, "rate", ""), each.description)
        table.add_row(*(escape(f"{cell:g}" if isinstance(cell, float) else str(cell)) for cell in cells))
    return table


def _first(record: Any, names: tuple[str, ...]) -> float | None:
    """Records of ours and slots of the format name the same thing differently."""
    return next((value for name in names if (value := getattr(record, name, None)) is not None), None)


def _used_slots(metadata: Any) -> list[Any]:
    return [slot for _, slot in sorted(metadata.neutone_parameters.items()) if slot.used]
