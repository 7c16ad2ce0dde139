"""The benchmark suite: results that survive, and statistics that find what is there and nothing else."""

import itertools
import json
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neutone_like.bench.suite.cells import Cell, Kind, Scope, cells_of
from neutone_like.bench.suite.litert_files import LitertFiles
from neutone_like.bench.suite.measuring import Effort, measure
from neutone_like.bench.suite.networks import SIZES, Example, examples_in
from neutone_like.bench.suite.results import ResultsFile, read_results
from neutone_like.bench.suite.running import run_record, run_suite
from neutone_like.bench.suite.workshop import Workshop
from neutone_like.errors import BenchError, MissingExtraError
from neutone_like.runtime import Engine, HostConfig
from support.cli_runner import GOOD, WRONG_USE, runner
from support.places import EXPORTED, PROJECT
from support.suite_results import RUN, write_results

KINDS: tuple[Kind, ...] = ("inference", "paced")
TINY = Scope(("compiled", "litert"), ("cnn",), ("small",), (64,), repetitions=1, grid=False, kinds=KINDS)
EFFORT = Effort(calls=10, seconds=0.05)
STATISTICS = ("pandas", "statsmodels")


def test_every_cell_has_a_name_of_its_own_and_early_ones_show_everything() -> None:
    cells = cells_of(Scope())
    assert len({cell.name for cell in cells}) == len(cells) > 1000
    assert {cell.kind for cell in cells[:600]} == set(Scope().kinds) - {"live", "offline", "auto"}  # of artifacts
    assert {cell.engine for cell in cells[:200]} == set(Scope().engines)


@pytest.mark.compiles
def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """In the middle of a line, which is told and measured again; what was there stays as it was, byte by byte."""
    path = tmp_path / "suite.jsonl"
    cells = [cell.name for cell in cells_of(TINY)]
    nobody = tmp_path / "no_python"
    whole = run_suite(path, scope=TINY, effort=EFFORT, converter=nobody)
    assert (whole.measured, whole.left, whole.redone) == (len(cells), 0, "")
    results = read_results(path)
    assert [row["cell"] for row in results.rows] == cells
    for row in results.rows:
        if row["engine"] == "litert":
            assert "no_python can't be started" in row.get("skipped", "") or "inference" in row  # where there is one
        else:
            assert 0 < row["inference"]["p50_us"] <= row["inference"]["p999_us"] <= row["inference"]["max_us"]
            assert row["inference"]["count"] > 0
    lines = path.read_bytes().splitlines(keepends=True)
    kept = b"".join(lines[:3])
    path.write_bytes(kept + lines[3][:40])
    told: list[str] = []
    again = run_suite(path, scope=TINY, effort=EFFORT, converter=nobody, progress=told.append)
    assert again.redone == lines[3][:40].decode()
    assert "was cut off" in told[0]
    assert path.read_bytes().startswith(kept)
    results = read_results(path)
    assert sorted(row["cell"] for row in results.rows) == sorted(cells)
    assert len(results.runs) == 2
    assert run_suite(path, scope=TINY, effort=EFFORT).measured == 0


def test_a_run_without_time_leaves_everything(tmp_path: Path) -> None:
    run = run_suite(tmp_path / "suite.jsonl", minutes=0.0, scope=TINY, effort=EFFORT)
    assert (run.measured, run.left) == (0, len(cells_of(TINY)))
    with pytest.raises(BenchError, match="minutes must lie in"):
        run_suite(tmp_path / "suite.jsonl", minutes=float("nan"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no results of the benchmark suite"),
        ("hello\n", "line 1 is damaged"),
        ('{"cell": "x"}\n', "holds no results of the benchmark suite"),
        (json.dumps({**RUN, "version": 99}) + "\n", "was written by version 99 .* Read it with the neutone-like that"),
        (json.dumps(RUN) + '\n{"cell": "a", "ki\n{"cell": "b"}\n', "line 2 is damaged .* take this one"),
        (json.dumps(RUN) + "\n[1]\n", "line 2 is no result"),
    ],
)
def test_files_that_are_no_results_are_refused_and_left_alone(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(BenchError, match=f"(?s){message}"):
        read_results(path)
    if content:
        with pytest.raises(BenchError):
            run_suite(path, scope=TINY)
    assert path.read_text("utf-8") == content


def test_other_machines_and_places_are_refused(tmp_path: Path) -> None:
    path = write_results(tmp_path / "suite.jsonl", {})
    before = path.read_bytes()
    with pytest.raises(BenchError, match="times of two machines don't belong into one file"):
        ResultsFile(path, run_record())
    assert path.read_bytes() == before
    with pytest.raises(BenchError, match="can't be read"):
        read_results(tmp_path / "nowhere.jsonl")
    with pytest.raises(BenchError, match="can't be written"):
        ResultsFile(tmp_path / "nowhere" / "suite.jsonl", run_record())
    first = tmp_path / "first.jsonl"
    first.write_text('{"format": "neutone', "utf-8")  # killed in its first line
    ResultsFile(first, run_record()).close()
    assert len(read_results(first).runs) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to fill a disk with")
def test_on_a_full_disk_what_was_measured_stays(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    results = ResultsFile(path, {"machine": "this"})
    results.write({"cell": "first"})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
    try:
        with pytest.raises(BenchError, match="File too large. What was measured before stays; make room"):
            results.write({"cell": "second"})
        results.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_results(path).done == {"first"}


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    """The second would take what the first is writing for a line that was cut off."""
    path = tmp_path / "suite.jsonl"
    first = ResultsFile(path, run_record())
    with pytest.raises(BenchError, match="Another run is writing .*suite.jsonl. Wait"):
        ResultsFile(path, run_record())
    first.write({"cell": "a"})
    first.close()
    again = ResultsFile(path, run_record())
    assert again.earlier.done == {"a"}
    again.close()


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("workshop"), EXPORTED)
    yield made
    made.close()


SMALL = SIZES["small"]["cnn"]


@pytest.mark.compiles
def test_first_calls_of_a_fresh_process(workshop: Workshop) -> None:
    cold, warm = (
        measure(Cell("cold", "compiled", SMALL, 64, mode="inline", warm_up=calls), workshop, EFFORT)
        for calls in (0, 100)
    )
    assert len(cold["calls_us"]) == len(warm["calls_us"]) == 30
    assert min(cold["calls_us"]) > 0.0


@pytest.mark.compiles
def test_sessions_side_by_side_and_all_that_workers_can_do(workshop: Workshop) -> None:
    found = measure(Cell("parallel", "compiled", SMALL, 64, sessions=2, workers=2), workshop, EFFORT)
    assert len(found["worker_shares"]) == 2
    assert found["callbacks"] == 2 * found["no_op_callbacks"] > 0
    for workers in (1, 2):
        done = measure(Cell("scaling", "compiled", SMALL, 64, sessions=4, workers=workers), workshop, EFFORT)
        assert done["model_blocks"] % 4 == 0
        assert done["model_blocks"] >= 4 * 50
        assert done["blocks_per_second"] > 0.0


@pytest.mark.compiles
def test_native_calls_are_held_beside_the_librarys_own(workshop: Workshop) -> None:
    pytest.importorskip("onnxruntime")
    found = measure(Cell("binding", "onnxruntime", SMALL, 64, mode="inline"), workshop, EFFORT)
    assert (set(found["faces_us"]), found["samples"]) == ({"InferenceSession.run_with_iobinding"}, 64)
    assert min(found["native_us"], *found["faces_us"].values()) > 0.0


def test_artifacts_of_a_folder_are_played(workshop: Workshop) -> None:
    there = {each.name: each for each in examples_in(EXPORTED)}
    assert (there["overdrive"].is_live, there["stem_separator"].is_live) == (True, False)
    assert not there["texture_generator"].is_compiled
    cells = cells_of(Scope(examples=tuple(there.values()), kinds=("live", "offline", "auto")))
    assert {str(cell.shape) for cell in cells} == {*there, "autoencoder-16x4"}
    settings = {(cell.host_rate, cell.block) for cell in cells if cell.kind == "live"}
    assert settings == set(itertools.product((44100, 48000), (32, 64, 128, 256, 512, 1024)))
    found = measure(Cell("live", "compiled", there["tcn_amp"], 64, model_rate=0, host_rate=44100), workshop, EFFORT)
    converted = HostConfig(44100, 64, channels=1)
    with Engine() as engine, engine.open(EXPORTED / "tcn_amp" / "model.nm", converted, mode="inline") as session:
        assert found["inline_latency_samples"] == session.latency_samples > 0
    assert found["latency_samples"] == found["inline_latency_samples"] + 64
    offline = measure(Cell("offline", "compiled", there["stem_separator"], 0, model_rate=0), workshop, EFFORT)
    assert (offline["audio_seconds"], offline["played_by"]) == (2.0, "compiled")
    with pytest.raises(BenchError, match="holds no artifacts"):
        run_suite(workshop.artifact(cells[0]).with_name("r.jsonl"), examples=PROJECT / "docs")


def test_auto_is_held_beside_all_that_play(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be converted is told; a cache of choices that others made has no say here."""
    monkeypatch.setattr(workshop, "_litert", LitertFiles(Path("no_python"), workshop.folder / "cache"))
    example = Example("overdrive")
    found = measure(Cell("auto", "compiled", example, 64, model_rate=0), workshop, EFFORT)
    assert {"compiled", "torchscript"} <= set(found["p50_us"])
    assert found["chosen"] in found["p50_us"]
    assert "litert" in found["notes"] or "litert" in found["p50_us"]


@pytest.mark.slow
@pytest.mark.compiles
def test_what_a_call_does_is_counted(workshop: Workshop) -> None:
    compiled, torchscript = (
        measure(Cell("safety", engine, SMALL, 64, mode="inline"), workshop, EFFORT)  # pyright: ignore[reportArgumentType]
        for engine in ("compiled", "torchscript")
    )
    assert compiled["in_a_call"]["allocations"] == 0.0
    assert torchscript["in_a_call"]["allocations"] > 10.0


def test_known_effects_are_found_with_their_size(tmp_path: Path) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.analysis import analyse
    from neutone_like.bench.suite.words import tables

    truth = {
        ("compiled", True): 0.25,
        ("compiled", False): 0.25,
        ("onnxruntime", True): 0.5,
        ("onnxruntime", False): 2.0,
    }
    found = analyse(write_results(tmp_path / "suite.jsonl", truth, crossing=16.0))
    assert found.mixed is not None
    assert found.mixed.repetitions == 3
    for each in found.mixed.ratios:
        stateless = each.model.startswith("cnn")
        expected = truth.get((each.engine, stateless), 1.0) / truth.get((each.over, stateless), 1.0)
        assert each.lowest < expected < each.highest, each
        assert each.verdict == ("faster" if expected < 1.0 else "slower")
        assert each.highest / each.lowest < 1.5
    terms = {each.name: each.p_value for each in found.mixed.terms}
    assert len(terms) == 7
    assert max(terms["engine"], terms["engine x network"]) < 1e-6
    assert min(terms["engine x block"], terms["network x block"]) > 0.001
    assert found.mixed.residual_deviation == pytest.approx(0.03, rel=0.4)
    verdicts = {claim.text.split(",")[0]: claim.verdict for claim in found.claims}
    assert verdicts == {
        "Every engine does in a call what an audio thread must not do.": "confirmed",
        "Without a state": "confirmed",
        "With a state": "confirmed",
        "For some networks and engines the first calls are slower.": "confirmed",
    }
    (start,) = (each for each in found.starts if each.warm_up == 0)
    assert (start.ratio, start.calls_to_settle, start.settled_us) == (50.0, 2, 100.0)
    crossings = [each for each in found.boundaries if (each.engine, each.over) == ("compiled", "torchscript")]
    assert {each.depth for each in crossings} == {2, 4, 8}
    for each in crossings:
        assert each.width == pytest.approx(16.0, rel=0.15)
        assert each.lowest < 16.0 < each.highest
        assert each.text.startswith("compiled is faster below")
    written = {table.title: table.rows for table in tables(found)}
    assert [(row[1], row[4], row[5]) for row in written["From one worker to two"]] == [
        ("compiled", "0.95", "met"), ("torchscript", "0.60", "missed"),
    ]  # fmt: skip
    assert [row[2:] for row in written["Callbacks beside libtorch's"]] == [
        ("compiled", "1.00", "1.00", "met", "met"), ("onnxruntime", "1.50", "1.50", "missed", "missed"),
    ]  # fmt: skip
    assert [(row[0], *row[5:]) for row in written["Native calls beside the libraries' own Python"]] == [
        ("litert", "quick", "1.40", "missed"), ("onnxruntime", "quick", "1.00", "met"),
    ]  # fmt: skip
    assert written['backend="auto" beside the fastest'][0][2:6] == ("compiled", "onnxruntime", "1.20", "missed")
    assert written["Latency of whole artifacts"][0][2:] == ("20.0 (0.0)", "10.0 (0.0)")
    assert written["Processor time of whole artifacts"][0][3] == "12.5, 1.0% missing"
    assert written["Offline artifacts"][0][4:] == ("3.00", "0.50", "25 %")
    assert written["anira's own callbacks"][0] == ("cnn", "256", "12", "48", "0", "256", "10", "12", "0.8")
    assert written["Another processor: aarch64"][0][2:8] == ("2.0e-07", "yes", "64", "0", "0", "0")


def test_where_nothing_differs_nothing_is_claimed(tmp_path: Path) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.analysis import analyse

    found = analyse(write_results(tmp_path / "suite.jsonl", {}, crossing=1e6))
    assert found.mixed is not None
    crossings = [each for each in found.boundaries if (each.engine, each.over) == ("compiled", "torchscript")]
    assert [each.text.partition(",")[0] for each in crossings] == [
        "no crossing found: compiled is faster everywhere"
    ] * 3
    assert {each.verdict for each in found.mixed.ratios} == {"no difference shown"}
    verdicts = {claim.text.split(",")[0]: claim.verdict for claim in found.claims}
    assert verdicts["Without a state"] == verdicts["With a state"] == "undecided"
    # The other way round: the paper's claims are refuted where the opposite is true.
    opposite = {("onnxruntime", True): 2.0, ("onnxruntime", False): 0.5}
    found = analyse(write_results(tmp_path / "suite.jsonl", opposite))
    verdicts = {claim.text.split(",")[0]: claim.verdict for claim in found.claims}
    assert verdicts["Without a state"] == verdicts["With a state"] == "refuted"


def test_repetitions_that_do_not_differ_have_no_effect_and_the_fit_is_clean(tmp_path: Path) -> None:
    """At the end of what a variance may be, the search for it fails; the intervals are those of least squares."""
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.analysis import analyse

    fits = []
    for drift in (0.0, 0.0035, 0.008, 0.05):
        found = analyse(write_results(tmp_path / "suite.jsonl", {("compiled", True): 0.5}, drift=drift))
        assert found.mixed is not None
        assert found.mixed.notes == ()
        assert all(each.chi_square > 0.0 for each in found.mixed.terms)
        fits.append(found.mixed)
    first, *_, last = fits
    assert [first.has_random_effect, last.has_random_effect] == [False, True]
    assert last.repetition_deviation == pytest.approx(0.05, rel=0.5)
    for without, with_effect in zip(first.ratios, last.ratios, strict=True):
        assert without.lowest == pytest.approx(with_effect.lowest, rel=0.01)


def test_report_is_one_page_that_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    results = write_results(tmp_path / "suite.jsonl", {("compiled", True): 0.5}, crossing=16.0)
    code, out, _ = runner(capsys)("bench-suite", "report", results, "--docs", tmp_path / "suite.md")
    assert code == GOOD
    page = (tmp_path / "suite.html").read_text("utf-8")
    assert "suite.html" in out.replace("\n", "")
    for title in ("The paper's claims", "Effect sizes", "Inference over block", "Engines and networks", "Cold start"):
        assert title in page.replace("&#x27;", "'")
    assert page.count("<svg") >= 4
    outside = re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", page)
    assert outside == []
    assert "| undecided |" in (tmp_path / "suite.md").read_text("utf-8")
    (tmp_path / "file").touch()
    for option in ("--out", "--docs"):
        code, _, complaint = runner(capsys)("bench-suite", "report", results, option, tmp_path / "file" / "page")
        assert (code, f"Can't write {tmp_path / 'file' / 'page'}: " in complaint.replace("\n", "")) == (1, True)
    empty = tmp_path / "empty.jsonl"
    empty.write_text(json.dumps(RUN) + "\n", "utf-8")
    code, _, complaint = runner(capsys)("bench-suite", "report", empty)
    assert (code, "holds no result yet" in complaint) == (1, True)
    code, _, complaint = runner(capsys)("bench-suite", "report", empty, "--minutes", 3)
    assert (code, "--minutes is for run" in complaint) == (WRONG_USE, True)
    for pages in (("--out", results), ("--docs", results), ("--docs", tmp_path / "suite.html")):
        before = results.read_bytes()
        code, _, complaint = runner(capsys)("bench-suite", "report", results, *pages)
        assert (code, "would replace" in complaint) == (WRONG_USE, True)
        assert results.read_bytes() == before


def test_a_busy_machine_is_told_at_the_top(tmp_path: Path) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.page import docs_page

    results = write_results(tmp_path / "suite.jsonl", {})
    assert "busy machine" not in docs_page(results)
    busy = {**RUN, "machine": {"logical processors": "2"}, "load": "2.5"}
    lines = results.read_text("utf-8").splitlines()
    results.write_text("\n".join([json.dumps(busy), *lines[1:]]) + "\n", "utf-8")
    page = docs_page(results)
    assert page.index("**Measured on a busy machine, at a load of") < page.index("| claim |")


def test_what_is_missing_is_named_with_the_line_that_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neutone_like.bench.suite.analysis import analyse

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'pip install "neutone-like\[suite\]"'):
        analyse(write_results(tmp_path / "suite.jsonl", {}))


def test_the_page_in_the_documentation_is_that_of_its_results() -> None:
    """But for numbers, whose last digits are the packages' own."""
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.page import docs_page

    written = (PROJECT / "docs" / "explanation" / "benchmark-suite.md").read_text("utf-8")
    made = docs_page(PROJECT / "docs" / "measurements" / "suite.jsonl")
    assert re.sub(r"[\d.]+", "#", made) == re.sub(r"[\d.]+", "#", written)


def test_cells_are_told_whole() -> None:
    cell = Cell("paced", "compiled", next(iter(cells_of(TINY))).shape, 64)
    told = cell.to_dict()
    assert (told["cell"], told["model"], told["size"], told["width"]) == (cell.name, "cnn-4x4", "small", 4)
