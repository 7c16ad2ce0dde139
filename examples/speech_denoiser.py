"""Speech denoiser: a model that only knows 16 kHz, in a host at any rate.

What it shows:

- **A bound rate.** Networks for speech are trained at 16 kHz, and the constants here are meant for it too:
  ``sample_rates = (16000,)``, ``block_sizes = (128,)``. A host at 44.1 or 48 kHz is resampled there and back, its
  blocks are collected to blocks of 8 ms, and it is told what all that and the model's own delay add up to.
- **The shape of a denoiser.** Spectrum in, a gain between 0 and 1 for each frequency, spectrum out: replace
  :meth:`SpeechDenoiser._gain` by a recurrent network, and everything round it may stay.
- **State of two kinds.** What the model believes about noise and speech, and the tail of the windows already added up.
- **A measured effect.** Run as a program, it prints by how much it improves the signal-to-noise ratio.

The gain is Wiener's, ``xi / (1 + xi)``, where the signal-to-noise ratio ``xi`` is mostly that of the window before, as
it came out (the decision-directed estimate of Y. Ephraim and D. Malah, "Speech Enhancement Using a Minimum Mean-Square
Error Short-Time Spectral Amplitude Estimator", 1984). The noise's power is followed, speech or not, by weighing each
window with the probability that it has speech (T. Gerkmann and R. Hendriks, "Unbiased MMSE-Based Noise Power Estimation
with Low Complexity and Low Tracking Delay", 2012).

Run ``python examples/speech_denoiser.py`` for the artifact, or
``neutone-like export examples/speech_denoiser.py --out DIR``.
"""

import math

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase

SAMPLE_RATE = 16000
WINDOW_SAMPLES = 512  # 32 ms: short beside a syllable, long enough to tell a voice's harmonics apart
HOP_SAMPLES = 128
BINS = WINDOW_SAMPLES // 2 + 1
SPEECH_XI = 10.0**1.5  # how far above the noise speech is taken to be where there is some: 15 dB
DECISION_WEIGHT = 0.94
NOISE_WEIGHT = 0.95
FIRST_WINDOWS = 8  # these are averaged for a first idea of the noise
LEAST_POWER = 1e-9


class SpeechDenoiser(WaveformToWaveformBase):
    """Turns down, window by window, what is likely to be noise."""

    metadata = ModelMetadata(
        name="Speech denoiser",
        authors=("Ada",),
        version="1.0.0",
        short_description="Follows steady noise behind a voice and turns it down",
        long_description="For a voice in steady noise: fans, hiss, traffic. Made for 16 kHz; hosts are resampled.",
        tags=("speech", "denoising", "restoration"),
    )
    parameters = (
        ContinuousParameter(
            "reduction", "How far noise may be turned down", default=24.0, minimum=0.0, maximum=40.0, unit="dB"
        ),
    )
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)
    block_sizes = (HOP_SAMPLES,)
    look_behind_samples = WINDOW_SAMPLES - HOP_SAMPLES

    window: Tensor
    synthesis_window: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.window_samples: int = WINDOW_SAMPLES
        self.hop_samples: int = HOP_SAMPLES
        self.bins: int = BINS
        self.speech_xi: float = SPEECH_XI
        self.decision_weight: float = DECISION_WEIGHT
        self.noise_weight: float = NOISE_WEIGHT
        self.first_windows: int = FIRST_WINDOWS
        self.least_power: float = LEAST_POWER
        window = torch.hann_window(WINDOW_SAMPLES, periodic=True).sqrt()
        self.register_buffer("window", window)
        self.register_buffer("synthesis_window", window / (window.square().sum() / HOP_SAMPLES))
        self.register_buffer("windows_heard", torch.zeros(1))
        self.register_buffer("noise", torch.zeros(BINS))
        self.register_buffer("speech", torch.zeros(BINS))
        self.register_buffer("presence", torch.zeros(BINS))
        self.register_buffer("tail", torch.zeros(WINDOW_SAMPLES - HOP_SAMPLES))

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """A sample waits for the last window round it."""
        return self.window_samples - self.hop_samples

    def reset_model(self) -> None:
        """Know nothing of noise or speech."""
        self.windows_heard = torch.zeros(1)
        self.noise = torch.zeros(self.bins)
        self.speech = torch.zeros(self.bins)
        self.presence = torch.zeros(self.bins)
        self.tail = torch.zeros(self.window_samples - self.hop_samples)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, 384 + 128]`` to ``[1, 128]``: one window, one hop."""
        spectrum = torch.fft.rfft(x[0] * self.window)
        power = torch.view_as_real(spectrum).square().sum(1) + self.least_power
        self._follow_noise(power)
        gain = torch.maximum(self._gain(power), torch.pow(10.0, params["reduction"] / -20.0))
        y = torch.fft.irfft(spectrum * gain) * self.synthesis_window
        y = y + torch.constant_pad_nd(self.tail, [0, self.hop_samples])
        self.tail = y.narrow(0, self.hop_samples, self.window_samples - self.hop_samples).clone()
        return y.narrow(0, 0, self.hop_samples).unsqueeze(0)

    def _follow_noise(self, power: Tensor) -> None:
        """Move the noise's power towards this window's, the less so the likelier there is speech in it."""
        # The count is a tensor, and both ways are calculated: a graph of operations can't turn off after some windows.
        self.windows_heard = self.windows_heard + 1.0
        is_early = self.windows_heard <= self.first_windows
        mean = self.noise + (power - self.noise) / self.windows_heard
        exponent = power / self.noise * (self.speech_xi / (1.0 + self.speech_xi))
        probability = 1.0 / (1.0 + (1.0 + self.speech_xi) * torch.exp(-exponent))
        self.presence = torch.where(is_early, self.presence, torch.lerp(self.presence, probability, 0.1))
        # Where speech was found for too long it was noise that grew: let some of it in.
        probability = torch.where(self.presence > 0.99, probability.clamp(max=0.99), probability)
        expected = torch.lerp(power, self.noise, probability)
        self.noise = torch.where(is_early, mean, torch.lerp(expected, self.noise, self.noise_weight))

    def _gain(self, power: Tensor) -> Tensor:
        """Between 0 and 1 for each frequency."""
        now = (power / self.noise - 1.0).clamp(min=0.0)
        xi = torch.lerp(now, self.speech / self.noise, self.decision_weight)
        gain = xi / (1.0 + xi)
        self.speech = gain.square() * power
        return gain


def speech_like(seconds: float, sample_rate: int = SAMPLE_RATE, seed: int = 0) -> Tensor:
    """Syllables of harmonics with moving pitch and formants, and pauses between them: ``[1, N]``, RMS near 0.1."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    total = round(seconds * sample_rate)
    voice = torch.zeros(total, dtype=torch.float64)
    start = round(0.25 * sample_rate)
    while start < total:
        length = round(draw(0.12, 0.35) * sample_rate)
        formants = ((draw(300, 800), 80.0), (draw(900, 2200), 110.0), (draw(2400, 3200), 160.0))
        syllable = draw(0.4, 1.0) * _syllable(length, sample_rate, draw(95, 150), draw(0.85, 1.2), formants)
        end = min(total, start + length)
        voice[start:end] = syllable[: end - start]
        start = end + round((draw(0.3, 0.7) if draw(0, 1) < 0.3 else draw(0.02, 0.08)) * sample_rate)
    return (0.1 * voice / voice.square().mean().sqrt().clamp(min=1e-9)).to(torch.float32).unsqueeze(0)


def _syllable(
    length: int, sample_rate: int, pitch_hz: float, glide: float, formants: tuple[tuple[float, float], ...]
) -> Tensor:
    """Harmonics of a gliding pitch, each as strong as resonances (centre, width; Hz) make it: ``[length]``."""
    position = torch.linspace(0.0, 1.0, length, dtype=torch.float64)
    hertz = pitch_hz * glide**position
    phase = 2.0 * math.pi * torch.cumsum(hertz, 0) / sample_rate
    sound = torch.zeros(length, dtype=torch.float64)
    for harmonic in range(1, int(4000.0 / (pitch_hz * max(1.0, glide)))):
        centre = harmonic * hertz
        level = sum(1.0 / (1.0 + ((centre - middle) / width).square()) for middle, width in formants)
        sound += (level + 0.01) / harmonic**0.5 * torch.sin(harmonic * phase)
    return sound * torch.sin(math.pi * position).sqrt()


def snr_db(sound: Tensor, clean: Tensor) -> float:
    """Signal-to-noise ratio of a sound whose clean version is known."""
    return 10.0 * math.log10(float(clean.square().sum() / (sound - clean).square().sum()))


def build_model() -> SpeechDenoiser:
    """What ``neutone-like export examples/speech_denoiser.py`` calls."""
    return SpeechDenoiser(nn.Identity())


def main(folder: str) -> None:
    """Print what it does to noise, and write the artifact."""
    from neutone_like import SampleQueueWrapper, export_model

    clean = speech_like(10.0)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    wrapper = SampleQueueWrapper(build_model())
    for before_db in (0.0, 5.0, 10.0):
        noisy = clean + noise * clean.square().mean().sqrt() * 10.0 ** (-before_db / 20.0)
        after_db = snr_db(wrapper.forward_offline(noisy), clean)
        print(f"Signal-to-noise ratio {before_db:.0f} dB in, {after_db:.1f} dB out")
    print(f"Wrote {export_model(build_model(), folder).model_path}")


if __name__ == "__main__":
    import sys

    main(sys.argv[1] if len(sys.argv) > 1 else "build/speech_denoiser")
