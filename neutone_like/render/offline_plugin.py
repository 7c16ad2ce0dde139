"""One of our offline models, ready to render: where it comes from, and what its parameters are set to."""

import json
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from typing import Any

import torch

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.artifact.reading.metadata_reading import read_metadata
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ModelError, ParameterError
from neutone_like.host import NonRealtimeSampleQueueWrapper
from neutone_like.model import (
    CategoricalParameter,
    ContinuousParameter,
    NonRealtimeBase,
    Parameter,
    TextParameter,
    TokensParameter,
)
from neutone_like.model.parameter_values import by_name, check_names
from neutone_like.model.parameters import as_tokens, require_64_bits
from neutone_like.printing import InNotebooks
from neutone_like.render.compiled_module import checked_backend, require_compiled
from neutone_like.render.compiled_offline import compiled_offline_module
from neutone_like.render.foreign_offline import ForeignOffline
from neutone_like.render.parameter_values import ParameterValues
from neutone_like.render.sharing import states_of_model
from neutone_like.render.tokenizing import Tokenizer, open_tokenizer
from neutone_like.runtime.choosing import BackendName
from neutone_like.torch_settings import plain_settings

CONTROL_BLOCK_SAMPLES = 512  # of a generator that makes blocks of any size, while a parameter that it reads once moves

OfflineModel = Artifact | NonRealtimeSampleQueueWrapper | NonRealtimeBase | str | PathLike[str]


class OfflinePlugin(InNotebooks):
    """An offline model and its settings, loaded once to render any number of files.

    Args:
        model: An artifact, the path of a ``.nm`` file or of its folder, a ``NonRealtimeBase`` (copied: the original is
            left alone), or a ``NonRealtimeSampleQueueWrapper`` (used itself; the way to ``quality="soxr"``).
        params: Values by name. Of numbers and choices as for :class:`~neutone_like.render.ModelPlugin`, automation
            included; of a text, a string; of tokens, a list of integers, or a string, for which the model's tokenizer
            is used.
        device: Where the model computes, such as ``"cuda"``.
        backend: What plays an artifact, on the CPU. ``"auto"``: its compiled model where one lies beside it that is
            made from this file and for the rate that the model has here, else TorchScript; both give the same sound, to
            rounding. ``"compiled"``, ``"torchscript"``: nothing else.

    Attributes:
        name: The model's.
        module: Its wrapper.
        player: The wrapper that plays: ``module``, or one around the compiled model, as :meth:`prepare` chose.
        in_labels, out_labels: What each input and output is.
        parameters: As declared.
        params: The numerical values, as a dictionary.
        texts, tokens: The others, in the order declared.

    Raises:
        ArtifactError: The path holds no usable artifact, or ``"compiled"`` is wanted and there is none.
        ParameterError: A value that the model does not take, or ``backend``, or not together with ``device``.
        ModelError: Not an offline model, one that is not declared correctly, or a device that is not there.
    """

    def __init__(
        self,
        model: OfflineModel,
        params: Mapping[str, Any] | None = None,
        *,
        device: str = "cpu",
        backend: BackendName = "auto",
    ) -> None:
        if isinstance(model, (str, PathLike)):
            model = load_artifact(model)
        self._artifact_or_model = model
        self._device = _checked_device(device)
        self.backend: BackendName = _checked_backend(backend, model, device)
        self.module, self.name, self.parameters = _open(model)
        self.player: Any = self.module
        self._compiled: dict[int, NonRealtimeSampleQueueWrapper | None] = {}  # by the rate of the audio
        values = by_name(params)
        check_names(self.parameters, values)
        numerical = tuple(p for p in self.parameters if isinstance(p, (ContinuousParameter, CategoricalParameter)))
        names = {parameter.name for parameter in numerical}
        self.params = ParameterValues(numerical, {name: value for name, value in values.items() if name in names})
        self.texts = [_text(p, values.get(p.name, p.default)) for p in self.parameters if isinstance(p, TextParameter)]
        self.tokens = [
            self._tokens(p, values.get(p.name, p.default)) for p in self.parameters if isinstance(p, TokensParameter)
        ]
        self.in_labels = tuple(str(label) for label in self.module.get_audio_in_labels())
        self.out_labels = tuple(str(label) for label in self.module.get_audio_out_labels())
        self.audio_in_channels = tuple(int(count) for count in self.module.get_audio_in_channels())
        self.audio_out_channels = tuple(int(count) for count in self.module.get_audio_out_channels())
        self.is_one_shot = bool(self.module.is_one_shot_model())
        if self._device != "cpu":
            _move(self.module, self._device)

    def __reduce__(self) -> Any:
        """A copy, and a pickled one, has the model anew: an artifact is loaded from its file again."""
        texts = {p.name: text for p, text in zip(self._of_kind(TextParameter), self.texts, strict=True)}
        tokens = {p.name: each for p, each in zip(self._of_kind(TokensParameter), self.tokens, strict=True)}
        return _restored, (self._artifact_or_model, {**self.params, **texts, **tokens}, self._device, self.backend)

    def _of_kind(self, kind: type[Parameter]) -> list[Parameter]:
        return [parameter for parameter in self.parameters if isinstance(parameter, kind)]

    @property
    def backend_name(self) -> str:
        """What computes, as ``RenderResult.backend_name`` says it."""
        if self.player is not self.module:
            return "compiled"
        return "torchscript" if isinstance(self._artifact_or_model, Artifact) else "python"

    @property
    def states(self) -> list[Any]:
        """What keeps state, and so can be in one render only."""
        module = self.module
        return states_of_model(module.module if isinstance(module, ForeignOffline) else module)

    def __repr__(self) -> str:
        return f"OfflinePlugin({self.name!r}, params={dict(self.params)!r})"

    def require_followable(self) -> None:
        """Check that the model can follow the values as they move.

        Raises:
            ParameterError: A one-shot model reads a parameter once that is automated.
        """
        if self.is_one_shot:
            self.params.require_still(self.name)

    def prepare(self, sample_rate: int, host_block_samples: int) -> None:
        """Choose what plays, and tell it what comes.

        Raises:
            ArtifactError: ``"compiled"`` is wanted, and there is none any more.
        """
        self.player = self._played_at(sample_rate) or self.module
        block = self._block_size_to_follow()
        chosen = () if block is None else (None, block)
        self.player.set_daw_sample_rate_and_buffer_size(sample_rate, host_block_samples, *chosen)

    def _played_at(self, sample_rate: int) -> NonRealtimeSampleQueueWrapper | None:
        """The compiled model's wrapper for audio of a rate, in Hz; ``None`` where the artifact's own plays."""
        model = self._artifact_or_model
        if not isinstance(model, Artifact) or self._device != "cpu":
            return None
        if sample_rate not in self._compiled:
            self._compiled[sample_rate] = compiled_offline_module(model, sample_rate, self.backend)
        return self._compiled[sample_rate]

    def _block_size_to_follow(self) -> int | None:
        """The block size to choose so that a parameter read once a block is read often; ``None``: the usual one."""
        module = self.module
        if self.is_one_shot or isinstance(module, ForeignOffline) or not self.params.moves_between_blocks:
            return None
        if json.loads(module.get_metadata_json())["neutone_like"]["overlap_hop_samples"] > 0:
            return None
        sizes = [int(size) for size in module.get_native_buffer_sizes()]
        # A wrapper calls a model of any block size often enough by itself, but not a generator; nor did those of 0.1.
        by_itself = not self.is_generator and hasattr(module, "params")
        return min(sizes, default=None if by_itself else CONTROL_BLOCK_SAMPLES)

    @property
    def is_generator(self) -> bool:
        """Whether the model has no audio input."""
        return not self.audio_in_channels

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The model's own.

        Raises:
            ModelError: It has none, or one that can't be used.
        """
        return open_tokenizer(self.module.get_tokenizer_type(), self.module.get_tokenizer_str())

    def _tokens(self, parameter: TokensParameter, value: Any) -> list[int]:
        label = f"Parameter {parameter.name!r}"
        if isinstance(value, str):
            try:
                tokens = self.tokenizer.encode(value)
            except (ModelError, ParameterError) as error:
                raise ParameterError(f"{label}: {error}") from error
        else:
            tokens = _token_list(label, value)
        if 0 <= parameter.max_tokens < len(tokens):
            raise ParameterError(f"{label}: allowed are up to {parameter.max_tokens} tokens, got {len(tokens)}.")
        return tokens


NonRealtimePlugin = OfflinePlugin  # its name in 0.1


def is_offline(model: Any) -> bool:
    """Whether something that can be rendered is an offline model. Of a path, its metadata are read.

    Raises:
        ArtifactError: The path holds no usable artifact.
    """
    if isinstance(model, Artifact):
        return not model.is_realtime
    if isinstance(model, (str, PathLike)):
        return isinstance(read_metadata(model), OfflineMetadata)
    return isinstance(model, (OfflinePlugin, NonRealtimeBase, NonRealtimeSampleQueueWrapper))


def _restored(source: Any, params: Mapping[str, Any], device: str, backend: BackendName) -> OfflinePlugin:
    return OfflinePlugin(source, params, device=device, backend=backend)


def _checked_backend(backend: Any, model: Any, device: str) -> BackendName:
    checked = checked_backend(backend, model)
    if checked == "compiled" and device != "cpu":
        raise ParameterError(f"backend='compiled' plays on the CPU, and device is {device!r}. Leave one of them out.")
    if checked == "compiled":
        require_compiled(model)
    return checked


@plain_settings()
def _open(model: Any) -> tuple[Any, str, tuple[Parameter, ...]]:
    """Wrapper, name and parameters; the wrapper is this plugin's alone unless a user passes one."""
    if isinstance(model, Artifact) and not model.is_realtime:
        module = model.fresh_module()
        ours = model.metadata.neutone_like is not None
        return module if ours else ForeignOffline(module), model.metadata.model_name, model.parameters
    if isinstance(model, NonRealtimeBase):
        model = NonRealtimeSampleQueueWrapper(working_copy(model))
    if isinstance(model, NonRealtimeSampleQueueWrapper):
        declared = model.nrb.declaration()
        return model, declared.metadata.name, declared.parameters
    raise ModelError(
        "Expected the artifact of an offline model, its path, a NonRealtimeBase or a "
        f"NonRealtimeSampleQueueWrapper, got {model!r:.80}."
    )


def _text(parameter: TextParameter, value: Any) -> str:
    if not isinstance(value, str):
        raise ParameterError(f"Parameter {parameter.name!r}: expected a text, got {value!r:.80}.")
    if 0 <= parameter.max_characters < len(value):
        raise ParameterError(
            f"Parameter {parameter.name!r}: allowed are up to {parameter.max_characters} characters, got {len(value)}."
        )
    return value


def _token_list(label: str, value: Any) -> list[int]:
    tokens = as_tokens(value)
    if tokens is None:
        raise ParameterError(
            f"{label}: expected a list of integers, or a text for the model's tokenizer, got {value!r:.80}."
        )
    require_64_bits(label, tokens)
    return list(tokens)


def _checked_device(device: Any) -> str:
    if not isinstance(device, (str, torch.device)):
        raise ModelError(f"device must be the name of one, such as 'cpu' or 'cuda:0', got {device!r:.200}.")
    return str(device)


def _move(module: Any, device: str) -> None:
    try:
        torch.zeros(1, device=device)  # a model without weights moves to anywhere
        module.nrb.to(device)
        module.set_device(device)
    except (RuntimeError, AssertionError, AttributeError) as error:  # unknown, not there, or another maker's module
        raise ModelError(f"device: the model can't be moved to {device!r}: {str(error).splitlines()[0]}") from error
