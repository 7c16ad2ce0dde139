"""What a host hands over stays as it was: hosts play the dry sound from the same memory."""

import torch

from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, verdict
from neutone_like.validate.playing import model_values
from neutone_like.validate.subject import Subject

ADVICE = "Don't write into what do_forward_pass receives (x.mul_(), x[...] = ..., out=x): make new tensors."


def check_inputs_are_untouched(subject: Subject) -> Outcome:
    """Compare the host's memory before and after each call, and see what a live model itself does."""
    changed: list[str] = []
    for setting in subject.effort.choose(subject.settings, "host settings", fewest=2):
        for values in subject.value_sets().values():
            module = subject.reused(setting)
            for call in range(subject.calls_until_output(module, setting)):
                memory = subject.memory(setting, values, seed=call)
                before = memory.copy()
                subject.call(module, memory)
                changed += [f"{part}, at {setting}" for part in memory.changes_from(before)]
    return verdict(
        not changed,
        f"the host's {changed[0]} was overwritten" if changed else "all that the host handed over is as before",
        "no change",
        ADVICE,
        _what_the_model_writes(subject) if isinstance(subject, LiveSubject) and subject.is_ours else (),
    )


def _what_the_model_writes(subject: LiveSubject) -> tuple[str, ...]:
    """Whether the model writes into its own arguments, which wrappers protect the host from; information only."""
    block = subject.artifact.block_sizes[0] if subject.artifact.block_sizes else 256
    model = subject.reused(subject.native).w2w_base
    model.prepare_model(subject.native_rate, block)
    model.reset_model()
    x = subject.sound(block + subject.look_behind_samples)[: subject.artifact.in_channels]
    params = model_values(subject.artifact.numerical_parameters, None, block)
    before_x, before = x.clone(), {name: value.clone() for name, value in params.items()}
    model.do_forward_pass(x, params)
    written = [] if torch.equal(x, before_x) else ["x"]
    written += [f"params[{name!r}]" for name, value in before.items() if not torch.equal(params[name], value)]
    return (
        (f"the model writes into its argument {', '.join(written)}; this wrapper gives it copies",) if written else ()
    )
