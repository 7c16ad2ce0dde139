"""Playing sound through a wrapper as a host does, block by block, and through a model without any wrapper."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.model import NumericalParameter
from neutone_like.printing import InNotebooks

HOST_PARAMETER_ROWS = 4
WHOLE = 0


@dataclass(frozen=True)
class HostSetting(InNotebooks):
    """How a host is set up: its rate in Hz and the block size it promises; ``WHOLE`` where it has whole sounds."""

    sample_rate: int
    block_size: int

    def __str__(self) -> str:
        return f"{self.sample_rate} Hz" if self.block_size == WHOLE else f"{self.sample_rate} Hz / {self.block_size}"


def prepare(module: Any, setting: HostSetting) -> Any:
    """Tell a wrapper what host it is in, and reset it."""
    module.set_daw_sample_rate_and_buffer_size(setting.sample_rate, setting.block_size)
    module.reset()
    return module


def latency_samples(module: Any) -> int:
    """What the wrapper reports, read the way hosts do."""
    return module.calc_buffering_delay_samples() + module.calc_model_delay_samples()


def play(module: Any, x: Tensor, sizes: Iterable[int], values: Tensor | None = None) -> Tensor:
    """Feed ``x`` in blocks of the given sizes, as far as they go.

    Args:
        values: Host values 0..1, ``[P, samples]``, or ``[P, 1]`` where they stay the same; None for the defaults.

    Returns:
        As many samples as were fed, latency included.
    """
    rows = None if values is None else as_rows(values, x.size(1))
    outputs: list[Tensor] = []
    start = 0
    for size in sizes:
        block = x[:, start : start + size]
        if block.size(1) == 0:
            break
        output = module.forward(block, None if rows is None else rows[:, start : start + size])
        outputs.append(output.clone())  # some wrappers hand out a view of what they overwrite next
        start += size
    return torch.cat(outputs, 1)


def play_for(seconds: float, module: Any, x: Tensor, fewest: int, values: Tensor) -> Tensor:
    """Feed ``x`` sample by sample for so much processor time, and ``fewest`` samples at least.

    Returns:
        As many samples as were fed, latency included.
    """
    rows = as_rows(values, x.size(1))
    outputs: list[Tensor] = []
    started = time.thread_time()
    for start in range(x.size(1)):
        if start >= fewest and time.thread_time() - started > seconds:
            break
        outputs.append(module.forward(x[:, start : start + 1], rows[:, start : start + 1]).clone())
    return torch.cat(outputs, 1)


def play_aligned(module: Any, x: Tensor, block_size: int, values: Tensor | None = None) -> Tensor:
    """Feed ``x`` in whole blocks and remove the latency: sample ``n`` then belongs to sample ``n`` of ``x``."""
    latency = latency_samples(module)
    samples = padded_length(x.size(1) + latency, block_size)
    padded = torch.nn.functional.pad(x, (0, samples - x.size(1)))
    return play(module, padded, [block_size] * (samples // block_size), values)[:, latency : latency + x.size(1)]


def padded_length(samples: int, block_size: int) -> int:
    """``samples``, or a little more: a whole number of blocks."""
    return -(-samples // block_size) * block_size


def as_rows(values: Tensor, samples: int) -> Tensor:
    """As many rows as a host sends, each as long as the audio; what is missing at the end repeats the last value."""
    values = torch.nn.functional.pad(values, (0, 0, 0, max(0, HOST_PARAMETER_ROWS - values.size(0))))
    missing = max(0, samples - values.size(1))
    return torch.cat((values, values[:, -1:].expand(-1, missing)), 1)[:, :samples].contiguous()


def model_values(parameters: Sequence[NumericalParameter], values: Tensor | None, samples: int) -> dict[str, Tensor]:
    """Host values 0..1 (``[P, 1]``, None for the defaults) as a model receives them: by name, in its own units."""
    result: dict[str, Tensor] = {}
    for row, parameter in enumerate(parameters):
        position = parameter.default_0to1 if values is None else float(values[row, 0])
        value = parameter.minimum + position * (parameter.maximum - parameter.minimum)
        if parameter.kind == "categorical":
            value = float(round(value))
        result[parameter.name] = torch.full((samples if parameter.rate == "sample" else 1,), value)
    return result


def play_model(
    model: Any,
    x: Tensor,
    *,
    sample_rate: int,
    block_size: int,
    look_behind_samples: int,
    parameters: Sequence[NumericalParameter],
    values: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Feed ``x``, at the model's own rate, straight into ``do_forward_pass``: what the wrapper adds is not there.

    Returns:
        As many samples as ``x`` has, the model's own delay included.
    """
    model.prepare_model(sample_rate, block_size)
    model.reset_model()
    blocks = -(-x.size(1) // block_size)
    padded = torch.nn.functional.pad(x, (look_behind_samples, blocks * block_size - x.size(1)))
    outputs = []
    for start in range(0, blocks * block_size, block_size):
        block = padded[:, start : start + look_behind_samples + block_size].clone()
        outputs.append(model.do_forward_pass(block, dict(values or model_values(parameters, None, block_size))).clone())
    return torch.cat(outputs, 1)[:, : x.size(1)]
