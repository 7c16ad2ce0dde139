"""The loop: windows, updates, checks, checkpoints. The same steps give the same weights, also after a kill."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import TrainingError
from neutone_like.optimise.distilling.checkpoint import Progress, read_checkpoint, write_checkpoint
from neutone_like.optimise.distilling.losses import Losses
from neutone_like.optimise.distilling.material import Material, Phrase
from neutone_like.optimise.distilling.schedule import Budget, Windows, rate_at, set_rate, usual_rate
from neutone_like.streaming import Conv1d, reset_streaming

CHECKS = 20  # of the validation error, over the whole
_SECONDS_BETWEEN_CHECKPOINTS = 60.0
_TRIAL_STEPS = 3
_CLIP = 1.0

Show = Callable[[float, str], None]
"""Is told how much of the budget is used, 0..1, and how it stands."""


class Training:
    """A network, what it learns from, and how far it is.

    Args:
        network: Of streaming layers, ``[batch, channels, N]`` to ``[batch, channels', N]``.
        material: What it learns from.
        windows: What of it an update sees.
        budget: When it ends.
        losses: What is made small.
        seed: Of the windows.
        learning_rate: The highest; ``None``: by the number of updates that the budget is expected to give.
        checkpoint: The file; ``None``: none is written.
        settings: What a checkpoint must have been made with to be gone on from; JSON types.
    """

    def __init__(
        self,
        network: nn.Module,
        material: Material,
        windows: Windows,
        budget: Budget,
        losses: Losses,
        *,
        seed: int,
        learning_rate: float | None,
        checkpoint: Path | None,
        settings: dict[str, Any],
    ) -> None:
        self.network, self.material, self.windows, self.budget, self.losses = network, material, windows, budget, losses
        self.seed, self.checkpoint = seed, checkpoint
        self.settings = {**settings, "material": material.digest}
        self._weights = [each for each in network.parameters() if each.requires_grad]
        self._optimiser: Any = torch.optim.Adam(self._weights, lr=1e-3)
        self._spans = _spans(material.training, windows)
        self.progress = Progress()
        self._given_rate = learning_rate

    def run(self, show: Show) -> Progress:
        """Train to the end of the budget; the network then has its best weights.

        Raises:
            TrainingError: The loss is no number, or a checkpoint can't be written or is another training's.
        """
        found = None if self.checkpoint is None else read_checkpoint(self.checkpoint, self.settings)
        if found is None:
            self._check()
        else:
            self._go_on_from(found)
        with _as_convolutions(self.network):
            rate = self._given_rate or usual_rate(self.windows, self._expected_steps())
            self._train(rate, show)
        self.network.load_state_dict(self.progress.best)
        reset_streaming(self.network)
        self.network.eval()
        return self.progress

    def _train(self, rate: float, show: Show) -> None:
        progress, began, kept = self.progress, time.process_time() - self.progress.seconds, time.monotonic()
        done = self.budget.done(progress.steps, progress.seconds)
        while done < 1.0:
            before = done
            loss = self._round(rate, began)
            progress.seconds = time.process_time() - began
            done = self.budget.done(progress.steps, progress.seconds)
            if int(CHECKS * done) > int(CHECKS * before):
                self._check(loss)
            checked = progress.curve[-1][0] == progress.steps
            if self.checkpoint is not None and (checked or time.monotonic() - kept > _SECONDS_BETWEEN_CHECKPOINTS):
                self._keep()
                kept = time.monotonic()
            show(done, f"step {progress.steps}, loss {loss:.4f}, validation ESR {progress.best_error:.4f}")

    def _round(self, rate: float, began: float) -> float:
        """Updates on one set of windows; the mean loss."""
        dry, wet = self._draw(self.progress.rounds)
        windows, context = self.windows, self.windows.context_samples
        self.network.train()
        reset_streaming(self.network)
        total, count = 0.0, 0
        if not windows.gradients_through_context:
            with torch.no_grad():
                self.network(dry[..., :context])
        for piece in range(windows.pieces):
            done = self.budget.done(self.progress.steps, time.process_time() - began)
            if done >= 1.0:
                break
            set_rate(self._optimiser, rate_at(rate, done))
            start = piece * windows.scored_samples
            end = start + windows.scored_samples
            heard = dry[..., (0 if windows.gradients_through_context else context + start) : context + end]
            output = self.network(heard)[..., -windows.scored_samples :]
            total += self._update(output, wet[..., start:end])
            count += 1
        self.progress.rounds += 1
        return total / max(1, count)

    def _update(self, output: Tensor, target: Tensor) -> float:
        loss = self.losses(output, target)
        value = float(loss.detach())
        if not torch.isfinite(loss):
            raise TrainingError(self._diverged(value))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, _CLIP)
        self._optimiser.step()
        _detach_states(self.network)
        self.progress.steps += 1
        return value

    def _diverged(self, value: float) -> str:
        kept = "There is no checkpoint"
        if self.checkpoint is not None and self.checkpoint.exists():
            kept = f"The last checkpoint is kept in {self.checkpoint}"
        rate = self._optimiser.param_groups[0]["lr"]
        return (
            f"The loss became {value} at step {self.progress.steps}, at a learning rate of {rate:.2g}. {kept}. Begin "
            f"anew in another folder with a lower one, such as learning_rate={rate / 4:.1g}, and look at the audio: "
            "very loud or broken phrases do that too."
        )

    def _draw(self, number: int) -> tuple[Tensor, Tensor]:
        """The windows of a round, which depend on seed and number alone."""
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + number) & ((1 << 62) - 1))
        windows, context = self.windows, self.windows.context_samples
        sizes = torch.tensor(self._spans, dtype=torch.float64)
        chosen = torch.multinomial(sizes, windows.batch, replacement=True, generator=generator).tolist()
        places = torch.rand(windows.batch, generator=generator).tolist()
        dry: list[Tensor] = []
        wet: list[Tensor] = []
        for at, place in zip(chosen, places, strict=True):
            phrase, start = self.material.training[at], int(place * self._spans[at])
            padded = torch.nn.functional.pad(phrase.dry, (max(0, context - start), 0))
            begin = max(0, start - context)
            dry.append(padded[:, begin : begin + context + windows.length])
            wet.append(phrase.wet[:, start : start + windows.length])
        return torch.stack(dry), torch.stack(wet)

    @torch.no_grad()
    def _check(self, loss: float = float("nan")) -> None:
        """Measure on the validation phrases, and keep the weights if they are the best so far."""
        self.network.eval()
        progress = self.progress
        errors = [_relative_error(self.network, phrase) for phrase in self.material.validation]
        error = sum(errors) / len(errors)
        if not error < float("inf"):
            error = float("inf")
        progress.curve.append((progress.steps, progress.seconds, loss, error))
        if error < progress.best_error or not progress.best:
            progress.best_error = error
            progress.best = {name: value.clone() for name, value in self.network.state_dict().items()}

    def _keep(self) -> None:
        assert self.checkpoint is not None
        self.progress.network = self.network.state_dict()
        self.progress.optimiser = self._optimiser.state_dict()
        write_checkpoint(self.checkpoint, self.progress, self.settings)

    def _go_on_from(self, found: Progress) -> None:
        self.progress = found
        self.network.load_state_dict(found.network)
        self._optimiser.load_state_dict(found.optimiser)

    def _expected_steps(self) -> float:
        """How many updates the budget gives: known, or by trying a few, whose updates are taken back."""
        if self.budget.steps is not None:
            return self.budget.steps
        assert self.budget.seconds is not None
        dry, wet = self._draw(self.progress.rounds)
        samples = self.windows.context_samples + self.windows.scored_samples
        began = time.process_time()
        for _ in range(_TRIAL_STEPS):
            reset_streaming(self.network)
            output = self.network(dry[..., :samples])[..., -self.windows.scored_samples :]
            self.losses(output, wet[..., : self.windows.scored_samples]).backward()
        taken = (time.process_time() - began) / _TRIAL_STEPS
        for each in self._weights:
            each.grad = None
        return self.budget.seconds / max(taken, 1e-6)


def _spans(phrases: Sequence[Phrase], windows: Windows) -> list[int]:
    """From how many places of each phrase a window can start."""
    return [max(0, each.dry.size(1) - windows.length + 1) for each in phrases]


def _relative_error(network: nn.Module, phrase: Phrase) -> float:
    reset_streaming(network)
    output = network(phrase.dry.unsqueeze(0))[0]
    energy = float(phrase.wet.double().square().sum())
    return float((output - phrase.wet).double().square().sum()) / max(energy, 1e-12)


@contextmanager
def _as_convolutions(network: nn.Module) -> Iterator[None]:
    """Over long windows torch's own dilated convolution is up to three times as fast as the product for short ones."""
    layers = [each for each in network.modules() if isinstance(each, Conv1d) and each.as_product]
    for each in layers:
        each.as_product = False
    try:
        yield
    finally:
        for each in layers:
            each.as_product = True


def _detach_states(network: nn.Module) -> None:
    """What the next piece starts from is where this one ended, and gradients end there."""
    for module in network.modules():
        for name, value in module.named_buffers(recurse=False):
            if value.requires_grad:
                setattr(module, name, value.detach())
