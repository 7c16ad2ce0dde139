"""Numbers in metadata.json that something later relies on are those of the module, or the file is refused."""

import copy
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neutone_like import ArtifactError, load_artifact
from neutone_like.artifact.format.schema import parse_metadata
from neutone_like.artifact.reading.agreement import check_agreement
from support import attacks

METADATA = "model/extra/metadata.json"
# Told to people only; or what came out at export, which a reader compares with what comes out now.
ONLY_SHOWN = ("date_created", "is_experimental", "schema_version", "test_vector", "members_sha256")


def members_of(name: str) -> dict[str, bytes]:
    return attacks.read_originals()[name].members if name in attacks.NAMES else _read(name)


def _read(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(attacks.EXPORTED / name / "model.nm") as archive:
        return {member.filename: archive.read(member) for member in archive.infolist()}


def numbers(box: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each number is."""
    if isinstance(box, (dict, list)):
        for key, value in box.items() if isinstance(box, dict) else enumerate(box):
            if key not in ONLY_SHOWN:
                yield from numbers(value, (*keys, key))
    elif isinstance(box, (int, float)):
        yield keys


def edited(metadata: Any, keys: tuple[Any, ...], change: Any) -> Any:
    changed = copy.deepcopy(metadata)
    box = changed
    for key in keys[:-1]:
        box = box[key]
    box[keys[-1]] = change(box[keys[-1]])
    return changed


def edited_file(members: dict[str, bytes], keys: tuple[Any, ...], change: Any) -> bytes:
    """With fingerprints that fit: metadata is in none of them."""
    metadata = edited(json.loads(members[METADATA]), keys, change)
    return attacks.pack(list({**members, METADATA: json.dumps(metadata).encode()}.items()))


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * 0.5 if value else 0.25


@pytest.mark.parametrize("name", ["spectral_gate", "stem_separator"])
def test_every_number_is_held_against_the_module(name: str) -> None:
    original = json.loads(members_of(name)[METADATA])
    module = load_artifact(attacks.EXPORTED / name).module
    places = list(numbers(original))
    assert ("neutone_like", "model_delay_samples") in places
    assert len(places) > 20
    believed: list[tuple[Any, ...]] = []
    for keys in places:  # what load_artifact does with each, without loading the module every time
        try:
            check_agreement(module, parse_metadata(json.dumps(edited(original, keys, another)), "it"), Path("it"))
        except ArtifactError:
            continue
        believed.append(keys)
    assert believed == []


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("neutone_like", "quality"), "fast", "has quality = 'fast', the module in it says 'high'"),
        (("neutone_like", "model_delay_samples"), 7, "has model_delay_samples = 7, the module in it says 768"),
        (
            ("neutone_like", "reported_latency", "latency_samples"),
            7,
            r"has reported_latency = \{.*7\}, .* says \{.*768\}",
        ),
    ],
)
def test_a_mismatch_names_both_values(keys: tuple[str, ...], value: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.nm").write_bytes(edited_file(members_of("spectral_gate"), keys, lambda _: value))
    with pytest.raises(ArtifactError, match=message):
        load_artifact(tmp_path / "a.nm")


@pytest.mark.parametrize(
    "keys",
    [
        ("model_version",),
        ("sdk_version",),
        ("pytorch_version",),
        ("neutone_like", "created_by"),
        ("neutone_like", "neutone_like_version"),
        ("neutone_like", "torch_version"),
        ("neutone_parameters", "p1", "name"),
        ("neutone_parameters", "p1", "description"),
        ("technical_links", "code"),
    ],
)
def test_texts_have_an_end(keys: tuple[str, ...], tmp_path: Path) -> None:
    members = dict(members_of("overdrive"))
    metadata = json.loads(members[METADATA])
    metadata["technical_links"] = {"code": "https://example.com"}
    members[METADATA] = json.dumps(metadata).encode()
    (tmp_path / "a.nm").write_bytes(edited_file(members, keys, lambda _: "x" * 5000))
    with pytest.raises(
        ArtifactError, match=rf"does not fit schema version(.|\n)*{keys[-1]}(.|\n)*at most \d+ characters"
    ):
        load_artifact(tmp_path / "a.nm")
