"""Draws what each call of a model sees, and where its answer is heard, as measured on models of each kind."""

from collections.abc import Callable

import numpy as np
import torch
from make_pictures import save
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor, nn

from neutone_like import (
    ModelMetadata,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    SampleQueueWrapper,
    WaveformToWaveformBase,
)

SAMPLES, BLOCK, HOP, LOOK_BEHIND = 4096, 1024, 512, 512
HOST_RATE, HOST_BLOCK = 48000, 256
SEEN_COLOR, HEARD_COLOR = "#c5cae9", "#3949ab"
METADATA = ModelMetadata(name="Probe", authors=("neutone-like",), version="1.0.0")


class Probe:
    """Notes which samples of a ramp each call sees; only the chosen call answers, with ones."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []
        self.chosen = -1

    def answer(self, x: Tensor, samples: int) -> Tensor:
        new = x[0][x[0] > 0.0]
        self.seen.append((float(new.min()), float(new.max())) if new.numel() else (0.0, 0.0))
        return torch.full((1, samples), float(len(self.seen) - 1 == self.chosen))


class Live(WaveformToWaveformBase):
    """A live model with look-behind."""

    metadata = METADATA
    in_channels = out_channels = 1
    block_sizes = (BLOCK,)
    look_behind_samples = LOOK_BEHIND
    probe: Probe

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.probe.answer(x, x.size(1) - LOOK_BEHIND)


class Whole(NonRealtimeBase):
    """An offline model of any kind."""

    metadata = METADATA
    audio_in_channels = audio_out_channels = (1,)
    probe: Probe
    one_shot = False

    def is_one_shot_model(self) -> bool:
        return self.one_shot

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [self.probe.answer(audio_in[0], audio_in[0].size(1) - self.look_behind_samples)]


def play_live(probe: Probe) -> Tensor:
    """In the host's blocks, as long as it takes until the last sample is out."""
    model = Live(nn.Identity())
    object.__setattr__(model, "probe", probe)
    wrapper = SampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(HOST_RATE, HOST_BLOCK)
    probe.seen.clear()
    ramp = nn.functional.pad(torch.arange(1.0, SAMPLES + 1).unsqueeze(0), (0, BLOCK))
    return torch.cat([wrapper.forward(block) for block in ramp.split(HOST_BLOCK, dim=1)], dim=1)


def play_whole(probe: Probe, *, one_shot: bool = False, look_behind: int = 0, window: str = "") -> Tensor:
    model = Whole(nn.Identity())
    object.__setattr__(model, "probe", probe)
    model.one_shot, model.look_behind_samples, model.overlap_window = one_shot, look_behind, window
    model.overlap_hop_samples = HOP if window else 0
    model.block_sizes = () if one_shot else (BLOCK,)
    wrapper = NonRealtimeSampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(HOST_RATE, HOST_BLOCK)
    probe.seen.clear()
    return wrapper.forward([torch.arange(1.0, SAMPLES + 1).unsqueeze(0)])[0]


KINDS: tuple[tuple[str, Callable[[Probe], Tensor]], ...] = (
    ("live, look-behind", play_live),
    ("blocked, look-behind", lambda probe: play_whole(probe, look_behind=LOOK_BEHIND)),
    ("blocked, overlap-add", lambda probe: play_whole(probe, window="hann")),
    ("one-shot", lambda probe: play_whole(probe, one_shot=True)),
)


def places_to_draw(heard: NDArray[np.float32]) -> NDArray[np.int64]:
    """A few of the samples that are not 0, and all at which the curve leaps."""
    leaps = np.flatnonzero(np.abs(np.diff(heard)) > 0.05)
    places = np.unique(np.concatenate((np.arange(0, heard.size, 32), leaps, leaps + 1, [heard.size - 1])))
    sounding = np.flatnonzero(heard > 0.0)
    return places[(places >= sounding[0] - 1) & (places <= sounding[-1] + 1)]


def draw_kind(axes: Axes, title: str, play: Callable[[Probe], Tensor]) -> None:
    """A row for each call: a light bar over what it sees, and how much of what is heard when is its own."""
    probe = Probe()
    play(probe)
    calls = len(probe.seen)
    for call in range(calls):
        probe.chosen = call
        heard = play(probe)[0].numpy()
        first, last = probe.seen[call]
        axes.barh(-call + 0.35, last - first, left=first, height=0.7, color=SEEN_COLOR)
        places = places_to_draw(heard)
        axes.fill_between(places, -call, -call + 0.7 * heard[places], color=HEARD_COLOR, alpha=0.75, linewidth=0)
    axes.set(ylim=(-calls + 0.7, 1.0), xlim=(0, SAMPLES + BLOCK), yticks=[])
    axes.set_ylabel(title, rotation=0, ha="right", va="center")
    axes.spines[["top", "right", "left"]].set_visible(False)


def draw_calls() -> None:
    heights = [5, 4, 9, 1.6]
    figure, rows = pyplot.subplots(
        4, 1, figsize=(8.0, 4.6), sharex=True, layout="constrained", gridspec_kw={"height_ratios": heights}
    )
    for axes, (title, play) in zip(rows, KINDS, strict=True):
        draw_kind(axes, title, play)
    rows[-1].set_xlabel("samples from the start of the sound; one row for each call of the model")
    handles = [
        Patch(color=SEEN_COLOR, label="what a call sees"),
        Patch(color=HEARD_COLOR, alpha=0.75, label="its share of what is heard then"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    save("calls.svg")


if __name__ == "__main__":
    draw_calls()
