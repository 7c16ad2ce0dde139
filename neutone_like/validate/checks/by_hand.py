"""One call of a model without its wrapper."""

from typing import Any

import torch

from neutone_like.validate.offline_subject import ANY_BLOCK, OfflineSubject
from neutone_like.validate.outcome import Outputs
from neutone_like.validate.playing import model_values


def call_by_hand(subject: OfflineSubject, model: Any) -> Outputs:
    """The first block, or a one-shot model's whole sound, at the model's own rate with default parameters."""
    samples = max(subject.artifact.block_sizes, default=0)
    if samples == 0:
        samples = subject.samples(subject.native) if subject.is_one_shot else ANY_BLOCK
    values = subject.defaults
    model.reset_model()
    outputs: Outputs = model.do_forward_pass(
        0,
        subject.sounds(subject.look_behind_samples + samples),
        model_values(subject.artifact.numerical_parameters, None, samples),
        list(values.texts),
        [list(tokens) for tokens in values.tokens],
    )
    model.reset_model()
    return [output for output in outputs if isinstance(output, torch.Tensor)]
