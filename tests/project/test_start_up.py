"""What starting costs: which packages the real program, in a fresh process, has loaded when it ends."""

import ast
import copy
import inspect
import pickle
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import neutone_like
from neutone_like.bench.start_up import processor_seconds
from support.places import EXPORTED

PUBLIC: list[str] = vars(neutone_like)["__all__"]
HEAVY = {"torch", "numpy", "matplotlib", "pedalboard", "soundfile", "soxr", "scipy"}
NO_MODEL_NEEDED = {*HEAVY, "pydantic", "rich", "jinja2"}
VERBS = ("export", "inspect", "validate", "check-callback", "render", "bench")
OVERDRIVE = str(EXPORTED / "overdrive" / "model.nm")
LAZY_PACKAGES = (
    "neutone_like",
    "neutone_like.artifact",
    "neutone_like.bench",
    "neutone_like.model",
    "neutone_like.realtime_safety",
    "neutone_like.render",
    "neutone_like.render.batch",
    "neutone_like.runtime",
    "neutone_like.validate",
    "neutone_like.validate.html",
)


def loaded_by(arguments: list[str], environment: dict[str, str], *, expected_code: int = 0) -> set[str]:
    """The packages that a Python process imports, as Python itself lists them."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == expected_code, done.stderr[-2000:]
    modules = re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE)
    assert "encodings" in modules, "the list of imports is not where it is looked for"
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize("arguments", [["-c", "import neutone_like"], ["-m", "neutone_like", "--help"]])
def test_the_door_loads_nothing_heavy(arguments: list[str], subprocess_environment: dict[str, str]) -> None:
    assert loaded_by(arguments, subprocess_environment) & NO_MODEL_NEEDED == set()


@pytest.mark.parametrize(
    "arguments",
    [["--version"], *([verb, "--help"] for verb in VERBS), ["inspect", OVERDRIVE], ["inspect", OVERDRIVE, "--json"]],
    ids=" ".join,
)
def test_no_torch_where_no_model_is_run(arguments: list[str], subprocess_environment: dict[str, str]) -> None:
    assert loaded_by(["-m", "neutone_like", *arguments], subprocess_environment) & HEAVY == set()


def test_wrong_use_is_refused_without_torch(subprocess_environment: dict[str, str]) -> None:
    command = ["-m", "neutone_like", "render", "none.nm", "in.wav", "out.wav"]
    assert loaded_by(command, subprocess_environment, expected_code=2) & HEAVY == set()


def test_what_needs_torch_is_seen_to_load_it(subprocess_environment: dict[str, str]) -> None:
    """The control: a public name behind which torch stands."""
    assert "torch" in loaded_by(["-c", "from neutone_like import export_model"], subprocess_environment)


def test_start_up_is_measured() -> None:
    idle = processor_seconds(("-c", "pass"))
    busy = processor_seconds(("-c", "import time\nwhile time.process_time() < 0.5: pass"))
    assert -0.001 < idle < busy  # as short as a tick of that clock or two, and none may be counted
    assert busy >= 0.5 - 0.025  # a difference of sums of clock ticks of 10 ms, of which one may be lost at either end


# ---------------------------------------------------------------------- lazy packages


def declared(package: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a type checker reads, and what the table says: the module of each name."""
    tree = ast.parse(Path(import_module(package).__file__ or "").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    checker: dict[str, str] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert all(alias.asname == alias.name for alias in node.names), ast.unparse(node)
        checker |= {alias.name: str(node.module) for alias in node.names}
    (call,) = (node.value for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    table = ast.literal_eval(call.args[1])
    return checker, {name: module for module, names in table.items() for name in names}


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_every_lazy_name_is_what_type_checkers_see(package: str) -> None:
    checker, table = declared(package)
    assert checker == table
    module = import_module(package)
    for name, source in table.items():
        assert getattr(module, name) is getattr(import_module(source), name)
    assert set(table) <= set(dir(module))
    assert set(module.__all__) == {name for name in table if not name.startswith("_")}


def test_star_import() -> None:
    names: dict[str, Any] = {}
    exec("from neutone_like import *", names)
    assert names["export_model"] is neutone_like.export_model
    assert set(PUBLIC) <= set(names)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'neutone_like' has no attribute 'export_modle'"):
        neutone_like.export_modle  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(neutone_like, "_private")


def test_folders_are_attributes_without_being_imported(subprocess_environment: dict[str, str]) -> None:
    code = "import neutone_like; print(neutone_like.errors.AudioError.__name__, neutone_like.render.board.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=subprocess_environment, capture_output=True, text=True, timeout=600
    )
    assert done.stdout == "AudioError neutone_like.render.board\n", done.stderr


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_pickle_and_know_where_they_live(name: str) -> None:
    value = getattr(neutone_like, name)
    assert pickle.loads(pickle.dumps(value)) is value
    assert copy.deepcopy(value) is value
    module = inspect.getmodule(value)
    assert module is not None
    assert getattr(module, value.__name__) is value
