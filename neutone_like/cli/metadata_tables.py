"""An artifact's metadata as tables."""

from typing import Any

from rich.markup import escape as escape_markup
from rich.table import Table

from neutone_like.cli.common import printable
from neutone_like.model.format_room import hosts_in_words


def metadata_tables(metadata: Any, compiled: str = "") -> list[Table]:
    """What it is, and what can be turned.

    Args:
        metadata: An ``ArtifactMetadata``.
        compiled: What there is to say about its compiled model.
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
        if latency := getattr(ours, "reported_latency", None):  # of live models
            at = f"at {latency.sample_rate} Hz / {latency.block_size}"
            table.add_row("latency", f"{latency.latency_samples} samples {at}")
        if beyond := metadata.beyond_format():
            table.add_row("hosts", escape(hosts_in_words(beyond)))
        table.add_row("model delay", f"{ours.model_delay_samples} samples at the model's rate")
        table.add_row("resampler", ours.quality)
        table.add_row("schema", f"version {ours.schema_version}")
        if compiled:
            table.add_row("compiled", escape(compiled))
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
        *(_live_rows(metadata) if hasattr(metadata, "model_type") else _offline_rows(metadata)),
        ("sample rates", listed(metadata.native_sample_rates, "Hz")),
        ("block sizes", listed(metadata.native_buffer_sizes, "samples")),
        ("mix", f"wet {metadata.wet_default_value:g}, dry {metadata.dry_default_value:g}"),
        (
            "gains",
            f"in {_decibels(metadata.input_gain_default_value):+g} dB, "
            f"out {_decibels(metadata.output_gain_default_value):+g} dB",
        ),
        ("sounds inside", str(len(metadata.sample_sound_files) or "")),
    ]
    return [(name, value) for name, value in texts if value]


def _live_rows(metadata: Any) -> list[tuple[str, str]]:
    past = metadata.look_behind_samples
    return [
        ("channels", metadata.model_type.replace("-", " to ").replace("ch", " channels")),
        ("look-behind", f"{past} samples" if past else ""),
    ]


def _offline_rows(metadata: Any) -> list[tuple[str, str]]:
    ours = metadata.neutone_like
    past = ours.look_behind_samples if ours is not None else 0
    hop = ours.overlap_hop_samples if ours is not None else 0
    free = ours is not None and not ours.keeps_length
    return [
        ("kind", "offline, " + ("one-shot" if metadata.is_one_shot_model else "in blocks")),
        ("inputs", _tracks(metadata.audio_in_channels, metadata.audio_in_labels) or "none: it generates sound"),
        ("outputs", _tracks(metadata.audio_out_channels, metadata.audio_out_labels)),
        ("length", "the model's own" if free else ""),
        ("look-behind", f"{past} samples" if past else ""),
        ("overlap", f"{getattr(ours, 'overlap_window', '')}, a block every {hop} samples" if hop else ""),
        ("tempo", f"{metadata.model_bpm} beats a minute" if metadata.model_bpm else ""),
        ("tokenizer", (ours.tokenizer_type or "") if ours is not None else ""),
    ]


def _tracks(channels: Any, labels: Any) -> str:
    """``vocals (stereo), rest (mono)``."""
    names = labels or [f"{index + 1}" for index in range(len(channels))]
    kinds = {1: "mono", 2: "stereo"}
    return ", ".join(f"{name} ({kinds.get(count, count)})" for name, count in zip(names, channels, strict=True))


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
        if isinstance(shown, tuple):
            shown = ", ".join(map(str, shown))
        cells = (
            each.name,
            shown,
            _allowed(each, labels),
            getattr(each, "unit", ""),
            getattr(each, "rate", ""),
            each.description,
        )
        table.add_row(*(escape(f"{cell:g}" if isinstance(cell, float) else str(cell)) for cell in cells))
    return table


def _allowed(each: Any, labels: Any) -> str:
    if each.type in ("text", "tokens"):
        unit = "characters" if each.type == "text" else "tokens"
        most = _first(each, ("max_characters", "max_n_chars", "max_tokens", "max_n_tokens"))
        return f"any {each.type}" if most is None or most < 0 else f"up to {most:g} {unit}"
    if labels:
        return ", ".join(labels)
    lowest, highest = (_first(each, names) for names in (("minimum", "min_value"), ("maximum", "max_value")))
    return "" if lowest is None or highest is None else f"{lowest:g}..{highest:g}"


def _first(record: Any, names: tuple[str, ...]) -> float | None:
    """Records of ours and slots of the format name the same thing differently."""
    return next((value for name in names if (value := getattr(record, name, None)) is not None), None)


def _used_slots(metadata: Any) -> list[Any]:
    return [slot for _, slot in sorted(metadata.neutone_parameters.items()) if slot.used]
