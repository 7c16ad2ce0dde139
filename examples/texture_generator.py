"""Texture generator: seconds of rain, wind, surf or fire by latent diffusion, in 1, 2, 4 or 8 steps; no audio goes in.

What it shows:

- **Latent diffusion offline.** Pieces of 171 ms of latents, each a few steps from noise and conditioned by those
  before; a decoder makes sound of them. ``live_texture.py`` plays the same pieces live.
- **What a step is worth.** ``steps`` chooses: 8 are DPM-Solver++ with the network as it was trained, 4, 2 and 1 are
  networks that were halved from it. ``latent_textures.py`` and its weights' report have the numbers.
- **Progress and cancelling**, after and before each piece.

Run ``python examples/texture_generator.py`` for the artifact, or
``neutone-like export examples/texture_generator.py --out DIR``. Then
``neutone-like render build/texture_generator - sea.wav --param kind=surf --param seconds=8`` makes a sea.
"""

import torch
from latent_textures import KINDS, PIECE_SAMPLES, SAMPLE_RATE, STEPS, load_networks
from texture_parts import Piece, Player
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, NonRealtimeBase


class TextureGenerator(NonRealtimeBase):
    """One piece after the other."""

    metadata = ModelMetadata(
        name="Texture generator",
        authors=("Ada",),
        version="1.0.0",
        short_description="Seconds of rain, wind, surf or fire, made by diffusion",
        long_description="Latent diffusion in 1 to 8 steps. The same take is the same sound everywhere.",
        tags=("generator", "diffusion", "texture"),
        is_experimental=True,
    )
    parameters = (
        ContinuousParameter("seconds", "How long", default=1.0, minimum=0.25, maximum=10.0, unit="s"),
        CategoricalParameter("kind", "What it sounds like", KINDS),
        CategoricalParameter("steps", "How many steps for each piece", STEPS, default="4"),
        CategoricalParameter("take", "Which noise it starts from", ("1", "2", "3", "4")),
    )
    audio_in_channels = ()
    audio_out_channels = (1,)
    sample_rates = (SAMPLE_RATE,)

    kinds: Tensor

    def __init__(self, pieces: nn.ModuleList, player: Player) -> None:
        super().__init__(None)
        self.pieces = pieces
        self.player = player
        # TorchScript sees attributes, not this file's constants.
        self.piece_samples: int = PIECE_SAMPLES
        self.sample_rate: int = SAMPLE_RATE
        self.register_buffer("kinds", torch.arange(float(len(KINDS))).unsqueeze(0))

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        """All of it at once; ``seconds`` says how long that is."""
        return True

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """After each piece."""
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """Nothing to ``[[1, N]]``."""
        samples = int(round(float(numerical_params["seconds"]) * self.sample_rate))
        count = (samples + self.piece_samples - 1) // self.piece_samples
        kind = (self.kinds == numerical_params["kind"]).to(torch.float32)
        chosen = int(numerical_params["steps"])
        gains = torch.ones(1, 1)
        self.player.reset(int(numerical_params["take"]))
        sound: list[Tensor] = []
        for piece in range(count):
            if self.should_cancel_forward_pass():
                return []
            latents = self.player.start().unsqueeze(0)
            start = latents
            for index, steps in enumerate(self.pieces):
                if index == chosen:
                    latents = steps(start, self.player.before, kind)
            sound.append(self.player(latents, gains))
            self.set_progress_percentage(100.0 * (piece + 1) / count)
        return [torch.cat(sound, 1)[:, :samples]]


def build_model() -> TextureGenerator:
    """What ``neutone-like export examples/texture_generator.py`` calls."""
    codec, networks = load_networks()
    most = max(networks)
    pieces = [Piece(networks[int(steps)], int(steps), distilled=int(steps) < most) for steps in STEPS]
    return TextureGenerator(nn.ModuleList(pieces), Player(codec))


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/texture_generator")
    print(f"Wrote {result.model_path}")
