"""Every counter counts its offence, names who committed it, and nothing else."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from neutone_like.realtime_safety import CounterResult, RealtimeSafetyReport, check_realtime_safety
from neutone_like.realtime_safety.checking import INTERPOSER, Wake
from neutone_like.realtime_safety.counters import COUNTERS, GROUPS, OF_THE_LIBRARY, OPTIONAL_COUNTERS
from neutone_like.realtime_safety.syscall_names import syscall_name
from neutone_like.runtime.native_files import native_file
from support.cli_runner import FELL_SHORT, GOOD, Run, runner
from support.realtime_safety_tools import CALLBACKS, WARM_UP, build, build_shared, needs_linux

pytestmark = needs_linux

# What an offence is bound to do besides: a condition is waited for with a mutex, and sleep is a system call.
SLEEP = {"syscalls", "bounded_waits", "voluntary_context_switches"}
COMPANIONS = {
    **{name: {"pthread_mutex_lock", "futex_wake_ups", *SLEEP} for name in COUNTERS if name.startswith("pthread_cond_")},
    **{name: {"mtx_lock", "futex_wake_ups", *SLEEP} for name in ("cnd_wait", "cnd_timedwait")},
    **{name: {"futex_wake_ups"} for name in ("pthread_barrier_wait", "pthread_once", "call_once")},
    **{name: {"free", *SLEEP} for name in COUNTERS if "join" in name},
    # The first message takes memory for a buffer, and a full buffer is written.
    **{
        name: {"malloc", "syscalls"}
        for group in GROUPS
        if group.title == "files and messages"
        for name in group.counters
    },
    **{name: {"malloc", "free", "syscalls"} for name in ("localtime", "localtime_r", "mktime")},  # reads the time zone
    "malloc_trim": {"syscalls", "minor_page_faults"},
    "voluntary_context_switches": {"syscalls"},
    "major_page_faults": {"voluntary_context_switches"},
}
ALLOCATIONS = set(GROUPS[0].counters)
# Never given back, in these tests: the heap grows, which is a system call and a page fault now and then.
GROWTH = {"minor_page_faults", "syscalls"}
ONCE_A_CALLBACK = set(COUNTERS) - {"minor_page_faults", "major_page_faults", "syscalls"}


@pytest.fixture(scope="module")
def offender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shared("offender.cpp", tmp_path_factory.mktemp("offender"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def offend(
    offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, where: str = "callback", wake: Wake | None = None
) -> RealtimeSafetyReport:
    monkeypatch.setenv("OFFENCE", offence)
    monkeypatch.setenv("OFFENCE_WHERE", where)
    return check_realtime_safety(offender, callbacks=CALLBACKS, warm_up_callbacks=WARM_UP, wake=wake)


def functions(counter: CounterResult) -> list[str]:
    return [frame.function for frame in counter.stack]


def offences(report: RealtimeSafetyReport) -> set[str]:
    return {counter.name for counter in report.offences}


@pytest.mark.parametrize("offence", [name for name in COUNTERS if name not in OF_THE_LIBRARY])
def test_counter(offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str) -> None:
    report = offend(offender, monkeypatch, offence)
    counter = report[offence]
    expected = {
        "minor_page_faults": CALLBACKS - WARM_UP,
        "major_page_faults": 1,
        "syscalls": 4 * CALLBACKS,
    }
    assert not report.passed
    assert report.ending.kind == "finished"
    assert (report.callbacks, report.threads) == (CALLBACKS, 1)
    expected_count = CALLBACKS if offence in ONCE_A_CALLBACK else expected[offence]
    if offence == "voluntary_context_switches":  # on a busy machine a thread is sent to sleep before it goes by itself
        assert expected_count // 2 < counter.count <= expected_count
    else:
        assert counter.count == expected_count
    allowed = {offence} | COMPANIONS.get(offence, set()) | (GROWTH if offence in ALLOCATIONS else set())
    assert offences(report) - allowed == set()
    if shutil.which("addr2line") is not None:
        assert any(f"offend_with_{offence}" in name for name in functions(counter)), counter.stack
        assert any("offender.cpp:" in frame.source for frame in counter.stack)
    assert "neutone_like_callback_process" in functions(counter)


def test_first_callback(offender: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert offend(offender, monkeypatch, "malloc")["malloc"].first_callback == 1
    assert offend(offender, monkeypatch, "major_page_faults")["major_page_faults"].first_callback == 150
    report = offend(offender, monkeypatch, "minor_page_faults")
    assert report["minor_page_faults"].first_callback == WARM_UP + 1
    assert WARM_UP <= report.warm_up_page_faults < 2 * WARM_UP


@pytest.mark.parametrize(
    ("offence", "where"), [("nothing", "callback"), ("all", "prepare"), ("all", "thread"), ("malloc", "thread")]
)
def test_silent(offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, where: str) -> None:
    report = offend(offender, monkeypatch, offence, where)
    assert report.passed, report.summary()
    assert [counter.count for counter in report.counters] == [0] * len(COUNTERS)
    assert set(COUNTERS) - set(report.self_test) <= {name for name in OPTIONAL_COUNTERS if "isoc23" in name}


@pytest.mark.parametrize(
    ("offence", "caught"),
    [
        ("vector_growth", {"malloc", "free"}),
        ("standard_mutex", {"pthread_mutex_lock"}),
        ("exception", {"malloc", "free"}),
        ("thread", {"malloc", "pthread_join", "syscalls"}),
        ("print", {"syscalls"}),
        ("yield", {"syscalls"}),
        ("fork", {"syscalls"}),
        ("signal", {"syscalls"}),
    ],
)
def test_what_people_write(offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, caught: set[str]) -> None:
    report = offend(offender, monkeypatch, offence)
    assert report.ending.kind == "finished"
    assert offences(report) >= caught
    assert all(report[counter].count >= CALLBACKS for counter in caught)


def test_all_system_calls_are_counted_by_name(offender: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = offend(offender, monkeypatch, "syscalls")
    assert dict(report.system_calls) == dict.fromkeys(("read", "write", "close", "getppid"), CALLBACKS)
    assert report["syscalls"].most_in_callback == 4
    assert (syscall_name(202), syscall_name(435), syscall_name(500)) == ("futex", "clone3", "system call 500")


def test_locks_of_the_libraries(tmp_path: Path) -> None:
    """What asks nothing of the system, in one run; each of the others is a control of every run."""
    library = build_shared("library_locks.cpp", tmp_path)
    report = check_realtime_safety(library, callbacks=CALLBACKS, warm_up_callbacks=WARM_UP)
    assert report.ending.kind == "finished"
    assert report["__cxa_guard_acquire"].count == 1, "the first callback makes it"
    each = ("ftell", "feof", "ungetc", "fgetc", "ungetwc", "fgetwc", "gmtime_r", "timegm", "strftime")
    each = (*each, "putenv", "setlocale", "gettext", "telldir")
    assert {name: report[name].count for name in each} == dict.fromkeys(each, CALLBACKS)
    assert offences(report) - {*each, "__cxa_guard_acquire"} <= {"malloc"}, "gettext keeps what it has found"
    assert functions(report["__cxa_guard_acquire"])


@pytest.mark.parametrize(
    ("offence", "wake", "passed"),
    [
        ("futex_wake_ups", "event", True),
        ("futex_wake_ups", "poll", False),
        ("two_futex_wake_ups", "event", False),
        ("syscalls", "event", False),
    ],
)
def test_allowance(offender: Path, monkeypatch: pytest.MonkeyPatch, offence: str, wake: Wake, passed: bool) -> None:
    report = offend(offender, monkeypatch, offence, wake=wake)
    assert report.passed == passed
    assert report["futex_wake_ups"].allowed_in_callback == (1 if wake == "event" else 0)


def test_command_line(offender: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("OFFENCE", "nothing")
    code, out, _ = run("check-callback", offender, "--callbacks", 1000)
    assert code == GOOD
    assert "passed: no offence in 1000 callbacks of 64 samples" in " ".join(out.split())
    monkeypatch.setenv("OFFENCE", "vector_growth")
    code, out, _ = run("check-callback", offender, "--callbacks", 1000)
    assert code == FELL_SHORT
    assert "FAILED: malloc 1000, free 1000 in 1000 callbacks" in " ".join(out.split())
    assert "First malloc, in callback 1" in out
    assert "Take all memory before the audio starts" in " ".join(out.split())


def test_json(offender: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("OFFENCE", "standard_mutex")
    code, out, _ = run("validate", "--real-time-safety", offender, "--callbacks", 1000, "--json", "--wake", "event")
    data = json.loads(out)
    counters = {each["name"]: each for each in data["counters"]}
    assert code == FELL_SHORT
    assert (data["passed"], data["callbacks"], data["conditions"]["wake"]) == (False, 1000, "event")
    assert set(counters) == set(COUNTERS)
    assert counters["pthread_mutex_lock"]["count"] == 1000
    assert counters["pthread_mutex_lock"]["stack"][0]["object_path"] != ""
    assert [name for name, each in counters.items() if not each["passed"]] == ["pthread_mutex_lock"]


def test_a_program_can_mark_itself(tmp_path: Path) -> None:
    program = build("marked_program.c", tmp_path, "-ldl")
    assert subprocess.run([program], timeout=600).returncode == 1
    marked = subprocess.run([program], env={"LD_PRELOAD": str(native_file(INTERPOSER))}, timeout=600)
    assert marked.returncode == 0
