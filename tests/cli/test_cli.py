"""The command line: what each verb does, prints and exits with."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.table import Table
from torch import nn

import neutone_like.bench
from neutone_like.artifact import write_artifact
from neutone_like.version import __version__
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.compiled_files import write_late_model
from support.places import PROJECT
from support.render_models import Echo, Poison, Volume

VERBS = ("export", "inspect", "validate", "check-callback", "render", "bench")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volume") / "artifact"
    return write_artifact(Volume(nn.Identity()), folder, render_samples=False).model_path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    x = np.full((12_000, 2), 0.25)
    soundfile.write(tmp_path / "in.wav", x, 48000, subtype="FLOAT")
    return tmp_path / "in.wav"


def rendered(tmp_path: Path) -> Any:
    return soundfile.read(tmp_path / "out.wav")[0].T


# ---------------------------------------------------------------------- the program


def test_version(run: Run) -> None:
    assert run("--version") == (GOOD, f"neutone-like {__version__}\n", "")


def test_help_lists_the_verbs(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == GOOD
    for verb in VERBS:
        assert re.search(rf"^  {verb} ", out, re.MULTILINE)
    assert "0 good, 1 the artifact or model fell short, 2 wrong use" in out
    assert "..." not in out.partition("Commands:")[2], "a summary is too long for its line"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(run: Run, verb: str) -> None:
    code, out, _ = run(verb, "--help")
    assert code == GOOD
    assert f"Example: neutone-like {verb} " in out
    assert re.findall(r"^  (--\S+) <", out, re.MULTILINE) == [], "these show a type of Python's, not what to give"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "No such command 'sing'"),
        (["inspect"], "Missing argument"),
        (["inspect", "none.nm"], "'none.nm' does not exist"),
        (["validate", "none.nm"], "'none.nm' does not exist"),
        (["bench", "none.nm"], "'none.nm' does not exist"),
        (["render", "none.nm", "in.wav", "out.wav"], "'none.nm' does not exist"),
        (["inspect", __file__, "--loud"], "No such option"),
        (
            ["bench", __file__, "--rates", "fast"],
            "--rates: expected whole numbers with commas between them, got 'fast'.",
        ),
        (["bench", __file__, "--blocks", "64,0"], "--blocks: every number must lie in 1..1048576, got '64,0'."),
        (["bench", __file__, "--blocks", "99999999999"], "--blocks: every number must lie in 1..1048576"),
        (["bench", __file__, "--rates", "48000,768001"], "--rates: every number must lie in 1..768000"),
        (["export", "none.py", "--out", "x"], "There is no file none.py."),
        (["export", "none.py:make", "--out", "x"], "There is no file none.py."),
        (["export", __file__], "Missing option '--out'"),
        (["export", __file__, "--out", "x", "--quality", "best"], "allowed is high or fast, got best."),
        (["export", __file__, "--out", "x", "--resampler", "best"], "'best' is not one of 'high', 'fast'"),
        (["render", __file__, "a", "b", "--engine", "spark"], "'spark' is not one of 'processes', 'dask'"),
        (["check-callback", "none.so"], "'none.so' does not exist"),
        (["check-callback", __file__, "--wake", "bell"], "'bell' is not one of 'event', 'poll'"),
        (["check-callback", __file__, "--callbacks", "5"], "greater than or equal to 1000"),
    ],
)
def test_wrong_use(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (WRONG_USE, "")
    assert message in err


def test_no_verb_shows_the_help(run: Run) -> None:
    code, out, err = run()
    assert code == WRONG_USE
    assert "Usage: neutone-like" in out + err


def test_the_installed_program(volume: Path, subprocess_environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", "from neutone_like.cli import main; main()", "inspect", str(volume), "--json"]
    done = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (GOOD, "")
    assert json.loads(done.stdout)["model_name"] == "Volume"


# ---------------------------------------------------------------------- inspect


def test_inspect(run: Run, volume: Path) -> None:
    code, out, _ = run("inspect", volume)
    assert code == GOOD
    for text in ("Volume 1.0.0", "Ada", "stereo to stereo", "gain", "0..4", "normal, inverted"):
        assert text in out
    assert run("inspect", volume.parent)[1] == out


def test_inspect_json(run: Run, volume: Path) -> None:
    code, out, err = run("inspect", volume, "--json")
    assert (code, err) == (GOOD, "")
    assert json.loads(out) == json.loads((volume.parent / "metadata.json").read_text())


def test_inspect_tells_of_the_compiled_model(run: Run, tmp_path: Path) -> None:
    for name in ("model.nm", "metadata.json"):
        shutil.copy(PROJECT / "exported" / "overdrive" / name, tmp_path)
    model = tmp_path / "model.nm"
    assert "no; neutone-like compile" in run("inspect", model)[1]
    file = write_late_model(model)
    for text in ("model.nlc", "granule 64 samples", f"{file.stat().st_size} bytes", "48000 Hz"):
        assert text in run("inspect", model)[1]
    told = json.loads(run("inspect", tmp_path, "--json")[1])
    assert told["model_name"] == "Overdrive"
    facts = told["compiled"]
    assert (facts["granules"], facts["file_bytes"], facts["sample_rates"]) == ([64], file.stat().st_size, [48000])
    file.write_bytes(file.read_bytes()[:-1])
    assert "can't be played" in run("inspect", model)[1]


def test_what_is_no_artifact(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.nm"
    bad.write_bytes(b"not an artifact")
    for verb in ("inspect", "validate", "bench"):
        code, out, err = run(verb, bad)
        assert (code, out) == (FELL_SHORT, "")
        assert err.startswith("Error: ")
        assert "bad.nm" in err


def test_debug_shows_the_traceback(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    (tmp_path / "bad.nm").write_bytes(b"not an artifact")
    for arguments in (["--debug", "inspect", "bad.nm"], ["inspect", "bad.nm", "--debug"]):
        command = [sys.executable, "-c", "from neutone_like.cli import main; main()", *arguments]
        done = subprocess.run(
            command, env=subprocess_environment, cwd=tmp_path, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == FELL_SHORT
        assert "Traceback (most recent call last)" in done.stderr
        assert "ArtifactError" in done.stderr


# ---------------------------------------------------------------------- render


def test_render(run: Run, volume: Path, source: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "render", volume, source, tmp_path / "out.wav", "--param", "gain=2", "--param", "polarity=inverted"
    )
    assert (code, err) == (GOOD, "")
    expected = f"{tmp_path}/out.wav: 0.250 s, stereo at 48000 Hz, peak -6.0 dBFS; 0 samples of latency taken out; "
    assert out.startswith(expected)
    assert re.fullmatch(r"[\d.]+ x real time \(torchscript\)\n", out.removeprefix(expected))
    np.testing.assert_array_equal(rendered(tmp_path), np.full((2, 12_000), -0.5))


def test_render_json(run: Run, volume: Path, source: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "render", volume, source, tmp_path / "out.wav", "--json", "--wet", 0.5, "--output-gain-db", -6.0
    )
    assert (code, err) == (GOOD, "")
    result = json.loads(out)
    assert result["samples"] == 12_000
    assert result["peak"] == pytest.approx(0.125 * 10 ** (-6 / 20), rel=1e-5)


def test_render_with_automation(run: Run, volume: Path, source: Path, tmp_path: Path) -> None:
    (tmp_path / "gain.csv").write_text("seconds,gain\n0.05,0\n\n0.2, 4\n")
    (tmp_path / "polarity.csv").write_text("0,normal\n0.1,1\n")
    curves = [f"--automation={name}={tmp_path}/{name}.csv" for name in ("gain", "polarity")]
    assert run("render", volume, source, tmp_path / "out.wav", *curves)[0] == GOOD
    seconds = np.arange(12_000) / 48000
    expected = 0.25 * np.interp(seconds, [0.05, 0.2], [0.0, 4.0])
    y = rendered(tmp_path)[0]
    np.testing.assert_allclose(np.abs(y), expected, atol=1e-5)
    np.testing.assert_allclose(y[:4800], expected[:4800], atol=1e-5)
    np.testing.assert_allclose(y[4832:], -expected[4832:], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--param", "gain"], "--param: expected name=value, got 'gain'."),
        (["--param", "=1"], "--param: expected name=value, got '=1'."),
        (["--param", "gain="], "Parameter 'gain': allowed is a number in"),
        (["--param", "gain=1", "--param", "gain=2"], "--param: the parameter 'gain' is given twice"),
        (["--param", "gain=1", "--automation", "gain=x.csv"], "--automation: the parameter 'gain' is given twice"),
        (["--param", "drive=1"], "The model has no parameter 'drive'; it has ['gain', 'polarity']."),
        (["--param", "gain=9"], "Parameter 'gain': allowed is 0.0..4.0, got 9.0."),
        (["--param", "gain=loud"], "Parameter 'gain': allowed is a number in 0.0..4.0, got 'loud'."),
        (["--param", "polarity=up"], "allowed is one of ['normal', 'inverted'] or an index in 0..1, got 'up'."),
        (["--automation", "gain=none.csv"], "--automation: none.csv can't be read as a CSV file"),
        (["--automation", "gain=FOLDER/bad.csv"], "expected seconds,value, got '1,2,3'."),
        (["--automation", "gain=FOLDER/empty.csv"], "holds no line of seconds,value."),
        (
            ["--automation", "gain=FOLDER/back.csv"],
            "the times of an automation curve must rise, got 0.5 s after 1.0 s.",
        ),
        (["--wet", "2"], "wet: allowed is 0..1, got 2.0."),
        (["--bit-depth", "13"], "out.wav can't be written at 48000 Hz with 2 channels"),
        (["--out-sample-rate", "0"], "Invalid value for '--out-sample-rate'"),
        (["--input-gain-db", "40"], "input_gain_db: allowed is -30..30 dB, got 40.0."),
    ],
)
def test_render_wrong_use(
    run: Run, volume: Path, source: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "bad.csv").write_text("0,1\n1,2,3\n")
    (tmp_path / "empty.csv").write_text("seconds,value\n")
    (tmp_path / "back.csv").write_text("1,1\n0.5,1\n")
    given = [argument.replace("FOLDER", str(tmp_path)) for argument in arguments]
    code, out, err = run("render", volume, source, tmp_path / "out.wav", *given)
    assert (code, out) == (WRONG_USE, "")
    assert message in err
    assert not (tmp_path / "out.wav").exists()


def test_render_files_that_are_wrong_use(run: Run, volume: Path, source: Path, tmp_path: Path) -> None:
    code, _, err = run("render", volume, tmp_path / "none.wav", tmp_path / "out.wav")
    assert code == WRONG_USE
    assert f"There is no file or folder {tmp_path}/none.wav." in err
    code, _, err = run("render", volume, source, source)
    assert code == WRONG_USE
    assert "Input and output must be different files" in err
    code, _, err = run("render", volume, source, tmp_path / "out.doc")
    assert code == WRONG_USE
    assert "The output's extension must be one of" in err
    code, _, err = run("render", volume, source, tmp_path / "out.mp3", "--quality", "rubbish")
    assert code == WRONG_USE
    assert "out.mp3 can't be written" in err
    assert not (tmp_path / "out.mp3").exists()


def test_render_what_is_no_audio(run: Run, volume: Path, tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_text("no audio")
    code, out, err = run("render", volume, tmp_path / "in.wav", tmp_path / "out.wav")
    assert (code, out) == (FELL_SHORT, "")
    assert err.startswith(f"Error: {tmp_path}/in.wav can't be read as audio")


def test_render_warnings(run: Run, volume: Path, source: Path, tmp_path: Path) -> None:
    code, _, err = run("render", volume, source, tmp_path / "out.flac", "--param", "gain=4", "--output-gain-db", "6")
    assert code == GOOD
    assert err.startswith("Warning: The peak is 6.0 dB over full scale, and .flac cuts it off.")
    poison = write_artifact(Poison(nn.Identity()), tmp_path / "poison", render_samples=False).model_path
    soundfile.write(tmp_path / "loud.wav", np.full((1000, 2), 0.95), 48000, subtype="FLOAT")
    code, _, err = run("render", poison, tmp_path / "loud.wav", tmp_path / "out.wav")
    assert code == FELL_SHORT
    assert "samples that were NaN or infinite, which became silence" in err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_render_ended_by_the_system_cleans_up(
    volume: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with soundfile.SoundFile(tmp_path / "long.flac", "w", 48000, 2) as file:
        for _ in range(60):
            file.write(np.zeros((48000 * 60, 2), dtype=np.int16))
    arguments = ["render", str(volume), str(tmp_path / "long.flac"), str(folder / "out.wav")]
    command = [sys.executable, "-c", "from neutone_like.cli import main; main()", *arguments]
    with subprocess.Popen(
        command, env=subprocess_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 600
        while not (seen := list(folder.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [path.suffix for path in seen] == [".part"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=600) == 128 + signal.SIGTERM
    assert list(folder.iterdir()) == []


# ---------------------------------------------------------------------- bench


def test_bench_passes_on_what_is_asked(run: Run, volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(artifact: Any, **chosen: Any) -> Any:
        asked.append((artifact.metadata.model_name, chosen))
        return SimpleNamespace(to_dict=lambda: {"rows": 1}, tables=lambda: [Table("Time a block"), Table("Latency")])

    asked: list[Any] = []
    monkeypatch.setattr(neutone_like.bench, "bench_artifact", measure, raising=False)
    assert run("bench", volume, "--json", "--rates", "44100,48000", "--blocks", "64") == (
        GOOD,
        '{\n  "rows": 1\n}\n',
        "",
    )
    code, out, _ = run("bench", volume)
    assert code == GOOD
    assert "Time a block" in out
    assert "Latency" in out
    assert asked == [("Volume", {"sample_rates": (44100, 48000), "block_sizes": (64,)}), ("Volume", {})]


def test_bench(run: Run, volume: Path) -> None:
    code, out, _ = run("bench", volume, "--json", "--rates", "48000", "--blocks", "512")
    assert code == GOOD
    assert json.loads(out)["artifact"] == "Volume"


def test_echo_keeps_ringing(run: Run, source: Path, tmp_path: Path) -> None:
    echo = write_artifact(Echo(), tmp_path / "echo", render_samples=False).directory
    code, out, _ = run(
        "render", echo, source, tmp_path / "out.wav", "--param", "feedback=0.9", "--json", "--no-progress"
    )
    assert code == GOOD
    assert json.loads(out)["peak"] == pytest.approx(2.5, rel=0.01)


def test_names_that_no_file_can_have(run: Run, tmp_path: Path) -> None:
    """Names that are too long for the system, and folders where a file is meant: in words, and nothing is written."""
    artifact, long = PROJECT / "exported" / "overdrive", "e" * 300
    for arguments in (
        ("render", artifact, long, tmp_path / "out.wav"),
        ("render", artifact, artifact / "metadata.json", long),
        ("export", long, "--out", tmp_path / "out"),
        ("optimise", long, "--out", tmp_path / "out"),
        ("check-callback", long),
        ("bench-suite", "report", ""),
        ("bench-suite", "run", tmp_path),
    ):
        code, printed, message = run(*arguments)
        assert (code in (FELL_SHORT, WRONG_USE), printed) == (True, ""), arguments
        assert "Unexpected error" not in message, (arguments, message)
    assert not list(tmp_path.iterdir())
