"""The benchmark suite: results that survive, and statistics that find what is there and nothing else."""

import json
import re
import sys
from pathlib import Path

import pytest

from neutone_like.bench.suite.cells import Cell, Scope, cells_of
from neutone_like.bench.suite.measuring import Effort
from neutone_like.bench.suite.results import ResultsFile, read_results
from neutone_like.bench.suite.running import run_record, run_suite
from neutone_like.errors import BenchError, MissingExtraError
from support.cli_runner import GOOD, WRONG_USE, runner
from support.places import PROJECT
from support.suite_results import RUN, write_results

TINY = Scope(
    engines=("compiled", "litert"), families=("cnn",), sizes=("small",), blocks=(64,), repetitions=1, grid=False,
    kinds=("inference", "paced", "parallel"),
)  # fmt: skip
EFFORT = Effort(calls=10, seconds=0.05)
STATISTICS = ("pandas", "statsmodels")


def test_every_cell_has_a_name_of_its_own_and_early_ones_show_everything() -> None:
    cells = cells_of(Scope())
    assert len({cell.name for cell in cells}) == len(cells) > 1000
    assert {cell.kind for cell in cells[:300]} == set(Scope().kinds)
    assert {cell.engine for cell in cells[:200]} == set(Scope().engines)


@pytest.mark.compiles
def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """In the middle of a line, which is told and measured again; what was there stays as it was, byte by byte."""
    path = tmp_path / "suite.jsonl"
    cells = [cell.name for cell in cells_of(TINY)]
    whole = run_suite(path, scope=TINY, effort=EFFORT)
    assert (whole.measured, whole.left, whole.redone) == (len(cells), 0, "")
    results = read_results(path)
    assert [row["cell"] for row in results.rows] == cells
    for row in results.rows:
        if row["engine"] == "litert":
            assert "pip install" in row["skipped"] or "inference" in row
        else:
            assert 0 < row["inference"]["p50_us"] <= row["inference"]["p999_us"] <= row["inference"]["max_us"]
            assert row["inference"]["count"] > 0
    lines = path.read_bytes().splitlines(keepends=True)
    kept = b"".join(lines[:3])
    path.write_bytes(kept + lines[3][:40])
    told: list[str] = []
    again = run_suite(path, scope=TINY, effort=EFFORT, progress=told.append)
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


@pytest.mark.compiles
def test_first_calls_of_a_fresh_process(tmp_path: Path) -> None:
    scope = Scope(
        engines=("compiled",), families=("cnn",), sizes=("small",), blocks=(64,), repetitions=1, kinds=("cold",)
    )
    run_suite(tmp_path / "suite.jsonl", scope=scope)
    cold, warm = read_results(tmp_path / "suite.jsonl").rows
    assert (cold["warm_up"], warm["warm_up"]) == (0, 100)
    assert len(cold["calls_us"]) == len(warm["calls_us"]) == 30
    assert min(cold["calls_us"]) > 0.0


@pytest.mark.slow
@pytest.mark.compiles
def test_what_a_call_does_is_counted(tmp_path: Path) -> None:
    scope = Scope(
        engines=("compiled", "torchscript"), families=("cnn",), sizes=("small",), blocks=(64,), kinds=("safety",)
    )
    run_suite(tmp_path / "suite.jsonl", scope=scope)
    compiled, torchscript = read_results(tmp_path / "suite.jsonl").rows
    assert compiled["in_a_call"]["allocations"] == 0.0
    assert torchscript["in_a_call"]["allocations"] > 10.0


def test_known_effects_are_found_with_their_size(tmp_path: Path) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.analysis import analyse

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


def test_where_nothing_differs_nothing_is_claimed(tmp_path: Path) -> None:
    for package in STATISTICS:
        pytest.importorskip(package)
    from neutone_like.bench.suite.analysis import analyse

    found = analyse(write_results(tmp_path / "suite.jsonl", {}))
    assert found.mixed is not None
    assert {each.verdict for each in found.mixed.ratios} == {"no difference shown"}
    verdicts = {claim.text.split(",")[0]: claim.verdict for claim in found.claims}
    assert verdicts["Without a state"] == verdicts["With a state"] == "undecided"
    # The other way round: the paper's claims are refuted where the opposite is true.
    opposite = {("onnxruntime", True): 2.0, ("onnxruntime", False): 0.5}
    found = analyse(write_results(tmp_path / "suite.jsonl", opposite))
    verdicts = {claim.text.split(",")[0]: claim.verdict for claim in found.claims}
    assert verdicts["Without a state"] == verdicts["With a state"] == "refuted"


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
