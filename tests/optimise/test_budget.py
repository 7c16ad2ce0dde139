"""What a model can be made into: artifacts that were played, which of them nothing beats, and what is told."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from neutone_like import ModelMetadata, WaveformToWaveformBase, load_artifact
from neutone_like.artifact import write_artifact
from neutone_like.errors import ModelError, ParameterError
from neutone_like.optimise import (
    BudgetPoint,
    BudgetReport,
    PlayedCost,
    StudentModel,
    StudentShape,
    artifacts,
    quality,
    search_budget,
)
from neutone_like.optimise.budget import makers, searching
from neutone_like.optimise.budget.confirming import SOUNDS_NAME, confirmed, keep_case
from neutone_like.optimise.budget.plotting import write_plot
from neutone_like.optimise.budget.report import CONFIRMED, SAME_TIME, with_front
from neutone_like.optimise.distilling import proposing
from neutone_like.optimise.distilling.students import FAMILIES, student_network
from neutone_like.optimise.quality_report import ItemQuality, QualityReport
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.places import EXPORTED

RATE = 48000


def noise(generator: torch.Generator) -> Tensor:
    return 0.3 * torch.randn(1, 4096, generator=generator)


class Saves(WaveformToWaveformBase):
    """Uses what artifacts may not, once it hears anything very loud."""

    metadata = ModelMetadata(name="Saves", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if bool(x.max() > 1e6):
            torch.save(x, "mark")
        return 0.5 * x


def model() -> StudentModel:
    return StudentModel(student_network(StudentShape("tcn", 8, 3, (1, 2))), sample_rate=RATE)


def report_of(esr: float) -> QualityReport:
    return QualityReport((ItemQuality("a", 1.0, esr, 10.0, 1.0, 1.0, None, 0),), None, "none", 0, 1)


def point(name: str, time: float, size: int, esr: float) -> BudgetPoint:
    cost = PlayedCost(name, "compiled", RATE, {64: 10.0 * time}, size)
    return BudgetPoint(name, Path(name), cost, time, size / 1000, report_of(esr) if esr else None)


POINTS = with_front(
    [
        point("original", 1.0, 1000, 0.0),
        point("int8", 0.99, 400, 0.001),
        point("int8, worse", 1.01, 400, 0.002),
        point("half", 0.5, 500, 0.03),
        point("student", 0.4, 300, 0.05),
        point("useless", 0.9, 600, 0.5),
    ]
)


# ------------------------------------------------------------------ the front and the verdict


def test_the_front_is_what_nothing_beats() -> None:
    assert [each.name for each in POINTS if each.on_front] == ["original", "int8", "half", "student"]


def test_the_front_is_that_of_brute_force() -> None:
    drawn = random.Random(0)
    for _ in range(30):
        made = [
            point(str(at), drawn.choice([0.3, 0.5, 0.8, 1.0]), drawn.randint(1, 5), drawn.random() + 0.01)
            for at in range(9)
        ]
        found = with_front(made)
        for each in found:
            mine = (each.time_ratio, each.cost.file_bytes, each.error_to_signal_ratio)
            beaten = [
                theirs
                for theirs in ((o.time_ratio, o.cost.file_bytes, o.error_to_signal_ratio) for o in made)
                if theirs != mine and all(a <= b for a, b in zip(theirs, mine, strict=True))
            ]
            assert each.on_front == (not beaten)


def test_times_that_cannot_be_told_apart_are_equal() -> None:
    close = with_front([point("a", 1.0, 100, 0.01), point("b", 1.0 / SAME_TIME + 0.001, 100, 0.02)])
    apart = with_front([point("a", 1.0, 100, 0.01), point("b", 1.0 / SAME_TIME - 0.01, 100, 0.02)])
    assert [each.on_front for each in close] == [True, False]
    assert [each.on_front for each in apart] == [True, True]


def test_what_meets_both_limits_is_named_and_else_the_nearest() -> None:
    met = BudgetReport(POINTS, 0.5, 0.06)
    assert met.best is not None
    assert met.best.name == "half", "of two that meet both the one with the least error"
    assert met.verdict.startswith("half meets 0.50 x the time at an ESR of 0.06: 0.50 x the time")
    missed = BudgetReport(POINTS, 0.45, 0.02)
    assert missed.best is None
    assert missed.nearest.name == "half"
    assert missed.verdict.startswith("Nothing meets 0.45 x the time at an ESR of 0.02. The nearest is half:")
    assert [each.name for each in met.front] == ["student", "half", "int8", "original"]


def test_it_is_drawn_and_told(tmp_path: Path) -> None:
    found = BudgetReport((*POINTS, point("$a_b$ <b>", 0.7, 10, 1e-9)), 0.5, 0.06, ("prune: nothing to cut",))
    write_plot(found, tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [each["name"] for each in told["points"]] == [each.name for each in found.points]
    assert told["best"]["name"] == "half"
    assert "prune: nothing to cut" in "\n".join(found.remarks())
    assert "&lt;b&gt;" in cast(Any, found)._repr_html_()


# ------------------------------------------------------------------ a search


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[BudgetReport, Path]:
    out = tmp_path_factory.mktemp("budget")
    found = search_budget(
        model(), out, noise, methods=["quantise"], budget=0.001, audio_seconds=1.0, block_sizes=[64]
    )  # fmt: skip
    return found, out


def test_every_point_is_an_artifact_that_is_as_the_table_says(searched: tuple[BudgetReport, Path]) -> None:
    found, out = searched
    names = [each.name for each in found.points]
    assert names == ["original", "fp16", "int8", "int4, groups of 8"]
    original = load_artifact(out / "original")
    sound = noise(torch.Generator().manual_seed(99)).numpy()
    errors = {}
    for each in found.points:
        artifact = load_artifact(each.path)
        assert each.cost.file_bytes == (each.path / "model.nlc").stat().st_size
        assert each.cost.backend == "compiled"
        errors[each.name] = quality(original, artifact, sound, sample_rate=RATE).error_to_signal_ratio
        assert errors[each.name] == pytest.approx(each.error_to_signal_ratio, rel=0.5, abs=1e-9)
    assert errors["original"] == 0.0
    assert errors["fp16"] < errors["int8"] < errors["int4, groups of 8"]
    assert errors["int8"] < 0.01
    assert found.best is None
    assert "Nothing meets" in found.verdict
    told = json.loads((out / "report.json").read_text())
    assert told["nearest"]["name"] == found.nearest.name
    assert (out / "front.png").stat().st_size > 1000


def test_a_fresh_process_finds_the_same_and_tells_what_it_does_not(searched: tuple[BudgetReport, Path]) -> None:
    """From the files alone; the control is a file that was exchanged after the search."""
    found, out = searched
    for each in found.points:
        assert each.differs is not None
        assert each.differs["bytes"] == 0.0
        assert each.differs["error"] <= CONFIRMED
    assert found.note == ""
    assert found.confirmation()[0].startswith("Measured again in a fresh process: times within")
    assert json.loads((out / "report.json").read_text())["points"][2]["differs_in_a_fresh_process"]["bytes"] == 0.0
    copied = out.with_name("exchanged")
    shutil.copytree(out, copied)
    points = [replace(each, path=copied / each.path.name, differs=None) for each in found.points]
    shutil.rmtree(copied / "int8")
    shutil.copytree(out / "int4_groups_of_8", copied / "int8")
    with np.load(out / SOUNDS_NAME) as sounds:
        keep_case(copied, points, list(sounds.values()), RATE, [64])
    again, note = confirmed(copied, points)
    assert note == ""
    told = "\n".join(BudgetReport(tuple(again), 0.5, 0.02).confirmation())
    assert "int8: error differs by" in told
    assert again[2].differs is not None
    assert again[2].differs["bytes"] > 0.0
    assert "fp16: error" not in told


def test_a_fresh_process_imports_what_this_one_does(
    searched: tuple[BudgetReport, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the user's may have files that are called as modules are; its name may have a blank."""
    found, out = searched
    there = tmp_path / "with a 'blank'"
    there.mkdir()
    for name in ("random", "json", "numpy", "neutone_like"):
        (there / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    with np.load(out / SOUNDS_NAME) as sounds:
        keep_case(there, found.points[:2], list(sounds.values()), RATE, [64])
    monkeypatch.chdir(there)
    points, note = confirmed(Path(), found.points[:2])
    assert note == ""
    assert [(each.differs or {})["bytes"] for each in points] == [0.0, 0.0]


def test_what_an_artifact_was_allowed_is_allowed_to_a_fresh_process(
    searched: tuple[BudgetReport, Path], tmp_path: Path
) -> None:
    found, out = searched
    saves = write_artifact(Saves(), tmp_path / "saves", render_samples=False, allow_operators=frozenset(["aten::save"]))
    points = [replace(found.points[0], path=saves.model_path.parent, differs=None)]
    with np.load(out / SOUNDS_NAME) as sounds:
        for allowed in ([], ["aten::save"]):
            keep_case(tmp_path, points, list(sounds.values()), RATE, [64], allowed)
            note = confirmed(tmp_path, points)[1]
            assert note.startswith("not confirmed: ") == (not allowed), note


def test_numbers_are_kept_before_they_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that took minutes is in the report, whatever happens to the other process."""

    def stopped(folder: Path, points: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(searching, "confirmed", stopped)
    with pytest.raises(KeyboardInterrupt):
        search_budget(
            EXPORTED / "lstm_amp", tmp_path, noise, methods=["prune"], audio_seconds=1.0, block_sizes=[64]
        )  # fmt: skip
    assert json.loads((tmp_path / "report.json").read_text())["points"][0]["name"] == "original"


def test_a_process_that_can_not_be_started_is_told(
    searched: tuple[BudgetReport, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    points, note = confirmed(searched[1], searched[0].points)
    assert points == list(searched[0].points)
    assert note.startswith("not confirmed: no fresh process could be started: ")


def test_a_fresh_process_that_fails_is_told(searched: tuple[BudgetReport, Path], tmp_path: Path) -> None:
    found, _ = searched
    points, note = confirmed(tmp_path, found.points)
    assert points == list(found.points)
    assert note.startswith("not confirmed: the fresh process ended with code 1: FileNotFoundError")
    untold = [replace(each, differs=None) for each in points]
    assert BudgetReport(tuple(untold), 0.5, 0.02, note=note).confirmation() == [note]


def test_of_an_artifact_only_students_are_made_and_that_is_told(tmp_path: Path) -> None:
    found = search_budget(
        EXPORTED / "lstm_amp", tmp_path, noise, methods=["quantise", "prune"], audio_seconds=1.0, block_sizes=[64],
        confirm=False,
    )  # fmt: skip
    assert found.confirmation() == []
    assert [each.name for each in found.points] == ["original"]
    assert [each.split(":")[0] for each in found.left_out] == ["quantise", "prune"]
    assert "give the model itself" in found.left_out[0]


def test_channels_are_cut_and_students_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "WIDTHS", (2, 4, 6, 8))  # of which few are timed: what is tried has its own tests
    monkeypatch.setattr(proposing, "LAYOUTS", dict.fromkeys(FAMILIES, ()) | {"tcn": ((3, (1, 2)),)})
    monkeypatch.setattr(makers, "SHARES_CUT", (0.5,))
    settings: dict[str, Any] = {"budget": 10.0, "seconds": 0.5, "students": 1, "audio_seconds": 1.0, "confirm": False}
    exported: list[str] = []

    def counted(model: Any, folder: Path, **more: Any) -> Any:
        exported.append(folder.relative_to(tmp_path).as_posix())
        return write_artifact(model, folder, **more)

    monkeypatch.setattr(artifacts, "write_artifact", counted)
    found = search_budget(
        model(), tmp_path, noise, methods=["prune", "distil"], error_to_signal_ratio=0.9, block_sizes=[64], **settings
    )
    names = [each.name for each in found.points]
    assert names[:2] == ["original", "50 % cut"]
    assert names[3] == f"{names[2]}, int8"
    assert all(each.path.joinpath("model.nlc").stat().st_size == each.cost.file_bytes for each in found.points)
    cut = {each.name: each for each in found.points}["50 % cut"]
    assert cut.bytes_ratio < 1.0
    assert cut.error_to_signal_ratio < 0.9, "the original taught what was left"
    folders = [makers.folder_name(name) for name in names]
    assert exported == [folders[0], f"{folders[1]}/student", f"{folders[2]}/student", folders[3]], "each once"
    assert [each.path.relative_to(tmp_path).as_posix() for each in found.points] == exported


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for wrong, message in [
        ({"budget": 0.0}, "budget must lie in"),
        ({"error_to_signal_ratio": float("nan")}, "error_to_signal_ratio must lie in"),
        ({"students": 0}, "students must be an integer"),
        ({"methods": ["shrink"]}, "methods must be some of"),
        ({"methods": []}, "methods must be some of"),
        ({"block_sizes": []}, "block_sizes: expected at least one"),
        ({"block_sizes": [64, 0]}, "block_sizes must be an integer"),
        ({"audio_seconds": float("nan")}, "audio_seconds must lie in"),
        ({"seconds": -1.0}, "seconds must lie in"),
        ({"seconds": 0.05}, "seconds must lie in"),
        ({"seed": "a"}, "seed must be a whole number"),
    ]:
        arguments: dict[str, Any] = wrong
        with pytest.raises(ParameterError, match=message):
            search_budget(model(), tmp_path, noise, **arguments)
    with pytest.raises(ModelError, match="holds an offline one"):
        search_budget(EXPORTED / "stem_separator", tmp_path, noise)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ the command line


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def test_the_verb_tells_what_was_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def search(model: Any, out: Path, audio: Any, **settings: Any) -> BudgetReport:
        asked.update(settings, model=model, out=out, audio=audio)
        return BudgetReport(POINTS, settings["budget"], settings["error_to_signal_ratio"])

    monkeypatch.setattr("neutone_like.optimise.search_budget", search, raising=False)
    nam = tmp_path / "amp.nam"
    code, out, err = run(
        "optimise", nam, "--out", tmp_path / "o", "--budget", "0.6", "--quality", "0.1", "--blocks", "64"
    )
    assert (code, err) == (GOOD, "")
    assert "half meets 0.60 x the time" in out
    assert [line.split()[3] for line in out.splitlines() if "*" in line and "│" in line][-1] == "student"
    assert asked["model"] == str(nam)
    assert (asked["block_sizes"], asked["audio"], asked["methods"]) == ((64,), None, ["quantise", "prune", "distil"])
    code, out, err = run("optimise", nam, "--out", tmp_path / "o", "--budget", "0.1", "--json")
    assert code == FELL_SHORT
    assert json.loads(out)["best"] is None
    assert json.loads(out)["nearest"]["name"] == "student"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--methods", "shrink"], "takes some of quantise, prune and distil, got 'shrink'"),
        (["--blocks", "none"], "expected whole numbers"),
        (["--budget", "0"], "0.001"),
        (["--audio", "nowhere"], "nowhere"),
    ],
)
def test_wrong_use_is_told(run: Run, tmp_path: Path, wrong: list[str], message: str) -> None:
    code, _, err = run("optimise", "amp.nam", "--out", tmp_path, *wrong)
    assert code == WRONG_USE
    assert message in err


def test_a_missing_file_is_told(run: Run, tmp_path: Path) -> None:
    code, _, err = run("optimise", "nowhere.py", "--out", tmp_path)
    assert code == WRONG_USE
    assert "There is no file nowhere.py" in err
    code, _, err = run("optimise", tmp_path / "amp.nam", "--out", tmp_path)
    assert code == FELL_SHORT
    assert "there is no such file" in err
