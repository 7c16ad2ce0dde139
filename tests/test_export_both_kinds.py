"""Live models and others exported in one process, in both orders, with all four kinds of parameters; and the page."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ExportResult,
    WaveformToWaveformBase,
    export_model,
    load_artifact,
    validate_artifact,
)
from neutone_like.artifact import write_artifact
from neutone_like.validate.html import write_report
from support.cli_runner import Run, runner
from support.lighter_exports import ALL, FRESH_PROCESS, only_checks
from support.whole_models import Drone, Tones, Whole, named


class Live(WaveformToWaveformBase):
    """Both kinds of parameters that a live model has."""

    metadata = named("Live")
    parameters = (
        ContinuousParameter("gain", "Gain", default=0.5),
        CategoricalParameter("sign", "Sign", labels=("plus", "minus")),
    )
    sample_rates = (44100,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"] * (1.0 - 2.0 * params["sign"])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[ExportResult]:
    """Live first, then the other one, then live again: both orders. The first two with every check."""
    folder = tmp_path_factory.mktemp("both")
    models: list[Any] = [Live(), Whole(), Live(), Whole()]
    with pytest.MonkeyPatch.context() as patch:
        only_checks(patch, *ALL)
        return [
            export_model(model, folder / str(index), validate=index < 2, report=index == 1, render_samples=index == 1)
            for index, model in enumerate(models)
        ]


def test_every_export_passes_its_checks(exported: list[ExportResult]) -> None:
    for result in exported[:2]:
        assert result.validation is not None
        assert result.validation.passed, [check.line() for check in result.validation.failures]


def test_every_one_loads_and_plays_as_when_it_was_exported(exported: list[ExportResult]) -> None:
    artifacts = [load_artifact(result.model_path, verify_test_vector=True) for result in exported]
    assert [artifact.is_realtime for artifact in artifacts] == [True, False, True, False]
    kinds = [[parameter.kind for parameter in artifact.parameters] for artifact in artifacts]
    assert kinds[0] == kinds[2] == ["continuous", "categorical"]
    assert kinds[1] == kinds[3] == ["continuous", "text", "categorical", "tokens"]
    x = torch.rand(2, 2000) - 0.5
    for artifact in artifacts:
        artifact.module.set_daw_sample_rate_and_buffer_size(44100, 2000)
    knobs = torch.tensor([[1.0], [1.0]])
    for live in (artifacts[0], artifacts[2]):
        torch.testing.assert_close(live.module.forward(x, knobs.repeat(2, 2000)), -x)
    for whole in (artifacts[1], artifacts[3]):
        mid, side = whole.module.forward([x], knobs, ["12345"], [[50]])
        gain = 10.0 ** (6.0 / 20.0) * 1.05
        torch.testing.assert_close(mid, x * gain * 1.1)
        torch.testing.assert_close(side, (x[:1] - x[1:]) * gain * 0.5)


def test_the_order_makes_no_difference(exported: list[ExportResult]) -> None:
    def code(result: ExportResult) -> dict[str, str] | None:
        ours = result.metadata.neutone_like
        return None if ours is None else ours.members_sha256

    first, second = code(exported[1]), code(exported[3])
    assert first is not None
    assert second is not None
    weights = {name for name in first if name.startswith("data/")}
    assert {name: first[name] for name in weights} == {name: second[name] for name in weights}


@pytest.mark.parametrize("index", [2, 3])
def test_validation_later_needs_the_file_only(
    index: int, exported: list[ExportResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_checks(monkeypatch, *(ALL - {FRESH_PROCESS}))  # which the exports above have been through
    report = validate_artifact(exported[index].directory, quick=True)
    assert report.passed, [check.line() for check in report.failures]
    assert report["scripted equals eager"].measured == "the test vector plays as recorded"


# ---------------------------------------------------------------- report.html


def text_of(page: Path) -> str:
    html = page.read_text(encoding="utf-8")
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_page_shows_every_output_and_nothing_of_live_models(exported: list[ExportResult]) -> None:
    assert exported[1].report_path is not None
    html = exported[1].report_path.read_text(encoding="utf-8")
    text = text_of(exported[1].report_path)
    assert "Passed: 16 of 17 checks, 1 not run" in text
    for title in ("Guitar riff: mid", "Guitar riff: side", "Drum loop: mid", "Drum loop: side"):
        assert title in text
    assert html.count("data:audio/mpeg;base64,") == 8
    assert "prompt \N{LEFT DOUBLE QUOTATION MARK}hello\N{RIGHT DOUBLE QUOTATION MARK}" in text
    assert "up to 8 tokens" in text
    for anchor in ("#delay", "#rates", "#time"):
        assert anchor not in html
    assert len(set(re.findall(r'\bid="([^"]+)"', html))) == len(re.findall(r'\bid="([^"]+)"', html)), "ids are unique"


@pytest.mark.parametrize(("model_class", "sound"), [(Tones, "generated_out.wav"), (Drone, "")])
def test_page_of_a_generator_has_one_side(model_class: type[Any], sound: str, tmp_path: Path) -> None:
    written = write_artifact(model_class(), tmp_path, render_samples=bool(sound))
    page = write_report(written.model_path, validate_artifact(written.model_path, quick=True), tmp_path)
    html, text = page.read_text(encoding="utf-8"), text_of(page)
    assert "none it generates sound" in text
    assert html.count("data:audio/mpeg;base64,") == 1
    assert 'class="sound"' not in html, "there is nothing to compare"
    assert ("Without MP3: samples/generated_out.wav" in text) == bool(sound)


# ---------------------------------------------------------------- the command line


def test_inspect_shows_inputs_outputs_texts_and_tokens(exported: list[ExportResult], run: Run) -> None:
    code, out, _ = run("inspect", exported[1].directory)
    assert code == 0
    for shown in (
        "offline, one-shot",
        "input (stereo)",
        "mid (stereo), side (mono)",
        "up to 16 characters",
        "up to 8 tokens",
        "3, 1, 2",
    ):
        assert shown in out
    assert "latency" not in out


def test_export_and_validate_verbs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, *(ALL - {FRESH_PROCESS}))  # which the exports above have been through
    source = tmp_path / "whole_file.py"
    source.write_text("from support.whole_models import Smoother\n\n\ndef build_model():\n    return Smoother()\n")
    code, out, err = run("export", source, "--out", tmp_path / "out", "--no-report", "--no-samples")
    assert code == 0, err
    assert "model.nm" in out
    code, out, _ = run("validate", tmp_path / "out", "--quick")
    assert code == 0
    assert "any cutting equals whole" in out


def test_render_takes_texts_tokens_and_writes_every_output(
    exported: list[ExportResult], run: Run, tmp_path: Path
) -> None:
    import soundfile

    sound = exported[1].directory / "samples" / "drum_loop_in.wav"
    more = ("--param", "prompt=", "--param", "notes=1, 2,3,4", "--param", "gain=0", "--param", "side=left")
    code, _, err = run("render", exported[1].directory, sound, tmp_path / "y.wav", *more)
    assert code == 0, err
    x, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    mid, _ = soundfile.read(tmp_path / "y.mid.wav", dtype="float32", always_2d=True)
    middle = slice(20_000, 100_000)
    # No text, so a gain of 1; the choice "left" makes it 1.1.
    assert abs(mid[middle] - 1.1 * x[middle]).max() < 2e-3
    code, _, err = run("render", exported[1].directory, sound, tmp_path / "z.wav", "--param", "prompt=" + "a" * 17)
    assert code == 2
    assert "Parameter 'prompt': allowed are up to 16 characters, got 17" in err
    code, _, err = run("render", exported[1].directory, sound, tmp_path / "z.wav", "--param", "notes=" + "1," * 9 + "1")
    assert code == 2
    assert "Parameter 'notes': allowed are up to 8 tokens, got 10" in err


def test_render_without_an_input_and_with_too_many(exported: list[ExportResult], run: Run, tmp_path: Path) -> None:
    drone = write_artifact(Drone(), tmp_path / "drone", render_samples=False).model_path
    code, out, err = run("render", drone, "-", tmp_path / "y.wav", "--seconds", "0.5")
    assert code == 0, err
    assert "0.500 s, stereo at 48000 Hz" in out
    sound = exported[1].directory / "samples" / "drum_loop_in.wav"
    code, _, err = run("render", drone, sound, tmp_path / "z.wav")
    assert code == 2
    assert re.search(r"expected None, since it has no input, got 1: .* - for INPUT", err)
    code, _, err = run("render", exported[1].directory, sound, tmp_path / "z.wav", "--also", sound)
    assert code == 2
    assert "expected 1 files, for ['input'], got 2" in err
