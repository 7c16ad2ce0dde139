"""Call a model's methods as plain Python: what they return, and the user's own line where they go wrong."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.scripting_hints import LIVE_SIGNATURE, OFFLINE_SIGNATURE
from neutone_like.errors import ExportError, NeutoneLikeError
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase
from neutone_like.user_code import (
    UserLine,
    line_of_class,
    user_line_of_function,
    user_line_of_traceback,
)

Model = WaveformToWaveformBase | NonRealtimeBase


def require_forward_pass(model: Model) -> None:
    """Whether the one method that every model must have is the user's own.

    Raises:
        ExportError: It is not; with the place of the user's class, and the line to write.
    """
    base = NonRealtimeBase if isinstance(model, NonRealtimeBase) else WaveformToWaveformBase
    kind = type(model)
    if kind.do_forward_pass is not base.do_forward_pass:
        return
    signature = OFFLINE_SIGNATURE if base is NonRealtimeBase else LIVE_SIGNATURE
    own_forward = "" if kind.forward is base.forward else " What stands in forward() belongs there."
    raise ExportError(
        f"{kind.__name__} has no do_forward_pass.\n{line_of_class(kind) or ''}\n"
        f"Write this method in the class: {signature}{own_forward}"
    )


def call(model: Model, method: str, *arguments: Any) -> tuple[Any, UserLine | None]:
    """The result of a method, and the line that returned it.

    Raises:
        ExportError: The method raised; with the user's own line.
    """
    function = getattr(model, method)
    try:
        with _last_line_of(function) as returned:
            result = function(*arguments)
    except NeutoneLikeError:
        raise
    except Exception as error:
        line = user_line_of_traceback(error.__traceback__) or user_line_of_function(function)
        raise ExportError(
            f"{type(model).__name__}.{method} raised {type(error).__name__}: {error}\n{line or ''}\n"
            f"It was called with {_describe_arguments(arguments)}. {_what_to_do(model, error)}"
        ) from error
    return result, returned[-1] if returned else user_line_of_function(function)


def _what_to_do(model: Model, error: Exception) -> str:
    if isinstance(error, RuntimeError) and re.search(r"[td]ype|Half|Double|BFloat16", str(error)):
        for name, weight in nn.Module.named_parameters(model):
            if weight.is_floating_point() and weight.dtype is not torch.float32:
                kind = str(weight.dtype).removeprefix("torch.")
                return f"Audio is float32, and {name} is {kind}: call model.float() before exporting."
    return _other_channels(str(error)) + "Make it work on these before exporting."


def _other_channels(error: str) -> str:
    """Advice where a convolution heard other channels than it has; empty where that is not what happened."""
    found = re.search(r"expected input\[.*\] to have (\d+) channels, but got (\d+) channels", error)
    if found is None:
        return ""
    wanted, came = found.groups()
    alone = (
        " Or let each channel be an item of a batch: self.model(x.unsqueeze(1)).squeeze(1)." if wanted == "1" else ""
    )
    return (
        f"The network takes {wanted} channel{'' if wanted == '1' else 's'} and got {came}: it hears [batch, channels, "
        f"samples], and in_channels says how many come.{alone} "
    )


@contextmanager
def _last_line_of(function: Any) -> Iterator[list[UserLine]]:
    """Collect the lines on which calls of ``function`` return. Python's profiler hook knows them; a profiler that is
    running already keeps it, and no line is known.
    """
    code = getattr(function, "__code__", None)
    lines: list[UserLine] = []
    if sys.getprofile() is not None:
        yield lines
        return

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            lines.append(UserLine(frame.f_code.co_filename, frame.f_lineno))

    sys.setprofile(note)
    try:
        yield lines
    finally:
        sys.setprofile(None)


def _describe_arguments(arguments: tuple[Any, ...]) -> str:
    shown = [describe(argument) for argument in arguments]
    return ", ".join(shown) if shown else "no arguments"


def describe(value: Any) -> str:
    """A value in a message: of a tensor its type and shape."""
    if isinstance(value, Tensor):
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {describe(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(describe(entry) for entry in value) + "]"
    return repr(value) if isinstance(value, (int, float, str, bool, type(None))) else f"a {type(value).__name__}"


def check_delay(model: Model, delay: Any, line: UserLine | None) -> None:
    """Whether a model's delay is a number of samples.

    Raises:
        ExportError: It is not.
    """
    if not isinstance(delay, int) or isinstance(delay, bool) or delay < 0:
        raise ExportError(
            f"{type(model).__name__}.model_delay_samples must return an integer of at least 0, got {delay!r}.\n{line}"
        )
