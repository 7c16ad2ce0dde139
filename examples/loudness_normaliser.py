"""Loudness normaliser: how loud is the whole recording, and by how much must it be turned up or down?

What it shows:

- **A model that needs the whole file.** The gain of the first sample depends on the last one, so it is one-shot.
- **A measurement inside TorchScript**: integrated loudness after ITU-R BS.1770-4, with both gates. The tests compare it
  with another implementation.
- **Any rate, nothing resampled.** The filters are computed for the rate that ``prepare_model`` is told of, and the
  output is the input times one number.
- **Progress and cancelling** while a long recording is measured, piece by piece.

BS.1770-4 gives its two filters as coefficients for 48 kHz. For other rates they are designed anew from the analogue
filters behind them: a shelf of +4 dB above 1.7 kHz, for the head, and a high-pass at 38 Hz. Both ring for so short a
time that a spectrum's product with their response is exact to rounding, which is far quicker here than a recursion.

Run ``python examples/loudness_normaliser.py`` for the artifact, or
``neutone-like export examples/loudness_normaliser.py --out DIR``.
"""

import math

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, NonRealtimeBase

BLOCK_STEPS = 4  # blocks of 400 ms, a new one every 100 ms
STEPS_PER_PIECE = 100
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
LEAST_POWER = 1e-12


class LoudnessMeter(nn.Module):
    """Integrated loudness after ITU-R BS.1770-4 of mono or stereo sound.

    Args:
        sample_rate: In Hz, above 4 kHz; :meth:`prepare` sets another.
    """

    def __init__(self, sample_rate: int = 48000) -> None:
        super().__init__()
        # TorchScript sees attributes, not this file's constants.
        self.block_steps: int = BLOCK_STEPS
        self.steps_per_piece: int = STEPS_PER_PIECE
        self.absolute_gate: float = self.power_of(ABSOLUTE_GATE_LUFS)
        self.relative_gate: float = 10.0 ** (RELATIVE_GATE_LU / 10.0)
        self.sample_rate: int = sample_rate
        self.step_samples: int = 0
        self.ring_samples: int = 0
        self.prepare(sample_rate)

    @torch.jit.export
    def prepare(self, sample_rate: int) -> None:
        """Be ready for a rate in Hz."""
        self.sample_rate = sample_rate
        self.step_samples = (sample_rate + 5) // 10
        self.ring_samples = sample_rate // 5  # after 200 ms the filters have fallen by more than 150 dB

    @torch.jit.export
    def response(self) -> Tensor:
        """Both filters, for :meth:`step_powers`; computed for each recording, as an artifact would carry it along."""
        size = self.ring_samples + self.steps_per_piece * self.step_samples
        omega = 2.0 * math.pi / size * torch.arange(size // 2 + 1, dtype=torch.float64)
        z = torch.polar(torch.ones_like(omega), -omega)
        response = torch.ones_like(z)
        for above, below in (self.shelf(), self.high_pass()):
            response *= (above[0] + (above[1] + above[2] * z) * z) / (below[0] + (below[1] + below[2] * z) * z)
        return response.to(torch.complex64)

    @torch.jit.export
    def shelf(self) -> tuple[list[float], list[float]]:
        """The head's effect: numerator and denominator, by the bilinear transform of an analogue shelf."""
        k = math.tan(math.pi * 1681.974450955533 / self.sample_rate)
        q = 0.7071752369554196
        high = math.pow(10.0, 3.999843853973347 / 20.0)
        middle = math.pow(high, 0.4996667741545416)
        return (
            [high + middle * k / q + k * k, 2.0 * (k * k - high), high - middle * k / q + k * k],
            [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k],
        )

    @torch.jit.export
    def high_pass(self) -> tuple[list[float], list[float]]:
        """The ear's deafness to the lowest frequencies. Its numerator is 1 - 2z + z^2 at every rate."""
        k = math.tan(math.pi * 38.13547087602444 / self.sample_rate)
        q = 0.5003270373238773
        scale = 1.0 + k / q + k * k
        return (
            [1.0, -2.0, 1.0],
            [1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / q + k * k) / scale],
        )

    @torch.jit.export
    def power_of(self, lufs: float) -> float:
        """The mean square, after the filters, of something that loud."""
        return math.pow(10.0, (lufs + 0.691) / 10.0)

    @torch.jit.export
    def pieces(self, samples: int) -> int:
        """In how many pieces so many samples are measured."""
        return max(1, -(-samples // (self.steps_per_piece * self.step_samples)))

    @torch.jit.export
    def step_powers(self, sound: Tensor, piece: int, response: Tensor) -> Tensor:
        """The channels' summed power in each whole 100 ms of one piece of ``[channels, N]``: float64 ``[steps]``."""
        size = self.steps_per_piece * self.step_samples
        start = piece * size
        end = min(start + size, sound.size(1))
        before = min(start, self.ring_samples)
        heard = sound.narrow(1, start - before, end - start + before)
        total = self.ring_samples + size
        padded = torch.constant_pad_nd(heard, [self.ring_samples - before, start + size - end])
        filtered = torch.fft.irfft(torch.fft.rfft(padded) * response, n=total)
        whole = (end - start) // self.step_samples
        kept = filtered.narrow(1, self.ring_samples, whole * self.step_samples).to(torch.float64)
        return kept.square().reshape(sound.size(0), whole, self.step_samples).mean(2).sum(0)

    @torch.jit.export
    def integrated(self, step_powers: Tensor) -> float:
        """The loudness in LUFS of a recording whose steps have these powers; minus infinity for silence.

        A recording shorter than a block has no loudness by the standard; then its steps are taken for blocks.
        """
        blocks = step_powers
        if step_powers.size(0) >= self.block_steps:
            blocks = step_powers.unfold(0, self.block_steps, 1).mean(1)
        blocks = blocks[blocks > self.absolute_gate]
        if blocks.size(0) == 0:
            return -math.inf
        blocks = blocks[blocks > self.relative_gate * blocks.mean()]
        return -0.691 + 10.0 * math.log10(float(blocks.mean()))


class LoudnessNormaliser(NonRealtimeBase):
    """One gain for the whole recording."""

    metadata = ModelMetadata(
        name="Loudness normaliser",
        authors=("Ada",),
        version="1.0.0",
        short_description="Brings a recording to a loudness",
        long_description="Measures after ITU-R BS.1770-4, and never lets a sample's peak exceed the ceiling.",
        tags=("loudness", "mastering", "utility"),
    )
    parameters = (
        ContinuousParameter(
            "loudness", "Integrated loudness wanted", default=-16.0, minimum=-40.0, maximum=-6.0, unit="LUFS"
        ),
        ContinuousParameter(
            "ceiling", "Highest sample peak allowed", default=-1.0, minimum=-20.0, maximum=0.0, unit="dBFS"
        ),
    )

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.meter = LoudnessMeter()
        self.least_power: float = LEAST_POWER

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        """The last sample counts for the gain of the first."""
        return True

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """After each piece."""
        return True

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Filters of any rate."""
        self.meter.prepare(sample_rate)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """``[[2, N]]`` to ``[[2, N]]``; silence, or what the gates leave nothing of, as it is."""
        pieces = self.meter.pieces(audio_in[0].size(1))
        response = self.meter.response()
        powers: list[Tensor] = []
        for piece in range(pieces):
            if self.should_cancel_forward_pass():
                return []
            powers.append(self.meter.step_powers(audio_in[0], piece, response))
            self.set_progress_percentage(100.0 * (piece + 1) / pieces)
        lufs = self.meter.integrated(torch.cat(powers))
        if not math.isfinite(lufs):
            return audio_in
        wanted_db = float(numerical_params["loudness"]) - lufs
        peak_db = 10.0 * math.log10(max(float(audio_in[0].abs().max()) ** 2, self.least_power))
        gain_db = min(wanted_db, float(numerical_params["ceiling"]) - peak_db)
        return [audio_in[0] * math.pow(10.0, gain_db / 20.0)]


def build_model() -> LoudnessNormaliser:
    """What ``neutone-like export examples/loudness_normaliser.py`` calls."""
    return LoudnessNormaliser(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/loudness_normaliser")
    print(f"Wrote {result.model_path}")
