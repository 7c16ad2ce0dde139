"""The Neutone SDK's filters, for the audio before or after a network, on top of this package's streaming layers."""

from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk.not_offered import refuse
from neutone_like.errors import ModelError
from neutone_like.streaming import FIR, StateVariableFilter

ANY_RATE = 48000
"""In Hz: what a filter is designed for until ``set_parameters(sample_rate=...)`` is called."""


class FilterType(Enum):
    LOWPASS = "lowpass"
    HIGHPASS = "highpass"
    BANDPASS = "bandpass"
    BANDSTOP = "bandstop"


class FIRFilter(nn.Module):
    """A linear-phase filter for a stream: ``[channels, samples]`` to the same, late by ``delay`` samples.

    An ideal response is sampled at ``filt_size`` frequencies and windowed (Kaiser, beta 12). The Neutone SDK 1.5.2
    leaves the taps as the inverse transform gives them, their middle at both ends, which cuts notches into the pass
    band; ``centred=False`` does so too, for models that are used to it.

    Source: Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 7 (frequency sampling and windows).

    Args:
        filt_type: Which band passes.
        cutoffs: In Hz; one, or two for a band.
        filt_size: Taps.
        centred: Whether the middle of the response is in the middle of the taps.

    Attributes:
        delay: ``filt_size // 2``.
        sample_rate: In Hz; give the model's in ``set_model_sample_rate_and_buffer_size``.

    Raises:
        ModelError: Cutoffs that do not fit the type, fewer than 2 taps; in ``forward``, another number of channels than
            since the last reset.
    """

    cutoffs: list[float]

    def __init__(
        self, filt_type: FilterType, cutoffs: list[float], filt_size: int = 257, *, centred: bool = True
    ) -> None:
        super().__init__()
        self.filt_type = filt_type
        self.cutoffs = [float(cutoff) for cutoff in cutoffs]
        self.sample_rate = ANY_RATE
        self.filt_size = filt_size
        self.delay = 0
        self.centred = centred
        self.fir: Any = FIR(torch.zeros(1))
        self.set_parameters()

    @torch.jit.export
    def set_parameters(
        self,
        filt_type: FilterType | None = None,
        cutoffs: list[float] | None = None,
        sample_rate: int | None = None,
        filt_size: int | None = None,
    ) -> None:
        """Design the filter anew; what is ``None`` stays. Another ``filt_size`` also forgets the past.

        Raises:
            ModelError: As of the class. Nothing has changed then.
        """
        kind = self.filt_type if filt_type is None else filt_type
        edges = self.cutoffs if cutoffs is None else cutoffs
        rate = self.sample_rate if sample_rate is None else sample_rate
        size = self.filt_size if filt_size is None else filt_size
        _require_cutoffs(kind, edges)
        if size < 2:
            raise ModelError(f"FIRFilter: filt_size must be at least 2 taps, got {size}.")
        self.fir.taps = _taps(_passes(kind, edges, rate, size), size, self.centred).unsqueeze(0).to(self.fir.taps)
        if self.fir.past.size(2) != size - 1:
            self.fir.initial_past = torch.zeros([1, 1, size - 1]).to(self.fir.taps)
            self.fir.past = self.fir.initial_past.clone()
        self.filt_type = kind
        self.cutoffs = edges
        self.sample_rate = rate
        self.filt_size = size
        self.delay = size // 2

    def forward(self, audio: Tensor) -> Tensor:
        channels = self.fir.past.size(1)
        if channels != 1 and channels != audio.size(0):
            raise ModelError(
                f"FIRFilter: {audio.size(0)} channels, but {channels} since the last reset. Use a filter of its own "
                "for each signal."
            )
        return self.fir(audio.unsqueeze(0)).squeeze(0)


class IIRFilter(nn.Module):
    """A state-variable filter with constant settings for a stream: ``[channels, samples]`` to the same, no delay.

    See :class:`neutone_like.streaming.StateVariableFilter`, which also takes a cutoff for each sample.

    Args:
        filt_type: ``LOWPASS``, ``HIGHPASS`` or ``BANDPASS`` (whose peak is 1).
        cutoff: In Hz; held below half the sample rate.
        resonance: Above 0; 0.707 has none.

    Raises:
        ModelError: ``BANDSTOP``.
    """

    def __init__(self, filt_type: FilterType, cutoff: float, resonance: float) -> None:
        super().__init__()
        self.filt_type = filt_type
        self.cutoff = float(cutoff)
        self.resonance = float(resonance)
        self.sample_rate = ANY_RATE
        self.delay = 0
        self.svf: Any = StateVariableFilter(ANY_RATE)
        self.set_parameters()

    @torch.jit.export
    def set_parameters(
        self,
        filt_type: FilterType | None = None,
        cutoff: float | None = None,
        resonance: float | None = None,
        sample_rate: int | None = None,
    ) -> None:
        """Change settings; what is ``None`` stays, and so does the past.

        Raises:
            ModelError: As of the class. Nothing has changed then.
        """
        kind = self.filt_type if filt_type is None else filt_type
        if kind == FilterType.BANDSTOP:
            raise ModelError(
                "IIRFilter takes LOWPASS, HIGHPASS or BANDPASS, got BANDSTOP. Use FIRFilter, or "
                "neutone_like.streaming.StateVariableFilter(mode='notch')."
            )
        self.filt_type = kind
        self.cutoff = self.cutoff if cutoff is None else cutoff
        self.resonance = self.resonance if resonance is None else resonance
        self.sample_rate = self.sample_rate if sample_rate is None else sample_rate
        self.svf.mode = kind.value
        self.svf.sample_rate = float(self.sample_rate)
        self.svf.cutoff_hz = torch.full_like(self.svf.cutoff_hz, self.cutoff)
        self.svf.quality = torch.full_like(self.svf.quality, self.resonance)

    def forward(self, audio: Tensor) -> Tensor:
        y = self.svf(audio.unsqueeze(0)).squeeze(0)
        return y / self.resonance if self.filt_type == FilterType.BANDPASS else y


def _require_cutoffs(kind: FilterType, cutoffs: list[float]) -> None:
    is_band = kind == FilterType.BANDPASS or kind == FilterType.BANDSTOP
    wanted = 2 if is_band else 1
    if len(cutoffs) != wanted or not cutoffs[0] > 0.0 or not cutoffs[-1] >= cutoffs[0]:
        form = "two cutoffs, low and high" if is_band else "one cutoff"
        raise ModelError(f"FIRFilter: {kind.value} takes {form}, in Hz and above 0, got {cutoffs}.")


def _passes(kind: FilterType, cutoffs: list[float], sample_rate: int, size: int) -> Tensor:
    """``[size // 2 + 1]`` of a Fourier transform's bins."""
    bins_hz = torch.arange(size // 2 + 1, dtype=torch.float64) * (float(sample_rate) / size)
    if kind == FilterType.LOWPASS:
        return bins_hz < cutoffs[0]
    if kind == FilterType.HIGHPASS:
        return bins_hz > cutoffs[0]
    if kind == FilterType.BANDPASS:
        return torch.logical_and(bins_hz > cutoffs[0], bins_hz < cutoffs[1])
    return torch.logical_or(bins_hz < cutoffs[0], bins_hz > cutoffs[1])


def _taps(passes: Tensor, size: int, centred: bool) -> Tensor:
    """``[size]``, the one for the newest sample first."""
    middle = size // 2
    response = torch.fft.irfft(passes.to(torch.complex128), n=size)  # its middle is at 0
    # The window's own middle is at `middle`, of which an odd size needs the symmetric kind.
    window = torch.kaiser_window(size, not centred or size % 2 == 0, 12.0, dtype=torch.float64)
    if centred:
        return response.roll([middle], [0]) * window
    return (response * window.roll([middle], [0])).flip([0])


def __getattr__(name: str) -> Any:
    return refuse(__name__, name)
