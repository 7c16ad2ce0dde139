"""What README tells a newcomer to type works, in its order."""

from pathlib import Path

import pytest
import soundfile

from snippets import prepare, run_page


@pytest.mark.slow
def test_readme(project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, project_folder)
    monkeypatch.chdir(tmp_path)
    assert run_page(project_folder / "README.md", tmp_path) == 12
    assert soundfile.info(tmp_path / "out.wav").frames == 44100


def test_readme_names_files_that_exist(project_folder: Path) -> None:
    text = (project_folder / "README.md").read_text()
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    local = [link for link in links if not link.startswith("http")]
    assert len(local) > 3
    assert [link for link in local if not (project_folder / link).exists()] == []
