"""Artifacts of models that have more than the format has room for: written, marked, read, shown as what they are."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from neutone_like import ArtifactError, ExportError, ModelMetadata, load_artifact
from neutone_like.artifact import WrittenArtifact, write_artifact
from neutone_like.artifact.format.schema import parse_metadata
from support.cli_runner import GOOD, runner
from support.wide_models import Wide, WideOffline


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> WrittenArtifact:
    model = Wide(1, 6, knobs=18, sample_rates=(44100,))
    return write_artifact(model, tmp_path_factory.mktemp("wide") / "artifact", mp3_samples=True)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> WrittenArtifact:
    return write_artifact(WideOffline(), tmp_path_factory.mktemp("wide") / "offline")


def content(written: WrittenArtifact) -> dict[str, Any]:
    return json.loads(written.metadata_path.read_text(encoding="utf-8"))


def test_it_is_written_marked_and_plays(wide: WrittenArtifact) -> None:
    artifact = load_artifact(wide.model_path, verify_test_vector=True)
    assert (artifact.in_channels, artifact.out_channels, len(artifact.parameters)) == (1, 6, 18)
    ours = artifact.live_metadata.neutone_like
    assert ours is not None
    assert ours.hosts == "neutone_like"
    assert len(ours.test_vector.parameters_0to1) == 18
    assert artifact.metadata.beyond_format() == (
        "18 knobs, where the format has room for 4",
        "6 channels out, where the format knows mono and stereo",
    )
    module = artifact.fresh_module()
    assert module.get_default_param_values().shape == (18, 1)
    assert json.loads(module.get_metadata_json())["neutone_like"]["hosts"] == "neutone_like"
    module.set_daw_sample_rate_and_buffer_size(44100, 64)
    torch.testing.assert_close(module.forward(torch.ones(1, 64)), torch.full((6, 64), 2.8))


def test_what_others_read_is_what_they_can_have(wide: WrittenArtifact) -> None:
    """The keys that the format requires: four knobs as they are, and channels that are not called stereo."""
    told = content(wide)
    assert list(told["neutone_parameters"]) == ["p1", "p2", "p3", "p4"]
    assert [slot["name"] for slot in told["neutone_parameters"].values()] == [f"knob {n}" for n in (1, 2, 3, 4)]
    assert told["neutone_parameters"]["p2"]["default_value"] == 0.5
    assert (told["model_type"], told["is_input_mono"], told["is_output_mono"]) == ("mono-6ch", True, False)
    assert len(told["sample_sound_files"]) == 2


def test_sounds_beside_it_have_all_channels(wide: WrittenArtifact) -> None:
    channels = {path.name: soundfile.info(path).channels for path in wide.sample_paths}
    assert channels["drum_loop_in.wav"] == 1
    assert channels["drum_loop_out.wav"] == 1, "six alike are written once"
    written = write_artifact(Wide(3, 6), wide.directory.parent / "three")
    assert {path.name: soundfile.info(path).channels for path in written.sample_paths}["drum_loop_out.wav"] == 6


def test_a_mix_that_can_not_be(tmp_path: Path) -> None:
    model = Wide(2, 6)
    model.metadata = ModelMetadata(name="Wide", authors=("Ada",), version="1.0.0", dry_default=0.5)
    with pytest.raises(
        ExportError, match=r"dry_default must be 0 for a model with 2 channels in and 6 out, .* got 0\.5"
    ):
        write_artifact(model, tmp_path / "wide")
    assert list(tmp_path.iterdir()) == []


def test_within_the_format_there_is_no_mark(tmp_path: Path) -> None:
    written = write_artifact(Wide(1, 2, knobs=4), tmp_path / "within", render_samples=False)
    assert "hosts" not in content(written)["neutone_like"]
    assert written.metadata.beyond_format() == ()
    assert content(written)["model_type"] == "mono-stereo"


def test_an_offline_model(offline: WrittenArtifact) -> None:
    artifact = load_artifact(offline.model_path, verify_test_vector=True)
    told = content(offline)
    assert (told["audio_in_channels"], told["audio_out_channels"]) == ([3], [4, 1])
    assert [slot["name"] for slot in told["neutone_parameters"].values()] == [
        "knob 1", "knob 2", "knob 3", "knob 4", "one", "three",
    ]  # fmt: skip
    assert [parameter.name for parameter in artifact.parameters] == [
        "knob 1", "knob 2", "knob 3", "knob 4", "sign", "one", "two", "three", "four",
    ]  # fmt: skip
    assert len(artifact.metadata.beyond_format()) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"hosts": None},
            "neutone_like.hosts is None, the model has 18 knobs, where the format has room for 4; 6 ",
        ),
        ({"hosts": "anywhere"}, "neutone_like.hosts: Input should be 'neutone_like'"),
        ({"out_channels": 5}, "model_type is 'mono-6ch', is_input_mono and is_output_mono say 'mono-5ch'"),
        ({"out_channels": 1}, "model_type is 'mono-6ch', neutone_like says 1 to 1"),
    ],
)
def test_a_mark_that_is_wrong(change: dict[str, Any], message: str, wide: WrittenArtifact) -> None:
    told = content(wide)
    told["neutone_like"] = {**told["neutone_like"], **change}
    with pytest.raises(ArtifactError, match=message):
        parse_metadata(json.dumps(told), "metadata.json")


def test_a_mark_without_a_reason(tmp_path: Path) -> None:
    told = content(write_artifact(Wide(2, 2, knobs=4), tmp_path / "within", render_samples=False))
    told["neutone_like"]["hosts"] = "neutone_like"
    with pytest.raises(ArtifactError, match="is 'neutone_like', the model has no more than the format has room for"):
        parse_metadata(json.dumps(told), "metadata.json")


def test_another_makers_file_keeps_to_the_format(wide: WrittenArtifact, offline: WrittenArtifact) -> None:
    """What has no section of ours is held to mono, stereo and the four words for them."""
    told = content(wide)
    del told["neutone_like"]
    with pytest.raises(ArtifactError, match="model_type is 'mono-6ch', is_input_mono and is_output_mono say 'mono-st"):
        parse_metadata(json.dumps(told), "metadata.json")
    told = content(offline)
    del told["neutone_like"]
    with pytest.raises(ArtifactError, match="audio_in_channels.0: Input should be 1 or 2"):
        parse_metadata(json.dumps(told), "metadata.json")


def test_inspect_says_which_hosts(
    wide: WrittenArtifact, offline: WrittenArtifact, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner(capsys)
    code, out, _ = run("inspect", wide.directory)
    assert code == GOOD
    shown = " ".join(out.replace("│", " ").split())
    assert "hosts neutone_like's own: 18 knobs, where the format has room for 4; 6 channels out" in shown
    assert "the Neutone SDK's loader" in shown
    assert "mono to 6 channels" in shown
    assert all(f"knob {number} " in shown for number in range(1, 19))
    _, out, _ = run("inspect", offline.directory)
    assert "2 texts, where the format has room for 1" in " ".join(out.replace("│", " ").split())
