"""What README tells a newcomer to type works, in its order."""

from pathlib import Path

import pytest
import soundfile

from support.snippets import prepare, run_page, snippets


@pytest.mark.slow
def test_readme(project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, project_folder)
    monkeypatch.chdir(tmp_path)
    assert run_page(project_folder / "README.md", tmp_path) == 6
    assert soundfile.info(tmp_path / "out.wav").frames == 44100


def test_readme_fits_a_screen_and_a_half(project_folder: Path) -> None:
    lines = (project_folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 90
    assert max(len(line) for line in lines if not line.startswith("|")) <= 130


def test_the_first_model_has_nine_lines(project_folder: Path) -> None:
    blocks = snippets((project_folder / "README.md").read_text(encoding="utf-8"))
    first = next(block.text for block in blocks if block.language == "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 9
