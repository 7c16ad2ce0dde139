"""The methods that hosts call are there, and answer with what they should."""

from typing import Any

import torch

from neutone_like.validate.checks.contract_questions import (
    LIVE_QUESTIONS,
    NOT_IN_EVERY_FILE,
    OFFLINE_QUESTIONS,
    wrong_answers,
)
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome, verdict
from neutone_like.validate.playing import HostSetting
from neutone_like.validate.subject import Subject

CONTRACT = "every method and key that hosts use"
ADVICE = "Export the model again with export_model, and don't change what is in the file by hand."
LIVE_SETTING = HostSetting(44100, 256)


def check_contract_methods(subject: Subject) -> Outcome:
    """Call every method of the format once, as a host does."""
    module = subject.copied()
    questions = LIVE_QUESTIONS if isinstance(subject, LiveSubject) else OFFLINE_QUESTIONS
    problems = _attribute_problems(subject, module)
    most = module.set_daw_sample_rate_and_buffer_size(LIVE_SETTING.sample_rate, LIVE_SETTING.block_size)
    if type(most) is not int or (subject.is_stream and most < LIVE_SETTING.block_size):
        problems.append(f"set_daw_sample_rate_and_buffer_size must return an int, at least a host block, got {most!r}")
    module.reset()
    problems += wrong_answers(module, questions, () if subject.is_ours else NOT_IN_EVERY_FILE)
    if isinstance(subject, LiveSubject):
        problems += _live_audio_problems(subject, module, most)
    elif isinstance(subject, OfflineSubject):
        problems += _offline_audio_problems(subject, module)
    count = len(questions) + 5
    return verdict(not problems, "; ".join(problems) or f"{count} methods answer as they should", CONTRACT, ADVICE)


def _attribute_problems(subject: Subject, module: Any) -> list[str]:
    """What hosts read without calling anything."""
    problems: list[str] = []
    for attribute in ("realtime", "use_debug_mode"):
        found = getattr(module, attribute, None)
        if not isinstance(found, bool) or (found and not subject.is_stream):
            wanted = "a bool" if subject.is_stream else "False"
            problems.append(f"attribute {attribute} must be {wanted}, got {found!r}")
    name = "w2w_base" if subject.is_stream else "nrb"
    return problems if hasattr(module, name) else [*problems, f"submodule {name} is missing"]


def _live_audio_problems(subject: LiveSubject, module: Any, most: int) -> list[str]:
    """Every way to process a block, for mono and stereo hosts where the model takes what they send."""
    problems: list[str] = []
    sides = (subject.artifact.in_channels, subject.artifact.out_channels)
    block = LIVE_SETTING.block_size
    for channels in (1, 2) if sides[0] <= 2 else sides[:1]:
        x = subject.sound(block)[:1].repeat(channels, 1)
        params = module.get_default_param_values().repeat(1, block)
        expected = (channels if max(sides) <= 2 else sides[1], block)
        module.reset()
        for label, y in (
            ("forward(x)", module.forward(x)),
            ("forward(x, params)", module.forward(x, params)),
            ("forward_offline(x, params)", module.forward_offline(x, params)),
        ):
            if y.dtype != torch.float32 or tuple(y.shape) != expected:
                problems.append(f"{label} must return float32 {expected}, got {y.dtype} {tuple(y.shape)}")
        module.reset()
        for _ in range(8):
            ready = module.forward_bt(x, params)
            if ready is not None and (ready.size(1) % block or not 0 < ready.size(1) <= most):
                problems.append(
                    f"forward_bt(x, params) must return None or whole blocks of {block}, at most {most} samples, got "
                    f"{ready.size(1)}"
                )
    return problems


def _offline_audio_problems(subject: OfflineSubject, module: Any) -> list[str]:
    """Both names of the forward pass, with all parameters and with none."""
    setting = HostSetting(LIVE_SETTING.sample_rate, 0)
    arguments = subject.arguments(subject.memory(setting, subject.defaults))
    problems: list[str] = []
    for label, outputs in (
        ("forward(audio)", module.forward(arguments[0])),
        ("forward(audio, all parameters)", module.forward(*arguments)),
        ("forward_non_realtime(audio, all parameters)", module.forward_non_realtime(*arguments)),
    ):
        got = [(output.size(0), str(output.dtype)) for output in outputs]
        expected = [(channels, "torch.float32") for channels in subject.artifact.audio_out_channels]
        if got != expected:
            problems.append(f"{label} must return outputs of (channels, type) {expected}, got {got}")
    return problems
