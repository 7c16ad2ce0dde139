"""LSTM amp: a recurrent network that learned a guitar rig, with trained weights beside it.

What it shows:

- **Weights.** ``build_model`` reads ``weights/lstm_amp.pt``; ``train_lstm_amp.py`` made it, with the error it reached
  in ``weights/lstm_amp.json``. That number is part of the artifact's ``technical_description``.
- **State.** A recurrent network's hidden and cell state must survive from block to block, or every block would start
  with a click. They are buffers, written in ``do_forward_pass`` and cleared in ``reset_model``. No host ever sees them.
- **A fixed rate.** A recurrent network learns what happens from one sample to the next, so it is only right at the rate
  it was trained at: ``sample_rates = (48000,)``. A host at 44.1 kHz is resampled to and from it.

The network is the one of Wright, Damskaegg and Valimaki, "Real-Time Black-Box Modelling with Recurrent Neural
Networks" (DAFx 2019): one LSTM, one linear layer, and the input added to the output.

Run ``python examples/lstm_amp.py`` for the artifact, or ``neutone-like export examples/lstm_amp.py --out DIR``.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase

SAMPLE_RATE = 48000
HIDDEN_SIZE = 24
WEIGHTS = Path(__file__).resolve().parent / "weights" / "lstm_amp.pt"


class LstmNetwork(nn.Module):
    """One LSTM and a linear layer whose output is added to the input: what ``train_lstm_amp.py`` trains."""

    def __init__(self, hidden_size: int = HIDDEN_SIZE) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """``x`` is ``[batch, samples, 1]``, ``state`` two of ``[1, batch, hidden]``; returns the same shapes."""
        hidden, state = self.lstm(x, state)
        return self.linear(hidden) + x, state


class LstmAmp(WaveformToWaveformBase):
    """The trained rig, block by block."""

    metadata = ModelMetadata(
        name="LSTM amp",
        authors=("Ada",),
        version="1.0.0",
        short_description="A recurrent network that learned a distorted guitar rig",
        long_description="High-pass, hard drive and a speaker cabinet's tone, learned from pairs of dry and wet audio.",
        tags=("amp", "guitar", "distortion"),
    )
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)
    block_sizes = ()

    def __init__(self, model: LstmNetwork) -> None:
        super().__init__(model)
        self.register_buffer("hidden", torch.zeros(1, 1, model.lstm.hidden_size))
        self.register_buffer("cell", torch.zeros(1, 1, model.lstm.hidden_size))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, N]`` to ``[1, N]``, carrying on where the last block ended."""
        y, (self.hidden, self.cell) = self.model(x.unsqueeze(2), (self.hidden, self.cell))
        return y.squeeze(2)

    def reset_model(self) -> None:
        """Forget what was heard."""
        self.hidden = torch.zeros_like(self.hidden)
        self.cell = torch.zeros_like(self.cell)


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """What ``train_lstm_amp.py`` wrote beside the weights: the error it reached and how."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def build_model(weights: Path = WEIGHTS) -> LstmAmp:
    """What ``neutone-like export examples/lstm_amp.py`` calls."""
    report = load_training_report(weights)
    network = LstmNetwork(report["hidden_size"])
    network.load_state_dict(torch.load(weights, weights_only=True))
    model = LstmAmp(network.requires_grad_(False).eval())
    model.metadata = model.metadata.model_copy(
        update={
            "technical_description": f"LSTM with {report['hidden_size']} units, trained on "
            f"{report['training_seconds']:.0f} s of synthesised audio. Error-to-signal ratio on held-out notes: "
            f"{report['held_out_esr']:.4f}."
        }
    )
    return model


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/lstm_amp")
    print(f"Wrote {result.model_path}")
