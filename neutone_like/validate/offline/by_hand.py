"""One call of a model without its wrapper."""

from typing import Any

import torch

from neutone_like.validate.offline.context import ANY_BLOCK, OfflineContext, Outputs
from neutone_like.validate.playing import model_values


def call_by_hand(context: OfflineContext, model: Any) -> Outputs:
    """The first block, or a one-shot model's whole sound, at the model's own rate with default parameters."""
    samples = max(context.artifact.block_sizes, default=0)
    if samples == 0:
        samples = context.samples(context.native_rate) if context.is_one_shot else ANY_BLOCK
    ours = context.metadata.neutone_like
    past = ours.look_behind_samples if ours is not None else 0
    values = context.defaults
    model.reset_model()
    outputs: Outputs = model.do_forward_pass(
        0,
        context.sounds(past + samples),
        model_values(context.artifact.numerical_parameters, None, samples),
        list(values.texts),
        [list(tokens) for tokens in values.tokens],
    )
    model.reset_model()
    return [output for output in outputs if isinstance(output, torch.Tensor)]
