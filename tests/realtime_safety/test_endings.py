"""Callbacks that crash, exit or never return are reports; what can't be judged is refused, with the reason."""

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neutone_like.errors import ArtifactError, RuntimeEngineError
from neutone_like.realtime_safety import RealtimeSafetyReport, check_realtime_safety, checking
from neutone_like.realtime_safety.counters import PAGE_FAULTS
from neutone_like.realtime_safety.process import ChildResult, run_child
from neutone_like.runtime import native_files
from support.cli_runner import FELL_SHORT, WRONG_USE, runner
from support.realtime_safety_tools import CALLBACKS, build_shared, needs_linux

pytestmark = needs_linux


@pytest.fixture(scope="module")
def offender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shared("offender.cpp", tmp_path_factory.mktemp("offender"))


def offend(
    offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, where: str = "callback"
) -> RealtimeSafetyReport:
    monkeypatch.setenv("OFFENCE", offence)
    monkeypatch.setenv("OFFENCE_WHERE", where)
    return check_realtime_safety(
        offender,
        callbacks=CALLBACKS,
        longest_callback_seconds=0.3,
        timeout_seconds=None if where == "callback" else 1.0,
    )


@pytest.mark.parametrize(
    ("offence", "kind", "how", "text"),
    [
        ("crash", "crashed", "SIGSEGV", "It crashed in callback 150 with SIGSEGV."),
        ("overflow", "crashed", "SIGSEGV", "It crashed in callback 150 with SIGSEGV."),
        ("abort", "crashed", "SIGABRT", "It crashed in callback 150 with SIGABRT."),
        ("exit", "exited", "exit code 7", "It ended its process in callback 150, with exit code 7."),
        ("hang", "stalled", "", "Callback 150 did not return."),
        ("sleep", "stalled", "", "Callback 150 did not return."),
    ],
)
def test_in_a_callback(
    offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, kind: str, how: str, text: str
) -> None:
    report = offend(offender, monkeypatch, offence)
    assert not report.passed
    assert (report.ending.kind, report.ending.how, report.ending.callback) == (kind, how, 150)
    assert report.ending.text() == text
    assert report.summary() == f"FAILED: {text}"
    assert report.callbacks == 150
    assert report.ending.stack
    assert any(f"offend_with_{offence}" in frame.function for frame in report.ending.stack) or not any(
        frame.source for frame in report.ending.stack
    )


def test_a_thread_that_ends_in_its_callback(offender: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was no offence until then, and the process ended well."""
    report = offend(offender, monkeypatch, "end_the_thread")
    assert not report.passed
    assert (report.ending.kind, report.ending.callback) == ("stalled", 150)


@pytest.mark.parametrize(
    ("offence", "kind", "text"),
    [
        ("crash", "crashed", "It crashed outside the callbacks with SIGSEGV."),
        ("exit", "exited", "It ended its process outside the callbacks, with exit code 7."),
        ("hang", "timed out", "It did not end in time, and was stopped."),
    ],
)
def test_before_the_callbacks(
    offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, kind: str, text: str
) -> None:
    report = offend(offender, monkeypatch, offence, "prepare_150")
    assert (report.ending.kind, report.ending.text()) == (kind, text)
    assert not report.passed
    assert report.to_dict()["ending"]["kind"] == kind


def test_what_a_crash_shows(
    offender: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFFENCE", "crash")
    code, out, _ = runner(capsys)("validate", "--real-time-safety", offender, "--callbacks", 1000)
    assert code == FELL_SHORT
    assert "FAILED: It crashed in callback 150 with SIGSEGV." in " ".join(out.split())
    assert "neutone_like_callback_process" in out


def refused(path: Path, message: str, **options: object) -> None:
    with pytest.raises(RuntimeEngineError, match=message):
        check_realtime_safety(path, **{"callbacks": CALLBACKS, **options})  # pyright: ignore[reportArgumentType]


def test_callback_that_refuses(offender: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFENCE", "nothing")
    refused(offender, "neutone_like_callback_prepare returned 5 for 48000 Hz, 64 samples, 3 channels", channels=3)
    monkeypatch.setenv("OFFENCE_WHERE", "create")
    refused(offender, "neutone_like_callback_create gave no instance")


def test_objects_that_are_none(tmp_path: Path) -> None:
    library = build_shared("unfit_controls.cpp", tmp_path)
    refused(library, "unfit_controls.so has no function neutone_like_callback_create")
    (tmp_path / "text.so").write_text("text")
    refused(tmp_path / "text.so", "could not begin: .*text.so can't be loaded")


def test_paths_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("")
    refused(tmp_path / "song.wav", r"Expected an artifact .* or a shared object .*song.wav, which is neither.")
    refused(tmp_path / "absent.so", "absent.so, which does not exist")
    with pytest.raises(ArtifactError):
        check_realtime_safety(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callbacks": 0}, r"callbacks must be an integer in 1..1000000000, got 0"),
        ({"warm_up_callbacks": 300}, r"warm_up_callbacks must be an integer in 0..299, got 300"),
        ({"block_size": 0}, r"block_size must be an integer in 1..65536, got 0"),
        ({"sample_rate": 4.5}, r"sample_rate must be an integer in 1000..768000, got 4.5"),
        ({"channels": 65}, r"channels must be an integer in 1..64, got 65"),
        ({"mode": "offline"}, r"mode must be one of \('async', 'inline'\), got 'offline'"),
        ({"wake": "bell"}, r"wake must be one of \('event', 'poll'\), got 'bell'"),
    ],
)
def test_values_out_of_range(tmp_path: Path, options: dict[str, object], message: str) -> None:
    (tmp_path / "any.so").write_text("")
    refused(tmp_path / "any.so", message, **options)


def test_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "any.so").write_text("")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    refused(tmp_path / "any.so", "needs Linux on x86-64, and this is Linux on aarch64")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    refused(tmp_path / "any.so", "this is Darwin on aarch64")


def test_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "any.so").write_text("")
    monkeypatch.setattr(native_files, "NATIVE_FOLDER", tmp_path)
    refused(tmp_path / "any.so", "neutone_like_realtime_safety.so is not in .* no working C\\+\\+ compiler")


def test_no_verdict_without_proof(offender: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: controls that commit nothing, and one that counts outside a section too."""
    controls = build_shared("unfit_controls.cpp", tmp_path)
    for name in (checking.INTERPOSER, checking.DRIVER):
        (tmp_path / name).symlink_to(native_files.native_file(name))
    (tmp_path / checking.CONTROLS).symlink_to(controls)
    monkeypatch.setattr(native_files, "NATIVE_FOLDER", tmp_path)
    monkeypatch.setenv("OFFENCE", "nothing")
    refused(offender, "no verdict, .* these did not move: malloc, calloc, .*, voluntary_context_switches. Major page")
    monkeypatch.setenv("ALWAYS", "1")
    refused(offender, "no verdict, .* counters moved without an offence")


def test_a_folder_with_a_space(offender: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my native: files"
    folder.mkdir()
    for name in (checking.INTERPOSER, checking.DRIVER, checking.CONTROLS):
        (folder / name).write_bytes(native_files.native_file(name).read_bytes())
        (folder / name).chmod(0o755)
    monkeypatch.setattr(native_files, "NATIVE_FOLDER", folder)
    monkeypatch.setenv("OFFENCE", "malloc")
    assert check_realtime_safety(offender, callbacks=CALLBACKS)["malloc"].count == CALLBACKS


def test_faults_without_stacks(offender: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a kernel that allows no perf events: page faults are counted all the same; nothing else goes without."""

    def without(counters: Sequence[str]) -> Callable[..., ChildResult]:
        def run(*arguments: Any, **options: Any) -> ChildResult:
            child = run_child(*arguments, **options)
            data = json.loads(child.report)
            data["stacks_of_faults"] = False
            for each in data["self_test"]["controls"]:
                each["has_stack"] = each["has_stack"] and each["counter"] not in counters
            for each in data["counters"]:
                each["stack"] = [] if each["name"] in counters else each["stack"]
            return replace(child, report=json.dumps(data) + "\n")

        return run

    monkeypatch.setenv("OFFENCE", "minor_page_faults")
    monkeypatch.setattr(checking, "run_child", without(PAGE_FAULTS))
    report = check_realtime_safety(offender, callbacks=CALLBACKS)
    assert [(each.name, each.stack) for each in report.offences] == [("minor_page_faults", ())]
    assert not report.has_fault_stacks
    monkeypatch.setattr(checking, "run_child", without(("malloc",)))
    refused(offender, "no verdict, .* these did not move: malloc. It needs")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--real-time-safety", "--quick"), "is not for --quick, --report or --report-to"),
        (("--callbacks", "1000"), "belongs to --real-time-safety"),
        (("--real-time-safety", "--wake", "bell"), "wake must be one of"),
        (("--real-time-safety", "--callbacks", "5"), "greater than or equal to 1000"),
    ],
)
def test_wrong_use(
    offender: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, out, error = runner(capsys)("validate", *arguments, offender)
    assert (code, out) == (WRONG_USE, "")
    assert message in error
