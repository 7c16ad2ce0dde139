"""Stem separator: a mix in, drums and everything else out, in frames that overlap.

The network is ``torchaudio.models.ConvTasNet`` (Y. Luo and N. Mesgarani, "Conv-TasNet: Surpassing Ideal Time-Frequency
Magnitude Masking for Speech Separation", 2019), small, and trained for some minutes on random music by
``train_stem_separator.py``. It shows the way, not the state of the art: ``weights/stem_separator.json`` says by how
much it improves the scale-invariant signal-to-distortion ratio of sounds that it never heard.

What it shows:

- **Several outputs.** ``audio_out_channels = (2, 2)`` with labels: a host gets a list of two, ``render_file`` writes
  ``out.drums.wav`` and ``out.rest.wav``.
- **Overlap-add.** The network looks both ways in time and normalises over all that it sees. Frames of 0.74 s, one every
  0.37 s, faded into one another, give every sample context on both sides, in memory that does not grow.
- **Averaging over shifts.** The network's encoder takes steps of 64 samples, so it answers differently to a sound that
  is moved by less. Four copies, each moved by a quarter of a step, give one answer that hardly depends on it, and 0.2
  dB more (after A. Defossez et al., "Music Source Separation in the Waveform Domain", 2019).
- **Stems that add up.** What the two estimates leave of the mix is shared among them, so that they sum to it.

``conv_tasnet.py`` plays the same kind of network live.

Run ``python examples/stem_separator.py`` for the artifact, or
``neutone-like export examples/stem_separator.py --out DIR``.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, NonRealtimeBase
from neutone_like.torchaudio_bridge import torchaudio

SAMPLE_RATE = 22050
FRAME_SAMPLES = 16384
HOP_SAMPLES = FRAME_SAMPLES // 2
KERNEL_SAMPLES = 128
SHIFTS = 4
WEIGHTS = Path(__file__).resolve().parent / "weights" / "stem_separator.pt"


class StemSeparator(NonRealtimeBase):
    """Drums, and the rest."""

    metadata = ModelMetadata(
        name="Stem separator",
        authors=("Ada",),
        version="1.0.0",
        short_description="Takes the drums out of a mix",
        long_description="A small ConvTasNet in overlapping frames. Trained on random music made by arithmetic.",
        tags=("separation", "stems", "torchaudio"),
        is_experimental=True,
    )
    audio_in_channels = (2,)
    audio_out_channels = (2, 2)
    audio_in_labels = ("mix",)
    audio_out_labels = ("drums", "rest")
    sample_rates = (SAMPLE_RATE,)
    block_sizes = (FRAME_SAMPLES,)
    overlap_window = "hann"
    overlap_hop_samples = HOP_SAMPLES

    shifts: list[int]

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.stride: int = KERNEL_SAMPLES // 2
        self.shifts = list(range(0, self.stride, self.stride // SHIFTS))

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """``[[2, 16384]]`` to ``[[2, 16384], [2, 16384]]``; left and right apart, as the network is mono."""
        mix = audio_in[0].unsqueeze(1)
        moved = [torch.constant_pad_nd(mix, [shift, self.stride - shift]) for shift in self.shifts]
        answers = self.model(torch.cat(moved, 0)).chunk(len(self.shifts), 0)
        stems = torch.zeros_like(mix)
        for index, shift in enumerate(self.shifts):
            stems = stems + answers[index].narrow(2, shift, mix.size(2)) / len(self.shifts)
        stems = stems + 0.5 * (mix - stems.sum(1, keepdim=True))
        return [stems[:, 0], stems[:, 1]]


def build_network(seed: int = 0) -> Any:
    """The network before training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torchaudio.models.ConvTasNet(
            num_sources=2,
            enc_kernel_size=KERNEL_SAMPLES,
            enc_num_feats=96,
            msk_kernel_size=3,
            msk_num_feats=32,
            msk_num_hidden_feats=64,
            msk_num_layers=5,
            msk_num_stacks=2,
        )


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the network was trained, and what it reached."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def build_model(weights: Path = WEIGHTS) -> StemSeparator:
    """What ``neutone-like export examples/stem_separator.py`` calls."""
    network = build_network()
    network.load_state_dict(torch.load(weights, weights_only=True))
    return StemSeparator(network.requires_grad_(False).eval())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/stem_separator")
    print(f"Wrote {result.model_path}")
