"""A wrapper keeps state, so that two threads in it at once would mix two signals."""

from typing import Any

from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import ModelError


class OneAtATime:
    """Lets one thread at a time in, and refuses others; also in TorchScript, which knows no locks.

    ``turn.begin()``, and right behind it ``with turn:`` around what keeps state. That is two steps because TorchScript
    calls ``__exit__`` even where ``__enter__`` has raised, which would open the door behind somebody's back. In Python
    the second step alone closes the door, so that an interrupt between them leaves nobody inside. TorchScript has no
    step that looks and closes in one: there, two threads that come within the same microsecond both get in. Whoever
    plays for others (sessions, boards, rendering) holds a lock or a copy of its own, and does not rely on this door.
    """

    inside: bool

    def __init__(self) -> None:
        self.inside = False

    def begin(self) -> None:
        """Raises ModelError while another thread is inside."""
        if self.inside:
            raise ModelError(
                "Another thread is in this wrapper, which keeps state: two signals at once would be mixed. "
                "Use a wrapper for each thread, such as Artifact.fresh_module()."
            )
        if is_scripting():
            self.inside = True

    def __enter__(self) -> None:
        if not is_scripting():
            if self.inside:
                raise ModelError("Another thread has just come into this wrapper. Use a wrapper for each thread.")
            self.inside = True

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self.inside = False
