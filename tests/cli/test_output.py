"""What the command line prints: a line a check, nothing that steers the terminal, and one sentence after Ctrl-C."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.markup import escape
from rich.table import Table

import neutone_like.artifact  # pyright: ignore[reportUnusedImport] (loads it)
import neutone_like.bench  # pyright: ignore[reportUnusedImport]
import neutone_like.validate
from neutone_like.bench import BenchReport
from neutone_like.cli.check_lines import print_checks
from neutone_like.cli.output import print_tables
from neutone_like.errors import ArtifactError
from neutone_like.validate import Check, ValidationReport
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.places import EXPORTED

INTERRUPTED = 130
STEERING = "X\x1b[31m\x1b]0;owned\x07\u202e"
SHOWN = r"X\x1b[31m\x1b]0;owned\x07\u202e"
OVERDRIVE = EXPORTED / "overdrive"
VERBS = {
    "export": ("FILE", "--out", "FOLDER/out"),
    "inspect": (OVERDRIVE,),
    "validate": (OVERDRIVE,),
    "check-callback": (OVERDRIVE,),
    "render": (OVERDRIVE, "in.wav", "out.wav"),
    "bench": (OVERDRIVE,),
    "compile": (OVERDRIVE,),
    "plugin": (OVERDRIVE, "--out", "FOLDER/out"),
    "web": (OVERDRIVE, "--out", "FOLDER/out"),
}
# Where each verb is when Ctrl-C is pressed.
WORK = {
    "export": "neutone_like.export.export_model",
    "inspect": "neutone_like.artifact.read_metadata",
    "validate": "neutone_like.validate.validate_artifact",
    "check-callback": "neutone_like.realtime_safety.check_realtime_safety",
    "render": "neutone_like.artifact.load_artifact",
    "bench": "neutone_like.bench.bench_artifact",
    "compile": "neutone_like.runtime.compiling.compile_model",
    "plugin": "neutone_like.plugin.building.build_plugin",
    "web": "neutone_like.plugin.web_page.write_web_page",
}
REPORT = ValidationReport(
    "Gain",
    (
        Check("delay as reported", "passed", "95 samples, off by 0.000", "0.05", information=("at 44100 Hz",)),
        Check("speed", "failed", "12 ms", "at most 10 ms", advice="Make it smaller."),
        Check("long", "passed", "word " * 100, "anything"),
        Check("cut short", "skipped", "no audio", "anything"),
    ),
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def test_a_check_is_a_line_and_a_failure_says_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    print_checks(REPORT, verbose=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok      delay as reported  95 samples, off by 0.000"
    assert lines[1:5] == [
        "FAILED  speed              12 ms",
        "        measured: 12 ms",
        "        allowed: at most 10 ms",
        "        what to change: Make it smaller.",
    ]
    assert lines[5].startswith("ok      long               word word")
    assert lines[5].endswith("...")
    assert lines[6] == "skipped cut short          no audio"
    assert lines[7].startswith("Gain: FAILED: 2 passed, 1 failed, 1 skipped")
    assert len(lines) == 8
    assert max(map(len, lines)) <= 160


def test_verbose_shows_every_detail(capsys: pytest.CaptureFixture[str]) -> None:
    print_checks(REPORT, verbose=True)
    out = capsys.readouterr().out
    assert "        at 44100 Hz\n        allowed: 0.05\n" in out
    assert out.count("word ") > 90


# ---------------------------------------------------------------------- what comes out of files


def test_no_table_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=STEERING, caption=escape(STEERING))
    table.add_column(STEERING)
    table.add_row(STEERING)
    print_tables(table, *BenchReport(STEERING, (), {"processor": STEERING}).tables())
    check = Check(STEERING, "failed", STEERING, STEERING, STEERING)
    print_checks(ValidationReport(STEERING, (check,)), verbose=True)
    print_tables(ValidationReport(STEERING, (check,)).table())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out
    assert out.count("owned") >= 12


@pytest.mark.parametrize("verb", ["inspect", "validate", "render", "bench"])
def test_no_error_steers_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ArtifactError(f"The model {STEERING} can't be loaded.")

    place, _, name = WORK[verb].rpartition(".") if verb != "bench" else ("neutone_like.artifact", "", "load_artifact")
    monkeypatch.setattr(sys.modules[place], name, refuse, raising=False)
    code, out, err = run(verb, *VERBS[verb])
    assert (code, out) == (FELL_SHORT, "")
    assert err == f"Error: The model {SHOWN} can't be loaded."


def test_a_wrong_parameter_of_a_hostile_model_does_not_steer_either(run: Run, tmp_path: Path) -> None:
    code, _, err = run("render", OVERDRIVE, tmp_path, tmp_path / "out.wav", "--param", f"{STEERING}=1")
    assert code == WRONG_USE
    assert "\x1b" not in err
    assert "owned" in err


# ---------------------------------------------------------------------- endings


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_ends_with_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str) -> None:
    def press(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    place, _, name = WORK[verb].rpartition(".")
    __import__(place)
    monkeypatch.setattr(sys.modules[place], name, press, raising=False)
    (tmp_path / "model.py").write_text("def build_model():\n    return None\n")
    given = [str(each).replace("FILE", f"{tmp_path}/model.py").replace("FOLDER", str(tmp_path)) for each in VERBS[verb]]
    code, out, err = run(verb, *given)
    assert (code, out, err) == (INTERRUPTED, "", f"Interrupted: {verb} did not finish.")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("verb", VERBS)
def test_a_request_to_end_lets_every_verb_clean_up(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str, sent: signal.Signals
) -> None:
    left: list[str] = []

    def ask(*_: Any, **__: Any) -> Any:
        try:
            signal.raise_signal(sent)
        finally:
            left.append("cleaned up")

    # So that it ends no test, should a verb not wait for it.
    before = signal.signal(sent, lambda *_: None)
    place, _, name = WORK[verb].rpartition(".")
    __import__(place)
    monkeypatch.setattr(sys.modules[place], name, ask, raising=False)
    (tmp_path / "model.py").write_text("def build_model():\n    return None\n")
    given = [str(each).replace("FILE", f"{tmp_path}/model.py").replace("FOLDER", str(tmp_path)) for each in VERBS[verb]]
    try:
        code, _, _ = run(verb, *given)
        assert callable(signal.getsignal(sent))
    finally:
        signal.signal(sent, before)
    assert (code, left) == (128 + sent, ["cleaned up"])


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("failed", [OSError("5"), ArtifactError("5")])
def test_an_interrupt_stays_one_where_cleaning_up_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, failed: Exception
) -> None:
    def clean_up_in_vain(*_: Any) -> None:
        try:
            signal.raise_signal(sent)
        finally:
            raise ArtifactError("6") from failed

    monkeypatch.setattr(neutone_like.artifact, "read_metadata", clean_up_in_vain)
    before = signal.signal(sent, signal.default_int_handler)
    try:
        code, out, err = run("inspect", OVERDRIVE)
    finally:
        signal.signal(sent, before)
    said = "Interrupted: inspect did not finish." if sent == signal.SIGINT else ""
    assert (code, out, err) == (128 + sent, "", said)


def test_a_verb_that_ctrl_c_stops_as_usual_says_itself_how_it_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise typer.Exit(FELL_SHORT)  # noqa: B904

    monkeypatch.setattr(neutone_like.artifact, "read_metadata", stop)
    assert run("inspect", OVERDRIVE) == (FELL_SHORT, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_is_no_fault_of_the_file_that_is_being_read(run: Run, tmp_path: Path, sent: int) -> None:
    (tmp_path / "slow.py").write_text(f"import signal\nsignal.raise_signal({int(sent)})\n")
    before = signal.signal(sent, lambda *_: None)
    try:
        code, out, err = run("export", f"{tmp_path}/slow.py", "--out", f"{tmp_path}/out")
    finally:
        signal.signal(sent, before)
    assert (code, out, err) == (128 + sent, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_in_the_real_program(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    (tmp_path / "slow.py").write_text("import pathlib, time\npathlib.Path('began').touch()\ntime.sleep(600)\n")
    program = (
        # A job in the background ignores SIGINT, and so would this one if the tests were such a job.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from neutone_like.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "export", "slow.py", "--out", "out"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=subprocess_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 600
        while not (tmp_path / "began").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=600)
    assert (process.returncode, out, err) == (INTERRUPTED, "", "Interrupted: export did not finish.\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [("check-callback",), ("validate", "--real-time-safety")])
def test_a_damaged_file_can_t_be_judged(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    damaged = tmp_path / "damaged.nm"
    damaged.write_bytes(b"PK\3\4" + b"\0" * 500)
    code, out, err = run(*arguments, damaged, "--callbacks", "1000")
    assert (code, out) == (WRONG_USE, "")
    assert "damaged.nm" in err


def test_json_stays_pure_where_something_failed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neutone_like.validate, "validate_artifact", lambda *_, **__: REPORT, raising=False)
    code, out, _ = run("validate", OVERDRIVE, "--json")
    assert code == FELL_SHORT
    assert json.loads(out)["passed"] is False


def test_completion_is_offered(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == GOOD
    assert "--install-completion" in out
