"""Live texture: rain, wind, surf or fire, made by diffusion while it is heard, which may follow what is played.

What it shows:

- **Diffusion in real time.** Each block of 21 ms is four calls of a network that was halved from many steps
  (``neutone_like.optimise.diffusion``), the codec's decoder, and filtered noise. It takes some per cent of a core.
- **It goes on.** The latents before are state, and a condition of the next ones, so that blocks join without a seam and
  a wave of the sea lasts for hundreds of them. The network makes 8 latents at once, a piece, and goes on from the piece
  before, as it was trained to; fed back after each latent, its own errors grow until wind is full scale.
- **It answers soon.** A block plays one latent of the piece, and makes the whole of it again from the same noise: that
  costs 8 times as much, and another kind is heard after a block and not after a piece.
- **Compiled.** A table of steps and two tables of random numbers are arithmetic: the whole model compiles.

``build_model(steps=1)`` is the fastest; ``latent_textures.py`` says how they were made.

Run ``python examples/live_texture.py`` for the artifact, or ``neutone-like export examples/live_texture.py --out DIR``.
"""

import torch
from latent_textures import CONTEXT, HOP_SAMPLES, KINDS, LATENTS, PIECE, SAMPLE_RATE, STEPS, load_networks
from texture_parts import Piece, Player
from torch import Tensor

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase

USUAL_RMS = 0.1  # of what is played, at which a texture that follows it is as loud as one that doesn't
MOST_GAIN = 3.0
LEVEL = 0.5  # of the offline one: what is at full scale here peaks above it at other rates


class LiveTexture(WaveformToWaveformBase):
    """A latent a block, or several, of a piece that is the offline one's."""

    metadata = ModelMetadata(
        name="Live texture",
        authors=("Ada",),
        version="1.0.0",
        short_description="Rain, wind, surf or fire without end, made by diffusion",
        long_description="Makes a sound of its own; with follow, it is as loud as what is played into it.",
        tags=("generator", "diffusion", "texture"),
        is_experimental=True,
    )
    parameters = (
        CategoricalParameter("kind", "What it sounds like", KINDS),
        ContinuousParameter("follow", "How far its level is that of the input", default=0.0, minimum=0.0, maximum=1.0),
    )
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)

    kinds: Tensor
    first_place: Tensor
    place: Tensor
    start: Tensor
    before: Tensor

    def __init__(self, piece: Piece, player: Player, latents_at_once: int) -> None:
        self.block_sizes = (player.noise.samples,)
        super().__init__(piece)
        self.player = player
        # TorchScript sees attributes, not this file's constants.
        self.hop_samples: int = HOP_SAMPLES
        self.usual_rms: float = USUAL_RMS
        self.most_gain: float = MOST_GAIN
        self.level: float = LEVEL
        self.kept: int = latents_at_once * LATENTS
        self.register_buffer("kinds", torch.arange(float(len(KINDS))).unsqueeze(0))
        # A one at the block of the piece that is played now; what the piece is made of stays until the next.
        self.register_buffer("first_place", torch.eye(PIECE // latents_at_once)[:1])
        self.register_buffer("place", self.first_place.clone())
        self.register_buffer("start", torch.zeros(1, PIECE * LATENTS))
        self.register_buffer("before", torch.zeros(1, CONTEXT * LATENTS))

    def reset_model(self) -> None:
        """Begin anew, with the same sound."""
        self.player.reset()
        self.place = self.first_place.clone()
        self.start = torch.zeros_like(self.start)
        self.before = torch.zeros_like(self.before)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, 512]`` to ``[1, 512]``."""
        kind = (self.kinds == params["kind"]).to(torch.float32)
        begins = self.place[:, :1] > 0.5
        self.start = torch.where(begins, self.player.start().unsqueeze(0), self.start)
        self.before = torch.where(begins, self.player.before, self.before)
        piece = self.model(self.start, self.before, kind).reshape(-1, self.kept)
        latents = torch.matmul(self.place, piece)
        self.place = torch.cat((self.place[:, -1:], self.place[:, :-1]), 1)
        rms = x.reshape(-1, self.hop_samples).square().mean(1, keepdim=True).sqrt()
        followed = (rms / self.usual_rms).clamp(max=self.most_gain)
        return self.level * self.player(latents, torch.lerp(torch.ones_like(rms), followed, params["follow"]))


def build_model(steps: int = 4, latents_at_once: int = 1) -> LiveTexture:
    """What ``neutone-like export examples/live_texture.py`` calls; a block is 1, 2, 4 or 8 latents."""
    if PIECE % latents_at_once:
        raise ValueError(f"latents_at_once is 1, 2, 4 or 8, of a piece of {PIECE}; got {latents_at_once}.")
    codec, networks = load_networks()
    piece = Piece(networks[steps], steps, distilled=steps < int(STEPS[-1]))
    return LiveTexture(piece, Player(codec, latents_at_once), latents_at_once)


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/live_texture")
    print(f"Wrote {result.model_path}")
