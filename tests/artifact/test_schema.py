"""metadata.json: every key and limit of the format, and the test vector's definition."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import ArtifactError
from neutone_like.artifact import ArtifactMetadata, json_schema, load_artifact, write_artifact
from neutone_like.artifact.format.schema import parse_metadata
from neutone_like.artifact.reading.reference_vector import noise
from support.artifact_models import Drive

# The format's own keys, all required of a live model.
REQUIRED = {
    "model_name", "model_authors", "model_version", "model_short_description", "model_long_description",
    "technical_description", "technical_links", "tags", "citation", "is_experimental", "sample_sound_files",
    "neutone_parameters", "wet_default_value", "dry_default_value", "input_gain_default_value",
    "output_gain_default_value", "native_sample_rates", "native_buffer_sizes", "sdk_version", "pytorch_version",
    "date_created", "is_input_mono", "is_output_mono", "model_type", "look_behind_samples",
}  # fmt: skip

SOUND = {"in": "QUJD", "out": "REVG"}
SLOT = {"name": "a", "description": "", "default_value": 0.5, "used": True, "type": "continuous"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artifact(Drive(), tmp_path_factory.mktemp("schema") / "x", render_samples=False).directory


@pytest.fixture
def content(exported: Path) -> dict[str, Any]:
    """A good metadata.json, free to be changed."""
    return json.loads((exported / "metadata.json").read_text())


def parse(content: dict[str, Any]) -> ArtifactMetadata:
    return parse_metadata(json.dumps(content), "metadata.json")


def test_there_and_back(content: dict[str, Any]) -> None:
    metadata = parse(content)
    assert json.loads(metadata.to_json()) == content
    assert set(content) == REQUIRED | {"neutone_like"}


@pytest.mark.parametrize("key", sorted(REQUIRED))
def test_every_key_is_required(key: str, content: dict[str, Any]) -> None:
    del content[key]
    with pytest.raises(ArtifactError, match=rf"does not fit schema version 1:\n{key}: Field required"):
        parse(content)


@pytest.mark.parametrize(
    ("key", "allowed", "refused"),
    [
        ("model_name", "n" * 30, "n" * 31),
        ("model_authors", ["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e", "f"]),
        ("model_short_description", "s" * 150, "s" * 151),
        ("model_long_description", "l" * 500, "l" * 501),
        ("technical_description", "t" * 500, "t" * 501),
        ("technical_links", dict.fromkeys("abc", "x"), dict.fromkeys("abcd", "x")),
        ("tags", ["t" * 15] * 7, ["t"] * 8),
        ("tags", [], ["t" * 16]),
        ("citation", "c" * 150, "c" * 151),
        ("is_experimental", True, 1),
        ("sample_sound_files", [SOUND] * 3, [SOUND] * 4),
        ("sample_sound_files", [], [{"in": "QUJD"}]),
        ("neutone_parameters", {"p1": SLOT, "p4": SLOT}, {"gain": SLOT}),
        ("neutone_parameters", {"p1": {**SLOT, "min_value": 0.0, "max_value": 1.0}}, {"p1": {**SLOT, "type": "knob"}}),
        ("neutone_parameters", {}, {"p1": {**SLOT, "min_value": 1.0, "max_value": 1.0}}),
        ("neutone_parameters", {"p1": {**SLOT, "n_values": 2}}, {"p1": {**SLOT, "n_values": 1}}),
        (
            "neutone_parameters",
            {"p1": {**SLOT, "type": "categorical", "n_values": 2, "labels": ["a", "b"]}},
            {"p1": {**SLOT, "type": "categorical", "n_values": 3, "labels": ["a", "b"]}},
        ),
        (
            "neutone_parameters",
            {"p1": {**SLOT, "type": "text", "default_value": "x", "max_n_chars": -1}},
            {"p1": {**SLOT, "type": "text", "default_value": "x", "max_n_chars": -2}},
        ),
        (
            "neutone_parameters",
            {"p1": {**SLOT, "type": "tokens", "default_value": [1, 2], "max_n_tokens": 4}},
            {"p1": {**SLOT, "type": "tokens", "default_value": ["x"], "max_n_tokens": 4}},
        ),
        ("wet_default_value", 1, 1.01),
        ("dry_default_value", 0.0, -0.01),
        ("input_gain_default_value", 0.5, "0.5"),
        ("output_gain_default_value", 1.0, None),
        ("native_sample_rates", [44100, 384000], [44100.5]),
        ("native_sample_rates", [], [0]),
        ("native_buffer_sizes", [1, 2048], [0]),
        ("date_created", 1700000000.5, "today"),
        ("is_input_mono", False, "no"),
        ("model_type", "stereo-stereo", "5.1"),
        ("look_behind_samples", 100, -1),
    ],
)
def test_limits(key: str, allowed: object, refused: object, content: dict[str, Any]) -> None:
    assert json.loads(parse({**content, key: allowed}).to_json())[key] == allowed
    with pytest.raises(ArtifactError, match=rf"(?m)^{key}.*: .*; got "):
        parse({**content, key: refused})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema_version", 0),
        ("schema_version", "1"),
        ("quality", "soxr"),
        ("in_channels", 0),
        ("out_channels", 65),
        ("model_delay_samples", -1),
        ("reported_latency", {"sample_rate": 48000, "block_size": 512}),
        ("parameters", [{"type": "slider", "name": "a"}]),
        ("parameters", [{"type": "continuous", "name": "a", "default": 0.0}]),
        ("test_vector", {}),
    ],
)
def test_our_own_section(key: str, value: object, content: dict[str, Any]) -> None:
    content["neutone_like"][key] = value
    with pytest.raises(ArtifactError, match=rf"(?m)^neutone_like\.{key}"):
        parse(content)


def test_channels_must_agree(content: dict[str, Any]) -> None:
    with pytest.raises(
        ArtifactError, match="model_type is 'mono-stereo', is_input_mono and is_output_mono say 'stereo-s"
    ):
        parse({**content, "model_type": "mono-stereo"})
    content["neutone_like"]["in_channels"] = 1
    with pytest.raises(ArtifactError, match="model_type is 'stereo-stereo', neutone_like says 1 to 2"):
        parse(content)


def test_numbers_that_json_does_not_have(content: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError, match=r"metadata\.json"):
        parse({**content, "wet_default_value": float("nan")})


def test_published_schema() -> None:
    schema = json_schema()
    assert set(schema["required"]) == REQUIRED
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["properties"]["model_name"]["maxLength"] == 30
    assert schema["$defs"]["SoundPair"]["required"] == ["in", "out"]
    assert json.loads(json.dumps(schema)) == schema


# ---------------------------------------------------------------- the test vector, from its description alone


def test_noise_is_the_generator_of_the_description() -> None:
    state, expected = 77, np.zeros((3, 50))
    for number in range(150):
        state = (1664525 * state + 1013904223) % 2**32
        expected[number % 3, number // 3] = (state / 2**31 - 1) / 2
    np.testing.assert_array_equal(noise(77, 3, 50).numpy(), expected.astype(np.float32))
    assert float(noise(1, 2, 5000).abs().max()) <= 0.5
    assert abs(float(noise(1, 2, 5000).mean())) < 0.01


def test_vector_by_a_reader_that_has_only_its_description(exported: Path) -> None:
    vector = json.loads((exported / "metadata.json").read_text())["neutone_like"]["test_vector"]
    channels, block = vector["channels"], vector["block_size"]
    module = torch.jit.load(str(exported / "model.nm"))
    module.set_daw_sample_rate_and_buffer_size(vector["sample_rate"], block)
    module.reset()
    x = noise(vector["seed"], channels, block * vector["blocks"])
    params = torch.tensor(vector["parameters_0to1"]).unsqueeze(1).repeat(1, block)
    output = torch.cat([module.forward(x[:, n : n + block], params) for n in range(0, x.size(1), block)], dim=1).numpy()
    packed = b"".join(struct.pack("<i", round(float(sample) * 32768)) for channel in output for sample in channel)
    assert hashlib.sha256(packed).hexdigest() == vector["digest"]
    np.testing.assert_allclose(output[:, vector["sample_indices"]], vector["samples"], atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.mean(output.astype(float) ** 2, axis=1)), vector["rms"], rtol=1e-6)


def test_vector_hears_the_model(exported: Path) -> None:
    # 2048 samples beyond the latency, and no kept sample in the silence before it.
    ours = load_artifact(exported).live_metadata.neutone_like
    assert ours is not None
    vector = ours.test_vector
    module = load_artifact(exported).module
    module.set_daw_sample_rate_and_buffer_size(vector.sample_rate, vector.block_size)
    assert vector.blocks * vector.block_size - module.latency_samples() >= 2048
    assert min(vector.sample_indices) >= module.latency_samples()
    assert all(level > 0.1 for level in vector.rms)
