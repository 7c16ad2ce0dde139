"""A forked process has the memory of the one that it was forked off, and none of its threads."""

import os

from neutone_like.errors import RuntimeEngineError


class _Process:
    """Stands for this process; a forked one gets another."""

    now = object()


def this_process() -> object:
    """What is the same as long as no fork lies between."""
    return _Process.now


def require_same_process(opened_in: object, *what: str) -> None:
    """Check that something with threads is used where they are.

    Args:
        opened_in: Where it was made.
        what: What it is, in parts: they are joined only where somebody reads them.

    Raises:
        RuntimeEngineError: This process was forked off since.
    """
    if opened_in is not _Process.now:
        raise RuntimeEngineError(
            f"{''.join(what)} was made before this process was forked off, and its threads did not come along. Make an "
            'engine here, or start processes with multiprocessing.get_context("spawn").'
        )


def _forked() -> None:
    _Process.now = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
