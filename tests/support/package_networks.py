"""Networks of published packages, small and with random weights unless the package ships some."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Built = Callable[[], nn.Module]


@dataclass(frozen=True)
class PackageNetwork:
    """A network as its package makes it.

    Attributes:
        distribution: On the package index.
        module: What is imported.
        build: Makes the network.
        example: What it is called with: a block, and what else it wants.
        sound: Makes sound of what it returns and what it was given, ``[batch, channels, samples]``.
    """

    distribution: str
    module: str
    build: Built
    example: tuple[Any, ...]
    sound: Callable[[Any, Tensor], Tensor]


def imported(name: str) -> Any:
    return importlib.import_module(name)


def encodec() -> nn.Module:
    modules = imported("encodec.modules")
    sizes = {"channels": 1, "dimension": 16, "n_filters": 4, "ratios": [4, 2], "causal": True}
    quantizer = imported("encodec.quantization").ResidualVectorQuantizer(dimension=16, n_q=4, bins=32)
    for layer in quantizer.vq.layers:  # as a checkpoint would fill them
        layer._codebook.embed.normal_(0.0, 0.2)
        layer._codebook.inited.fill_(1)
    encoder, decoder = modules.SEANetEncoder(**sizes), modules.SEANetDecoder(**sizes)
    return imported("encodec").EncodecModel(encoder, decoder, quantizer, [6.0], 16000, 1)


def snac() -> nn.Module:
    sizes = {"encoder_dim": 16, "encoder_rates": [2, 4], "decoder_dim": 64, "decoder_rates": [4, 2]}
    quantizer = {"codebook_size": 32, "vq_strides": [2, 1]}
    return imported("snac").SNAC(16000, **sizes, **quantizer, attn_window_size=4, noise=False)


def vocos() -> nn.Module:
    features = imported("vocos.feature_extractors").MelSpectrogramFeatures(24000, 128, 32, 20, padding="same")
    backbone = imported("vocos.models").VocosBackbone(20, 32, 64, 2)
    return imported("vocos.pretrained").Vocos(features, backbone, imported("vocos.heads").ISTFTHead(32, 128, 32))


def openunmix() -> nn.Module:
    model = imported("openunmix.model")
    target = model.OpenUnmix(nb_bins=65, nb_channels=2, hidden_size=16, nb_layers=1)
    return model.Separator({"vocals": target}, niter=0, residual=True, n_fft=128, n_hop=32, nb_channels=2)


def julius() -> nn.Module:
    return imported("julius").SplitBands(48000, n_bands=3)


def cached_conv() -> nn.Module:
    package = imported("cached_conv")
    package.use_cached_conv(True)
    first = package.Conv1d(1, 4, 5, padding=package.get_padding(5))
    padding = package.get_padding(4, 2)
    down = package.Conv1d(4, 4, 4, stride=2, padding=padding, cumulative_delay=first.cumulative_delay)
    up = package.ConvTranspose1d(4, 1, 4, stride=2, padding=1, cumulative_delay=down.cumulative_delay)
    return package.CachedSequential(first, nn.LeakyReLU(0.2), down, nn.LeakyReLU(0.2), up)


def silero_vad() -> nn.Module:
    return imported("silero_vad").load_silero_vad()


def pesto() -> nn.Module:
    sizes = {"step_size": 10.0, "sampling_rate": 16000}
    return imported("pesto").load_model("mir-1k_g7", **sizes, streaming=True, max_batch_size=1)


def conv_tasnet() -> nn.Module:
    return imported("torchaudio.models").ConvTasNet(2, 16, 32, 3, 16, 32, 4, 1)


def as_it_is(returned: Any, x: Tensor) -> Tensor:
    return returned


def first_of_several(returned: Any, x: Tensor) -> Tensor:
    return returned[0]


def without_batch(returned: Any, x: Tensor) -> Tensor:
    return returned.unsqueeze(1)[..., : x.shape[-1]]


def summed(returned: Any, x: Tensor) -> Tensor:
    return returned.sum(0)


def first_target(returned: Any, x: Tensor) -> Tensor:
    return returned[:, 0]


def mixed(returned: Any, x: Tensor) -> Tensor:
    return returned.mean(1, keepdim=True)


def gated(returned: Any, x: Tensor) -> Tensor:
    return (x * returned).unsqueeze(1)


def follower(returned: Any, x: Tensor) -> Tensor:
    pitch, confidence = returned[0], returned[1]
    return (x * pitch.mean() / 1000.0 * confidence.mean()).unsqueeze(1)


PACKAGE_NETWORKS = (
    PackageNetwork("cached-conv", "cached_conv", cached_conv, (torch.zeros(1, 1, 64),), as_it_is),
    PackageNetwork("encodec", "encodec", encodec, (torch.zeros(1, 1, 320),), as_it_is),
    PackageNetwork("snac", "snac", snac, (torch.zeros(1, 1, 256),), first_of_several),
    PackageNetwork("vocos", "vocos", vocos, (torch.zeros(1, 512),), without_batch),
    PackageNetwork("silero-vad", "silero_vad", silero_vad, (torch.zeros(1, 512), 16000), gated),
    PackageNetwork("openunmix", "openunmix", openunmix, (torch.zeros(1, 2, 1024),), first_target),
    PackageNetwork("julius", "julius", julius, (torch.zeros(1, 1, 512),), summed),
    PackageNetwork("pesto-pitch", "pesto", pesto, (torch.zeros(1, 160),), follower),
    PackageNetwork("torchaudio", "torchaudio", conv_tasnet, (torch.zeros(1, 1, 512),), mixed),
)
