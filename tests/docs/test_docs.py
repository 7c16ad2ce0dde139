"""The documentation's snippets run, its schema is the code's, and its site needs no network."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neutone_like.artifact.format.schema import json_schema
from support.lighter_exports import without_pictures, without_times
from support.places import PROJECT
from support.snippets import in_this_process, prepare, run_page, snippets

PAGES = [
    page
    for page in sorted((PROJECT / "docs").rglob("*.md"))
    if any(block.language == "python" and block.not_run is None for block in snippets(page.read_text(encoding="utf-8")))
]


def test_pages_were_found() -> None:
    assert len(PAGES) >= 8


MARKED = [pytest.param(page, marks=pytest.mark.compiles if page.stem == "compiled-models" else ()) for page in PAGES]


@pytest.mark.slow
@pytest.mark.parametrize("page", MARKED, ids=lambda page: str(page.relative_to(PROJECT / "docs")))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    if page.name != "validation.md":  # README, the page about validation and test_export.py try all of it
        without_times(monkeypatch)
        without_pictures(monkeypatch)
    assert run_page(page, tmp_path, in_this_process) > 0


@pytest.mark.parametrize(("name", "realtime"), [("metadata.json", True), ("metadata-offline.json", False)])
def test_published_schema_is_the_one_in_use(name: str, realtime: bool) -> None:
    published = json.loads((PROJECT / "docs" / "schema" / name).read_text())
    assert published == json_schema(realtime=realtime), "run docs/make_schema.py"


def test_the_command_reference_is_the_programs() -> None:
    written = (PROJECT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    module = runpy.run_path(str(PROJECT / "docs" / "make_command_line.py"))
    assert module["page"]() == written, "run docs/make_command_line.py"
    assert "--encoding-quality QUALITY" in written
    assert "--real-time-safety" not in written, "hidden options are not documented"


def test_the_table_of_operations_is_the_compilers() -> None:
    written = (PROJECT / "docs" / "reference" / "compiled-operations.md").read_text(encoding="utf-8")
    module = runpy.run_path(str(PROJECT / "docs" / "make_compiled_operations.py"))
    assert module["page"]() == written, "run docs/make_compiled_operations.py"


LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """What headings of a Markdown page can be linked to as."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page), flags=re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings]
    return {re.sub(r"[\s-]+", "-", heading) for heading in words}


def broken_links(page: Path) -> list[str]:
    """Links of a page to files, or headings in them, that are not there."""
    broken: list[str] = []
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    return broken


WRITTEN = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def test_links_lead_somewhere() -> None:
    assert {str(page.relative_to(PROJECT)): broken for page in WRITTEN if (broken := broken_links(page))} == {}


def test_broken_links_are_seen(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Here, and there\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#here-and-there) [b](https://x.org) [c](gone.md) [d](other.md#nowhere) [e](#no)\n")
    assert broken_links(page) == ["gone.md", "other.md#nowhere", "#no"]


def test_every_page_is_in_the_navigation() -> None:
    pages = {str(page.relative_to(PROJECT / "docs")) for page in (PROJECT / "docs").rglob("*.md")}
    navigation = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    named = re.findall(r"(\S+\.md)$", navigation, flags=re.MULTILINE)
    assert sorted(named) == sorted(pages)


def test_two_kinds_of_model_have_two_words() -> None:
    other = re.compile(r"non-real-?time|not (?:real-time(?! safe)|live)\b", flags=re.IGNORECASE)
    texts = [*WRITTEN, *sorted((PROJECT / "neutone_like").rglob("*.py"))]
    assert other.search("a model that is not real-time")
    assert other.search("A non-realtime model")
    found = {str(path.relative_to(PROJECT)): other.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_walk_names_files_that_exist() -> None:
    page = (PROJECT / "docs" / "explanation" / "code-layout.md").read_text(encoding="utf-8")
    python = re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", page)
    native = re.findall(r"`([a-z_]+/[a-z_/]+\.[ch]pp)`", page)
    assert len(python) > 15
    assert len(native) > 5
    assert [name for name in python if not (PROJECT / "neutone_like" / name).exists()] == []
    assert [name for name in native if not (PROJECT / "native" / "src" / name).exists()] == []


def added_db(name: str, way: str) -> float:
    """What a published sound has that its original has not, in dB of the original."""
    soundfile = pytest.importorskip("soundfile")
    folder = PROJECT / "docs" / "sounds"
    original, rate = soundfile.read(folder / f"{name}-original.flac")
    y, rate_too = soundfile.read(folder / f"{name}-{way}.flac")
    assert (rate, len(y)) == (rate_too, len(original))
    return float(10.0 * np.log10(np.mean((y - original) ** 2) / np.mean(original**2)))


@pytest.mark.parametrize("name", ["sweep", "chimes"])
def test_published_sounds_show_the_difference(name: str) -> None:
    assert added_db(name, "ours") < -80.0
    assert added_db(name, "linear") > -20.0


def test_published_sounds_are_small() -> None:
    sizes = [path.stat().st_size for path in (PROJECT / "docs" / "sounds").iterdir()]
    assert len(sizes) == 6
    assert max(sizes) < 200_000


@pytest.mark.slow
def test_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    loaded = re.compile(r"<(?:script|img|iframe|link|audio)\b[^>]*?\b(?:src|href)=\"?(https?:)?//[^>]*>")
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        assert loaded.search(page.read_text(encoding="utf-8")) is None, page
