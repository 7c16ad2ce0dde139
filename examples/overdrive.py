"""Overdrive: the smallest useful model. Start here.

A live model is a subclass of ``WaveformToWaveformBase`` with three parts:

1. ``metadata`` says who made it and what it is;
2. ``parameters`` says what a host can turn, in the units a person thinks in: here decibels;
3. ``do_forward_pass`` turns a block of audio, ``[channels, samples]``, into a block of the same length.

This one keeps no state: each output sample depends on one input sample. It works at any block length, since it declares
no ``block_sizes``, and at 48 kHz; a host at another rate is resampled to and from it.

Run ``python examples/overdrive.py`` for the artifact, or ``neutone-like export examples/overdrive.py --out DIR``.
"""

import torch
from torch import Tensor

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase


class Overdrive(WaveformToWaveformBase):
    """Soft clipping with drive."""

    metadata = ModelMetadata(
        name="Overdrive",
        authors=("Ada",),
        version="1.0.0",
        short_description="Soft clipping with drive",
        long_description="A hyperbolic tangent after a gain: quiet passages stay clean, loud ones saturate.",
        tags=("distortion",),
    )
    parameters = (ContinuousParameter("drive", "Input gain", default=12.0, minimum=0.0, maximum=36.0, unit="dB"),)
    sample_rates = (48000,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """Amplify by ``drive``, then clip softly at full scale: ``[2, N]`` to ``[2, N]``."""
        return torch.tanh(x * torch.pow(10.0, params["drive"] / 20.0))


def build_model() -> Overdrive:
    """What ``neutone-like export examples/overdrive.py`` calls."""
    return Overdrive()


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/overdrive")
    print(f"Wrote {result.model_path}")
