"""What grows by itself in silence will howl on stage."""

from torch import Tensor

from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.measure import decibels
from neutone_like.validate.outcome import Outcome, verdict

LOUDEST_TAIL_DB = 20.0
QUIET_DB = -20.0
GROWTH_DB = 6.0
BLOCKS = 80
FEWEST_BLOCKS = 16


def check_silence(subject: LiveSubject) -> Outcome:
    """Play silence, alone and after sound: what comes out must not grow."""
    setting = subject.native
    blocks = subject.affordable_blocks(BLOCKS, 2, FEWEST_BLOCKS)
    half = blocks // 2 * setting.block_size
    silence = [subject.sound(blocks * setting.block_size) * 0.0]
    sound = [subject.sound(max(10 * setting.block_size, subject.samples(setting)))]
    module, values = subject.reused(setting), subject.defaults
    alone = _level(subject.feed(module, silence, values, setting)[0][:, -half // 2 :])
    subject.feed(module, sound, values, setting)
    tail = subject.feed(module, silence, values, setting)[0]
    early, late = _level(tail[:, :half]), _level(tail[:, half:])
    return verdict(
        late <= min(LOUDEST_TAIL_DB, max(QUIET_DB, early + GROWTH_DB)),
        f"{_shown(alone)} in silence; after sound {_shown(early)}, then {_shown(late)}",
        f"at most {LOUDEST_TAIL_DB:+.0f} dBFS, and above {QUIET_DB:.0f} dBFS no growth by {GROWTH_DB:.0f} dB",
        "The model keeps getting louder without input: keep feedback below 1.",
        () if blocks == BLOCKS else (f"{blocks} blocks of {setting.block_size}, since the model is slow",),
    )


def _level(x: Tensor) -> float:
    return decibels(float(x.square().mean().sqrt()))


def _shown(level: float) -> str:
    return "no output" if level < -200.0 else f"{level:.0f} dBFS"
