"""From the objects of a `.nam` file to a network: which architecture, which of several models, in which order."""

import re
from itertools import pairwise

from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.importers.fields import Fields, is_finite
from neutone_like.importers.simple_networks import ConvNet, Linear, Lstm
from neutone_like.importers.wavenet import WaveNet
from neutone_like.importers.weights import Weights

ARCHITECTURES = ("WaveNet", "LSTM", "ConvNet", "Linear", "SlimmableContainer", "Sequential")
DEEPEST = 8
DEFAULT_SAMPLE_RATE = 48000
"""What the format says of files without a rate."""


class Chain(nn.Module):
    """Networks one after another."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.in_channels, self.out_channels = networks[0].in_channels, networks[-1].out_channels
        self.settling_samples = sum(int(str(network.settling_samples)) for network in networks)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        for network in self.networks:
            x = network(x)
        return x


def sample_rate(file: Fields) -> int:
    """Of the file, in Hz."""
    value = file.get("sample_rate")
    if value is None:
        return DEFAULT_SAMPLE_RATE
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1000 <= value <= 768000:
        raise ModelFileError(f"{file.where}.sample_rate must lie in 1000..768000 Hz, got {value!r:.60}.")
    if value != int(value):
        raise ModelFileError(f"{file.where}.sample_rate must be a whole number of Hz here, got {value!r}.")
    return int(value)


def build(file: Fields, depth: int = 0) -> nn.Module:
    """The network of a model object; ``in_channels``, ``out_channels`` and ``settling_samples`` are its attributes.

    Raises:
        ModelFileError: Of another version or architecture, or damaged.
    """
    if depth > DEEPEST:
        raise ModelFileError(f"Models stand in models more than {DEEPEST} deep. The file is damaged.")
    _check_version(file.need("version"))
    kind = file.need("architecture")
    if kind not in (*ARCHITECTURES, "sequential"):
        raise ModelFileError(
            f"The architecture {kind!r:.60} is not known here. Known are {', '.join(ARCHITECTURES)}. "
            "Use neutone_like's own model class for it, with the network from its trainer."
        )
    config, rate = Fields(file.need("config"), "config"), sample_rate(file)
    file.get("metadata")
    if kind == "SlimmableContainer":
        network = _largest(config, rate, depth)
        _check_no_weights(file)
    elif kind in ("Sequential", "sequential"):
        network = _chain(config, rate, depth)
        _check_no_weights(file)
    else:
        network = _of_weights(str(kind), config, Weights(file.need("weights"), "weights"), rate, depth)
    return network  # keys beside these say nothing of the sound: files have notes there, which players pass over


def _of_weights(kind: str, config: Fields, weights: Weights, rate: int, depth: int) -> nn.Module:
    if kind == "WaveNet":
        inner = config.get("condition_dsp")
        condition = None if inner is None else _inner(inner, "condition_dsp", rate, depth)
        network: nn.Module = WaveNet(config, weights, condition)
    elif kind == "LSTM":
        network = Lstm(config, weights)
        network.settling_samples = rate // 2  # what the format's players let it run for
    else:
        network = (ConvNet if kind == "ConvNet" else Linear)(config, weights)
    weights.done()
    return network


def _inner(value: object, where: str, rate: int, depth: int) -> nn.Module:
    file = Fields(value, where)
    if "sample_rate" in file.values and sample_rate(file) != rate:
        raise ModelFileError(f"{where}.sample_rate is {sample_rate(file)}, that of the whole model {rate} Hz.")
    file.values = {"sample_rate": rate, **file.values}
    return build(file, depth + 1)


def _largest(config: Fields, rate: int, depth: int) -> nn.Module:
    """The last of a container's models, which is the best; all are read, so that none is damaged unseen."""
    entries = [Fields(each, f"submodels[{at}]") for at, each in enumerate(config.items("submodels"))]
    config.done()
    limits = [entry.need("max_value") for entry in entries]
    networks = [_inner(entry.need("model"), f"{entry.where}.model", rate, depth) for entry in entries]
    for entry in entries:
        entry.done()
    if not all(map(is_finite, limits)) or (limits != sorted(set(limits)) or limits[-1] < 1.0):
        raise ModelFileError(f"submodels: max_value must grow, and end at 1 or above; got {limits!r:.80}.")
    return networks[-1]


def _chain(config: Fields, rate: int, depth: int) -> nn.Module:
    config.get("weights_version")
    key = "models" if "models" in config.values else "layers"
    networks: list[nn.Module] = []
    for at, each in enumerate(config.items(key)):
        entry = Fields(each, f"config.{key}[{at}]")
        entry = Fields(entry.values["model"], f"{entry.where}.model") if "model" in entry.values else entry
        if "architecture" not in entry.values:
            raise ModelFileError(
                f"{entry.where} has no architecture: such Sequential files, of early trainers, can't be told apart. "
                "Export each model by itself, or with a newer trainer."
            )
        networks.append(_inner(entry.values, entry.where, rate, depth))
    config.done()
    for at, (one, two) in enumerate(pairwise(networks)):
        if one.out_channels != two.in_channels:
            raise ModelFileError(f"config.{key}[{at}] gives {one.out_channels} channels, the next takes another count.")
    return Chain(networks)


def _check_no_weights(file: Fields) -> None:
    if file.get("weights", []) != []:
        raise ModelFileError(
            f"{file.need('architecture')}: weights belong into its models, and stand beside them here."
        )


def _check_version(version: object) -> None:
    known = isinstance(version, str) and re.fullmatch(r"0\.([567])\.\d{1,4}", version)
    if not known or (str(version).startswith("0.7") and version != "0.7.0"):
        raise ModelFileError(
            f"version is {version!r:.60}; known here are 0.5.0 to 0.7.0. Export it with a trainer that writes one "
            "of these, or update neutone_like."
        )
