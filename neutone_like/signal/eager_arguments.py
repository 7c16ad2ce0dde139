"""What Python lets people pass to a wrapper. TorchScript, which knows types, compiles none of this."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from neutone_like.errors import AudioError, ParameterError
from neutone_like.numbers import as_finite_number, as_whole_number, whole_number

_MOST = 1 << 24  # Hz, samples: far beyond every host, far below what memory could not hold


def host_numbers(daw_sr: Any, daw_bs: Any, model_sr: Any, model_bs: Any) -> tuple[int, int, int | None, int | None]:
    """Rates and blocks, of whatever type of number, as int.

    Raises:
        AudioError: One is no whole number, or larger than any host's.
    """
    found: list[Any] = []
    for name, value in (("daw_sr", daw_sr), ("daw_bs", daw_bs), ("model_sr", model_sr), ("model_bs", model_bs)):
        number = as_whole_number(value)
        if (number is None and not (value is None and name.startswith("model"))) or (number or 0) > _MOST:
            unit = "Hz" if name.endswith("sr") else "samples"
            raise AudioError(f"{name} must be a whole number of {unit} in 1..{_MOST}, got {value!r:.200}.")
        found.append(number)
    return found[0], found[1], found[2], found[3]


def require_audio(x: Any) -> None:
    """Raises AudioError where audio is no tensor."""
    if not isinstance(x, Tensor):
        raise AudioError(f"Expected audio as a float32 tensor of shape (channels, samples), got {type(x).__name__}.")
    if x.is_meta:
        raise AudioError("Expected audio, got a tensor on the device 'meta', which holds no samples.")


def require_audio_list(audio_in: Any) -> None:
    """Raises AudioError where the inputs are no list of tensors."""
    if isinstance(audio_in, Tensor) or not isinstance(audio_in, Sequence):
        raise AudioError(f"Expected a list of tensors, one an input, got {type(audio_in).__name__}.")
    for each in audio_in:
        require_audio(each)


def require_values(params: Any) -> None:
    """Raises ParameterError where parameters' values are no tensor."""
    if params is not None and not isinstance(params, Tensor):
        raise ParameterError(f"Expected parameters as a tensor of values in 0..1, got {type(params).__name__}.")
    if params is not None and (params.is_meta or params.is_complex()):
        raise ParameterError(
            f"Expected parameters as a tensor of values in 0..1, got {params.dtype} on the device {params.device}."
        )


def require_columns(params: Any, samples: int) -> None:
    """Raises ParameterError where values, also such as no parameter takes, are not one a sample."""
    if params is not None and (params.dim() != 2 or params.size(1) != samples):
        raise ParameterError(
            f"Expected parameters of shape (rows, {samples}), one value a sample of audio in 0..1, got "
            f"{tuple(params.shape)}."
        )


def as_samples(value: Any) -> int:
    """How long a signal will be; 0 where that is not known.

    Raises:
        AudioError: It is no whole number, or a negative one.
    """
    return whole_number(value, "total_samples", 0, (1 << 62) - 1, error=AudioError)


def require_texts(texts: Any, tokens: Any) -> None:
    """Raises ParameterError where texts are no list of str, or tokens no list of lists of int."""
    if texts is not None and not (_is_list(texts) and all(isinstance(each, str) for each in texts)):
        raise ParameterError(f"Expected texts as a list of str, got {texts!r:.200}.")
    lists = tokens is None or (_is_list(tokens) and all(map(_is_list, tokens)))
    if not lists or any(as_whole_number(each) is None for one in tokens or () for each in one):
        raise ParameterError(f"Expected tokens as a list of lists of int, got {tokens!r:.200}.")


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def as_level(value: Any, what: str) -> float:
    """A mix or a gain, of whatever type of number, as float; its range is the module's to judge.

    Raises:
        ParameterError: It is no finite number.
    """
    number = as_finite_number(value)
    if number is None:
        raise ParameterError(f"{what} must be a number in 0..1, got {value!r:.200}.")
    return number
