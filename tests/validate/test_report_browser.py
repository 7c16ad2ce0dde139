"""The report in a real browser, opened from the disk. Every check has a page that trips it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate import Check, ValidationReport
from neutone_like.validate.html import write_report
from neutone_like.validate.html.figures.drawing import LEFT, RIGHT
from support.report_browser import CONTRAST, Browser, open_browser
from support.report_models import Hostile

pytestmark = pytest.mark.slow

PHONE = 390
MP3_FRAME_SECONDS = 1152 / 48000
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
SMALLEST_TEXT = 9.5
PLAYER = "#listen article:nth-of-type(1)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def good(browser: Browser, validated: tuple[Path, ValidationReport]) -> Path:
    return validated[0] / "report.html"


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_artifact(Hostile(), folder)
    checks = (Check("a", "failed", "x" * 300, "less", "Change it."), Check("b", "skipped", "not run", "-"))
    return write_report(folder, ValidationReport("Hostile", checks), folder)


def written(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    path.write_text(f"<!DOCTYPE html><meta name=viewport content='width=device-width'><body>{body}</body>")
    return path


@pytest.mark.parametrize("which", ["good", "bad"])
def test_it_opens_without_an_error_and_asks_for_nothing(
    browser: Browser, which: str, request: pytest.FixtureRequest
) -> None:
    browser.open(request.getfixturevalue(which))
    browser.click(f"{PLAYER} .play")
    browser.wait("return document.querySelector('.verb').textContent === 'Pause'")
    assert browser.errors() == []
    assert browser.requests() == []
    heading = browser.run("return document.querySelector('.verdict h2').innerText")
    assert heading == ("✓ Passed: 16 of 17 checks, 1 not run" if which == "good" else "✗ Failed: 1 of 2 checks")
    drawn = "return [...document.querySelectorAll('.picture svg')].map((e) => e.getBoundingClientRect().height)"
    assert len(browser.run(drawn)) >= 10
    assert min(browser.run(drawn)) > 100
    pictures = "return [...document.querySelectorAll('svg image')].every((e) => e.getBoundingClientRect().width > 50)"
    assert browser.run(pictures)


def test_the_checks_for_errors_and_requests_see(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, "<script>nothing.here()</script><img src='http://127.0.0.1:59999/x.png'>"))
    browser.wait("return document.querySelector('img').complete")
    assert browser.requests() == ["http://127.0.0.1:59999/x.png"]
    assert any("nothing is not defined" in message for message in browser.errors())


def test_the_pages_own_policy_keeps_it_inside(browser: Browser, good: Path) -> None:
    text = good.read_text(encoding="utf-8")
    attack = "<script>window.done = 1</script><img src='http://127.0.0.1:59999/x.png' onerror='window.done = 2'>"
    page = good.parent / "attacked.html"
    page.write_text(text.replace("</main>", f"{attack}</main>"), encoding="utf-8")
    browser.open(page)
    assert browser.run("return window.done") is None
    assert any("Content Security Policy" in message for message in browser.errors())
    assert not [event for event in browser.events() if event["method"] == "Network.responseReceived"
                and event["params"]["response"]["url"].startswith("http")]  # fmt: skip


def test_players_have_the_duration_of_their_sounds(browser: Browser, good: Path) -> None:
    browser.open(good)
    browser.wait("return [...document.querySelectorAll('audio')].every((a) => a.readyState >= 1)")
    durations = browser.run("return [...document.querySelectorAll('audio')].map((a) => a.duration)")
    assert len(durations) == 4
    for seconds in durations:
        assert seconds == pytest.approx(4.0, abs=3 * MP3_FRAME_SECONDS)


def test_both_sides_play_in_step_and_the_switch_does_not_interrupt(browser: Browser, good: Path) -> None:
    browser.open(good, record=True)
    browser.click(f"{PLAYER} .play")
    browser.wait(f"return Number(document.querySelector('{PLAYER} .seek').value) > 0.3")
    before, after = browser.run("return window.starts")
    assert (before["when"], before["offset"]) == (after["when"], after["offset"])
    assert before["when"] > before["clock"], "both were started before their time came"
    assert before["loop"]
    assert after["loop"]
    assert before["seconds"] == pytest.approx(4.0, abs=3 * MP3_FRAME_SECONDS)
    assert after["seconds"] == before["seconds"]
    assert after["peak"] > 1.2 * before["peak"] > 0.1

    first = float(browser.run(f"return document.querySelector('{PLAYER} .seek').value"))
    browser.click(f"{PLAYER} label.before")
    assert browser.run("return window.levels.slice(-2)") == [1, 0]
    browser.click(f"{PLAYER} label.after")
    assert browser.run("return window.levels.slice(-2)") == [0, 1]
    browser.click(f"{PLAYER} .match")
    assert 0.1 < browser.run("return window.levels.slice(-1)[0]") < 0.9
    assert browser.run("return [window.starts.length, window.stops]") == [2, 0]
    browser.wait(f"return Number(document.querySelector('{PLAYER} .seek').value) !== {first}")


def test_seeking_pausing_and_the_other_player(browser: Browser, good: Path) -> None:
    browser.open(good, record=True)
    browser.click(f"{PLAYER} .play")
    browser.wait("return window.starts.length === 2")
    browser.click(f"{PLAYER} .take[data-side=before] .canvas")  # in the middle of the picture, not quite that of time
    browser.wait("return window.starts.length === 4")
    moved = browser.run("return window.starts.slice(2)")
    assert moved[0]["offset"] == moved[1]["offset"] == pytest.approx(4.0 * (0.5 - LEFT) / (RIGHT - LEFT), abs=0.05)
    assert moved[0]["when"] == moved[1]["when"]
    browser.click("#listen article:nth-of-type(2) .play")
    browser.wait("return window.starts.length === 6")
    labels = browser.run("return [...document.querySelectorAll('.verb')].map((e) => e.textContent)")
    assert labels == ["Play", "Pause"]
    browser.click("#listen article:nth-of-type(2) .play")
    position = browser.run("return document.querySelector('#listen article:nth-of-type(2) .clock').textContent")
    assert browser.run("return [...document.querySelectorAll('.verb')].every((e) => e.textContent === 'Play')")
    assert position.endswith("/ 4.0 s")
    assert browser.run("return window.stops") == 6
    assert browser.errors() == []


def test_it_works_with_the_keyboard(browser: Browser, good: Path) -> None:
    browser.open(good, record=True)
    browser.run(f"document.querySelector('{PLAYER} .play').focus()")
    browser.press(" ")
    browser.wait("return window.starts.length === 2")
    browser.press("\ue004")  # tab, to the switch
    browser.press("\ue012")  # left
    assert browser.run(f"return document.querySelector('{PLAYER} .switch input:checked').value") == "before"
    browser.press("\ue004")
    assert browser.run("return document.activeElement.className") == "seek"
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


@pytest.mark.parametrize("which", ["good", "bad"])
def test_it_fits_a_phone(browser: Browser, which: str, request: pytest.FixtureRequest) -> None:
    browser.open(request.getfixturevalue(which), width=PHONE)
    assert browser.run("return innerWidth") == PHONE
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE
    wide = """return [...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll, .skip, svg')
              && e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.className)"""
    assert browser.run(wide) == []
    assert min(each["size"] for each in browser.run(CONTRAST)) >= SMALLEST_TEXT


def test_the_check_for_width_sees(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, "<p style='width: 600px'>wide</p>"), width=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") > PHONE


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["good", "bad"])
def test_every_text_can_be_read(browser: Browser, which: str, dark: bool, request: pytest.FixtureRequest) -> None:
    browser.open(request.getfixturevalue(which), dark=dark)
    light = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (light < 60) == dark
    found = browser.run(CONTRAST)
    assert len(found) > 150
    assert [each for each in found if each["ratio"] < LEAST_CONTRAST] == []


def test_the_check_for_contrast_sees(browser: Browser, tmp_path: Path) -> None:
    grey = "<p style='color: #999; background: #fff'>pale</p><svg viewBox='0 0 9 9'><text fill='#777'>x</text></svg>"
    browser.open(written(tmp_path, grey))
    assert [each["ratio"] < LEAST_CONTRAST for each in browser.run(CONTRAST)] == [True, True]


def test_plain_players_stay_where_scripts_are_off(browser: Browser, good: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.driver.get(good.as_uri())
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.run("return document.querySelectorAll('audio')[0].checkVisibility()")
    assert not browser.run("return document.querySelector('.controls').checkVisibility()")
