"""Runs the command line inside a test."""

from collections.abc import Callable

import pytest

from neutone_like.cli import main

GOOD, FELL_SHORT, WRONG_USE = 0, 1, 2
Run = Callable[..., tuple[int, str, str]]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function of the arguments: exit code, stdout, and stderr without its line breaks, which depend on its width."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(end.value.code or 0), printed.out, " ".join(printed.err.split())

    return call
