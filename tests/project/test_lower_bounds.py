"""The lower bounds in pyproject.toml are read as pip reads them; `make lowest` then tries them."""

import re

import pytest

from lowest.bounds import PROJECT, lower_bounds


def test_every_package_that_a_user_installs_has_one() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 brings it")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(line for name in extras if name not in ("docs", "dev") for line in extras[name]),
    ]
    names = {re.split(r"[\[<>=]", line)[0] for line in wanted} - {"neutone-like"}
    bounds = lower_bounds((PROJECT / "pyproject.toml").read_text("utf-8"))
    assert set(bounds) == names
    assert all(f"{name}>={version}" in re.split(r",|$", line)[0] for name, version in bounds.items()
               for line in wanted if line.startswith(f"{name}>"))  # fmt: skip


def test_a_package_without_one_is_not_passed_over() -> None:
    text = '\ndependencies = [\n    "one>=1.2,<2",\n    "two",\n]\n\ndocs = ["three>=3"]\n'
    assert lower_bounds(text) == {"one": "1.2"}
