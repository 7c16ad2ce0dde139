"""The loader against damaged, hostile and absurd files; nothing is run that was not asked for, and no network."""

import base64
import json
import os
import pickle
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from neutone_like import ArtifactError
from neutone_like.artifact import Artifact, load_artifact, read_metadata
from neutone_like.cli import app
from support import attack_worker, attacks
from support.attack_worker import Verdict

OVERDRIVE = attacks.EXPORTED / "overdrive" / "model.nm"
OVERDRIVE_MEMBERS = attacks.read_originals()["overdrive"].members
ATTACKS = 400  # sixteen rounds of every kind; `python -m support.attack_worker --first 2000` puts as many as one likes
QUICK_ATTACKS = 225  # nine rounds of every kind


@pytest.fixture(scope="module")
def quick() -> list[Verdict]:
    return attack_worker.run(range(QUICK_ATTACKS), workers=1)  # each loads torch, and other tests have the other core


def show(verdicts: list[Verdict]) -> str:
    return "\n".join(str(verdict) for verdict in verdicts if not verdict.good)


# ---------------------------------------------------------------- seeded attacks


def test_every_attack_is_refused_or_harmless(quick: list[Verdict]) -> None:
    assert [verdict.seed for verdict in quick] == list(range(QUICK_ATTACKS))
    assert not show(quick), show(quick)


@pytest.mark.slow
def test_hundreds_of_attacks(quick: list[Verdict]) -> None:
    verdicts = [*quick, *attack_worker.run(range(QUICK_ATTACKS, ATTACKS), workers=1)]
    assert len(verdicts) == ATTACKS
    assert not show(verdicts), show(verdicts)
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert outcomes["played"] > 10, "some must be harmless, or the comparison of sounds proves nothing"
    assert outcomes["refused"] > ATTACKS // 2


def test_attacks_are_of_every_kind_and_follow_from_the_seed(quick: list[Verdict]) -> None:
    assert {verdict.attack for verdict in quick} == {attack.__name__ for attack in attacks.ATTACKS}
    originals = attacks.read_originals()
    for seed in range(0, QUICK_ATTACKS, 17):
        assert attacks.make_attack(seed, originals) == attacks.make_attack(seed, originals)


def test_refusals_name_the_cause(quick: list[Verdict]) -> None:
    """Not one sentence for everything: what is wrong differs, and so does what is said."""
    causes = (
        "is damaged",
        "is not JSON",
        "does not fit schema",
        "after export",
        "leads out of the archive",
        "times. Do not use this file",
        "twice",
        "schema version",
    )
    said = Counter(cause for cause in causes for verdict in quick if cause in verdict.message)
    assert set(said) == set(causes), said


@pytest.mark.parametrize(
    ("loader", "outcome"),
    [
        ("unchecked", "silent change"),
        pytest.param("raw", "raised KeyError", marks=pytest.mark.slow),
        pytest.param("crashing", "crash", marks=pytest.mark.slow),
        pytest.param("hanging", "hang", marks=pytest.mark.slow),
        pytest.param("greedy", "too much memory", marks=pytest.mark.slow),
    ],
)
def test_a_loader_that_is_wrong_is_caught(loader: str, outcome: str, quick: list[Verdict]) -> None:
    """Positive controls: each way to fail is seen, and named with its seed."""
    if loader == "unchecked":
        seeds = [verdict.seed for verdict in quick if verdict.attack in ("flip_bits", "change_member")][:8]
    else:
        seeds = [verdict.seed for verdict in quick if verdict.outcome == "played"][:2]
    verdicts = attack_worker.run(seeds, loader=loader, seconds_allowed=4.0, workers=1)
    caught = [verdict for verdict in verdicts if verdict.outcome == outcome]
    assert caught, show(verdicts)
    assert f"repeat: cd tests && python -m support.attack_worker {caught[0].seed}" in str(caught[0])
    assert [verdict.seed for verdict in verdicts] == seeds, "the others are still judged"


@pytest.mark.slow
def test_one_line_repeats_an_attack(tmp_path: Path, subprocess_environment: dict[str, Any]) -> None:
    file = tmp_path / "kept.nm"
    command = [sys.executable, "-m", "support.attack_worker", "3", "--keep", str(file)]
    result = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    assert "seed 3: truncate on " in result.stdout
    assert file.read_bytes() == attacks.make_attack(3, attacks.read_originals()).content


# ---------------------------------------------------------------- what the attacks have taught


def test_members_that_differ_only_in_case(tmp_path: Path) -> None:
    """PyTorch finds members whatever their case, and would play the first of these two."""
    members = attacks.read_originals()["lstm_amp"].members
    weights = max((name for name in members if "/data/" in name), key=lambda name: len(members[name]))
    twin = (weights.replace("data", "DATA"), bytes(len(members[weights])))
    (tmp_path / "a.nm").write_bytes(attacks.pack([twin, *members.items()]))
    with pytest.raises(ArtifactError, match=r"'model/data/\d+' and 'model/DATA/\d+', which PyTorch takes for the same"):
        load_artifact(tmp_path / "a.nm")


@pytest.mark.parametrize("twin_first", [False, True])
def test_members_in_two_folders(twin_first: bool, tmp_path: Path) -> None:
    """PyTorch reads the first member's folder; the twin in another made fingerprints fit."""
    members = attacks.read_originals()["lstm_amp"].members
    weights = max((name for name in members if "/data/" in name), key=lambda name: len(members[name]))
    twin = (weights.replace("model/", "evil/", 1), members[weights])
    changed = list({**members, weights: bytes(len(members[weights]))}.items())
    (tmp_path / "a.nm").write_bytes(attacks.pack([twin, *changed] if twin_first else [*changed, twin]))
    outside = rf"has the member '{twin[0]}' outside its folder 'model', where PyTorch does not look"
    refused(tmp_path / "a.nm", r"something else without metadata\.json" if twin_first else outside)


def test_members_of_two_names(tmp_path: Path) -> None:
    """Python cuts names at a NUL, PyTorch does not."""
    members = [(name.replace("data/0", "data/0@x"), content) for name, content in OVERDRIVE_MEMBERS.items()]
    (tmp_path / "a.nm").write_bytes(attacks.pack(members).replace(b"data/0@x", b"data/0\0x"))
    refused(tmp_path / "a.nm", r"has a member of two names: 'model/data/0'")


@pytest.mark.parametrize(
    ("megabytes", "packs_to_little", "message"),
    [
        (
            1.1,
            True,
            r"metadata\.json has 11\d+ bytes, allowed are 1048576\. .* fewer or shorter sounds",
        ),
        (60.0, True, r"metadata\.json has \d+ bytes, allowed are \d+\."),
        (9.0, False, r"metadata\.json has \d+ bytes, allowed are 8388608\."),
        (0.9, True, ""),
        (7.5, False, ""),
    ],
)
def test_long_metadata(megabytes: float, packs_to_little: bool, message: str, tmp_path: Path) -> None:
    length = int(megabytes * (1 << 20))
    pieces = (f"{'A' * 900}{os.urandom(5).hex()}" for _ in range(length // 910))
    text = "".join(pieces) if packs_to_little else base64.b64encode(os.urandom(length * 3 // 4)).decode()
    metadata = {
        **json.loads(OVERDRIVE_MEMBERS[attacks.METADATA]),
        "sample_sound_files": [{"in": text, "out": text[:9]}],
    }
    members = {**OVERDRIVE_MEMBERS, attacks.METADATA: json.dumps(metadata).encode()}
    (tmp_path / "a.nm").write_bytes(attacks.pack(list(members.items()), zipfile.ZIP_DEFLATED))
    if message:
        refused(tmp_path / "a.nm", message)
    else:
        assert read_metadata(tmp_path / "a.nm").sample_sound_files[0].in_ == text


@pytest.mark.parametrize("foreign", [False, True])
def test_inspect_shows_control_characters_as_escapes(foreign: bool, tmp_path: Path) -> None:
    hostile = "\x1b[2J\x07\r\x7f\x9b\u202e\u2066\x00"
    metadata = json.loads(OVERDRIVE_MEMBERS[attacks.METADATA])
    for key in ("model_name", "model_version", "citation", "sdk_version", "pytorch_version", "technical_description"):
        metadata[key] = hostile
    metadata["model_authors"], metadata["tags"], metadata["technical_links"] = [hostile], [hostile], {hostile: hostile}
    slot = metadata["neutone_parameters"]["p1"]
    slot["name"] = slot["description"] = hostile
    if foreign:
        del metadata["neutone_like"]
    else:
        ours = metadata["neutone_like"]
        ours["neutone_like_version"] = ours["torch_version"] = hostile
        ours["parameters"][0].update(description=hostile, unit=hostile)
    path = tmp_path / "a.nm"
    path.write_bytes(attacks.pack(list({**OVERDRIVE_MEMBERS, attacks.METADATA: json.dumps(metadata).encode()}.items())))
    for options in ([], ["--json"]):
        result = CliRunner().invoke(app, ["inspect", str(path), *options], env={"COLUMNS": "400"})
        assert result.exit_code == 0, result.output
        assert "x1b" in result.output or "u001b" in result.output
        assert not [c for c in result.output if c not in "\n" and unicodedata.category(c) in ("Cc", "Cf")]


def without_fingerprints(members: dict[str, bytes]) -> dict[str, bytes]:
    metadata = json.loads(members[attacks.METADATA])
    del metadata["neutone_like"]["members_sha256"]
    return {**members, attacks.METADATA: json.dumps(metadata).encode()}


def test_tensors_without_enough_data(tmp_path: Path) -> None:
    """PyTorch reads what lies behind them in memory."""
    members = without_fingerprints(attacks.read_originals()["lstm_amp"].members)
    weights = max((name for name in members if "/data/" in name), key=lambda name: len(members[name]))
    (tmp_path / "a.nm").write_bytes(attacks.pack(list({**members, weights: members[weights][:16]}.items())))
    with pytest.raises(ArtifactError, match=r"the tensor data/'\d+' has 16 bytes of data, its description says 9216"):
        load_artifact(tmp_path / "a.nm")


def test_a_file_from_before_fingerprints_loads(tmp_path: Path) -> None:
    members = without_fingerprints(attacks.read_originals()["overdrive"].members)
    (tmp_path / "a.nm").write_bytes(attacks.pack(list(members.items())))
    assert load_artifact(tmp_path / "a.nm", verify_test_vector=True).metadata.model_name == "Overdrive"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model/version": b"5\n"}, "'version' was changed"),
        ({"model/byteorder": None}, "'byteorder' is missing"),
        ({"model/x": b"y"}, "'x' was added"),
    ],
)
def test_fingerprints_name_the_part(changes: dict[str, bytes | None], what: str, tmp_path: Path) -> None:
    members = {**attacks.read_originals()["overdrive"].members, **changes}
    content = attacks.pack([(name, content) for name, content in members.items() if content is not None])
    (tmp_path / "a.nm").write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"its part {what} after export: members_sha256 .* says so\. Copy the"):
        load_artifact(tmp_path / "a.nm")


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("native_sample_rates",), [44100]),
        (("neutone_parameters", "p1", "max_value"), 48.0),
        (("neutone_like", "parameters", 0, "maximum"), 48.0),
        (("wet_default_value",), 0.5),
    ],
)
def test_metadata_that_is_not_of_this_module(keys: tuple[Any, ...], value: Any, tmp_path: Path) -> None:
    members = attacks.read_originals()["overdrive"].members
    metadata = json.loads(members[attacks.METADATA])
    box = metadata
    for key in keys[:-1]:
        box = box[key]
    box[keys[-1]] = value
    changed = {**members, attacks.METADATA: json.dumps(metadata).encode()}
    (tmp_path / "a.nm").write_bytes(attacks.pack(list(changed.items())))
    name = keys[1] if keys[0] == "neutone_like" else keys[0]
    with pytest.raises(ArtifactError, match=rf"metadata\.json has {name} = .*, the module in it says .*One of them"):
        load_artifact(tmp_path / "a.nm")


# ---------------------------------------------------------------- inspect: anything, and nothing is run


class Bomb:
    """A pickle that leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.mark),))


def test_inspect_runs_and_unpickles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "mark"
    members = dict(attacks.read_originals()["overdrive"].members)
    for name in members:
        if name.endswith(".pkl"):
            members[name] = pickle.dumps(Bomb(mark), protocol=2)
        elif name.endswith(".py"):
            members[name] = b"import os\nos._exit(3)\n"
    bomb = tmp_path / "bomb.nm"
    bomb.write_bytes(attacks.pack(list(members.items())))
    pickle.loads(members["model/data.pkl"])
    assert mark.is_dir(), "the bomb works"
    mark.rmdir()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    with monkeypatch.context() as patch:
        for owner, name in ((torch.jit, "load"), (torch, "load"), (pickle, "loads"), (pickle, "Unpickler")):
            patch.setattr(owner, name, refuse)
        assert read_metadata(bomb).model_name == "Overdrive"
    assert not mark.exists()
    with pytest.raises(ArtifactError, match=r"its part 'code/.*' was changed after export"):
        load_artifact(bomb)
    bomb.write_bytes(attacks.pack(list(without_fingerprints(members).items())))
    with pytest.raises(ArtifactError, match="can't be loaded as TorchScript|is damaged"):
        load_artifact(bomb)
    assert not mark.exists(), "loading does not unpickle as Python does either"


def refused(path: Path | str, match: str) -> None:
    for read in (read_metadata, load_artifact):
        with pytest.raises(ArtifactError, match=match):
            read(path)


def test_compression_that_torchscript_does_not_know(tmp_path: Path) -> None:
    """LZMA may ask for a dictionary of gigabytes."""
    members = list(attacks.read_originals()["overdrive"].members.items())
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        (tmp_path / "a.nm").write_bytes(attacks.pack(members, method))
        refused(tmp_path / "a.nm", rf"packed in a way that TorchScript does not know \(method {method}\)")


# ---------------------------------------------------------------- no network

WITHOUT_NETWORK = """
import socket, sys
sys.path[:0] = [sys.argv[2], sys.argv[3]]

def refuse(event, arguments):
    # A computer's own name is asked for without a network; everything else about sockets is not.
    if event.startswith("socket.") and event != "socket.gethostname":
        raise RuntimeError(f"network: {event} {arguments}")

sys.addaudithook(refuse)
for use in (lambda: socket.create_connection(("127.0.0.1", 9)), lambda: socket.getaddrinfo("localhost", 80)):
    try:
        use()
    except RuntimeError:
        pass
    else:
        raise SystemExit("the hook does not work")

import overdrive
from neutone_like import export_model, load_artifact
from neutone_like.validate import effort

effort.FULL_SECONDS = 0.1  # every check, and of each the most telling cases
result = export_model(overdrive.build_model(), sys.argv[1])
assert result.validation.checks
load_artifact(result.directory, verify_test_vector=True)
print("done")
"""


@pytest.mark.slow
def test_export_load_and_validation_need_no_network(
    tmp_path: Path, project_folder: Path, subprocess_environment: dict[str, Any]
) -> None:
    # Processes that validation starts read this file first, and refuse the network too.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event.startswith('socket.') and event != 'socket.gethostname':\n"
        "        raise RuntimeError(f'network: {event}')\n"
        "sys.addaudithook(refuse)\n"
    )
    path = os.pathsep.join([str(tmp_path), subprocess_environment["PYTHONPATH"]])
    arguments = [str(tmp_path / "out"), str(project_folder), str(project_folder / "examples")]
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, *arguments],
        env={**subprocess_environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("done\n")


# ---------------------------------------------------------------- forged: the fingerprints fit too


@pytest.mark.parametrize("number", [float("nan"), 0.0, 3.0])
def test_forged_weights_are_heard(number: float, tmp_path: Path) -> None:
    """Only the test vector can tell, when it is asked for."""
    members = without_fingerprints(attacks.read_originals()["lstm_amp"].members)
    weights = max((name for name in members if "/data/" in name), key=lambda name: len(members[name]))
    values = torch.full((len(members[weights]) // 4,), number)
    (tmp_path / "a.nm").write_bytes(attacks.pack(list({**members, weights: values.numpy().tobytes()}.items())))
    artifact: Artifact = load_artifact(tmp_path / "a.nm")
    with pytest.raises(
        ArtifactError, match=r"does not play as it did when it was exported: the test vector differs by"
    ):
        artifact.verify_test_vector()


def test_parameters_left_out_must_mean_the_defaults(tmp_path: Path) -> None:
    """The vector sends parameters; a host that sends none must not hear something else."""
    members = without_fingerprints(attacks.read_originals()["overdrive"].members)
    default, other = (torch.tensor([value]).numpy().tobytes() for value in (12.0 / 36.0, 0.8))
    changed = {name: other if content == default else content for name, content in members.items()}
    assert changed != members
    (tmp_path / "a.nm").write_bytes(attacks.pack(list(changed.items())))
    with pytest.raises(ArtifactError, match=r"not play the same when parameters are left out as at their defaults"):
        load_artifact(tmp_path / "a.nm", verify_test_vector=True)
