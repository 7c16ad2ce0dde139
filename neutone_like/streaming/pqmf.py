"""A pseudo-quadrature mirror filter bank: a signal in bands, and back."""

from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv1d, conv_transpose1d

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_multiple, require_rows
from neutone_like.streaming.layer import StreamingLayer

SOURCE = "Nguyen, Digital Filter Bank Design Quadratic-Constrained Formulation, 1995; its constraints are weighed here"
TAPS_PER_BAND = 16
ATTENUATION_DB = 82.0
_RECONSTRUCTION = 10.0
"""How much uneven sums of bands count beside leakage: about where neither is to be had without giving up the other."""


class PQMFAnalysis(StreamingLayer):
    """A signal in bands of equal width, ``bands`` channels for each, at a rate that is ``bands`` times lower.

    Filters are cosine-modulated copies of one prototype, ``taps_per_band * bands`` long, sought by least squares so
    that bands add up evenly and leak little. :class:`PQMFSynthesis` gives the signal back to -100 dB with the default,
    -75 dB with 12 taps, -59 dB with 8 (rms of the error, white noise). It is the ordinary convolution with stride
    ``bands`` and half the filter as padding, ``delay_samples`` later.

    Args:
        bands: At least 2. Blocks are multiples of it.
        taps_per_band: An even number of at least 4; fewer delay less and leak more.
        attenuation_db: Weighs the prototype's stop band against the reconstruction: above the default bands leak less
            and the signal comes back less exactly, below the other way round.

    Raises:
        ModelError: Numbers that cannot be, or a block that is no multiple of ``bands``.
    """

    filters: Tensor
    past: Tensor
    initial_past: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, bands: int, taps_per_band: int = TAPS_PER_BAND, attenuation_db: float = ATTENUATION_DB) -> None:
        super().__init__()
        filters = pqmf_filters(bands, taps_per_band, attenuation_db, inverse=False)
        self.bands, taps = bands, filters.size(1)
        self.register_buffer("filters", filters.flip(1).unsqueeze(1).float())
        self.ratio = Fraction(1, bands)
        self.delay_samples = taps_per_band // 2 - 1
        self.receptive_field_samples = taps
        self.register_state("past", torch.zeros(1, 1, taps - bands))
        self.source = SOURCE

    def forward(self, x: Tensor) -> Tensor:
        require_multiple("PQMFAnalysis", x.size(2), self.bands)
        heard = torch.cat([self.past.expand(x.size(0), x.size(1), -1), x], 2)
        self.past = heard[:, :, x.size(2) :]
        return conv1d(heard, self.filters.repeat(x.size(1), 1, 1), stride=self.bands, groups=x.size(1))

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()


class PQMFSynthesis(StreamingLayer):
    """Bands of :class:`PQMFAnalysis` joined to a signal again: ``bands`` times fewer channels, and more samples.

    It is the ordinary transposed convolution with half the filter trimmed, ``delay_samples`` later; after the analysis
    the signal is back ``pair_delay_samples`` late.
    """

    filters: Tensor
    unfinished: Tensor
    initial_unfinished: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, bands: int, taps_per_band: int = TAPS_PER_BAND, attenuation_db: float = ATTENUATION_DB) -> None:
        super().__init__()
        filters = pqmf_filters(bands, taps_per_band, attenuation_db, inverse=True)
        self.bands, taps = bands, filters.size(1)
        self.register_buffer("filters", filters.unsqueeze(1).float())
        self.ratio = Fraction(bands)
        self.delay_samples, self.pair_delay_samples = taps // 2, taps - bands
        self.receptive_field_samples = taps_per_band
        self.register_state("unfinished", torch.zeros(1, 1, taps - bands))
        self.source = SOURCE

    def forward(self, x: Tensor) -> Tensor:
        require_rows("PQMFSynthesis", x, self.bands)
        channels, finished = x.size(1) // self.bands, x.size(2) * self.bands
        added = conv_transpose1d(x, self.filters.repeat(channels, 1, 1), stride=self.bands, groups=channels)
        overlap = added.size(2) - finished
        begun = added[:, :, :overlap] + self.unfinished.expand(x.size(0), channels, -1)
        added = torch.cat([begun, added[:, :, overlap:]], 2)
        self.unfinished = added[:, :, finished:]
        return added[:, :, :finished]

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.unfinished = self.initial_unfinished.clone()


def pqmf_filters(bands: int, taps_per_band: int, attenuation_db: float, inverse: bool) -> Tensor:
    """The filters of a bank, ``[bands, taps]``, float64: of the analysis, or of its inverse.

    Raises:
        ModelError: Numbers that cannot be.
    """
    if bands < 2 or taps_per_band < 4 or taps_per_band % 2 != 0 or not 20.0 < attenuation_db < 200.0:
        raise ModelError(
            f"PQMF: bands={bands}, taps_per_band={taps_per_band}, attenuation_db={attenuation_db}; expected at least 2 "
            f"bands, an even number of at least 4 taps for each, and 20 dB to 200 dB"
        )
    prototype = _prototype(bands, taps_per_band * bands, attenuation_db)
    time = np.arange(prototype.size) - (prototype.size - 1) / 2
    band = np.arange(bands)[:, None]
    quarter = (-1.0) ** band * np.pi / 4 * (-1.0 if inverse else 1.0)
    filters = prototype * np.cos((2 * band + 1) * np.pi / (2 * bands) * time + quarter)
    # The gain of the whole bank is the mean energy of its filters.
    return torch.from_numpy(filters / np.sqrt(np.square(filters).sum() / bands))


def _prototype(bands: int, taps: int, attenuation_db: float) -> NDArray[np.float64]:
    """The low pass whose bands add up evenly and leak little, by Gauss-Newton steps from a windowed sinc.

    Few numbers are sought, however many bands there are: a sum of cosines under a window. Bands add up evenly where the
    squared response does, which is where its autocorrelation is 0 every ``2 * bands`` samples.
    """
    time = np.arange(taps) - (taps - 1) / 2
    order = taps // bands
    shapes = np.kaiser(taps, 2.0) * np.cos(2 * np.pi * np.arange(order // 2 + 2)[:, None] * time / taps)
    start = np.kaiser(taps, 0.1102 * (82.0 - 8.7)) * np.sinc((1 + 3 / order) / (2 * bands) * time)
    amounts = np.linalg.lstsq(shapes.T, start, rcond=None)[0]
    amounts /= np.sqrt(np.square(amounts @ shapes).sum())
    edges = min(4, bands)  # of the stop band, in widths of a band: further out the window sees to it
    frequencies = np.linspace(1, edges, 60 * edges)[:, None] / (2 * bands)
    leakage = np.cos(2 * np.pi * frequencies * time) @ shapes.T / np.sqrt(bands)
    weight = _RECONSTRUCTION * 10 ** ((ATTENUATION_DB - attenuation_db) / 20)
    for _ in range(100):
        sought = amounts @ shapes
        uneven, slopes = [np.dot(sought, sought) - 1], [2 * shapes @ sought]
        for lag in range(2 * bands, taps, 2 * bands):
            uneven.append(np.dot(sought[lag:], sought[:-lag]))
            slopes.append(shapes[:, lag:] @ sought[:-lag] + shapes[:, :-lag] @ sought[lag:])
        errors = np.concatenate((weight * np.array(uneven), leakage @ amounts))
        step = np.linalg.lstsq(np.concatenate((weight * np.array(slopes), leakage)), -errors, rcond=None)[0]
        amounts = amounts + step
        if np.abs(step).max() < 1e-12 * np.abs(amounts).max():
            break
    return amounts @ shapes
