"""LiteRT files of the benchmark suite: converted once, by whoever can, and what is refused is told."""

import importlib.util
from pathlib import Path

import pytest

from neutone_like.bench.suite import litert_files
from neutone_like.bench.suite.litert_files import LitertFiles, NotConverted
from neutone_like.bench.suite.networks import SIZES
from neutone_like.errors import ExportError
from support.places import EXPORTED


def test_a_process_that_converts_is_asked_once_for_each_model(tmp_path: Path) -> None:
    """By a converter that refuses one model and dies of another."""
    if importlib.util.find_spec("litert_torch") is not None:
        pytest.skip("it converts in this process")
    python, asked = tmp_path / "python", tmp_path / "asked"
    python.write_text(
        "#!/bin/sh\n"
        "while read -r line; do\n"
        f"  echo x >> {asked}\n"
        '  case "$line" in *cnn*) echo \'{"here": true, "refusal": "no such operation"}\';; '
        "*) echo worn out >&2; exit 3;; esac\n"
        "done\n"
    )
    python.chmod(0o755)
    artifact = EXPORTED / "overdrive" / "model.nm"
    for _ in range(2):
        again = LitertFiles(python, tmp_path / "cache")
        with pytest.raises(NotConverted, match="no such operation"):
            again.of_network(SIZES["small"]["cnn"], 48000, 0, artifact)
        again.close()
    assert asked.read_text() == "x\n"
    files = LitertFiles(python, tmp_path / "cache")
    with pytest.raises(NotConverted, match="ended by itself, saying: worn out"):
        files.of_network(SIZES["small"]["rnn"], 48000, 0, artifact)
    files.close()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_refusal_does_not_tell_where_the_package_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ExportError(f"{litert_files.__file__}:48:0: error: no such operation")

    monkeypatch.setattr(litert_files, "write_formats", refuse)
    monkeypatch.setattr(litert_files, "find_spec", lambda _: True)  # it converts in this process
    with pytest.raises(NotConverted, match="^neutone_like/bench/suite/litert_files.py:48:0: error: no such operation$"):
        LitertFiles(cache=tmp_path).of_artifact(EXPORTED / "overdrive" / "model.nm")
