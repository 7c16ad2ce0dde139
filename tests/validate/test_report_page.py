"""The report as a file: what it says, that it needs nothing from outside, and that no text in it becomes code."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import torch

from neutone_like import AudioError, ExportError
from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.host.contract import required_names
from neutone_like.validate import Check, ValidationReport
from neutone_like.validate.html import contents, write_report
from support.report_models import ATTACK, ATTACK_NAME, AnyRate, Hostile, Page
from support.wide_models import Wide

LARGEST_BYTES = 3_000_000
GOOD = Check("good one", "passed", "0.01 <of> it", "0.05", "never shown", 1.0, ("in detail & more",))
BAD = Check("bad one", "failed", "0.09", "0.05", "Turn it down.", 0.25)
SKIPPED = Check("left out", "skipped", "not run: no engine", "80 %")


def report_of(*checks: Check) -> ValidationReport:
    return ValidationReport("Model", checks, (("torch", "2 <3>"), ("machine", "Linux")))


@pytest.fixture(scope="module")
def overdrive(validated: tuple[Path, ValidationReport]) -> Path:
    return validated[0]


@pytest.fixture(scope="module")
def overdrive_page(overdrive: Path) -> Page:
    return Page((overdrive / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_artifact(Hostile(), folder, render_samples=False)
    write_report(folder, report_of(GOOD, BAD, SKIPPED), folder / "report.html")
    return folder


def outside_references(text: str) -> list[str]:
    """Whatever would make a browser ask for something: addresses in attributes and in CSS, refreshes, frames."""
    page = Page(text)
    loading = ("src", "srcset", "poster", "data", "action", "formaction", "background", "ping", "manifest")
    addresses = [value for name in loading for value in page.values(name)]
    addresses += [attributes["href"] for tag, attributes in page.elements if tag not in ("a",) and "href" in attributes]
    addresses += re.findall(r"url\(\s*['\"]?([^)'\"]+)", text) + re.findall(r"@import\s+\S+", text)
    addresses += [tag for tag, _ in page.elements if tag in ("iframe", "object", "embed", "base", "frame")]
    return [address for address in addresses if not address.startswith(("data:", "#"))]


def test_the_verdict_comes_first(overdrive: Path, overdrive_page: Page) -> None:
    assert overdrive_page.text.index("Passed: 16 of 17 checks, 1 not run") < overdrive_page.text.index("Listen")
    for shown in ("Overdrive", "1.0.0", "Ada", "Soft clipping with drive", "distortion", "drive", "0 to 36 dB"):
        assert shown in overdrive_page.text
    for shown in ("2.15 ms", "95 samples", "0.00 ms", "48\N{NO-BREAK SPACE}kHz", "resampled"):
        assert shown in " ".join(overdrive_page.texts)
    assert (overdrive / "report.html").stat().st_size < LARGEST_BYTES


def test_every_check_says_what_it_measured_and_allowed(
    validated: tuple[Path, ValidationReport], overdrive_page: Page
) -> None:
    for check in validated[1]:
        assert check.name in overdrive_page.text
        assert check.measured in overdrive_page.text
        assert check.allowed in overdrive_page.text


def test_a_failure_says_what_to_change_before_anything_else(hostile: Path) -> None:
    page = Page((hostile / "report.html").read_text(encoding="utf-8"))
    before_listening = page.text[: page.text.index("Before")]
    assert "Failed: 1 of 3 checks" in before_listening
    assert "bad one : 0.09. What to change: Turn it down." in before_listening
    assert page.text.count("Turn it down.") == 2
    assert "never shown" not in page.text
    for shown in ("0.01 <of> it", "in detail & more", "not run: no engine", "2 <3>"):
        assert shown in page.text


def test_nothing_comes_from_outside(overdrive: Path, hostile: Path) -> None:
    for folder in (overdrive, hostile):
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert outside_references(text) == []
        assert text.index("Content-Security-Policy") < text.index("<style")
        assert "default-src 'none'" in text
    assert "://" not in re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", (overdrive / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        '<img src="https://example.org/x.png">',
        '<link rel="stylesheet" href="//example.org/x.css">',
        "<style>a { background: url('http://example.org') }</style>",
        '<p style="background: url(x.png)">',
        '<svg><image href="file:///etc/hosts"/></svg>',
        "<iframe srcdoc='x'></iframe>",
    ],
)
def test_the_check_for_outside_references_sees(text: str) -> None:
    assert outside_references(text) != []


def test_texts_of_an_artifact_stay_texts(hostile: Path) -> None:
    text = (hostile / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.scripts) == 1
    assert "boom" not in page.scripts[0]
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert {tag for tag, _ in page.elements} & {"i", "u", "b", "img", "frac"} == set()
    assert page.misplaced == []
    assert page.open == []
    assert page.text.count(ATTACK) >= 8
    assert ATTACK_NAME in page.text
    assert "{{ 7 * 7 }}{% raw %}" in page.text
    assert "&lt;script&gt; #010203" in page.text
    assert page.values("href").count('https://example.org/"onmouseover="boom()') == 1
    assert not [address for address in page.values("href") if address.startswith("javascript:")]


def test_the_page_is_well_formed(overdrive: Path, overdrive_page: Page) -> None:
    identifiers = overdrive_page.values("id")
    assert len(set(identifiers)) == len(identifiers)
    targets = {value[1:] for value in overdrive_page.values("href") if value.startswith("#")}
    text = (overdrive / "report.html").read_text(encoding="utf-8")
    targets |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert targets
    assert targets <= set(identifiers)
    assert overdrive_page.misplaced == overdrive_page.open == []
    pictures = [attributes for _, attributes in overdrive_page.elements if attributes.get("role") == "img"]
    assert len(pictures) == 13
    assert all(len(attributes["aria-label"]) > 30 for attributes in pictures if attributes["class"] == "picture")
    assert "#0102" not in text, "a marker colour was left in a drawing"


def test_the_file_appears_whole_or_not_at_all(overdrive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    target.write_text("the old one")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(ExportError, match=r"report\.html: No space left on device\. Choose a folder"):
        write_report(overdrive, report_of(GOOD), target)
    monkeypatch.undo()
    assert target.read_text() == "the old one"
    assert os.listdir(tmp_path) == ["report.html"]
    with pytest.raises(ExportError, match="Choose a folder that exists"):
        write_report(overdrive, report_of(GOOD), tmp_path / "missing" / "report.html")


def test_the_host_rate_is_chosen(overdrive: Path, tmp_path: Path) -> None:
    artifact = load_artifact(overdrive)
    page = Page(write_report(artifact, report_of(GOOD), tmp_path / "a.html", host_sample_rate=32000).read_text("utf-8"))
    assert "32\N{NO-BREAK SPACE}kHz → 48\N{NO-BREAK SPACE}kHz" in " ".join(page.texts)
    page = Page(write_report(artifact, report_of(GOOD), tmp_path / "b.html", host_sample_rate=48000).read_text("utf-8"))
    assert "48000 Hz is a rate of the model's own, so nothing is resampled." in page.text
    with pytest.raises(AudioError, match="host_sample_rate: expected a rate in Hz, at least 1, got 0"):
        write_report(artifact, report_of(GOOD), tmp_path / "c.html", host_sample_rate=0)


def test_a_part_that_fails_says_so_and_the_rest_is_there(
    overdrive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("first line\nthe <last> line")

    for name in ("sweep_parameters", "read_latencies", "time_blocks", "measure_response", "sounds_of"):
        monkeypatch.setattr(contents, name, fails)
    page = Page(write_report(overdrive, report_of(GOOD), tmp_path).read_text(encoding="utf-8"))
    assert page.text.count("This could not be measured: RuntimeError: the <last> line") == 5
    assert "Both resampling filters" in page.text
    assert "good one" in page.text


def test_a_model_for_any_rate_without_sounds(tmp_path: Path) -> None:
    write_artifact(AnyRate(), tmp_path, render_samples=False)
    page = Page(write_report(tmp_path, report_of(GOOD), tmp_path).read_text(encoding="utf-8"))
    assert "The model runs at whatever rate the host has, so nothing is resampled." in page.text
    assert "This model has no parameters." in page.text
    assert sum(tag == "audio" for tag, _ in page.elements) == 4
    assert "Without MP3" not in page.text


class OnlyTheContract:
    """A module with the methods that every maker's artifact has, and none of our own."""

    def __init__(self, module: Any) -> None:
        for name in required_names("live"):
            setattr(self, name, getattr(module, name))


class Foreign(Artifact):
    """An artifact as another tool would have made it."""

    def fresh_module(self) -> Any:
        return OnlyTheContract(super().fresh_module())


def test_the_hosts_of_a_model_with_more_than_the_format_has_room_for(overdrive_page: Page, tmp_path: Path) -> None:
    write_artifact(Wide(1, 6, knobs=5), tmp_path, render_samples=False)
    page = Page(write_report(tmp_path, report_of(GOOD), tmp_path).read_text(encoding="utf-8"))
    assert page.misplaced == []
    assert "Hosts: neutone_like's own: 5 knobs, where the format has room for 4; 6 channels out" in page.text
    assert "the Neutone SDK's loader, may refuse it" in page.text
    assert "1 \N{RIGHTWARDS ARROW} 6 mono to 6 channels" in page.text
    assert "The first two channels are heard." in page.text
    assert "could not be measured" not in page.text
    assert "hosts" not in overdrive_page.values("id")


def test_an_artifact_of_another_maker(overdrive: Path, tmp_path: Path) -> None:
    ours = load_artifact(overdrive)
    artifact = Foreign(ours.path, ours.metadata.model_copy(update={"neutone_like": None}), ours.module)
    page = Page(write_report(artifact, report_of(GOOD), tmp_path).read_text(encoding="utf-8"))
    assert "could not be measured" not in page.text
    assert "Another tool made this file, and it does not say what its resampler does." in page.text
    assert "95 samples" in page.text
    assert "Where it comes from" not in page.text
    shutil.copy(ours.path, tmp_path / "model.nm")  # without sounds beside it
    alone = Foreign(tmp_path / "model.nm", artifact.metadata, ours.module)
    page = Page(write_report(alone, report_of(GOOD), tmp_path).read_text(encoding="utf-8"))
    assert "could not be measured" not in page.text


def test_settings_of_matplotlib_and_torch_are_left_alone(overdrive: Path, tmp_path: Path) -> None:
    numbers, threads = torch.get_rng_state(), torch.get_num_threads()
    with matplotlib.rc_context({"text.parse_math": True, "lines.linewidth": 7.0, "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        write_report(overdrive, report_of(GOOD), tmp_path)
        assert dict(matplotlib.rcParams) == before
    assert torch.equal(torch.get_rng_state(), numbers)
    assert torch.get_num_threads() == threads


def test_drawing_packages_are_imported_by_who_writes_a_report(
    overdrive: Path, subprocess_environment: dict[str, str]
) -> None:
    code = """
import sys
from neutone_like.validate.html import write_report
from neutone_like.validate import ValidationReport
print(sorted({"matplotlib", "jinja2"} & set(sys.modules)))
write_report(sys.argv[1], ValidationReport("x", ()), sys.argv[1] + "/other.html")
print(sorted({"matplotlib", "matplotlib.pyplot"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(overdrive)]
    run = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert run.stdout.splitlines() == ["[]", "['matplotlib']"], run.stderr
