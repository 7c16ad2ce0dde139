"""The Neutone SDK's mel spectrogram for live models, on top of the streaming one."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import MelSpectrogram


class CachedMelSpec(nn.Module):
    """``[n_ch, samples]``, a multiple of ``hop_len``, to ``[n_ch, n_mels, samples // hop_len]``, block by block.

    What comes is what ``torchaudio.transforms.MelSpectrogram`` gives of the whole sound, centred, between zeros
    (``pad_mode="constant"``), :meth:`get_delay_frames` later.

    Source: :class:`neutone_like.streaming.MelSpectrogram`, with HTK's scale.

    Args:
        sr: Sample rate in Hz.
        n_ch: Channels.
        n_fft: Length of a frame in samples, even.
        hop_len: From frame to frame in samples; divides ``n_fft // 2``.
        f_min, f_max: Where the first band begins and the last one ends, in Hz; by default all there is.
        n_mels: Bands.
        window_fn: Makes the window, of ``n_fft``.
        power: 2 for energies, 1 for magnitudes; above 0.
        normalized: Whether spectra are divided by the window's root of its energy.
        center: Only ``True``.
        use_debug_mode: Kept as an attribute. What comes in is checked either way.

    Raises:
        ModelError: An option that is not offered, sizes that do not fit each other, bands that hold no bin; in
            ``forward``, audio of another shape.
    """

    def __init__(
        self,
        sr: int,
        n_ch: int,
        n_fft: int = 2048,
        hop_len: int = 512,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_mels: int = 128,
        window_fn: Callable[..., Tensor] = torch.hann_window,
        power: float = 2.0,
        normalized: bool = False,
        center: bool = True,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__()
        _require_options(n_fft, hop_len, power, center)
        self.n_ch = n_ch
        self.n_fft = n_fft
        self.hop_len = hop_len
        self.n_mels = n_mels
        self.use_debug_mode = use_debug_mode
        window = window_fn(n_fft)
        if normalized:
            window = window / window.square().sum().sqrt()
        self.mel_spec: Any = MelSpectrogram(sr, n_fft, hop_len, n_mels, f_min, f_max, power=power, window=window)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2 or x.size(0) != self.n_ch or x.size(1) % self.hop_len != 0:
            raise ModelError(
                f"CachedMelSpec: audio of shape {x.shape}; expected [{self.n_ch}, a multiple of hop_len="
                f"{self.hop_len}]. Return multiples of it from get_native_buffer_sizes."
            )
        return self.mel_spec(x.unsqueeze(0)).view(self.n_ch, self.n_mels, -1)

    def prepare_for_inference(self) -> None:
        """Get ready for export."""
        self.use_debug_mode = False

    @torch.jit.export
    def get_delay_samples(self) -> int:
        """How much later a frame comes than the centred one: ``n_fft // 2 - hop_len``."""
        return self.n_fft // 2 - self.hop_len

    @torch.jit.export
    def get_delay_frames(self) -> int:
        """:meth:`get_delay_samples` in frames."""
        return self.get_delay_samples() // self.hop_len

    @torch.jit.export
    def reset(self) -> None:
        """Forget the past."""
        self.mel_spec.stft.reset_streaming_state()


def _require_options(n_fft: int, hop_len: int, power: float, center: bool) -> None:
    if not center:
        raise ModelError(
            "CachedMelSpec: center=False is not offered. Use neutone_like.streaming.MelSpectrogram, whose frames end "
            "where the block ends."
        )
    if n_fft < 2 or n_fft % 2 != 0 or hop_len < 1 or (n_fft // 2) % hop_len != 0 or not power > 0:
        raise ModelError(
            "CachedMelSpec: n_fft must be even, hop_len must divide its half, and power must be above 0, got "
            f"n_fft={n_fft}, hop_len={hop_len} and power={power}."
        )
