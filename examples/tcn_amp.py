"""TCN amp: a convolutional network that learned the guitar rig of the LSTM amp, and how convolutions stream.

A temporal convolutional network hears the past through dilated convolutions: layer by layer their taps lie 1, 4, 16, 64
and 256 samples apart, so that five layers of nine taps reach 57 ms back (S. Bai and others, "An Empirical Evaluation of
Generic Convolutional and Recurrent Networks for Sequence Modeling", 2018; C. Steinmetz and J. Reiss, "Efficient Neural
Networks for Real-Time Modeling of Analog Dynamic Range Compression", AES 2022).

What it shows:

- **State in each layer.** A convolution needs the ``(taps - 1) * dilation`` samples before a block. Each layer keeps
  those of its own input, so nothing is computed twice, and blocks may have any length, 1 included. With
  ``look_behind_samples`` instead, a block of 64 would compute 2,728 past samples again, in every layer. The first block
  makes that state, so that an artifact does not carry 130 kB of zeros.
- **No padding, no delay.** Causal padding is what that state is at the start: zeros.
- **Memory that ends.** What is 57 ms old is gone. There is no feedback, so nothing can build up or ring on.
- **Few operations.** In blocks this short it is not arithmetic that takes time but the number of tensor operations, so
  more taps in fewer layers were chosen over the reverse. Training (``whole``) uses ``Conv1d``, which is good at long
  signals; a block of a stream is short, and there the same convolution is faster as one matrix product with shifted
  copies of the window: ``forward`` does that with the trained weights.

``train_tcn_amp.py`` made ``weights/tcn_amp.pt``, with the error it reached in ``weights/tcn_amp.json``; the number is
part of the artifact's ``technical_description``.

Run ``python examples/tcn_amp.py`` for the artifact, or ``neutone-like export examples/tcn_amp.py --out DIR``.
"""

import json
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase

SAMPLE_RATE = 48000
CHANNELS = 12
TAPS = 9
DILATIONS = (1, 4, 16, 64, 256)
WEIGHTS = Path(__file__).resolve().parent / "weights" / "tcn_amp.pt"


class DilatedLayer(nn.Module):
    """``x + mix(tanh(convolution(x)))``. The first layer's ``x`` is audio, which is added to every channel."""

    def __init__(self, in_channels: int, channels: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.taps = taps
        self.dilation = dilation
        self.past_samples: int = (taps - 1) * dilation
        self.convolution = nn.Conv1d(in_channels, channels, taps, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1, bias=False)

    def whole(self, x: Tensor) -> Tensor:
        """For training: a signal from silence, ``[batch, in_channels, N]`` to ``[batch, channels, N]``."""
        padded = nn.functional.pad(x, (self.past_samples, 0))
        return x + self.mix(torch.tanh(self.convolution(padded)))

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """The same for one block of a stream, as two matrix products.

        Args:
            x: ``[in_channels, N]``.
            past: ``[in_channels, past_samples]``, what came before.

        Returns:
            ``[channels, N]``, and the next block's past.
        """
        window = torch.cat((past, x), dim=1)
        samples = x.size(1)
        shifted = window.as_strided((self.in_channels, self.taps, samples), (window.size(1), self.dilation, 1))
        weight = self.convolution.weight.flatten(1)
        bias = self.convolution.bias
        assert bias is not None  # for TorchScript, where a convolution may have none
        y = torch.addmm(bias.unsqueeze(1), weight, shifted.reshape(weight.size(1), samples)).tanh_()
        return torch.addmm(x, self.mix.weight.squeeze(2), y), window.narrow(1, samples, self.past_samples)


class TcnNetwork(nn.Module):
    """Dilated layers, and a sum of their last one's channels: what ``train_tcn_amp.py`` trains."""

    def __init__(self, channels: int = CHANNELS, taps: int = TAPS, dilations: tuple[int, ...] = DILATIONS) -> None:
        super().__init__()
        layers = [
            DilatedLayer(1 if index == 0 else channels, channels, taps, dilation)
            for index, dilation in enumerate(dilations)
        ]
        self.layers = nn.ModuleList(layers)
        self.output = nn.Conv1d(channels, 1, 1, bias=False)
        self.past_shapes = [(layer.in_channels, layer.past_samples) for layer in layers]
        self.receptive_field_samples: int = 1 + sum(layer.past_samples for layer in layers)

    def whole(self, x: Tensor) -> Tensor:
        """For training: signals from silence, ``[batch, 1, N]`` to the same."""
        for layer in self.layers:
            x = cast(DilatedLayer, layer).whole(x)
        return self.output(x)

    def forward(self, x: Tensor, pasts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One block of a stream, ``[1, N]`` to the same; ``pasts`` has a tensor for each layer."""
        next_pasts: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            x, past = layer(x, pasts[index])
            next_pasts.append(past)
        return torch.mm(self.output.weight.squeeze(2), x), next_pasts


class TcnAmp(WaveformToWaveformBase):
    """The trained rig, block by block."""

    metadata = ModelMetadata(
        name="TCN amp",
        authors=("Ada",),
        version="1.0.0",
        short_description="A convolutional network that learned a distorted guitar rig",
        long_description="High-pass, hard drive and a speaker cabinet's tone, learned from pairs of dry and wet audio.",
        tags=("amp", "guitar", "distortion"),
    )
    in_channels = 1
    out_channels = 1
    sample_rates = (SAMPLE_RATE,)
    block_sizes = ()

    pasts: list[Tensor]

    def __init__(self, model: TcnNetwork) -> None:
        super().__init__(model)
        self.past_shapes: list[tuple[int, int]] = model.past_shapes
        self.pasts = []

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, N]`` to ``[1, N]``, carrying on where the last block ended."""
        if len(self.pasts) == 0:
            for channels, samples in self.past_shapes:
                self.pasts.append(torch.zeros(channels, samples))
        y, self.pasts = self.model(x, self.pasts)
        return y

    def reset_model(self) -> None:
        """Forget what was heard."""
        self.pasts = []


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """What ``train_tcn_amp.py`` wrote beside the weights: the error it reached and how."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def build_model(weights: Path = WEIGHTS) -> TcnAmp:
    """What ``neutone-like export examples/tcn_amp.py`` calls."""
    report = load_training_report(weights)
    network = TcnNetwork(report["channels"], report["taps"], tuple(report["dilations"]))
    network.load_state_dict(torch.load(weights, weights_only=True))
    model = TcnAmp(network.requires_grad_(False).eval())
    model.metadata = model.metadata.model_copy(
        update={
            "technical_description": f"{len(report['dilations'])} dilated convolutions of {report['channels']} "
            f"channels, which hear {1000 * network.receptive_field_samples / SAMPLE_RATE:.0f} ms, trained on "
            f"{report['training_seconds']:.0f} s of synthesised audio. Error-to-signal ratio on held-out notes: "
            f"{report['held_out_esr']:.4f}."
        }
    )
    return model


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/tcn_amp")
    print(f"Wrote {result.model_path}")
