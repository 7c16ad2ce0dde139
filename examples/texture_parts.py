"""What both texture generators are made of: white noise without end, the steps of a piece, and noise in bands.

What it shows:

- **Random numbers that repeat.** A Gaussian table of one prime length times signs of another: white, the same in every
  host, and a repetition only after 25 million samples. Two slices a block, so that it compiles where a generator of
  random numbers could not.
- **A sampler in a model.** ``Piece`` is a network and a table of ``neutone_like.optimise.diffusion``.
- **State.** The tables' places, the latents before, and the tail of the last window: buffers that :meth:`reset` sets.
"""

import torch
from latent_textures import CONTEXT, DIFFUSION, HOP_SAMPLES, LATENTS, PIECE, WINDOW_SAMPLES, Codec, band_shapes
from torch import Tensor, nn

from neutone_like.optimise.diffusion import ddim, dpm_solver

# What is fed back is a little less than what was made, and never far from what the network has seen. Without, errors
# grow, those of the network and those of rounding: within a minute wind is noise at full scale.
REMEMBERED = 0.9
MOST_LATENT = 2.0


class Noise(nn.Module):
    """Gaussian white noise, a block of ``samples`` a call, of which it goes on by ``step``, or by all."""

    first_values: Tensor
    first_signs: Tensor
    values: Tensor
    signs: Tensor

    def __init__(self, samples: int, lengths: tuple[int, int], seed: int, step: int | None = None) -> None:
        super().__init__()
        self.samples: int = samples
        self.step: int = samples if step is None else step
        generator = torch.Generator().manual_seed(seed)
        values = torch.randn(lengths[0], generator=generator)
        self.register_buffer("first_values", (values - values.mean()) / values.std())
        self.register_buffer("first_signs", torch.randn(lengths[1], generator=generator).sign())
        self.register_buffer("values", self.first_values.clone())
        self.register_buffer("signs", self.first_signs.clone())

    def forward(self) -> Tensor:
        """The next ``[samples]``."""
        noise = self.values[: self.samples] * self.signs[: self.samples]
        self.values = torch.cat((self.values[self.step :], self.values[: self.step]))
        self.signs = torch.cat((self.signs[self.step :], self.signs[: self.step]))
        return noise

    @torch.jit.export
    def reset(self, take: int = 0) -> None:
        """From the start of one of the takes."""
        self.values = self.first_values.roll(977 * take)
        self.signs = self.first_signs.clone()


class Piece(nn.Module):
    """Noise to the latents of the next piece, in a number of steps that is built in."""

    def __init__(self, network: nn.Module, steps: int, distilled: bool) -> None:
        super().__init__()
        self.network = network
        self.sampler = ddim(DIFFUSION, steps) if distilled else dpm_solver(DIFFUSION, steps, spacing="log_snr")

    def forward(self, noise: Tensor, before: Tensor, kind: Tensor) -> Tensor:
        """``[1, piece * latents]``, ``[1, context * latents]`` and ``[1, kinds]`` to the first shape."""
        point, data = noise, torch.zeros_like(noise)
        for step in range(self.sampler.steps):
            last = data
            time = torch.full((1,), self.sampler.time(step), device=noise.device)
            data = self.sampler.data(step, point, self.network(point, time, before, kind))
            point = self.sampler.next(step, point, data, last)
        return point


class Player(nn.Module):
    """Latents to sound, with everything that is kept from piece to piece."""

    shapes: Tensor
    window: Tensor
    before: Tensor
    tail: Tensor
    heard: Tensor

    def __init__(self, codec: Codec, latents_at_once: int = PIECE) -> None:
        super().__init__()
        self.codec = codec
        # TorchScript sees attributes, not this file's constants.
        self.hop_samples: int = HOP_SAMPLES
        self.bands: int = codec.mean.numel() // 2
        self.latents: int = LATENTS
        self.remembered: float = REMEMBERED
        self.most: float = MOST_LATENT
        self.start: Noise = Noise(PIECE * LATENTS, (1031, 1021), seed=1, step=latents_at_once * LATENTS)
        self.noise: Noise = Noise(2 * latents_at_once * HOP_SAMPLES, (5003, 4999), seed=2)
        self.register_buffer("shapes", band_shapes().T.contiguous())
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES).sqrt())
        self.register_buffer("before", torch.zeros(1, CONTEXT * LATENTS))
        self.register_buffer("tail", torch.zeros(1, HOP_SAMPLES))
        self.register_buffer("heard", torch.zeros(HOP_SAMPLES))

    def forward(self, latents: Tensor, gains: Tensor) -> Tensor:
        """``[1, at once * latents]`` and a gain for each frame, ``[2 * at once, 1]``, to ``[1, samples]``."""
        heard = self.remembered * latents.clamp(-self.most, self.most)
        self.before = torch.cat((self.before, heard), 1)[:, latents.size(1) :]
        levels = self.codec(latents.reshape(-1, self.latents)).reshape(-1, self.bands)
        noise = torch.cat((self.heard, self.noise()))
        self.heard = noise[noise.size(0) - self.hop_samples :]
        spectra = torch.fft.rfft(noise.unfold(0, 2 * self.hop_samples, self.hop_samples) * self.window)
        frames = torch.fft.irfft(spectra * (gains * torch.exp(0.5 * torch.matmul(levels, self.shapes)))) * self.window
        first, second = frames[:, : self.hop_samples], frames[:, self.hop_samples :]
        sound = first + torch.cat((self.tail, second[:-1]))
        self.tail = second[-1:].clone()
        return torch.tanh(sound.reshape(1, -1))  # a drop now and then is louder than full scale

    @torch.jit.export
    def reset(self, take: int = 0) -> None:
        """Begin anew."""
        self.start.reset(take)
        self.noise.reset(take)
        self.before = torch.zeros_like(self.before)
        self.tail = torch.zeros_like(self.tail)
        self.heard = torch.zeros_like(self.heard)
