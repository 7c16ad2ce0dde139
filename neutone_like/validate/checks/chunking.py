"""However a host cuts the stream, the same samples come out."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from neutone_like.validate.context import Context, Outcome, first_difference, largest_difference, verdict
from neutone_like.validate.playing import HostSetting, latency_samples, padded_length, play, play_aligned

ONE_BY_ONE_SAMPLES = 700
ADVICE = (
    "The output depends on how the stream is cut into blocks. Keep whatever the model needs from the past (filter and "
    "convolution history, phases, counters) in its state or in look_behind_samples, don't normalise or pad by block, "
    "and declare block_sizes if only some sizes are right."
)


@dataclass(frozen=True)
class Cut:
    """A sound that went through in pieces: its output, latency removed, from sample ``start`` of the sound on."""

    label: str
    start: int
    output: Tensor


def check_any_chunking_equals_whole(context: Context) -> Outcome:
    """Compare cuts of one sound, first samples included, with the same sound in the promised blocks."""
    worst, allowed, where, cuts = 0.0, 0.0, "", 0
    for setting in context.settings:
        x = context.sound(6 * max(setting.block_size, 256))
        sets = {**context.value_sets(), "automation": context.automation(x.size(1))}
        for label, values in sets.items():
            reference = play_aligned(context.reused(setting), x, setting.block_size, values)
            limit = context.difference_allowed(setting, x, values, reference)
            for cut in _cuts(context, setting, x, values, one_by_one=label == "automation"):
                cuts += 1
                expected = reference[:, cut.start : cut.start + cut.output.size(1)]
                difference = largest_difference(cut.output, expected)
                if where == "" or difference / limit > worst / allowed:
                    first = first_difference(cut.output, expected, limit)
                    worst, allowed, where = difference, limit, f"{cut.label}, {setting}, {label}"
                    where += f", from sample {cut.start + first} on" if first >= 0 else ""
    measured = f"largest difference {worst:.2g} in {cuts} cuts ({where})"
    return verdict(worst <= allowed, measured, f"{allowed:.2g}", ADVICE)


def _cuts(context: Context, setting: HostSetting, x: Tensor, values: Tensor, one_by_one: bool) -> Iterator[Cut]:
    block = setting.block_size
    whole = context.reused(setting)
    latency = latency_samples(whole)
    padded = torch.nn.functional.pad(x, (0, padded_length(x.size(1) + latency, block) - x.size(1)))
    wanted = slice(latency, latency + x.size(1))
    yield Cut("one call", 0, play(whole, padded, [padded.size(1)], values)[:, wanted])
    several = itertools.cycle((2 * block, block, 5 * block, 3 * block))
    yield Cut("several blocks a call", 0, play(context.reused(setting), padded, several, values)[:, wanted])
    if one_by_one:
        yield _one_by_one(context, setting, x, values)
    if block > 1:
        yield _varying(context, setting, x, values, 0, "sizes that vary")
        yield _varying(context, setting, x, values, x.size(1) // (2 * block) * block, "a broken promise in mid-stream")


def _one_by_one(context: Context, setting: HostSetting, x: Tensor, values: Tensor) -> Cut:
    module = context.reused(HostSetting(setting.sample_rate, 1))
    latency = latency_samples(module)
    # Goes on with the sound behind what is compared: what a resampler has not heard yet must not be silence.
    samples = min(ONE_BY_ONE_SAMPLES + latency, x.size(1))
    output = play(module, x[:, :samples], itertools.repeat(1), values)[:, latency:]
    return Cut("one sample a call", 0, output)


def _varying(context: Context, setting: HostSetting, x: Tensor, values: Tensor, regular: int, label: str) -> Cut:
    """Promised blocks for the first ``regular`` samples, then any sizes; what follows has the last latency."""
    block = setting.block_size
    room = latency_samples(context.reused(HostSetting(setting.sample_rate, 1)))
    module = context.reused(setting)
    room += math.ceil(module.current_model_block_size() * setting.sample_rate / module.current_model_sample_rate())
    generator = torch.Generator().manual_seed(5)
    sizes = torch.randint(1, 3 * block + 40, (4000,), generator=generator).tolist()
    promised = itertools.repeat(block, regular // block)
    padded = torch.nn.functional.pad(x, (0, room))
    output = play(module, padded, itertools.chain(promised, (block // 2 + 1,), sizes), values)
    latency = latency_samples(module)
    return Cut(label, regular, output[:, latency + regular : latency + x.size(1)])
