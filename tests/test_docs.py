"""The documentation's snippets run, its schema is the code's, and its site needs no network."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from neutone_like.artifact.format.schema import json_schema
from snippets import prepare, run_page, snippets

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [
    page
    for page in sorted((PROJECT / "docs").rglob("*.md"))
    if any(block.language == "python" and block.not_run is None for block in snippets(page.read_text(encoding="utf-8")))
]


def test_pages_were_found() -> None:
    assert len(PAGES) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT / "docs")))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, PROJECT)
    monkeypatch.chdir(tmp_path)
    assert run_page(page, tmp_path) > 0


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


@pytest.mark.slow
def test_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    loaded = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=\"?(https?:)?//[^>]*>")
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        assert loaded.search(page.read_text(encoding="utf-8")) is None, page
