"""Everything that an argument is not, and a way to try it on each of a call's."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, NeutoneLikeError, WaveformToWaveformBase

WRONG: tuple[Any, ...] = (
    None, True, 3, -1, 0, 1.5, float("nan"), float("inf"), 10**30, "x", b"x", object(), [], ["x"], [1.5], {}, {"a": 1},
    np.array([1, 2]), np.float64(1.5), torch.zeros(2), torch.zeros(2, 3, 4), torch.zeros(2, device="meta"), nn.Conv1d,
    lambda *_: 3, nn.Identity(), (1,), 1j,
)  # fmt: skip


def try_every_argument(call: Callable[..., Any], *good: Any, **named: Any) -> None:
    """Each argument by itself given each wrong value; what is no error of ours ends the test."""
    call(*good, **named)
    parameters = list(inspect.signature(call).parameters.values())
    has_many = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    others = [each.name for each in parameters[len(good) :] if each.kind is not each.VAR_POSITIONAL]
    if has_many:
        others = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    for wrong in WRONG:
        calls = [({}, (*good[:at], wrong, *good[at + 1 :])) for at in range(len(good))]
        calls += [({name: wrong}, good) for name in others]
        for changed, arguments in calls:
            with contextlib.suppress(NeutoneLikeError):
                call(*arguments, **{**named, **changed})


class Half(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Half", authors=("A",), version="1")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * 0.5
