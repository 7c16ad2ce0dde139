"""However a host cuts the stream, the same samples come out."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neutone_like.model import WaveformToWaveformBase
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, first_difference, largest_difference, verdict
from neutone_like.validate.playing import HostSetting, latency_samples, padded_length, play, play_for
from neutone_like.validate.shared_state import explain_shared_state

ONE_BY_ONE_SAMPLES = 700
FEWEST_ONE_BY_ONE = 40
ADVICE = (
    "The output depends on how the stream is cut into blocks. Keep whatever the model needs from the past (filter and "
    "convolution history, phases, counters) in its state or in look_behind_samples, don't normalise or pad by block, "
    "and declare block_sizes if only some sizes are right."
)


@dataclass(frozen=True)
class Cut:
    """A sound that went through in pieces: its output, latency removed, from sample ``start`` of the sound on."""

    start: int
    output: Tensor


@dataclass(frozen=True)
class Played:
    """A sound and values at a host setting: what every cut of it must sound like."""

    subject: LiveSubject
    setting: HostSetting
    x: Tensor
    knobs: Tensor


def check_any_chunking_equals_whole(subject: LiveSubject) -> Outcome:
    """Compare cuts of one sound, first samples included, with the same sound in the promised blocks."""
    worst, allowed, where, count = 0.0, 0.0, "", 0
    names = ["automation", *subject.value_sets()]
    cases = [(setting, name) for name in names for setting in subject.settings]
    for setting, name in subject.effort.choose(cases, "settings and parameter values", len(subject.settings)):
        x = subject.sound(max(6 * max(setting.block_size, 256), subject.samples(setting)))
        values = subject.automation(x.size(1)) if name == "automation" else subject.value_sets()[name]
        reference = subject.play(subject.reused(setting), [x], values, setting)
        limit = 0.0
        for label, cut_of in _cuts(setting, one_by_one=name == "automation").items():
            cut = cut_of(Played(subject, setting, x, values.knobs))
            count += 1
            expected = reference[0][:, cut.start : cut.start + cut.output.size(1)]
            difference = largest_difference(cut.output, expected)
            if limit < difference or limit == 0.0:
                limit = subject.difference_allowed(setting, [x], values, reference, difference)
            if where == "" or difference / limit > worst / allowed:
                first = first_difference(cut.output, expected, limit)
                worst, allowed, where = difference, limit, f"{label}, {setting}, {name}"
                where += f", from sample {cut.start + first} on" if first >= 0 else ""
    measured = f"largest difference {worst:.2g} in {count} cuts ({where})"
    return verdict(worst <= allowed, measured, f"{allowed:.2g}", ADVICE if worst <= allowed else _advice(subject))


def _advice(subject: LiveSubject) -> str:
    model = subject.eager_model
    shared = explain_shared_state(model) if isinstance(model, WaveformToWaveformBase) else ""
    return shared or ADVICE


def _cuts(setting: HostSetting, *, one_by_one: bool) -> dict[str, Callable[[Played], Cut]]:
    cuts: dict[str, Callable[[Played], Cut]] = {"one call": _one_call, "several blocks a call": _several_blocks}
    if one_by_one:
        cuts["one sample a call"] = _one_by_one
    if setting.block_size > 1:
        cuts["sizes that vary"] = _varying
        cuts["a broken promise in mid-stream"] = _broken_promise
    return cuts


def _one_call(played: Played) -> Cut:
    return _whole_blocks(played, (1_000_000,))


def _several_blocks(played: Played) -> Cut:
    return _whole_blocks(played, (2, 1, 5, 3))


def _whole_blocks(played: Played, counts: tuple[int, ...]) -> Cut:
    """Calls of so many of the promised blocks, over and over."""
    module, block, samples = played.subject.reused(played.setting), played.setting.block_size, played.x.size(1)
    latency = latency_samples(module)
    padded = torch.nn.functional.pad(played.x, (0, padded_length(samples + latency, block) - samples))
    sizes = itertools.cycle([count * block for count in counts])
    return Cut(0, play(module, padded, sizes, played.knobs)[:, latency : latency + samples])


def _one_by_one(played: Played) -> Cut:
    """As many calls as there is time for."""
    module = played.subject.reused(HostSetting(played.setting.sample_rate, 1))
    latency = latency_samples(module)
    # Goes on with the sound behind what is compared: what a resampler has not heard yet must not be silence.
    samples = min(ONE_BY_ONE_SAMPLES + latency, played.x.size(1))
    seconds = 0.5 * played.subject.effort.seconds
    output = play_for(seconds, module, played.x[:, :samples], latency + FEWEST_ONE_BY_ONE, played.knobs)
    if output.size(1) < samples:
        played.subject.effort.left_out.append(f"{samples - output.size(1)} of {samples} calls of one sample")
    return Cut(0, output[:, latency:])


def _varying(played: Played) -> Cut:
    return _irregular(played, 0)


def _broken_promise(played: Played) -> Cut:
    block = played.setting.block_size
    return _irregular(played, played.x.size(1) // (2 * block) * block)


def _irregular(played: Played, regular: int) -> Cut:
    """Promised blocks for the first ``regular`` samples, then any sizes; what follows has the last latency."""
    subject, setting, block = played.subject, played.setting, played.setting.block_size
    room = latency_samples(subject.reused(HostSetting(setting.sample_rate, 1)))
    module = subject.reused(setting)
    room += math.ceil(module.current_model_block_size() * setting.sample_rate / module.current_model_sample_rate())
    generator = torch.Generator().manual_seed(5)
    sizes = torch.randint(1, 3 * block + 40, (4000,), generator=generator).tolist()
    promised = itertools.repeat(block, regular // block)
    padded = torch.nn.functional.pad(played.x, (0, room))
    output = play(module, padded, itertools.chain(promised, (block // 2 + 1,), sizes), played.knobs)
    latency = latency_samples(module)
    return Cut(regular, output[:, latency + regular : latency + played.x.size(1)])
