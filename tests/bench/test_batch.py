"""The tables of a job on one process and on two."""

import re
from io import StringIO

import pytest
from rich.console import Console

from neutone_like.bench.batch import batch_tables, measure_batch


@pytest.mark.slow
def test_the_same_files_on_one_process_and_on_two() -> None:
    times = measure_batch(files=4)
    assert [each.workers for each in times] == [1, 2]
    assert [len(each.result.done) for each in times] == [4, 4]
    assert all(0.0 < each.first_seconds < each.result.seconds for each in times)
    assert {len({record.worker for record in each.result.done}) <= each.workers for each in times} == {True}
    console = Console(width=120, file=StringIO())
    console.print(*batch_tables(times))
    text = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert "4 files of 2 s, stereo at 48000 Hz, on 1 process" in text
    assert "4 files of 2 s, stereo at 48000 Hz, on 2 processes" in text
    assert re.search(r"the same bits +│ +yes", text)
    assert re.search(r"speed +│ +[\d.]+ x that of 1", text)
