"""Vocoder: what is played becomes mel spectra, and sound again, block by block.

What it shows:

- **A vocoder in a stream.** A network that was trained on whole signals, through ``to_streaming``; in front of it
  ``MelSpectrogram``, which keeps its window. Between the two is the place for what a model of yours does with mel
  spectra: another voice, another instrument, a codec's tokens.
- **An exact delay** for a model whose waveform is another one: phases are the network's own, so that no correlation
  finds it. It is what the analysis sees ahead and what the network looks ahead, and tests hold the stream against the
  network on the whole signal, shifted by as much.
- **Overlap-add with crossfade**, which plays any network without memory in blocks, beside it: ``build_overlap_added``.

``build_model("hifigan")`` and ``"multiband"`` are later by less and cost more; ``vocoder_networks.py`` has all three.

Run ``python examples/vocoder.py`` for the artifact, or ``neutone-like export examples/vocoder.py --out DIR``.
"""

from pathlib import Path

import torch
from random_music import SAMPLE_RATE
from torch import Tensor
from vocoder_networks import HOP_SAMPLES, TITLES, WEIGHTS, Resynthesis, live_network, load_network

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import OverlapAddCrossfade, StreamingLayer


class Vocoder(WaveformToWaveformBase):
    """Analysis and vocoder, a streaming layer that is ``delay_samples`` later than what goes in."""

    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)

    def __init__(self, name: str, layer: StreamingLayer, block_samples: int, delay_samples: int) -> None:
        self.metadata = ModelMetadata(
            name=name,
            authors=("Ada",),
            version="1.0.0",
            short_description="Sound to mel spectra, and back by a network",
            long_description="Trained for minutes on random music, without an adversary: right levels, new phases.",
            tags=("vocoder", "resynthesis"),
            is_experimental=True,
        )
        self.block_sizes = (block_samples,)
        self.delay_samples: int = delay_samples
        super().__init__(layer)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """Exact, and not to be found in the waveform."""
        return self.delay_samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, block]`` to ``[1, block]``."""
        return self.model(x.unsqueeze(0))[0]


def build_model(kind: str = "istft", weights: Path = WEIGHTS) -> Vocoder:
    """What ``neutone-like export examples/vocoder.py`` calls; ``kind`` is one of ``vocoder_networks.KINDS``."""
    layer, delay_samples = live_network(load_network(kind, weights))
    return Vocoder(f"Vocoder, {TITLES[kind]}", layer, HOP_SAMPLES, delay_samples)


def build_overlap_added(
    kind: str = "istft", window_hops: int = 16, fade_hops: int = 4, weights: Path = WEIGHTS
) -> Vocoder:
    """The same network without memory, on windows that overlap: what a network that can't stream is played by."""
    fade_samples = fade_hops * HOP_SAMPLES
    whole = Resynthesis(load_network(kind, weights))
    layer = OverlapAddCrossfade(whole, window_hops * HOP_SAMPLES, fade_samples)
    return Vocoder(f"Overlap-add, {TITLES[kind]}", layer, layer.block_multiple_samples, layer.delay_samples)


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/vocoder")
    print(f"Wrote {result.model_path}")
