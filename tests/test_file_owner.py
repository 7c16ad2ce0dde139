"""Whose a temporary file is: nobody's who is dead, and never anybody's who lives."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from neutone_like.file_owner import OWNER_MARK, is_abandoned, owner_mark
from support.file_owner_tools import writer_of_nothing

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them")


def test_ours_is_not_abandoned(tmp_path: Path) -> None:
    first, second = owner_mark(), owner_mark()
    assert first != second
    assert re.fullmatch(OWNER_MARK, first)
    assert not is_abandoned(first, tmp_path / "not even there")


def test_another_process_while_it_lives_and_when_it_is_dead(tmp_path: Path) -> None:
    with writer_of_nothing() as other:
        assert not is_abandoned(other.mark, tmp_path)
        other.process.kill()
        while "\nState:\tZ" not in Path(f"/proc/{other.process.pid}/status").read_text():
            time.sleep(0.001)
        assert is_abandoned(other.mark, tmp_path)  # though nobody has asked how it ended
    assert is_abandoned(other.mark, tmp_path)


def test_a_number_that_is_used_again(tmp_path: Path) -> None:
    machine, process, _, number = owner_mark().split("-")
    assert is_abandoned(f"{machine}-{process}-00000000-{number}", tmp_path)


def test_another_machine_is_given_a_day(tmp_path: Path) -> None:
    file = tmp_path / "file"
    mark = f"00000000-{os.getpid()}-00000000-00000000"
    assert not is_abandoned(mark, file)  # gone meanwhile
    file.touch()
    assert not is_abandoned(mark, file)
    two_days_ago = time.time() - 2 * 86_400
    os.utime(file, (two_days_ago, two_days_ago))
    assert is_abandoned(mark, file)


def test_files_of_an_earlier_release_name_nobody(tmp_path: Path) -> None:
    assert re.fullmatch(OWNER_MARK, "0123abcd")
    assert is_abandoned("0123abcd", tmp_path)
