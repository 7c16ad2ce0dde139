"""What a host hands over stays as it was: hosts keep the sound to play it again."""

import torch

from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.context import OfflineContext


def check_inputs_are_untouched(context: OfflineContext) -> Outcome:
    """Compare the host's sounds, knobs, texts and tokens before and after each call."""
    changed: list[str] = []
    for rate in context.rates:
        samples = context.samples(rate)
        module = context.reused(rate)
        for label, values in context.value_sets().items():
            sounds = context.sounds(samples)
            knobs = values.knobs.expand(-1, samples).contiguous()
            texts, tokens = list(values.texts), [list(each) for each in values.tokens]
            before = [sound.clone() for sound in sounds], knobs.clone(), list(texts), [list(each) for each in tokens]
            module.forward(sounds, knobs, texts, tokens)
            where = f"at {rate} Hz, {label}"
            if not all(torch.equal(one, other) for one, other in zip(sounds, before[0], strict=True)):
                changed.append(f"audio, {where}")
            if not torch.equal(knobs, before[1]):
                changed.append(f"parameters, {where}")
            if (texts, tokens) != before[2:]:
                changed.append(f"texts or tokens, {where}")
    return verdict(
        not changed,
        f"the host's {changed[0]} was overwritten" if changed else "audio, parameters, texts and tokens are as before",
        "no change",
        "Don't write into what do_forward_pass receives (x.mul_(), x[...] = ..., out=x): make new tensors.",
    )
