"""Artifacts of offline models: what is written, what is refused, what is read again."""

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from neutone_like import (
    ArtifactError,
    ContinuousParameter,
    ExportError,
)
from neutone_like.artifact import Artifact, WrittenArtifact, json_schema, load_artifact, read_metadata, write_artifact
from neutone_like.artifact.format.schema import OfflineMetadata, parse_metadata
from neutone_like.artifact.reading.reference_vector import noise
from support.whole_models import ALL_KINDS, Drone, Smoother, Tones, Whole

# The format's own keys, all required of an offline model.
REQUIRED = {
    "model_name", "model_authors", "model_version", "model_short_description", "model_long_description",
    "technical_description", "technical_links", "tags", "citation", "is_experimental", "sample_sound_files",
    "neutone_parameters", "wet_default_value", "dry_default_value", "input_gain_default_value",
    "output_gain_default_value", "native_sample_rates", "native_buffer_sizes", "sdk_version", "pytorch_version",
    "date_created",
}  # fmt: skip
# What such models say besides.
MORE = {
    "audio_in_channels", "audio_out_channels", "audio_in_labels", "audio_out_labels", "is_one_shot_model",
    "is_text_model", "is_tokens_model", "model_bpm",
}  # fmt: skip
LIVE_ONLY = {"is_input_mono", "is_output_mono", "model_type", "look_behind_samples"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WrittenArtifact:
    return write_artifact(Whole(), tmp_path_factory.mktemp("exported") / "whole", mp3_samples=True)


@pytest.fixture(scope="module")
def loaded(whole: WrittenArtifact) -> Artifact:
    return load_artifact(whole.directory, verify_test_vector=True)


@pytest.fixture
def content(whole: WrittenArtifact) -> dict[str, Any]:
    """A good metadata.json, free to be changed."""
    return json.loads(whole.metadata_path.read_text())


def with_metadata(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Copy an artifact, with its metadata changed in place."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename.endswith("/extra/metadata.json"):
                metadata = json.loads(data)
                change(metadata)
                data = json.dumps(metadata).encode()
            new.writestr(member.filename, data)
    return target


# ---------------------------------------------------------------- what is written


def test_files_of_every_input_and_output(whole: WrittenArtifact) -> None:
    names = {path.name for path in whole.sample_paths}
    ends = ("in.wav", "out_1.wav", "out_2.wav")
    assert names == {f"{sound}_{end}" for sound in ("guitar_riff", "drum_loop") for end in ends}
    for path in whole.sample_paths:
        info = soundfile.info(path)
        assert (info.samplerate, info.frames) == (48000, 4 * 48000)
    assert len(whole.metadata.sample_sound_files) == 3, "the format has room for three"


def test_sounds_are_what_the_model_makes_of_them(whole: WrittenArtifact, loaded: Artifact) -> None:
    sides = {path.name: soundfile.read(path, dtype="float32", always_2d=True)[0].T for path in whole.sample_paths}
    module = loaded.fresh_module()
    module.set_daw_sample_rate_and_buffer_size(48000, 512)
    outputs = module.forward([torch.from_numpy(sides["drum_loop_in.wav"].copy())])
    for index, output in enumerate(outputs):
        heard = sides[f"drum_loop_out_{index + 1}.wav"]
        np.testing.assert_allclose(heard, output.numpy()[: heard.shape[0]], atol=2e-4)


def test_a_generator_has_sounds_without_a_before(tmp_path: Path) -> None:
    written = write_artifact(Drone(), tmp_path, mp3_samples=True)
    assert [path.name for path in written.sample_paths] == ["generated_out.wav"]
    assert soundfile.info(written.sample_paths[0]).frames == 4 * 48000
    assert written.metadata.sample_sound_files == ()


def test_files_of_another_kind_of_model_go(tmp_path: Path) -> None:
    write_artifact(Whole(), tmp_path)
    (tmp_path / "samples" / "guitar_riff_take_2.wav").write_text("mine")
    write_artifact(Tones(), tmp_path)
    left = {path.name for path in (tmp_path / "samples").iterdir()}
    assert left == {"generated_out.wav", "guitar_riff_take_2.wav"}


def test_metadata(whole: WrittenArtifact, content: dict[str, Any]) -> None:
    assert set(content) == REQUIRED | MORE | {"neutone_like"}
    assert json.loads(parse_metadata(json.dumps(content), "x").to_json()) == content
    slots = content["neutone_parameters"]
    assert list(slots) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert [slots[name]["used"] for name in slots] == [True, True, False, False, True, True]
    assert slots["p5"] == {
        "name": "prompt", "description": "What to say", "default_value": "hello", "used": True, "type": "text",
        "max_n_chars": 16,
    }  # fmt: skip
    assert (slots["p6"]["type"], slots["p6"]["default_value"], slots["p6"]["max_n_tokens"]) == ("tokens", [3, 1, 2], 8)
    assert content["audio_out_channels"] == [2, 1]
    assert content["audio_out_labels"] == ["mid", "side"]
    ours = content["neutone_like"]
    assert (ours["realtime"], ours["keeps_length"], ours["overlap_hop_samples"]) == (False, True, 0)
    assert json.loads(zipfile.ZipFile(whole.model_path).read(_metadata_member(whole.model_path))) == content


def _metadata_member(path: Path) -> str:
    return next(name for name in zipfile.ZipFile(path).namelist() if name.endswith("extra/metadata.json"))


@pytest.mark.parametrize("key", sorted(REQUIRED | {"audio_in_channels", "is_one_shot_model", "is_text_model"}))
def test_every_key_is_required(key: str, content: dict[str, Any]) -> None:
    del content[key]
    with pytest.raises(ArtifactError, match=rf"does not fit schema version 1:\n{key}: Field required"):
        parse_metadata(json.dumps(content), "metadata.json")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("audio_in_channels", [65], "audio_in_channels.0: Input should be less than or equal to 64"),
        ("audio_out_channels", [], "audio_out_channels: Tuple should have at least 1 item"),
        ("audio_out_labels", ["one"], "audio_out_labels has 1 entries, audio_out_channels 2"),
        ("is_text_model", False, "is_text_model is False, neutone_parameters says otherwise"),
        ("is_tokens_model", "no", "is_tokens_model: Input should be a valid boolean"),
        ("model_bpm", 0, "model_bpm: Input should be greater than or equal to 1"),
        ("audio_in_channels", [1], r"audio_in_channels is \(1,\), neutone_like says another"),
    ],
)
def test_limits(key: str, value: object, message: str, content: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError, match=message):
        parse_metadata(json.dumps({**content, key: value}), "metadata.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("realtime", True),
        ("keeps_length", "yes"),
        ("overlap_window", "round"),
        ("overlap_hop_samples", -1),
        ("tokenizer_type", "Other"),
        ("test_vector", {}),
        ("audio_in_channels", [0]),
        ("parameters", [{"type": "text", "name": "a"}]),
    ],
)
def test_our_own_section(key: str, value: object, content: dict[str, Any]) -> None:
    content["neutone_like"][key] = value
    with pytest.raises(ArtifactError, match=rf"(?m)^neutone_like\.{key}"):
        parse_metadata(json.dumps(content), "metadata.json")


def test_published_schemas_are_two() -> None:
    live, other = json_schema(), json_schema(realtime=False)
    assert set(live["required"]) == REQUIRED | LIVE_ONLY
    assert set(other["required"]) > REQUIRED
    assert not LIVE_ONLY & set(other["properties"])
    assert "offline" in other["title"]


# ---------------------------------------------------------------- the test vector, from its description alone


def test_vector_by_a_reader_that_has_only_its_description(whole: WrittenArtifact) -> None:
    vector = json.loads(whole.metadata_path.read_text())["neutone_like"]["test_vector"]
    module = torch.jit.load(str(whole.model_path))
    module.set_daw_sample_rate_and_buffer_size(vector["sample_rate"], vector["block_size"])
    module.reset()
    inputs = [noise(vector["seed"] + k, count, vector["samples"]) for k, count in enumerate(vector["in_channels"])]
    knobs = torch.tensor(vector["parameters_0to1"]).unsqueeze(1).repeat(1, vector["samples"])
    outputs = module.forward(inputs, knobs, vector["text"], vector["tokens"])
    assert len(outputs) == len(vector["outputs"]) == 2
    for output, kept in zip(outputs, vector["outputs"], strict=True):
        values = output.numpy()
        packed = b"".join(struct.pack("<i", round(float(sample) * 32768)) for channel in values for sample in channel)
        assert values.shape[1] == kept["length"]
        assert hashlib.sha256(packed).hexdigest() == kept["digest"]
        np.testing.assert_allclose(values[:, kept["sample_indices"]], kept["samples"], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda vector: vector.update(seed=1), "does not play as it did when it was exported"),
        (lambda vector: vector["outputs"].pop(), r"expects outputs of shape \[\(2, 24000\)\], the module returned"),
        (lambda vector: vector["outputs"][0].update(length=30_000), r"expects outputs of shape \[\(2, 30000\)"),
        (lambda vector: vector.update(parameters_0to1=[0.9, 0.0]), "does not play as it did"),
        (lambda vector: vector.update(text=["another"]), "does not play as it did"),
    ],
)
def test_a_vector_that_does_not_fit_is_noticed(
    change: Callable[[dict[str, Any]], Any], message: str, whole: WrittenArtifact, tmp_path: Path
) -> None:
    path = with_metadata(whole.model_path, tmp_path / "x.nm", lambda m: change(m["neutone_like"]["test_vector"]))
    with pytest.raises(ArtifactError, match=message):
        load_artifact(path, verify_test_vector=True)


# ---------------------------------------------------------------- loading


def test_loaded_artifact(loaded: Artifact) -> None:
    assert isinstance(loaded.metadata, OfflineMetadata)
    assert loaded.is_realtime is False
    assert loaded.parameters == ALL_KINDS
    assert [p.name for p in loaded.numerical_parameters] == ["gain", "side"]
    assert [p.name for p in (*loaded.text_parameters, *loaded.tokens_parameters)] == ["prompt", "notes"]
    assert (loaded.audio_in_channels, loaded.audio_out_channels) == ((2,), (2, 1))
    assert (loaded.sample_rates, loaded.block_sizes) == ((44100,), ())
    assert loaded.module.realtime is False


@pytest.mark.parametrize("name", ["in_channels", "out_channels", "live_metadata"])
def test_what_live_models_have_is_refused_by_name(name: str, loaded: Artifact) -> None:
    with pytest.raises(ArtifactError, match="holds an offline model: it takes whole sounds.*render_file"):
        getattr(loaded, name)


def test_a_generator_loads(tmp_path: Path) -> None:
    written = write_artifact(Tones(), tmp_path, render_samples=False)
    artifact = load_artifact(written.model_path, verify_test_vector=True)
    assert artifact.audio_in_channels == ()
    assert artifact.module.get_tokenizer_type() == "JSON"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(is_one_shot_model=False), "metadata.json has is_one_shot_model = False, the module in it"),
        (lambda m: m.update(model_bpm=120), "metadata.json has model_bpm = 120, the module in it says None"),
        (lambda m: m.update(native_sample_rates=[48000]), "metadata.json has native_sample_rates"),
        (lambda m: m["neutone_like"].update(keeps_length=False), "metadata.json has keeps_length = False"),
        (lambda m: m["neutone_like"].update(tokenizer_type="JSON"), "metadata.json has tokenizer_type = 'JSON'"),
        (
            lambda m: m["neutone_like"]["parameters"][1].update(max_characters=99),
            "metadata.json has parameters = ",
        ),
    ],
)
def test_metadata_that_the_module_contradicts_are_refused(
    change: Callable[[dict[str, Any]], object], message: str, whole: WrittenArtifact, tmp_path: Path
) -> None:
    path = with_metadata(whole.model_path, tmp_path / "x.nm", change)
    assert read_metadata(path).model_name == "Whole", "the metadata alone are good"
    with pytest.raises(ArtifactError, match=message):
        load_artifact(path)


def test_a_module_of_the_other_kind_is_refused(
    whole: WrittenArtifact, tmp_path: Path, project_folder: Path, content: dict[str, Any]
) -> None:
    overdrive = project_folder / "exported" / "overdrive" / "model.nm"
    live = json.loads(read_metadata(overdrive).to_json())

    def become(other: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
        def change(metadata: dict[str, Any]) -> None:
            members = metadata["neutone_like"]["members_sha256"]
            metadata.clear()
            metadata.update(json.loads(json.dumps(other)))
            metadata["neutone_like"]["members_sha256"] = members

        return change

    with pytest.raises(ArtifactError, match="not that of a live .nm: it has no forward_bt, forward_offline"):
        load_artifact(with_metadata(whole.model_path, tmp_path / "a.nm", become(live)))
    with pytest.raises(ArtifactError, match="not that of an offline .nm: it has no forward_non_realtime"):
        load_artifact(with_metadata(overdrive, tmp_path / "b.nm", become(content)))


def test_a_changed_or_cut_file_is_refused(whole: WrittenArtifact, tmp_path: Path) -> None:
    data = whole.model_path.read_bytes()
    cut = tmp_path / "cut.nm"
    cut.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ArtifactError, match="its end is missing"):
        load_artifact(cut)
    changed = tmp_path / "changed.nm"
    with zipfile.ZipFile(whole.model_path) as old, zipfile.ZipFile(changed, "w") as new:
        for member in old.infolist():
            text = old.read(member)
            new.writestr(member.filename, text.replace(b"0.01", b"0.02") if member.filename.endswith(".py") else text)
    with pytest.raises(ArtifactError, match="was changed after export: members_sha256"):
        load_artifact(changed)


# ---------------------------------------------------------------- what a .nm can't hold


def refused(model: Any, folder: Path, match: str, **options: Any) -> None:
    with pytest.raises(ExportError, match=match):
        write_artifact(model, folder / "out", **options)
    assert not (folder / "out").exists()


def test_limits_are_named_all_at_once(tmp_path: Path) -> None:
    model = Whole()
    model.parameters = tuple(ContinuousParameter(f"knob {index}") for index in range(1025))
    refused(
        model,
        tmp_path,
        r"(?s)Whole does not fit into a \.nm:\nparameters: an artifact takes up to 1024, got 1025"
        r".*quality: a \.nm takes 'high' or 'fast', got 'soxr'",
        quality="soxr",
    )


class Shaped(Whole):
    """Returns what its attribute says."""

    def __init__(self, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.make = make

    def do_forward_pass(
        self, curr_block_idx: int, audio_in: Any, numerical_params: Any, text_params: Any, tokens_params: Any
    ) -> Any:
        return self.make(audio_in[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x, "got a float32 tensor.*return self.make.*Return a list, even of one output"),
        (lambda x: [x], r"Set audio_out_channels to 1 entries, or return 2 outputs"),
        (lambda x: [x, x[:1].double()], r"got \[a float32 tensor .*, a float64 tensor .*Convert with \.float\(\)"),
        (lambda x: [x.unsqueeze(0), x[:1]], "There is no batch dimension"),
        (lambda x: [x[:, 1:], x[:1, 1:]], "Return as many samples as came in, or set keeps_length = False"),
        (lambda x: [x, x], "Return every output channels first, as many channels and samples as declared"),
        (lambda x: [x, x / 0 + None], "do_forward_pass raised TypeError"),
    ],
)
def test_outputs_that_do_not_fit_are_named_with_the_line(
    make: Callable[[torch.Tensor], Any], message: str, tmp_path: Path
) -> None:
    refused(Shaped(make), tmp_path, f"(?s){message}")


def test_another_length_than_the_blocks(tmp_path: Path) -> None:
    class Short(Smoother):
        def do_forward_pass(
            self, curr_block_idx: int, audio_in: Any, numerical_params: Any, text_params: Any, tokens_params: Any
        ) -> Any:
            return [audio_in[0][:, curr_block_idx:]]

    refused(Short(), tmp_path, r"(?s)tensors of shape \[1, 512\], got \[a float32 tensor of shape \(1, 511\)\]")


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    model = Smoother()
    model.past += 1.0
    before = model.past.clone()
    write_artifact(model, tmp_path, render_samples=False)
    assert torch.equal(model.past, before)
    assert model.training
