"""Which line of a network's source called each operation of a trace."""

import inspect
import os
from itertools import islice
from types import FrameType
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import get_proxy_mode
from torch.overrides import TorchFunctionMode

_FOLDERS = (os.path.dirname(os.path.abspath(path)) + os.sep for path in (torch.__file__, __file__))
_SKIPPED = tuple(_FOLDERS)


class CallingLines(TorchFunctionMode):
    """While it is entered, notes the line of every call of PyTorch from outside of it.

    Attributes:
        lines: ``file:line`` by the name of a node in PyTorch's own graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, str] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        mode: Any = get_proxy_mode()
        if mode is None:
            return func(*args, **(kwargs or {}))
        nodes = mode.tracer.graph.nodes
        before = len(nodes)
        result = func(*args, **(kwargs or {}))
        made = len(nodes) - before
        if made:
            line = _calling_line(inspect.currentframe())
            self.lines.update((node.name, line) for node in islice(reversed(nodes), made))
        return result


def _calling_line(frame: FrameType | None) -> str:
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_SKIPPED):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
