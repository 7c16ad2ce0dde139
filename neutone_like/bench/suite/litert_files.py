"""LiteRT files of the suite's networks: converted once on a machine, by a Python that has the converter, and kept.

The converter takes a quarter of a minute for a network, and wants versions of other packages that nothing else here
does. What ``make formats`` installs it into is found by itself. Files are kept in the user's cache folder, by what they
are made of: the network or the artifact, and the code and packages that write them.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neutone_like.artifact import load_artifact
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.bench.suite.networks import Shape, build
from neutone_like.errors import MissingExtraError, NeutoneLikeError
from neutone_like.formats import write_formats
from neutone_like.runtime.torch_backend import user_folder

PACKAGE = Path(__file__).resolve().parents[2]
_USUAL_CONVERTER = PACKAGE.parent / "build" / "formats" / "litert-torch" / "bin" / "python"
_SECONDS_AT_MOST = 600.0
_REFUSED = "refused.txt"


class NotConverted(Exception):
    """There is no LiteRT file of a model; says why."""


class LitertFiles:
    """Folders with ``model.nm``, ``model.tflite`` and its sidecar.

    Args:
        python: A Python that has litert-torch and this package; None for the usual one, or this one.
        cache: Where they are kept; None for the user's cache folder.
    """

    def __init__(self, python: Path | None = None, cache: Path | None = None) -> None:
        self._python = python or (_USUAL_CONVERTER if _USUAL_CONVERTER.exists() else None)
        self._cache = cache or user_folder() / "suite"
        self._converter: _Converter | None = None

    def of_network(self, shape: Shape, rate: int, block: int, artifact: Path) -> Path:
        """The folder's ``model.nm``; ``artifact`` is the network's.

        Raises:
            NotConverted: It can't be made.
        """
        made_of = [shape.family, shape.width, shape.depth, rate, block]
        return self._kept([str(shape), rate, block, _digest_of_code()], artifact, made_of)

    def of_artifact(self, artifact: Path) -> Path:
        """The same of an artifact whose model is not known.

        Raises:
            NotConverted: It can't be made.
        """
        return self._kept([digest_of_file(artifact), _digest_of_code()], artifact, None)

    def close(self) -> None:
        """End the process that converts."""
        if self._converter is not None:
            self._converter.close()
            self._converter = None

    def _kept(self, key: list[Any], artifact: Path, shape: list[Any] | None) -> Path:
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
        folder = self._cache / name
        if not folder.is_dir():
            self._make(folder, artifact, shape)
        if (folder / _REFUSED).exists():
            raise NotConverted((folder / _REFUSED).read_text("utf-8"))
        return folder / "model.nm"

    def _make(self, folder: Path, artifact: Path, shape: list[Any] | None) -> None:
        convert = self._way()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as name:
            made = Path(name) / "made"
            made.mkdir()
            shutil.copy(artifact, made / "model.nm")
            refusal = convert(made / "model.nm", shape)
            if refusal:
                (made / _REFUSED).write_text(refusal, "utf-8")
            if not folder.is_dir():
                os.rename(made, folder)

    def _way(self) -> Callable[[Path, list[Any] | None], str]:
        if find_spec("litert_torch") is not None:
            return _converted
        if self._python is None:
            raise NotConverted(
                "Writing LiteRT files needs the package 'litert_torch', which is not installed. Install it, here or "
                "in an environment of its own that --converter names: "
                'pip install "neutone-like[litert-convert]"; in a checkout, make formats'
            )
        if self._converter is None:
            self._converter = _Converter(self._python)
        return self._converter.convert


def _digest_of_code() -> str:
    """Of what decides what is in a file."""
    digest = hashlib.sha256()
    for path in sorted([*(PACKAGE / "formats").glob("*.py"), PACKAGE / "bench" / "suite" / "networks.py"]):
        digest.update(path.read_bytes())
    for package in ("torch", "ai-edge-litert"):
        try:
            digest.update(version(package).encode())
        except PackageNotFoundError:
            digest.update(b"-")
    return digest.hexdigest()


def _converted(artifact: Path, shape: list[Any] | None) -> str:
    """Write the file beside an artifact; why not, where it can't be."""
    model = None
    if shape is not None:
        family, width, depth, rate, block = shape
        model = build(Shape(family, width, depth), rate, block)
    try:
        write_formats(load_artifact(artifact), ("litert",), artifact.parent, model=model)
    except MissingExtraError as error:
        raise NotConverted(str(error)) from error
    except NeutoneLikeError as error:
        # It goes into results that others read, who need not know where this package lies.
        return str(error).replace(f"{PACKAGE.parent}{os.sep}", "")
    return ""


class _Converter:
    """Another Python that converts, one model after the other: it takes seconds to start."""

    def __init__(self, python: Path) -> None:
        self._python = python
        command = [str(python), "-m", "neutone_like.bench.suite.litert_files"]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)
        except OSError as error:
            self._said.close()
            raise NotConverted(f"{python} can't be started: {error.strerror or error}") from error

    def convert(self, artifact: Path, shape: list[Any] | None) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = threading.Timer(_SECONDS_AT_MOST, self._process.kill)
        watch.start()
        try:
            self._process.stdin.write(json.dumps([str(artifact), shape]).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            watch.cancel()
        if not answer:
            raise NotConverted(f"The converter in {self._python} ended by itself, saying: {self._last_words()}")
        answered = json.loads(answer)
        if not answered["here"]:
            raise NotConverted(f"{self._python} can't convert: {answered['refusal']}")
        return answered["refusal"]

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "nothing"

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._said.close()


def main() -> None:
    """Convert what standard input names, a line each, and answer on standard output, where nothing else may speak."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        artifact, shape = json.loads(line)
        try:
            answer = {"here": True, "refusal": _converted(Path(artifact), shape)}
        except NotConverted as error:
            answer = {"here": False, "refusal": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
