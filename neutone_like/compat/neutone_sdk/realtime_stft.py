"""The Neutone SDK's spectra for live models: as many frames as a network wants to see, and back to audio."""

import torch
from torch import Tensor, nn
from torch.nn.functional import fold

from neutone_like.errors import ModelError


class RealtimeSTFT(nn.Module):
    """Audio to the last ``model_io_n_frames`` spectra, and from spectra as many to audio again.

    Frames are centred, as of ``torch.stft``, so that the newest ones reach beyond what is heard: there the sound is
    taken for its own mirror image, and with every block those frames are made anew. So there is no delay but
    ``fade_n_samples``; but what a network does to the newest frames depends on the block size. For spectra that don't,
    and wait instead, see :class:`neutone_like.streaming.STFT` and ``InverseSTFT``.

    Source: Griffin and Lim, Signal Estimation from Modified Short-Time Fourier Transform, 1984.

    Args:
        model_io_n_frames: Frames that the network receives and returns.
        io_n_ch: Channels of audio.
        io_n_samples: Block in samples, a multiple of ``hop_len``; :meth:`set_buffer_size` changes it.
        n_fft: Length of a frame in samples, even.
        hop_len: From frame to frame in samples; divides ``n_fft // 2``.
        window: ``[n_fft]``; by default Hann's.
        center: Only ``True``.
        power: Of the magnitudes, 1 or above; ``None`` gives real parts, which only ``logarithmize=False`` can keep.
        logarithmize: Whether magnitudes become their logarithm to base 10.
        ensure_pos_spec: Whether logarithms are counted from that of ``eps``, so that none is negative.
        use_phase_info: Whether the phases (of ``power=None``, the imaginary parts) come back in :meth:`spec_to_audio`;
            else they are 0.
        fade_n_samples: Crossfade from the audio of one block to that of the next, which is the delay too.
        eps: Magnitudes below this count as this, for their logarithm.
        use_debug_mode: Kept as an attribute. What comes in is checked either way.

    Attributes:
        n_bins: ``n_fft // 2 + 1``.
        model_io_shape: ``(io_n_ch, n_bins, model_io_n_frames)``, what :meth:`spec_to_audio` takes.
        mag_buf, phase_buf: Of that shape: the spectra, and their phases.

    Raises:
        ModelError: An option that is not offered, or sizes that do not fit each other.
    """

    model_io_shape: tuple[int, int, int]
    window: Tensor
    cover: Tensor
    in_buf: Tensor
    mag_buf: Tensor
    phase_buf: Tensor
    out_buf: Tensor

    def __init__(
        self,
        model_io_n_frames: int = 16,
        io_n_ch: int = 2,
        io_n_samples: int = 512,
        n_fft: int = 2048,
        hop_len: int = 512,
        window: Tensor | None = None,
        center: bool = True,
        power: float | None = 1.0,
        logarithmize: bool = True,
        ensure_pos_spec: bool = True,
        use_phase_info: bool = True,
        fade_n_samples: int = 0,
        eps: float = 1e-8,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__()
        _require_sizes(n_fft, hop_len, window)
        _require_options(center, power, logarithmize)
        self.use_debug_mode = use_debug_mode
        self.model_io_n_frames = model_io_n_frames
        self.io_n_ch = io_n_ch
        self.io_n_samples = io_n_samples
        self.n_fft = n_fft
        self.hop_len = hop_len
        self.center = center
        self.power = power
        self.has_parts = power is None
        self.exponent = 1.0 if power is None else float(power)
        self.logarithmize = logarithmize
        self.ensure_pos_spec = ensure_pos_spec
        self.use_phase_info = use_phase_info
        self.fade_n_samples = fade_n_samples
        self.eps = eps
        self.log10_eps = float(torch.log10(torch.tensor(eps)))
        self.n_bins = n_fft // 2 + 1
        self.overlap_n_frames = n_fft // 2 // hop_len
        self.model_io_shape = (io_n_ch, self.n_bins, model_io_n_frames)
        self.io_n_frames = 0
        self.istft_in_n_frames = 0
        self.register_buffer("window", torch.hann_window(n_fft) if window is None else window.detach().clone())
        for name in ("cover", "in_buf", "mag_buf", "phase_buf", "out_buf"):
            self.register_buffer(name, torch.zeros(0), persistent=False)
        self.set_buffer_size(io_n_samples)

    @torch.jit.export
    def set_buffer_size(self, io_n_samples: int) -> None:
        """Get ready for blocks of so many samples; it also resets.

        Raises:
            ModelError: It is none of :meth:`calc_supported_buffer_sizes`, or the crossfade is too long for it.
        """
        if io_n_samples not in self.calc_supported_buffer_sizes():
            raise ModelError(
                f"RealtimeSTFT: a block of {io_n_samples} samples; expected a multiple of hop_len={self.hop_len} up to "
                f"{self.calc_max_buffer_size()}, so that the {self.overlap_n_frames} frames that overlap it are among "
                f"model_io_n_frames={self.model_io_n_frames} too."
            )
        longest_fade = min(io_n_samples, (self.overlap_n_frames - 1) * self.hop_len)
        if self.fade_n_samples < 0 or self.fade_n_samples > longest_fade:
            raise ModelError(
                f"RealtimeSTFT: fade_n_samples must be from 0 to {longest_fade} for blocks of {io_n_samples} samples, "
                f"got {self.fade_n_samples}."
            )
        self.io_n_samples = io_n_samples
        self.io_n_frames = io_n_samples // self.hop_len
        self.istft_in_n_frames = self.overlap_n_frames + self.io_n_frames
        squared = self.window.square().view(1, -1, 1)
        self.cover = self._overlap_added(squared.expand(1, self.n_fft, self.istft_in_n_frames))
        if float(self.cover.min()) < 1e-8:
            raise ModelError(
                "RealtimeSTFT: the window leaves samples that no frame covers. Use another, such as Hann's."
            )
        self.reset()

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """Return this from the wrapper's ``calc_model_delay_samples``."""
        return self.fade_n_samples

    @torch.jit.export
    def calc_min_buffer_size(self) -> int:
        return self.hop_len

    @torch.jit.export
    def calc_max_buffer_size(self) -> int:
        """The longest block whose frames, and those that overlap it, the network sees at once."""
        return (self.model_io_n_frames - self.overlap_n_frames) * self.hop_len

    @torch.jit.export
    def calc_supported_buffer_sizes(self) -> list[int]:
        """Return this from the wrapper's ``get_native_buffer_sizes``."""
        return list(range(self.hop_len, self.calc_max_buffer_size() + 1, self.hop_len))

    @torch.jit.export
    def reset(self) -> None:
        """Forget the past."""
        heard_before = (2 * self.overlap_n_frames + self.io_n_frames - 1) * self.hop_len
        self.in_buf = self.window.new_zeros([self.io_n_ch, heard_before])
        silence = self.log10_eps if self.logarithmize and not self.ensure_pos_spec else 0.0
        shape = [self.io_n_ch, self.n_bins, self.model_io_n_frames]
        self.mag_buf = torch.full(shape, silence, dtype=self.window.dtype, device=self.window.device)
        self.phase_buf = self.window.new_zeros(shape)
        self.out_buf = self.window.new_zeros([self.io_n_ch, self.fade_n_samples])

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.reset()

    @torch.jit.unused
    def audio_to_spec_offline(self, audio: Tensor) -> Tensor:
        """``[io_n_ch, samples]`` at once, for training: ``[io_n_ch, n_bins, samples // hop_len + 1]``."""
        if audio.dim() != 2 or audio.size(1) < self.n_fft or audio.size(1) % self.hop_len != 0:
            raise ModelError(
                f"RealtimeSTFT: audio of shape {list(audio.shape)}; expected [channels, samples], of at least "
                f"n_fft={self.n_fft} samples and a multiple of hop_len={self.hop_len}."
            )
        return self._magnitudes(
            torch.stft(audio, self.n_fft, self.hop_len, window=self.window, center=True, return_complex=True)
        )

    @torch.jit.export
    def audio_to_spec(self, audio: Tensor) -> Tensor:
        """The next block, ``[io_n_ch, io_n_samples]``: spectra ``[io_n_ch, n_bins, model_io_n_frames]``, newest last.

        Raises:
            ModelError: Audio of another shape.
        """
        if audio.dim() != 2 or audio.size(0) != self.io_n_ch or audio.size(1) != self.io_n_samples:
            raise ModelError(
                f"RealtimeSTFT: audio of shape {audio.shape}; expected [{self.io_n_ch}, {self.io_n_samples}]. Call "
                "set_buffer_size(n_samples) in set_model_sample_rate_and_buffer_size."
            )
        self.in_buf = torch.cat([self.in_buf[:, self.io_n_samples :], audio], 1)
        mirrored = torch.nn.functional.pad(self.in_buf.unsqueeze(0), [0, self.n_fft // 2], "reflect").squeeze(0)
        frames = mirrored.unfold(1, self.n_fft, self.hop_len) * self.window
        spectra = torch.fft.rfft(frames).transpose(1, 2)
        self.mag_buf = self._with_newest(self.mag_buf, self._magnitudes(spectra))
        if self.use_phase_info:
            phases = spectra.imag if self.has_parts else spectra.angle()
            self.phase_buf = self._with_newest(self.phase_buf, phases)
        return self.mag_buf.clone()

    @torch.jit.export
    def spec_to_audio(self, spec: Tensor) -> Tensor:
        """Spectra as :meth:`audio_to_spec` gives them to ``[io_n_ch, io_n_samples]``. ``spec`` is left as it is.

        Raises:
            ModelError: Spectra of another shape.
        """
        if spec.dim() != 3 or spec.size() != self.mag_buf.size():
            raise ModelError(
                f"RealtimeSTFT: spectra of shape {spec.shape}; expected {self.mag_buf.shape}, as of audio_to_spec."
            )
        spectra = self._spectra(spec[:, :, self.model_io_n_frames - self.istft_in_n_frames :])
        frames = torch.fft.irfft(spectra, self.n_fft, 1) * self.window.unsqueeze(1)
        audio = self._overlap_added(frames) / self.cover
        if self.fade_n_samples == 0:
            return audio
        rise = torch.linspace(0.0, 1.0, self.fade_n_samples, dtype=audio.dtype, device=audio.device)
        faded = audio[:, : self.fade_n_samples] * rise + self.out_buf * rise.flip([0])
        self.out_buf = audio[:, self.io_n_samples :]
        return torch.cat([faded, audio[:, self.fade_n_samples : self.io_n_samples]], 1)

    def _overlap_added(self, frames: Tensor) -> Tensor:
        """``[rows, n_fft, frames]`` at their places; of the sum, the newest samples up to the last frame's middle."""
        middle = (frames.size(2) - 1) * self.hop_len + self.n_fft // 2
        summed = fold(frames, (1, middle + self.n_fft // 2), (1, self.n_fft), stride=(1, self.hop_len))[:, 0, 0]
        return summed[:, middle - self.io_n_samples - self.fade_n_samples : middle]

    def _with_newest(self, kept: Tensor, frames: Tensor) -> Tensor:
        """The frames that still overlapped silence yet to come are replaced, and new ones added."""
        return torch.cat([kept[:, :, self.io_n_frames : kept.size(2) - self.overlap_n_frames], frames], 2)

    def _magnitudes(self, spectra: Tensor) -> Tensor:
        magnitudes = spectra.real if self.has_parts else spectra.abs()
        if self.exponent != 1.0:
            magnitudes = magnitudes.pow(self.exponent)
        if not self.logarithmize:
            return magnitudes
        logarithms = magnitudes.clamp(min=self.eps).log10()
        return logarithms - self.log10_eps if self.ensure_pos_spec else logarithms

    def _spectra(self, spec: Tensor) -> Tensor:
        if self.logarithmize:
            logarithms = spec + self.log10_eps if self.ensure_pos_spec else spec
            spec = torch.pow(10.0, logarithms).clamp(min=self.eps)
        if self.exponent != 1.0:
            spec = spec.pow(1.0 / self.exponent)
        phases = self.phase_buf[:, :, self.model_io_n_frames - self.istft_in_n_frames :]  # 0 unless they are used
        return torch.complex(spec, phases) if self.has_parts else torch.polar(spec, phases)


def _require_sizes(n_fft: int, hop_len: int, window: Tensor | None) -> None:
    if n_fft < 2 or n_fft % 2 != 0 or hop_len < 1 or (n_fft // 2) % hop_len != 0:
        raise ModelError(
            f"RealtimeSTFT: n_fft must be even, and hop_len must divide its half, got n_fft={n_fft} and "
            f"hop_len={hop_len}."
        )
    if window is not None and window.shape != (n_fft,):
        raise ModelError(f"RealtimeSTFT: a window of shape {list(window.shape)}; expected [n_fft] = [{n_fft}].")


def _require_options(center: bool, power: float | None, logarithmize: bool) -> None:
    if not center:
        raise ModelError(
            "RealtimeSTFT: center=False is not offered. Use neutone_like.streaming.STFT and InverseSTFT, whose frames "
            "end where the block ends."
        )
    if power is not None and power < 1.0:
        raise ModelError(f"RealtimeSTFT: power must be None or at least 1, got {power}.")
    if power is None and logarithmize:
        raise ModelError(
            "RealtimeSTFT: power=None gives real parts, whose negative half no logarithm keeps. Set logarithmize=False."
        )
