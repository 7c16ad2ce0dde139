"""What the tests of the runtime play: a model that needs everything right, artifacts of it, and hosts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact import write_artifact
from neutone_like.runtime import Session

Audio = npt.NDArray[np.float32]
Changes = Mapping[int, Mapping[str, float | str]]


class Rig(WaveformToWaveformBase):
    """State (the last 37 samples), look-behind, a delay of 5 samples, and all three kinds of parameters.

    Any error in alignment, state, look-behind or a parameter's value at a sample is heard.
    """

    metadata = ModelMetadata(name="Rig", authors=("Ada",), version="1.0.0", short_description="For tests")
    parameters = (
        ContinuousParameter("depth", default=0.5, minimum=-1.0, maximum=2.0),
        ContinuousParameter("gain", default=1.0, minimum=0.0, maximum=4.0, rate="sample"),
        CategoricalParameter("polarity", labels=("normal", "soft", "inverted")),
    )

    def __init__(
        self, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = (), look_behind: int = 0
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.look_behind_samples = look_behind
        super().__init__(nn.Identity())
        self.past = torch.zeros(2, 37)
        self.late = torch.zeros(2, 5)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        new = x[:, self.look_behind_samples :]
        samples = new.size(1)
        joined = torch.cat((self.past, new), 1)
        self.past = joined[:, samples:].clone()
        y = new + params["depth"] * joined[:, :samples] + 0.25 * x[:, :samples]
        y = y * params["gain"] * (1.0 - 0.75 * params["polarity"])
        delayed = torch.cat((self.late, y), 1)
        self.late = delayed[:, samples:].clone()
        return delayed[:, :samples].contiguous()

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(2, 37)
        self.late = torch.zeros(2, 5)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 5


class RunningSum(WaveformToWaveformBase):
    """Adds up all it has heard: a trace of warm-up, or a lost sample, is heard for ever."""

    metadata = ModelMetadata(name="Running sum", authors=("Ada",), version="1.0.0", short_description="For tests")

    def __init__(self, block_sizes: tuple[int, ...] = ()) -> None:
        self.block_sizes = block_sizes
        super().__init__(nn.Identity())
        self.total = torch.zeros(2, 1, dtype=torch.float64)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.total + torch.cumsum(x.to(torch.float64), 1)
        self.total = y[:, -1:].clone()
        return y.to(torch.float32)

    @torch.jit.export
    def reset_model(self) -> None:
        self.total = torch.zeros(2, 1, dtype=torch.float64)


def written(model: WaveformToWaveformBase, folder: Path) -> Path:
    """The model's artifact, in a new folder."""
    write_artifact(model, folder)
    return folder / "model.nm"


def noise(samples: int, channels: int = 2, seed: int = 0) -> Audio:
    """White noise, different in every channel."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def play(session: Session, x: Audio, sizes: Iterable[int], changes: Changes | None = None) -> Audio:
    """``x`` through ``process`` in blocks of the given sizes, as far as they go; workers are given all the time they
    need.

    Args:
        changes: Parameters to set before the block of that number.
    """
    outputs: list[Audio] = []
    start = 0
    for number, size in enumerate(sizes):
        block = x[:, start : start + size]
        if block.shape[1] == 0:
            break
        for name, value in (changes or {}).get(number, {}).items():
            session.set_parameter(name, value)
        outputs.append(session.process(np.ascontiguousarray(block)))
        session.wait_idle()
        start += size
    return np.concatenate(outputs, axis=1)


def play_wrapper(wrapper: Any, x: Audio, block: int, values: Audio) -> Audio:
    """``x`` through a wrapper's ``forward`` in whole blocks; ``values`` is ``[rows, samples]`` in 0..1."""
    pieces = zip(torch.from_numpy(x).split(block, 1), torch.from_numpy(values).split(block, 1), strict=True)
    return torch.cat([wrapper.forward(piece, rows).clone() for piece, rows in pieces], 1).numpy()


def regular(samples: int, block: int) -> list[int]:
    """As many blocks of one size as fit in ``samples``."""
    return [block] * (samples // block)
