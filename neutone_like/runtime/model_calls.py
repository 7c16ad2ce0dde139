"""Which callables the calling thread is inside of: from there, nobody may wait until they are done."""

import threading
from dataclasses import dataclass

from neutone_like.errors import RuntimeEngineError


@dataclass(frozen=True, eq=False)
class ModelCaller:
    """Who calls a callable: compared by identity.

    Args:
        engine: The compiled engine that it plays on.
        on_workers: Whether the engine's workers run it.
    """

    engine: object
    on_workers: bool


class _Calls(threading.local):
    def __init__(self) -> None:
        self.callers: list[ModelCaller] = []


_calls = _Calls()


class called_by:  # reads as what it does, at every block
    """While a callable runs for ``caller``."""

    def __init__(self, caller: ModelCaller) -> None:
        self._caller = caller

    def __enter__(self) -> None:
        _calls.callers.append(self._caller)

    def __exit__(self, *_: object) -> None:
        _calls.callers.pop()


def refuse_inside(caller: ModelCaller, action: str) -> None:
    """Refuse what would wait for the callable that asks for it.

    Raises:
        RuntimeEngineError: The calling thread is inside a callable that runs for ``caller``.
    """
    if caller in _calls.callers:
        raise RuntimeEngineError(
            f"{action} was called by the model that the session plays, and would wait for that model for ever. "
            "Call it from another thread, or after the block."
        )


def refuse_inside_engine(engine: object, action: str, workers_only: bool = False) -> None:
    """Refuse what would wait for an engine, inside any callable that it plays, or only inside those on its workers.

    Raises:
        RuntimeEngineError: The calling thread is inside such a callable.
    """
    if any(caller.engine is engine and (caller.on_workers or not workers_only) for caller in _calls.callers):
        raise RuntimeEngineError(
            f"{action} was called by a model that the engine plays, and would wait for that model for ever. "
            "Call it from another thread, or after the block."
        )
