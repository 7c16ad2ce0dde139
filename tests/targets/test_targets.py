"""Models as source and as libraries: what is written, what it sounds like, and what is refused."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from neutone_like.artifact.format.compiled_file import kernels_of
from neutone_like.errors import ArtifactError, CompileError, MissingExtraError
from neutone_like.realtime_safety import check_realtime_safety
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled
from neutone_like.targets import build_targets
from neutone_like.targets.compiled_of import compiled_of
from neutone_like.targets.model_files import identifier, model_files
from neutone_like.targets.native_code import interface_names
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, runner
from support.compiled_files import late_model
from support.library_hosts import C_FLAGS, assert_same, engine_plays, example_plays, noise
from support.places import EXPORTED, PROJECT
from support.realtime_safety_tools import needs_linux

OVERDRIVE = EXPORTED / "overdrive" / "model.nlc"
HOSTILE = r"""{"model_name": "3 */ \"Amp\" é?\\", "model_version": "1\n*/", "model_short_description": "/* a */ b",
 "native_sample_rates": [48000], "native_buffer_sizes": [], "look_behind_samples": 0,
 "compiled": {"defaults": [0, 0, 0]},
 "neutone_like": {"schema_version": 1, "quality": "high", "in_channels": 2, "out_channels": 2, "parameters": [
 {"name": "name", "description": "*/ x", "type": "continuous", "default": 0.5, "minimum": 0.0, "maximum": 1.0,
  "unit": "*/", "rate": "block", "smoothing_seconds": 0.02},
 {"name": "Dry/Wet!", "description": "", "type": "continuous", "default": 1e-05, "minimum": -1e30, "maximum": 1.0,
  "unit": "", "rate": "block", "smoothing_seconds": 0.02},
 {"name": "dry wet", "description": "", "type": "categorical", "default": 1, "labels": ["a*/", "b"]}]}}"""


def folder_of(path: Path) -> set[str]:
    return {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (folder,) = build_targets(load_compiled(OVERDRIVE), tmp_path_factory.mktemp("made") / "out", source=True)
    return folder


def test_names_become_names_of_c() -> None:
    assert [identifier(text) for text in ("Overdrive", "Big Amp!", "80s", "*", "é x")] == [
        *("Overdrive", "Big_Amp", "model_80s", "model", "x")
    ]
    assert interface_names()[:2] == ["nl_compiled_api", "nl_compiled_last_error"]
    assert len(interface_names()) > 15


def test_what_is_written(source: Path) -> None:
    written = folder_of(source.parent)
    assert {"include/overdrive.h", "include/neutone_like/compiled.h", "include/neutone_like/model.h"} <= written
    assert {"source/overdrive.cpp", "source/overdrive.h", "source/README.md", "source/CMakeLists.txt"} <= written
    assert "source/src/kernels/isa/table.cpp" in written
    assert not [name for name in written if name.endswith((".o", ".nlc"))]
    assert "#define OVERDRIVE_DRIVE_MAXIMUM 36.0" in (source / "overdrive.h").read_text("utf-8")


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> "Built":
    """The source as its README builds it, but quicker: without optimisation, and most of it in one piece."""
    if shutil.which("g++") is None or shutil.which("gcc") is None:
        pytest.skip("no g++ to build the source with")
    folder = tmp_path_factory.mktemp("library")
    parts = [path for room in ("signal", "model", "compiled") for path in sorted((source / "src" / room).glob("*.cpp"))]
    whole = folder / "whole.cpp"
    whole.write_text("".join(f'#include "{path}"\n' for path in [*parts, source / "overdrive.cpp"]))
    macros = [word for word in (source / "README.md").read_text("utf-8").split() if word.startswith("-DN")]
    assert len(macros) == 4
    kernels = [*sorted((source / "src" / "kernels").glob("*.cpp")), source / "src" / "kernels" / "isa" / "table.cpp"]
    includes = [f"-I{source / name}" for name in ("include", "src", ".")]
    library = folder / "liboverdrive.so"
    run("g++", "-std=c++20", "-O0", *macros, *includes, "-shared", "-fPIC", whole, *kernels, "-o", library)
    return Built(source, folder)


@dataclass(frozen=True)
class Built:
    source: Path
    folder: Path

    def with_program(self, file: Path, *flags: str) -> Path:
        """A program in C with the library."""
        made = self.folder / file.with_suffix(".so" if "-shared" in flags else ".out").name
        includes = [f"-I{self.source / name}" for name in ("include", ".")]
        link = [f"-L{self.folder}", "-loverdrive", f"-Wl,-rpath,{self.folder}"]
        run("gcc", *C_FLAGS, *flags, *includes, f"-I{PROJECT / 'native' / 'include'}", file, *link, "-o", made)
        return made


@pytest.mark.slow
def test_the_source_sounds_as_the_engine_does(built: Built) -> None:
    sound, values = noise(), {"drive": 24.0}
    expected = engine_plays(OVERDRIVE, sound, values)
    example = [str(built.with_program(built.source / "compiled.c"))]
    assert_same(example_plays(example, sound, values), expected)
    with pytest.raises(AssertionError):
        assert_same(example_plays(example, sound, {"drive": 0.0}), expected)


@pytest.mark.slow
def test_the_program_of_the_page_runs(built: Built) -> None:
    page = (PROJECT / "docs" / "how-to" / "compiled-libraries.md").read_text("utf-8")
    (built.folder / "page.c").write_text(page.split("```c\n")[1].split("```")[0], "utf-8")
    program = built.with_program(built.folder / "page.c")
    told = subprocess.run([program], capture_output=True, text=True, check=True)
    assert told.stdout == f"latency {engine_plays(OVERDRIVE, noise(), {}).latency_samples} samples\n"


@needs_linux
@pytest.mark.slow
def test_playing_is_real_time_safe(built: Built) -> None:
    """With rate conversion and a knob that never stands still: nothing at all."""
    callback = built.with_program(PROJECT / "native" / "tests" / "compiled_callback.c", "-shared", "-fPIC")
    report = check_realtime_safety(callback, callbacks=2000, wake="poll")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report["futex_wake_ups"].count == 0


def run(*command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_header_holds_whatever_a_model_is_called(tmp_path: Path) -> None:
    files = model_files(CompiledModel(late_model(HOSTILE, parameters=3)))
    assert files.name == "model_3_amp"
    program = (
        "int main(void) { double all = MODEL_3_AMP_DRY_WET_MINIMUM + MODEL_3_AMP_DRY_WET__MAXIMUM; (void)all;\n"
        "return MODEL_3_AMP_NAME_ + MODEL_3_AMP_DRY_WET + MODEL_3_AMP_DRY_WET_ + (int)sizeof MODEL_3_AMP_NAME; }\n"
    )
    (tmp_path / "all.c").write_text(files.header + files.header + program, "utf-8")
    if shutil.which("gcc") is None:
        pytest.skip("no gcc to read the header with")
    run("gcc", *C_FLAGS, f"-I{PROJECT / 'native' / 'include'}", tmp_path / "all.c", "-o", tmp_path / "all")
    done = subprocess.run([tmp_path / "all"], check=False)
    assert done.returncode == 0 + 1 + 2 + len('3 */ "Amp" é?\\'.encode()) + 1


def test_kernels_of_every_plan_are_there() -> None:
    """Of a file with a plan for each of four rates, and of one with one plan."""
    for name, plans in (("echo", 4), ("overdrive", 1)):
        model = load_compiled(EXPORTED / name / "model.nlc")
        assert len(model.sample_rates) == plans or plans == 1
        played = {rate: model if rate is None else model.at_rate(rate) for rate in model.sample_rates or (None,)}
        steps = sum(each.steps for each in played.values())
        kernels = kernels_of(model.data)
        assert 0 < len(kernels) <= steps
        assert model_files(model).kernels == sum(1 << kernel for kernel in kernels)


def test_what_is_refused_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_compiled(OVERDRIVE)
    with pytest.raises(CompileError, match="There is no target 'amiga'; there are x86_64-linux, "):
        build_targets(model, tmp_path / "out", ["wasm32", "amiga"])
    with pytest.raises(CompileError, match=r"This is an offline model(.|\n)*neutone-like render"):
        build_targets(load_compiled(EXPORTED / "stem_separator" / "model.nlc"), tmp_path / "out", source=True)
    with pytest.raises(CompileError, match="Nothing is asked for"):
        build_targets(model, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(CompileError, match="file is a file, and a folder is written"):
        build_targets(model, tmp_path / "file", source=True)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(MissingExtraError, match=r'pip install "neutone-like\[compile\]"'):
        build_targets(model, tmp_path / "out", ["wasm32"], source=True)
    assert folder_of(tmp_path) == {"file"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_compiler_that_fails_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "ziglang"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import sys; sys.exit('no room on the disk')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "ziglang", raising=False)
    with pytest.raises(CompileError, match="failed for wasm32-wasi with exit code 1:\nno room on the disk"):
        build_targets(load_compiled(OVERDRIVE), tmp_path / "out", ["wasm32"])
    monkeypatch.delitem(sys.modules, "ziglang", raising=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ziglang"]


def test_what_was_there_stays_and_what_was_ours_is_new(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "source" / "old").mkdir(parents=True)
    (out / "mine.txt").write_text("mine")
    build_targets(load_compiled(OVERDRIVE), out, source=True)
    assert (out / "mine.txt").read_text() == "mine"
    assert not (out / "source" / "old").exists()
    assert (out / "source" / "overdrive.cpp").exists()


def test_the_compiled_model_of_a_path(tmp_path: Path) -> None:
    model, folder = compiled_of(EXPORTED / "overdrive")
    assert (model.path, folder) == (OVERDRIVE, OVERDRIVE.parent)
    assert compiled_of(OVERDRIVE)[0].path == OVERDRIVE
    (tmp_path / "model.nlc").write_bytes(b"x")
    with pytest.raises(ArtifactError):
        compiled_of(tmp_path / "model.nlc")


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run_command = runner(capsys)
    code, out, err = run_command("compile", EXPORTED / "overdrive", "--source", "--out", tmp_path / "made")
    assert (code, err) == (GOOD, "")
    assert out.strip() == str(tmp_path / "made" / "source")
    code, out, err = run_command("compile", EXPORTED / "overdrive", "--target", "amiga", "--out", tmp_path / "none")
    assert (code, out) == (FELL_SHORT, "")
    assert "There is no target 'amiga'" in err
    code, out, err = run_command("compile", EXPORTED / "overdrive", "--source", "--plan", "--out", tmp_path / "none")
    assert (code, out) == (WRONG_USE, "")
    assert "leave --target and --source out" in " ".join(err.split())
    assert not (tmp_path / "none").exists()
