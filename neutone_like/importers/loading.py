"""Read a `.nam` file into a live model."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

from neutone_like.arguments import as_path
from neutone_like.errors import ModelFileError
from neutone_like.importers.building import build, sample_rate
from neutone_like.importers.description import describe
from neutone_like.importers.fields import Fields
from neutone_like.importers.nam_model import NamModel
from neutone_like.importers.settling import settle
from neutone_like.torch_settings import plain_settings

MAXIMUM_BYTES = 64 * 1024 * 1024
MAXIMUM_VALUES = 3_000_000


@plain_settings()
def load_nam(path: str | PathLike[str]) -> NamModel:
    """A model of the Neural Amp Modeler project as a live model, mono in and out, at the rate it was trained at.

    It starts as it would after long silence, as that project's players do. Of a container of several sizes the largest
    plays. What is read: WaveNet, LSTM, ConvNet, Linear, SlimmableContainer and Sequential of format 0.5.0 to 0.7.0.

    Raises:
        ModelFileError: The file can't be read, is damaged, or holds what is not known here.
    """
    path = as_path(path, "a .nam file", ModelFileError)
    try:
        file = Fields(_read(path), "The file")
        network = build(file)
        if (network.in_channels, network.out_channels) != (1, 1):
            raise ModelFileError(
                f"The model takes {network.in_channels} channels and gives {network.out_channels}; mono in and out "
                "is what plays here."
            )
        rate = sample_rate(file)
        settle(network, int(str(network.settling_samples)))
        return NamModel(network, rate, describe(file.get("metadata"), path, str(file.get("architecture"))))
    except ModelFileError as error:
        raise ModelFileError(f"{path} can't be used: {error}") from error


def _read(path: Path) -> object:
    try:
        if not path.is_file():
            raise ModelFileError("there is no such file.")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise ModelFileError(f"it has {path.stat().st_size} bytes, allowed are {MAXIMUM_BYTES}.")
        text = path.read_text(encoding="utf-8")
        if sum(text.count(character) for character in "[{,:") > MAXIMUM_VALUES:
            raise ModelFileError(f"it has more than {MAXIMUM_VALUES} values.")
        return json.loads(text, object_pairs_hook=_object)
    except OSError as error:
        raise ModelFileError(f"it can't be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"it is not whole JSON ({error}). Download or export it again.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ModelFileError("a key stands twice in one of its objects. Export it again.")
    return content
