"""A test that wants the shared recordings is skipped without them, and fails where they are promised."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_by_fixture(shared_folder):
    pass

@pytest.mark.skipif(True, reason="no shared folder here")
def test_by_mark():
    pass

@pytest.mark.skipif(True, reason="another reason")
def test_unrelated():
    pass

def test_without_a_program():
    pytest.skip("no jackd: apt-get install jackd2")

def test_with_a_server_that_fails():
    pytest.skip("the JACK server does not start here")
"""


@pytest.mark.parametrize(
    ("required", "expected"),
    [("", "5 skipped"), ("SHARED", "3 skipped, 2 errors"), ("PROGRAMS", "2 failed, 3 skipped")],
)
def test_skip_becomes_failure_when_required(
    tmp_path: Path, project_folder: Path, subprocess_environment: dict[str, str], required: str, expected: str
) -> None:
    shutil.copy(project_folder / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_two.py").write_text(TESTS)
    environment = {
        **subprocess_environment,
        "NEUTONE_LIKE_SHARED": str(tmp_path / "absent"),
        **{f"NEUTONE_LIKE_REQUIRE_{each}": str(int(each == required)) for each in ("SHARED", "PROGRAMS")},
    }
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore:`torch:DeprecationWarning"]
    command = [sys.executable, "-m", "pytest", *quiet, str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert expected in run.stdout.splitlines()[-1], run.stdout
    assert run.returncode == int(required != ""), run.stdout
