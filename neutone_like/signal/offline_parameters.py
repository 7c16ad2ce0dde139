"""Numerical parameters of a signal that is processed as a whole, or piece by piece."""

from typing import List, Optional

import torch
from torch import Tensor, nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import ParameterError
from neutone_like.model import OfflineDeclaration
from neutone_like.signal.eager_arguments import as_samples, require_values
from neutone_like.signal.parameter_track import ParameterTrack
from neutone_like.signal.queue import SampleQueue

# While a block-rate parameter moves, a model that takes any block size is called on a grid of this many of its samples,
# as live; on a coarser one where every call sees a long past again.
CONTROL_SAMPLES = 32
MOST_CONTROL_SAMPLES = 512


class OfflineParameters(nn.Module):
    """Owns the track that aligns parameters with their audio, and what is known of them so far."""

    def __init__(self, declaration: OfflineDeclaration) -> None:
        super().__init__()
        self.track = ParameterTrack(declaration.numerical_parameters)
        self.one_shot = declaration.is_one_shot  # values are held until the model is called
        self.generates = declaration.is_generator  # parameters say how long the signal is
        takes_any_block = len(declaration.block_sizes) == 0 and not declaration.is_generator
        self.cuts_blocks = takes_any_block and self.track.has_block_rate
        self.control_grid = CONTROL_SAMPLES
        while self.control_grid < MOST_CONTROL_SAMPLES and 4 * self.control_grid < declaration.look_behind_samples:
            self.control_grid *= 2
        self.held = SampleQueue(0)  # a one-shot model's, until it runs
        self.given = False
        self.last = torch.zeros(0, 1, dtype=torch.float32)
        self.first = torch.zeros(0, 1, dtype=torch.float32)
        self.lone_column = False  # a generator's so far: for its first sample, or for all of the signal
        self.announced_samples = 0  # how long the signal will be; 0: not known

    @torch.jit.export
    def clear(self) -> None:
        self.track.reset()
        self.held.clear()
        self.given = False
        self.last = torch.zeros(0, 1, dtype=torch.float32)
        self.first = torch.zeros(0, 1, dtype=torch.float32)
        self.lone_column = False
        self.announced_samples = 0

    @torch.jit.export
    def check(self, params: Optional[Tensor], samples: int) -> None:
        """Refuse what can't be used, before anything changes.

        Raises:
            ParameterError: Too few rows, or another length than the audio's or 1.
        """
        if not is_scripting():
            require_values(params)
        if params is None:
            return
        fits = params.dim() == 2 and params.size(0) >= self.track.count
        if not fits or not (params.size(1) == samples or params.size(1) == 1):
            length = "n" if self.generates else f"{samples}"
            raise ParameterError(
                f"Expected numerical parameters of shape ({self.track.count} or more, {length}) in 0..1, one value a "
                f"sample, or ({self.track.count} or more, 1) for one value each, got {params.size()}."
            )

    @torch.jit.export
    def note(self, params: Optional[Tensor], is_first: bool) -> None:
        """Look at the next piece's, before it is taken.

        Raises:
            ParameterError: Given with some pieces and not with others, or moving where the model can't follow.
        """
        given = params is not None and self.track.count > 0
        if is_first:
            self.given = given
        elif given != self.given:
            raise ParameterError("Numerical parameters are given with every piece of a signal, or with none.")
        if self.one_shot and params is not None:
            self._require_still(params)

    @torch.jit.export
    def may_stand_alone(self, params: Optional[Tensor], samples: int) -> bool:
        """Whether a generator's first column may be all that there is; it is kept until that shows."""
        self.lone_column = self.generates and samples == 1 and self.announced_samples == 0
        if self.lone_column:
            self.last = self.rows(params, 0, 1)
        return self.lone_column

    @torch.jit.export
    def rows(self, params: Optional[Tensor], start: int, samples: int) -> Tensor:
        """The declared rows for ``samples`` from ``start`` on; no rows where the defaults are wanted."""
        if params is None or self.track.count == 0:
            return torch.zeros(0, samples, dtype=torch.float32)
        rows = params.narrow(0, 0, self.track.count).to(torch.float32)
        return rows.narrow(1, start, samples) if rows.size(1) > 1 else rows.expand(rows.size(0), samples)

    @torch.jit.export
    def feed(self, rows: Tensor, samples: int) -> None:
        """Take the rows of the next ``samples`` of the signal; what is in them counts if parameters are given."""
        values: Optional[Tensor] = None
        if self.given:
            values = rows.contiguous()
            self.last = rows.narrow(1, samples - 1, 1).clone()
        if not self.one_shot:
            self.track.feed(values, samples)
        elif values is not None:
            self.held.push(values)

    @torch.jit.export
    def cuts(self, first_sample: int, samples: int) -> List[int]:
        """The lengths of the calls that the model's next block is cut into; at most one where it is not."""
        lengths: List[int] = []
        if self.cuts_blocks and self.track.moving:
            lengths = self.track.still_lengths(first_sample, samples, self.control_grid)
        return lengths

    @torch.jit.export
    def hold(self, samples: int, nothing_came: bool) -> None:
        """Past the end of the signal, parameters stay where they are; what has not moved stays anyway."""
        if nothing_came and self.last.size(0) > 0:
            self.track.feed(self.last, 1)  # a generator's only word about them
        elif self.track.moving:
            self.track.feed(self.last.expand(self.last.size(0), samples), samples)

    @torch.jit.export
    def feed_held(self, pushed_samples: int, past_the_end: int) -> None:
        """A one-shot model runs: all that was held, at once, as the track forgets what lies far behind."""
        if self.held.size > 0:
            tail = self.last.expand(self.last.size(0), past_the_end)
            rows = torch.cat((self.held.pop(pushed_samples), tail), 1)
            self.track.feed(rows, rows.size(1))
        else:
            self.hold(past_the_end, pushed_samples == 0)

    def _require_still(self, params: Tensor) -> None:
        """Refuse what a model that is called once can't follow."""
        rows = params.narrow(0, 0, self.track.count).clamp(0.0, 1.0)
        if rows.size(1) == 0:
            return
        if self.first.size(0) == 0:
            self.first = rows.narrow(1, 0, 1).clone()
        stays = torch.logical_or(rows == self.first, torch.isnan(rows)).all(1)
        for index in range(self.track.count):
            if not bool(stays[index]) and not self.track.per_sample[index]:
                raise ParameterError(
                    f"Parameter '{self.track.names[index]}' has the rate 'block', and a one-shot model is called once "
                    "for the whole signal: it can't follow values that move. Send one value for all of it, or declare "
                    "the parameter with rate='sample'."
                )


def announced(total_samples: int) -> int:
    """How long somebody says that a signal will be; 0 where that is not known."""
    if not is_scripting():
        total_samples = as_samples(total_samples)
    return total_samples
