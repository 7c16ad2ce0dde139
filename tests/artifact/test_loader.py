"""Artifacts that load, and files that pretend to be one."""

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neutone_like import ArtifactError, CategoricalParameter, ContinuousParameter
from neutone_like.artifact import Artifact, load_artifact, read_metadata, write_artifact
from neutone_like.artifact.format import archive
from support.artifact_models import Accumulator, Drive, Identity, Noise


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small artifact with parameters."""
    return write_artifact(Drive(), tmp_path_factory.mktemp("loader") / "drive", render_samples=False).directory


@pytest.fixture(scope="module")
def artifact(exported: Path) -> Artifact:
    return load_artifact(exported / "model.nm")


def rewrite(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy an archive, with each member changed, or left out for None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            content = change(member.filename, old.read(member))
            if content is not None:
                new.writestr(member.filename, content)
    return target


def with_metadata(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Copy an artifact, with its metadata changed in place."""

    def edit(name: str, content: bytes) -> bytes:
        if not name.endswith("/extra/metadata.json"):
            return content
        metadata = json.loads(content)
        change(metadata)
        return json.dumps(metadata).encode()

    return rewrite(source, target, edit)


def without_fingerprints(metadata: dict[str, Any]) -> None:
    """As an artifact of an earlier version, which no check but those of zip and PyTorch protects."""
    del metadata["neutone_like"]["members_sha256"]


def both_refuse(path: Path, match: str) -> None:
    for read in (read_metadata, load_artifact):
        with pytest.raises(ArtifactError, match=match) as caught:
            read(path)
        assert str(path) in str(caught.value), "a message says which file"


# ---------------------------------------------------------------- good ones


def test_what_was_declared_comes_back(artifact: Artifact, exported: Path) -> None:
    assert artifact.parameters == Drive().declaration().parameters
    assert isinstance(artifact.parameters[0], ContinuousParameter)
    assert isinstance(artifact.parameters[1], CategoricalParameter)
    assert (artifact.sample_rates, artifact.block_sizes) == ((44100,), (128,))
    assert (artifact.in_channels, artifact.out_channels) == (2, 2)
    assert artifact.path == exported / "model.nm"
    assert artifact.metadata == read_metadata(exported)
    assert repr(artifact) == f"Artifact('Drive' 1.2.0, '{exported / 'model.nm'}')"


def test_folder_is_accepted(exported: Path) -> None:
    assert load_artifact(exported).path == exported / "model.nm"
    assert load_artifact(str(exported)).metadata.model_name == "Drive"


def test_module_plays(artifact: Artifact) -> None:
    module = artifact.fresh_module()
    module.set_daw_sample_rate_and_buffer_size(44100, 128)
    x = torch.rand(2, 640) - 0.5
    params = torch.tensor([0.5, 1.0]).unsqueeze(1).expand(2, 640)  # 18 dB, hard
    expected = torch.nn.functional.pad(torch.clamp(x * 10 ** (18.0 / 20.0), -1.0, 1.0), (5, 0))[:, :640]
    # The model declares a delay of 5 samples that it does not have, and offline rendering takes it off.
    shifted = module.forward_offline(x, params.contiguous())
    torch.testing.assert_close(shifted[:, :-5], torch.clamp(x * 10 ** (18.0 / 20.0), -1.0, 1.0)[:, 5:])
    assert expected.shape == shifted.shape


def test_fresh_modules_share_no_state(tmp_path: Path) -> None:
    artifact = load_artifact(write_artifact(Accumulator(), tmp_path / "x", render_samples=False).directory)
    first, second = artifact.module, artifact.fresh_module()
    first.forward(torch.ones(2, 512))
    torch.testing.assert_close(second.forward(torch.ones(2, 3)), torch.tensor([[1.0, 2.0, 3.0]]).expand(2, 3))


def test_metadata_is_read_without_torchscript(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("TorchScript was loaded")

    monkeypatch.setattr(torch.jit, "load", refuse)
    assert read_metadata(exported).model_name == "Drive"


def test_unknown_keys_are_kept(exported: Path, tmp_path: Path) -> None:
    # Hosts add keys of their own, such as model_id and file_size.
    path = with_metadata(exported / "model.nm", tmp_path / "a.nm", lambda m: m.update(model_id="x", file_size=3))
    assert json.loads(read_metadata(path).to_json())["model_id"] == "x"


def test_artifact_of_another_maker(exported: Path, tmp_path: Path) -> None:
    def foreign(metadata: dict[str, Any]) -> None:
        del metadata["neutone_like"]
        knob = {"name": "gain", "description": "", "used": True, "type": "continuous"}
        metadata["neutone_parameters"] = {
            "p1": {**knob, "default_value": 5.0, "min_value": 0.0, "max_value": 20.0},
            "p2": {
                **knob,
                "name": "mode",
                "type": "categorical",
                "default_value": 1,
                "n_values": 2,
                "labels": ["a", "b"],
            },
            "p3": {**knob, "name": "plain", "default_value": 0.25},
            "p4": {**knob, "name": "", "used": False, "default_value": 0.0},
        }
        metadata.update(citation="c" * 300, date_created=1.5, tags=["longer than fifteen characters"])

    artifact = load_artifact(with_metadata(exported / "model.nm", tmp_path / "sdk.nm", foreign))
    assert artifact.metadata.neutone_like is None
    assert artifact.parameters == (
        ContinuousParameter("gain", default=5.0, minimum=0.0, maximum=20.0),
        CategoricalParameter("mode", labels=("a", "b"), default=1),
        ContinuousParameter("plain", default=0.25),
    )
    assert (artifact.in_channels, artifact.out_channels) == (2, 2)
    with pytest.raises(ArtifactError, match="not made by neutone_like and carries no test vector"):
        artifact.verify_test_vector()


def test_parameter_of_another_maker_that_a_live_model_cannot_have(exported: Path, tmp_path: Path) -> None:
    def foreign(metadata: dict[str, Any]) -> None:
        del metadata["neutone_like"]
        metadata["neutone_parameters"]["p1"].update(type="text", default_value="hello")

    artifact = load_artifact(with_metadata(exported / "model.nm", tmp_path / "sdk.nm", foreign))
    with pytest.raises(ArtifactError, match=r"parameter 'drive' is of type 'text' with the default 'hello'"):
        _ = artifact.parameters


# ---------------------------------------------------------------- the test vector


@pytest.mark.parametrize("model", [Identity, Drive, Accumulator, Noise])
def test_vector_of_a_good_artifact(model: type, tmp_path: Path) -> None:
    written = write_artifact(model(), tmp_path / "x", render_samples=False)
    assert load_artifact(written.directory, verify_test_vector=True).verify_test_vector() == 0.0


def test_vector_notices_other_weights(exported: Path, tmp_path: Path) -> None:
    def louder(name: str, content: bytes) -> bytes:
        eye = torch.eye(2).numpy().tobytes()
        return (1.01 * torch.eye(2)).numpy().tobytes() if content == eye else content

    old = with_metadata(exported / "model.nm", tmp_path / "old.nm", without_fingerprints)
    path = rewrite(old, tmp_path / "louder.nm", louder)
    load_artifact(path)
    with pytest.raises(ArtifactError, match=r"does not play as it did.*differs by 0\.\d+, allowed is 0\.0001"):
        load_artifact(path, verify_test_vector=True)


def test_vector_allows_what_another_machine_rounds_differently(exported: Path, tmp_path: Path) -> None:
    def other_digest(metadata: dict[str, Any]) -> None:
        metadata["neutone_like"]["test_vector"]["digest"] = "0" * 64

    artifact = load_artifact(with_metadata(exported / "model.nm", tmp_path / "a.nm", other_digest))
    assert 0.0 < artifact.verify_test_vector() < 1e-6  # the samples are kept with seven digits


# ---------------------------------------------------------------- bad ones


def test_missing(tmp_path: Path) -> None:
    both_refuse(tmp_path / "nowhere.nm", r"nowhere\.nm does not exist\. Give a \.nm file, or the folder")
    both_refuse(tmp_path, r"is a folder without model\.nm")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.nm").touch()
    both_refuse(tmp_path / "a.nm", r"a\.nm is empty")


def test_not_a_zip(tmp_path: Path) -> None:
    (tmp_path / "a.nm").write_bytes(b"RIFF" + bytes(1000))
    both_refuse(tmp_path / "a.nm", r"is not a \.nm artifact: expected a zip archive.*starts with b'RIFF'")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.999])
def test_truncated(share: float, exported: Path, tmp_path: Path) -> None:
    content = (exported / "model.nm").read_bytes()
    (tmp_path / "a.nm").write_bytes(content[: int(len(content) * share)])
    both_refuse(tmp_path / "a.nm", r"\d+ bytes\) is damaged: it starts as a zip file.*stopped early")


def test_renamed_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.nm", "w") as file:
        file.writestr("letter.txt", "Dear host")
    both_refuse(tmp_path / "a.nm", r"is a zip file of something else without metadata\.json, so it is no \.nm")


def test_zip_without_members(tmp_path: Path) -> None:
    zipfile.ZipFile(tmp_path / "a.nm", "w").close()
    both_refuse(tmp_path / "a.nm", "is not a .nm artifact|nothing in it")


def test_torchscript_of_something_else(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Tanh()), str(tmp_path / "a.nm"))
    both_refuse(tmp_path / "a.nm", r"is a TorchScript file without metadata\.json")


def test_torchscript_module_that_is_no_wrapper(exported: Path, tmp_path: Path) -> None:
    metadata = json.loads((exported / "metadata.json").read_text())
    without_fingerprints(metadata)
    text = json.dumps(metadata)
    torch.jit.save(torch.jit.script(torch.nn.Tanh()), str(tmp_path / "a.nm"), _extra_files={"metadata.json": text})
    with pytest.raises(ArtifactError, match=r"not that of a live \.nm: it has no forward_bt, forward_offline"):
        load_artifact(tmp_path / "a.nm")


def test_metadata_without_torchscript(exported: Path, tmp_path: Path) -> None:
    path = rewrite(exported / "model.nm", tmp_path / "a.nm", lambda name, c: c if "/extra/" in name else None)
    both_refuse(path, r"has metadata\.json but no TorchScript module")


def test_damaged_code(exported: Path, tmp_path: Path) -> None:
    old = with_metadata(exported / "model.nm", tmp_path / "old.nm", without_fingerprints)
    path = rewrite(old, tmp_path / "a.nm", lambda name, c: b"def (" if "wrapper" in name else c)
    assert read_metadata(path).model_name == "Drive"
    with pytest.raises(ArtifactError, match=r"(?s)can't be loaded as TorchScript: .*made with PyTorch .* is damaged"):
        load_artifact(path)


def test_other_major_version_is_mentioned(exported: Path, tmp_path: Path) -> None:
    broken = rewrite(exported / "model.nm", tmp_path / "a.nm", lambda n, c: b"def (" if "wrapper" in n else c)

    def older(metadata: dict[str, Any]) -> None:
        without_fingerprints(metadata)
        metadata["pytorch_version"] = "9.1.0"

    path = with_metadata(broken, tmp_path / "b.nm", older)
    with pytest.raises(ArtifactError, match=r"made with PyTorch 9\.1\.0, this is 2\..*install version 9 of PyTorch"):
        load_artifact(path)


def test_newer_schema(exported: Path, tmp_path: Path) -> None:
    def newer(metadata: dict[str, Any]) -> None:
        metadata["neutone_like"].update(schema_version=7, neutone_like_version="9.9.9", parameters="changed")
        metadata["something"] = "new"

    path = with_metadata(exported / "model.nm", tmp_path / "a.nm", newer)
    both_refuse(path, r"schema version 7, by neutone_like 9\.9\.9.*up to schema version 1: install a newer one")


def test_wrong_schema_names_every_field(exported: Path, tmp_path: Path) -> None:
    def wrong(metadata: dict[str, Any]) -> None:
        del metadata["model_name"]
        metadata["wet_default_value"] = 3
        metadata["neutone_like"]["quality"] = "superb"

    path = with_metadata(exported / "model.nm", tmp_path / "a.nm", wrong)
    both_refuse(
        path, r"(?s)does not fit schema version 1:.*model_name: .*wet_default_value: .*got 3\n.*neutone_like.qual"
    )


def test_contradicting_parameter(exported: Path, tmp_path: Path) -> None:
    path = with_metadata(
        exported / "model.nm", tmp_path / "a.nm", lambda m: m["neutone_like"]["parameters"][0].update(default=99.0)
    )
    both_refuse(path, r"(?s)A parameter in metadata\.json in .*a\.nm can't be: .*default must lie in 0.0..36")


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ud800x", '{"neutone_like": 3}', "[" * 100_000])
def test_metadata_that_is_no_object(text: str, exported: Path, tmp_path: Path) -> None:
    content = text.encode("utf-8", "surrogatepass")
    path = rewrite(exported / "model.nm", tmp_path / "a.nm", lambda n, c: content if "/extra/" in n else c)
    both_refuse(path, r"is not JSON|must hold a JSON object|does not fit schema")


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "model/../../evil", "model\\evil", "C:/evil"])
def test_names_that_lead_out(name: str, exported: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(exported / "model.nm", tmp_path / "a.nm"))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name.replace("\\", "%"), "x")
    content = path.read_bytes()
    path.write_bytes(content.replace(name.replace("\\", "%").encode(), name.encode()))
    both_refuse(path, r"a member whose name leads out of the archive.*Do not use this file")


def test_two_members_of_one_name(exported: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(exported / "model.nm", tmp_path / "a.nm"))
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("model/version", "3\n")
    both_refuse(path, r"has the member 'model/version' twice")


def test_zip_bomb(exported: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(exported / "model.nm", tmp_path / "a.nm"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model/code/bomb.py", bytes(32 << 20))
    both_refuse(path, r"member 'model/code/bomb\.py' unpacks from \d+ to 33554432 bytes, allowed is 100 times")


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAXIMUM_METADATA_BYTES", 1000, r"metadata\.json has \d+ bytes, allowed are 1000\. .*fewer or shorter sounds"),
        ("MAXIMUM_MEMBERS", 5, r"has \d+ members, allowed are 5"),
        ("MAXIMUM_MEMBER_BYTES", 100, r"the member '.*' has \d+ bytes, allowed are 100"),
        ("MAXIMUM_TOTAL_BYTES", 1000, r"unpacks to \d+ bytes, allowed are 1000"),
    ],
)
def test_limits(limit: str, value: int, message: str, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, limit, value)
    both_refuse(exported / "model.nm", message)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1), byte=st.integers(1, 255), length=st.integers(1, 8))
def test_any_damage_is_noticed(position: float, byte: int, length: int, exported: Path, tmp_path: Path) -> None:
    content = bytearray((exported / "model.nm").read_bytes())
    start = int(position * (len(content) - length))
    for index in range(start, start + length):
        content[index] ^= byte
    (tmp_path / "a.nm").write_bytes(content)
    with zipfile.ZipFile(exported / "model.nm") as file:
        inside = [(m.header_offset + 30 + len(m.filename), m.compress_size, m.filename) for m in file.infolist()]
    hit = [name for offset, size, name in inside if offset + 68 <= start < offset + size]
    if hit:  # what a member holds; elsewhere, a change may also be of no consequence
        with pytest.raises(ArtifactError, match=r"a\.nm.* is damaged: "):
            load_artifact(tmp_path / "a.nm")
        return
    with contextlib.suppress(ArtifactError):
        load_artifact(tmp_path / "a.nm")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_are_an_artifact_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.nm").write_bytes(b"PK\x03\x04" + content)
    both_refuse(tmp_path / "a.nm", "a.nm")


def test_buffer_is_not_needed(exported: Path) -> None:
    # What hosts without a file system do with the same bytes works too.
    module = torch.jit.load(io.BytesIO((exported / "model.nm").read_bytes()))
    assert module.get_model_name() == "Drive"
