"""Prints pip constraints that hold every package a user installs to the lower bound in pyproject.toml."""

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOWER_BOUND = re.compile(r'"([a-z][a-z0-9-]*)>=([0-9.]+)[^"]*"')


def lower_bounds(pyproject: str) -> dict[str, str]:
    """The version of each package in ``dependencies`` and the extras of ``all``, not of what builds and develops."""
    start, end = pyproject.index("\ndependencies = ["), pyproject.index("\ndocs = [")
    return dict(LOWER_BOUND.findall(pyproject[start:end]))


if __name__ == "__main__":
    bounds = lower_bounds((PROJECT / "pyproject.toml").read_text("utf-8"))
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in bounds.items())
