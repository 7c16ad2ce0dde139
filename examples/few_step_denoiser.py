"""Few-step denoiser: the diffusion denoiser in 4, 2 or 1 steps that end where its 32 do.

What it shows:

- **Progressive distillation of a model that is there.** The way of ``diffusion_denoiser.py``, where a point is
  ``c + t (y - c + s z)``, is the ``StraightSchedule`` of ``neutone_like.optimise.diffusion`` with the noisy recording
  at its noisy end, and its step is ``ddim``. Fewer steps of the same network give another, duller sound. These
  networks, one for each number of steps, were halved from it, and give that of many.
- **A network for each choice**, 9,000 numbers each, in half precision in one file.

``distil_diffusion_denoiser.py`` made them; ``weights/few_step_denoiser.json`` says how near they come.

Run ``python examples/few_step_denoiser.py`` for the artifact, or
``neutone-like export examples/few_step_denoiser.py --out DIR``.
"""

import json
from pathlib import Path
from typing import Any

import torch
from diffusion_denoiser import CleanEstimate, DiffusionDenoiser, hashed_noise
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ModelMetadata
from neutone_like.optimise.diffusion import Diffusion, StraightSchedule, ddim

STEPS = ("1", "2", "4")
DIFFUSION = Diffusion(StraightSchedule(), "data")
WEIGHTS = Path(__file__).resolve().parent / "weights" / "few_step_denoiser.pt"


class FewSteps(nn.Module):
    """A network and its steps, from the noisy end."""

    def __init__(self, network: CleanEstimate, steps: int) -> None:
        super().__init__()
        self.network = network
        self.sampler = ddim(DIFFUSION, steps)

    def forward(self, point: Tensor, noisy: Tensor) -> Tensor:
        """Complex spectra ``[channels, bins, windows]`` to one."""
        data = point
        for step in range(self.sampler.steps):
            before = data
            time = torch.full((noisy.size(0),), self.sampler.time(step), device=noisy.device)
            data = self.sampler.data(step, point, self.network(point, noisy, time))
            point = self.sampler.next(step, point, data, before)
        return point


class FewStepDenoiser(DiffusionDenoiser):
    """As its teacher, but for the steps."""

    metadata = ModelMetadata(
        name="Few-step denoiser",
        authors=("Ada",),
        version="1.0.0",
        short_description="Takes hiss out of music in one to four steps",
        long_description="Networks that were distilled, each for its number of steps, from a diffusion of many.",
        tags=("denoising", "diffusion", "restoration"),
        is_experimental=True,
    )
    parameters = (
        CategoricalParameter("steps", "How many steps, which is how long it takes", STEPS, default="4"),
        CategoricalParameter("take", "Which noise it starts from", ("1", "2", "3", "4")),
    )

    def __init__(self, choices: nn.ModuleList) -> None:
        super().__init__(nn.Identity())
        self.choices = choices

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """It is short."""
        return False

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """``[[2, N]]`` to ``[[2, N]]``."""
        rms = audio_in[0].square().mean().sqrt()
        if self.should_cancel_forward_pass():
            return []
        if not float(rms) > self.silence_rms:
            return audio_in
        noisy = self.spectrum(audio_in[0] / rms)
        start = hashed_noise(audio_in[0].size(0), audio_in[0].size(1), 1 + int(numerical_params["take"]))
        point = noisy + self.added_noise * self.spectrum(start.to(noisy.device))
        chosen = int(numerical_params["steps"])
        clean = point
        for index, steps in enumerate(self.choices):
            if index == chosen:
                clean = steps(point, noisy)
        return [rms * self.spectrum.sound(clean, audio_in[0].size(1))]


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the networks were distilled, and what they reach."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def load_networks(weights: Path = WEIGHTS) -> dict[int, CleanEstimate]:
    """One for each number of steps."""
    states = torch.load(weights, weights_only=True)
    networks: dict[int, CleanEstimate] = {}
    for steps in map(int, STEPS):
        networks[steps] = CleanEstimate()
        networks[steps].load_state_dict({name: value.float() for name, value in states[f"steps-{steps}"].items()})
        networks[steps].requires_grad_(False).eval()
    return networks


def build_model(weights: Path = WEIGHTS) -> FewStepDenoiser:
    """What ``neutone-like export examples/few_step_denoiser.py`` calls."""
    networks = load_networks(weights)
    return FewStepDenoiser(nn.ModuleList([FewSteps(networks[int(steps)], int(steps)) for steps in STEPS]))


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/few_step_denoiser")
    print(f"Wrote {result.model_path}")
