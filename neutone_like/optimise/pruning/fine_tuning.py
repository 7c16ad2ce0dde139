"""Training what was cut: a function of yours, or the loop that is here, seeded and with a checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_fields
from neutone_like.errors import ParameterError, TrainingError
from neutone_like.numbers import as_finite_number, as_whole_number, whole_number
from neutone_like.optimise.diffusion.training import train
from neutone_like.streaming import reset_streaming


@checked_fields(ParameterError)
@dataclass(frozen=True)
class FineTuning:
    """Adam on a loss, from seeded batches; the rate rises shortly and falls with half a cosine.

    Attributes:
        loss: Of the model and a batch.
        draw: The next batch, from a generator of random numbers.
        updates: How many, after each step of pruning.
        learning_rate: The highest.
        seed: The same one gives the same weights on the same machine, also after a kill, where there is a checkpoint.
    """

    loss: Callable[[Any, Any], Tensor]
    draw: Callable[[torch.Generator], Any]
    updates: int
    learning_rate: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        updates, rate = as_whole_number(self.updates), as_finite_number(self.learning_rate)
        if updates is None or updates < 1:
            raise ParameterError(f"updates must be a whole number from 1, got {self.updates!r}.")
        if rate is None or rate <= 0.0:
            raise ParameterError(f"learning_rate must be a finite number above 0, got {self.learning_rate!r}.")
        whole_number(self.seed, "seed", 0, (1 << 62) - 1, error=ParameterError)

    def run(self, model: nn.Module, checkpoint: Path | None, purpose: str) -> None:
        """Train the model where it is.

        Raises:
            TrainingError: The loss is not finite, or the checkpoint is of something else.
        """
        train(
            model,
            lambda network, batch, _: self.loss(network, batch),
            self.draw,
            self.updates,
            learning_rate=self.learning_rate,
            seed=self.seed,
            checkpoint=checkpoint,
            purpose=purpose,
        )


FineTune = Callable[[Any], object] | FineTuning
"""Trains a model where it is."""


def trained(model: nn.Module, fine_tune: FineTune, checkpoint: Path | None, purpose: str) -> None:
    """Let the model be trained, whatever of it was frozen, and see to it that numbers came out.

    Raises:
        TrainingError: A weight is not finite afterwards, or has another shape.
    """
    frozen = {name: each.requires_grad for name, each in nn.Module.named_parameters(model)}
    shapes = {name: each.shape for name, each in nn.Module.named_parameters(model)}
    model.requires_grad_(True)
    with torch.enable_grad():
        if isinstance(fine_tune, FineTuning):
            fine_tune.run(model, checkpoint, purpose)
        else:
            fine_tune(model)
    model.eval()
    reset_streaming(model)  # whose states are of what it trained on
    kept = "" if checkpoint is None else f" What was trained before this step is kept in {checkpoint.parent}."
    for name, each in nn.Module.named_parameters(model):
        each.grad = None
        each.requires_grad_(frozen.get(name, True))
        if shapes.get(name) != each.shape:
            raise TrainingError(f"fine_tune changed {name}: train the weights, and keep the layers.")
        if not bool(torch.isfinite(each).all()):
            raise TrainingError(
                f"{name} is not finite after fine_tune: the training diverged (a loss of NaN or infinity). Lower its "
                f"learning rate or clip gradients. The network that was given is as it was.{kept}"
            )
