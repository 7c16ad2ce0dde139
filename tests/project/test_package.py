"""The house rules that no other test sees: imports without side effects, floors, file sizes, one version."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import neutone_like
from neutone_like.version import __version__

PROJECT = Path(neutone_like.__file__).resolve().parents[1]
PACKAGE = PROJECT / "neutone_like"
FLOORS = (
    "audio",
    "model",
    "signal",
    "host",
    "graph",
    "streaming",
    "compiler",
    "importers",
    "artifact",
    "runtime",
    "targets",
    "formats",
    "realtime_safety",
    "validate",
    "render",
    "export",
    "plugin",
    "optimise",
    "bench",
    "cli",
    "compat",
)
ALLOWED = {floor: set(FLOORS[: position + 1]) for position, floor in enumerate(FLOORS)}
MOST_LINES = 400

IMPORT_CHECK = """
import logging, sys, threading, warnings
import numpy, torch
state = lambda: (torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype(), threading.active_count(),
                 logging.root.handlers[:], logging.root.level, len(warnings.filters), numpy.geterr(),
                 torch.get_rng_state().tolist())
before = state()
import neutone_like
after = state()
assert before == after, (before, after)
optional = {"pedalboard", "soundfile", "soxr", "torchaudio", "typer", "rich", "scipy", "matplotlib", "onnx", "dask",
            "distributed"}
print(*sorted(optional & set(sys.modules)))
"""


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))


def test_import_has_no_side_effects(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", IMPORT_CHECK]
    run = subprocess.run(command, cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout.split() == [], "import neutone_like brought in what only some users need"
    assert os.listdir(tmp_path) == []


def test_errors_have_one_base() -> None:
    from neutone_like import errors

    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert len(classes) >= 7
    assert all(issubclass(error, neutone_like.NeutoneLikeError) for error in classes)


def test_init_only_re_exports() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    kinds = [type(node) for node in tree.body]
    assert kinds == [ast.Expr, ast.ImportFrom, ast.ImportFrom, ast.If, ast.Expr]


def imported_floors(source: str, package: str) -> set[str]:
    """The floors that a file imports, wherever in the file; ``package`` is what a relative import starts from."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parents = parts[: len(parts) - node.level + 1] if node.level else []
            module = ".".join(parents + ([node.module] if node.module else []))
            names += [f"{module}.{alias.name}" for alias in node.names] if module == "neutone_like" else [module]
    inside = [name.split(".") for name in names if name.split(".")[0] == "neutone_like"]
    return {floor_of(parts[1]) if len(parts) > 1 else "(all)" for parts in inside}


def floor_of(name: str) -> str:
    """The floor of a folder, or of a file beside them."""
    return name.removesuffix(".py")


def floor_problems(floor: str, source: str, package: str) -> set[str]:
    """What ``source``, on ``floor``, imports and may not. Files beside the floors are their common ground."""
    ground = {floor_of(path.name) for path in PACKAGE.glob("*.py")} - {"__init__", "__main__", *FLOORS}
    return imported_floors(source, package) - ALLOWED.get(floor, set()) - ground


@pytest.mark.parametrize("path", python_files("neutone_like"), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_floors_import_only_what_is_above(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    if relative.name in ("__init__.py", "__main__.py") and len(relative.parts) == 1:
        return  # the public API and the start of the command line stand on every floor
    package = ".".join(("neutone_like", *relative.parts[:-1]))
    problems = floor_problems(floor_of(relative.parts[0]), path.read_text(), package)
    assert not problems, f"{relative} imports {problems}, which is below it or not a floor"


@pytest.mark.parametrize(
    ("floor", "source", "expected"),
    [
        ("host", "import neutone_like.artifact.writing.writer", {"artifact"}),
        ("model", "from neutone_like.signal import queue", {"signal"}),
        ("signal", "def f():\n    from neutone_like import host", {"host"}),
        ("artifact", "from neutone_like.export import export_model", {"export"}),
        ("artifact", "from ..render import render_file", {"render"}),
        ("artifact", "from .. import validate", {"validate"}),
        ("host", "from neutone_like import SampleQueueWrapper", {"SampleQueueWrapper"}),
        ("host", "import neutone_like", {"(all)"}),
        ("render", "from neutone_like.cli.output import table", {"cli"}),
        ("errors", "from neutone_like.model import ModelMetadata", {"model"}),
        ("validate", "from neutone_like.host import a\nfrom . import b\nimport torch", set()),
    ],
)
def test_floor_check_sees(floor: str, source: str, expected: set[str]) -> None:
    assert floor_problems(floor, source, f"neutone_like.{floor}") == expected


def test_every_folder_is_a_floor() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(FLOORS), "give the new folder a place in FLOORS"


def test_files_are_small() -> None:
    sizes = {
        path: len(path.read_text().splitlines()) for path in python_files("neutone_like", "tests", "examples", "docs")
    }
    assert sizes
    assert {str(path.relative_to(PROJECT)): lines for path, lines in sizes.items() if lines >= MOST_LINES} == {}


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in python_files("neutone_like")}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_changelog_has_this_version() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\]", (PROJECT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == __version__


def test_extras_named_in_messages_exist() -> None:
    section = (PROJECT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    declared = set(re.findall(r"^([\w-]+) = \[", section, flags=re.MULTILINE))
    assert {"render", "torchaudio", "all"} <= declared
    named = set()
    for path in python_files("neutone_like"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_extra"):
                values = [word.value for word in node.keywords if word.arg == "extra"]
                named |= {value.value for value in values if isinstance(value, ast.Constant)}
    assert named >= {"render"}
    assert named <= declared


def test_tests_mirror_the_package() -> None:
    tests = PROJECT / "tests"
    rooms = {path.parent.relative_to(PACKAGE) for path in python_files("neutone_like")}
    others = {Path(name) for name in ("docs", "examples", "packages", "project")}
    found = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert found <= rooms | others, "tests of a room are in the folder of the same name"
    assert [path.name for path in tests.glob("*.py") if not path.name.startswith("test_")] == ["conftest.py"]
    named = [path.name for path in tests.rglob("*non_realtime*") if path.parent.name != "compat"]
    assert [name for name in named if not name.endswith(".pyc")] == [], "two words: live and offline"
