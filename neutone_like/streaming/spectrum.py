"""The short-time Fourier transform and its inverse, frame by frame as the samples come."""

from fractions import Fraction

import torch
from torch import Tensor
from torch.nn.functional import fold

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_multiple, require_rows
from neutone_like.streaming.layer import StreamingLayer

SMALLEST_COVER = 1e-3


class STFT(StreamingLayer):
    """Spectra of overlapping frames: ``[batch, channels, samples]`` to ``[batch, channels * 2 * bins, frames]``.

    For each channel ``bins = fft_samples // 2 + 1`` real rows come first, then as many imaginary ones. Frame ``n`` is
    frame ``n - delay_samples`` of ``torch.stft(center=False)``, its phase counted from the frame's own first sample.

    Args:
        fft_samples: Length of a frame.
        hop_samples: From frame to frame. Blocks are multiples of it.
        window: ``[fft_samples]``; default: a periodic Hann window.

    Raises:
        ModelError: Sizes that cannot be, or a block that is no multiple of the hop.
    """

    window: Tensor
    past: Tensor
    initial_past: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, fft_samples: int, hop_samples: int, window: Tensor | None = None) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        self.register_buffer("window", _checked_window("STFT", fft_samples, hop_samples, window))
        self.ratio = Fraction(1, hop_samples)
        self.delay_samples = -(-fft_samples // hop_samples) - 1
        self.receptive_field_samples = fft_samples
        self.receptive_field_is_exact = bool(self.window[0] != 0) and bool(
            self.window[-1] != 0
        )  # a Hann window's isn't
        self.register_state("past", torch.zeros(1, 1, self.delay_samples * hop_samples))
        self.source = "Allen and Rabiner, A Unified Approach to Short-Time Fourier Analysis and Synthesis, 1977"

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.spectra(x)
        return torch.cat([spectra.real, spectra.imag], 3).transpose(2, 3).flatten(1, 2)

    def spectra(self, x: Tensor) -> Tensor:
        """The same for layers that go on with it: complex, ``[batch, channels, frames, bins]``."""
        require_multiple("STFT", x.size(2), self.hop_samples)
        heard = torch.cat([self.past.expand(x.size(0), x.size(1), -1), x], 2)
        self.past = heard[:, :, x.size(2) :]
        frames = heard.unfold(2, self.fft_samples, self.hop_samples) * self.window
        return torch.fft.rfft(frames[:, :, : x.size(2) // self.hop_samples])

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.past = self.initial_past.clone()


class InverseSTFT(StreamingLayer):
    """Frames of spectra as :class:`STFT` gives them, overlapped and added: ``[batch, channels, frames * hop]``.

    Frames are windowed again and divided by the sum of the squared windows (the least-squares inverse), so that after
    an :class:`STFT` of the same sizes a signal returns as it was, :attr:`pair_delay_samples` later.

    Raises:
        ModelError: The windows leave samples uncovered, so that nothing can bring those back.
    """

    window: Tensor
    unfinished: Tensor
    initial_unfinished: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(self, fft_samples: int, hop_samples: int, window: Tensor | None = None) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        window = _checked_window("InverseSTFT", fft_samples, hop_samples, window)
        self.register_buffer("window", window / _cover(window, hop_samples))
        self.ratio = Fraction(hop_samples)
        self.receptive_field_samples = -(-fft_samples // hop_samples)
        self.pair_delay_samples = (self.receptive_field_samples - 1) * hop_samples
        self.register_state("unfinished", torch.zeros(1, 1, fft_samples - hop_samples))
        self.source = "Griffin and Lim, Signal Estimation from Modified Short-Time Fourier Transform, 1984"

    def forward(self, x: Tensor) -> Tensor:
        batch, bins, count = x.size(0), self.fft_samples // 2 + 1, x.size(2)
        require_rows("InverseSTFT", x, 2 * bins)
        channels = x.size(1) // (2 * bins)
        parts = x.view(batch * channels, 2, bins, count)
        spectra = torch.complex(parts[:, 0], parts[:, 1])
        frames = torch.fft.irfft(spectra, self.fft_samples, 1) * self.window.unsqueeze(1)
        added = _overlap_added(frames, self.hop_samples).view(batch, channels, -1)
        overlap = self.fft_samples - self.hop_samples
        begun = added[:, :, :overlap] + self.unfinished.expand(batch, channels, -1)
        added = torch.cat([begun, added[:, :, overlap:]], 2)
        self.unfinished = added[:, :, count * self.hop_samples :]
        return added[:, :, : count * self.hop_samples]

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.unfinished = self.initial_unfinished.clone()


def _overlap_added(frames: Tensor, hop_samples: int) -> Tensor:
    """``[rows, samples, frames]`` at their places: ``[rows, (frames - 1) * hop + samples]``."""
    length = (frames.size(2) - 1) * hop_samples + frames.size(1)
    return fold(frames, (1, length), (1, frames.size(1)), stride=(1, hop_samples))[:, 0, 0]


def _checked_window(layer: str, fft_samples: int, hop_samples: int, window: Tensor | None) -> Tensor:
    if fft_samples < 2 or not 1 <= hop_samples <= fft_samples:
        raise ModelError(
            f"{layer}: fft_samples={fft_samples}, hop_samples={hop_samples}; expected at least 2, and a hop from 1 to "
            f"fft_samples"
        )
    if window is None:
        return torch.hann_window(fft_samples)
    if window.shape != (fft_samples,):
        raise ModelError(
            f"{layer}: a window of shape {list(window.shape)}; expected [{fft_samples}]; pad a shorter one with zeros"
        )
    return window.detach().clone()


def _cover(window: Tensor, hop_samples: int) -> Tensor:
    """The sum of the squared windows that meet at each sample of a frame."""
    squared = window.double().square()
    padded = torch.nn.functional.pad(squared, [0, -window.numel() % hop_samples]).view(-1, hop_samples)
    cover = padded.sum(0)
    if float(cover.min()) < SMALLEST_COVER * float(cover.max()):
        raise ModelError(
            f"InverseSTFT: windows {hop_samples} samples apart cover one sample {float(cover.max()):.3g} times and "
            f"another {float(cover.min()):.3g} times, so overlap-add can't be constant (COLA). Use a smaller hop, "
            f"half of the window or less"
        )
    return cover.repeat(padded.size(0))[: window.numel()].to(window.dtype)
