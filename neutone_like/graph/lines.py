"""Which layer of a network, and which line of its source, called each operation of a trace."""

import inspect
import os
from itertools import islice
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import get_proxy_mode
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from neutone_like.graph.examples import Example

_FOLDERS = (os.path.dirname(os.path.abspath(path)) + os.sep for path in (torch.__file__, __file__))
_SKIPPED = tuple(_FOLDERS)
_LEAVING = (Tensor.numpy, Tensor.tolist, Tensor.__array__)
_DATA: Any = Tensor.data.__get__  # pyright: ignore[reportAttributeAccessIssue]
"""``x.data``, whose memory is that of ``x``: PyTorch's own tracer takes it for a constant."""


class CallingLines(TorchFunctionMode):
    """While it is entered, notes the layer and the line of every call of PyTorch from outside of it.

    Attributes:
        lines: ``file:line`` by the name of a node in PyTorch's own graph.
        layers: The name of the innermost module of ``network``, alike.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.lines: dict[str, str] = {}
        self.layers: dict[str, str] = {}
        self._names = {id(module): name for name, module in network.named_modules()}
        self._running: list[str] = []
        self._hooks: list[Any] = []

    def __enter__(self) -> Any:
        self._hooks = [
            register_module_forward_pre_hook(self._begin),
            register_module_forward_hook(self._end, always_call=True),
        ]
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        for hook in self._hooks:
            hook.remove()

    def _begin(self, module: nn.Module, _: Any) -> None:
        if id(module) in self._names:
            self._running.append(self._names[id(module)])

    def _end(self, module: nn.Module, _: Any, __: Any) -> None:
        if id(module) in self._names:
            self._running.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func == _DATA:
            func = Tensor.detach
        mode: Any = get_proxy_mode()
        if mode is None:
            return func(*args, **(kwargs or {}))
        nodes = mode.tracer.graph.nodes
        before = len(nodes)
        result = func(*args, **(kwargs or {}))
        made = len(nodes) - before
        if made:
            line = _calling_line(inspect.currentframe())
            names = [node.name for node in islice(reversed(nodes), made)]
            self.lines.update(dict.fromkeys(names, line))
            self.layers.update(dict.fromkeys(names, self._running[-1] if self._running else ""))
        return result


class LeavingLines(TorchFunctionMode):
    """While it is entered, notes the lines outside of PyTorch at which values of tensors become Python's or NumPy's.

    Attributes:
        lines: ``file:line``, each once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _LEAVING and (line := _calling_line(inspect.currentframe())) not in self.lines:
            self.lines.append(line)
        return func(*args, **(kwargs or {}))


def _calling_line(frame: FrameType | None) -> str:
    """The innermost line outside of PyTorch; where its own modules alone are called, theirs."""
    inside = ""
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_SKIPPED):
        if frame.f_code is Example.call.__code__:
            return inside
        if not inside and os.path.abspath(frame.f_code.co_filename).startswith(_SKIPPED[0]):
            inside = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
