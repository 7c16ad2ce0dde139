"""ConvTasNet from torchaudio: an offline network played live, and a torchaudio transform inside a scripted model.

``torchaudio.models.ConvTasNet`` (Y. Luo and N. Mesgarani, "Conv-TasNet: Surpassing Ideal Time-Frequency Magnitude
Masking for Speech Separation", 2019) splits a mono recording into its sources. It sees a whole recording at once: its
convolutions look into the future, and it normalises over all time. Here the first source comes out on the left and the
second on the right.

What it shows:

- **torchaudio beside any torch.** The import comes from ``neutone_like.torchaudio_bridge``, which works where plain
  ``import torchaudio`` fails for its native libraries. What is exported needs no torchaudio at all.
- **An offline network as a live model.** Each call sees the last 128 ms: ``look_behind_samples`` of past, then the new
  block. Of its output, the stretch that ends ``FUTURE_SAMPLES`` before the newest sample is taken, so that the network
  has that much of the future it wants; that is the declared delay.
- **A transform in a scripted model.** ``Spectrogram`` and ``AmplitudeToDB`` measure the window's loudest frequency.
  Below ``threshold`` there is nothing worth separating, and both sides get half of the mix.

The network is small and **not trained**: what to do with trained weights of the same shape is
``network.load_state_dict(...)`` in ``build_model``. Its encoder and decoder are each other's inverse (a tight frame),
which is a good start for training, and means that sources whose masks add up to one add up to the input.

Run ``python examples/conv_tasnet.py`` for the artifact, or ``neutone-like export examples/conv_tasnet.py --out DIR``.
"""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.torchaudio_bridge import torchaudio

SAMPLE_RATE = 16000
BLOCK_SAMPLES = 512
WINDOW_SAMPLES = 2048
FUTURE_SAMPLES = 256
SPECTRUM_SAMPLES = 512
KERNEL_SAMPLES = 16
FEATURES = 24
KNEE_DB = 6.0
SEED = 0


class ConvTasNetSeparator(WaveformToWaveformBase):
    """Two sources of a mono sound, one on each side."""

    metadata = ModelMetadata(
        name="ConvTasNet",
        authors=("Ada",),
        version="1.0.0",
        short_description="torchaudio's separation network, played live",
        long_description="Shows how an offline network becomes a live model. The weights are random, not trained.",
        tags=("separation", "torchaudio"),
        is_experimental=True,
    )
    parameters = (
        ContinuousParameter(
            "threshold", "Peak level that starts separation", default=-60.0, minimum=-100.0, maximum=0.0, unit="dB"
        ),
    )
    in_channels = 1
    out_channels = 2
    sample_rates = (SAMPLE_RATE,)
    block_sizes = (BLOCK_SAMPLES,)
    look_behind_samples = WINDOW_SAMPLES - BLOCK_SAMPLES

    ramp: Tensor
    activity: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.block_samples: int = BLOCK_SAMPLES
        self.future_samples: int = FUTURE_SAMPLES
        self.knee_db: float = KNEE_DB
        self.spectrogram = torchaudio.transforms.Spectrogram(n_fft=SPECTRUM_SAMPLES, center=False)
        self.decibels = torchaudio.transforms.AmplitudeToDB(stype="power")
        window_sum = float(torch.hann_window(SPECTRUM_SAMPLES).sum())
        # A tone of amplitude 1 has a spectral line of window_sum / 2: full scale must be 0 dB.
        self.full_scale: float = 2.0 / window_sum
        self.register_buffer("ramp", torch.arange(1, BLOCK_SAMPLES + 1) / BLOCK_SAMPLES)
        self.register_buffer("activity", torch.zeros(1))

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """The future that the network is given."""
        return self.future_samples

    def reset_model(self) -> None:
        """The crossfade between mix and sources starts from the mix."""
        self.activity = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        """``[1, look-behind + 512]`` to ``[2, 512]``."""
        wanted = x.size(1) - self.future_samples - self.block_samples
        sources = self.model(x.unsqueeze(0))[0].narrow(1, wanted, self.block_samples)
        both = 0.5 * x.narrow(1, wanted, self.block_samples)
        loudest = self.decibels(self.spectrogram(x * self.full_scale)).amax()
        activity = ((loudest - params["threshold"]) / self.knee_db).clamp(0.0, 1.0)
        share = torch.lerp(self.activity, activity, self.ramp)  # over a block, so that nothing clicks
        self.activity = activity
        return torch.lerp(both, sources, share)


def build_network(seed: int = SEED) -> Any:
    """A small ConvTasNet: random masks near a half, and an encoder that its decoder undoes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = torchaudio.models.ConvTasNet(
            num_sources=2,
            enc_kernel_size=KERNEL_SAMPLES,
            enc_num_feats=FEATURES,
            msk_kernel_size=3,
            msk_num_feats=FEATURES,
            msk_num_hidden_feats=32,
            msk_num_layers=4,
            msk_num_stacks=2,
        )
        frame = torch.linalg.qr(torch.randn(FEATURES, KERNEL_SAMPLES))[0].unsqueeze(1)
    with torch.no_grad():
        network.encoder.weight.copy_(frame)
        network.decoder.weight.copy_(0.5 * frame)  # every sample is in two frames
        for weight in network.mask_generator.output_conv.parameters():
            weight.mul_(0.25)
    return network.requires_grad_(False).eval()


def build_model() -> ConvTasNetSeparator:
    """What ``neutone-like export examples/conv_tasnet.py`` calls."""
    return ConvTasNetSeparator(build_network())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/conv_tasnet")
    print(f"Wrote {result.model_path}")
