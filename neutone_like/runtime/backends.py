"""What an engine can play: the model's side of a session, and what computes its output."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from neutone_like.arguments import as_path
from neutone_like.errors import ModelError, RuntimeEngineError
from neutone_like.model import NumericalParameter
from neutone_like.model.declaration import (
    MAXIMUM_BLOCK_SIZE,
    MAXIMUM_CHANNELS,
    MAXIMUM_SAMPLE_RATE,
    MINIMUM_SAMPLE_RATE,
)
from neutone_like.numbers import whole_number
from neutone_like.printing import InNotebooks
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.model_calls import ModelCaller
from neutone_like.runtime.python_model import ModelCallable, PythonModel, keeps_state

if TYPE_CHECKING:
    from neutone_like.runtime import _native

MAXIMUM_DELAY_SAMPLES = 1 << 24


@dataclass(frozen=True)
class ModelFacts(InNotebooks):
    """What a session must know of a model. Rates in Hz, blocks in samples; empty tuples mean any."""

    name: str
    in_channels: int
    out_channels: int
    sample_rates: tuple[int, ...]
    block_sizes: tuple[int, ...]
    look_behind_samples: int
    parameters: tuple[NumericalParameter, ...]
    quality: str


class Backend(InNotebooks, ABC):
    """Something that computes a model's output. Use one of its subclasses."""

    @property
    @abstractmethod
    def facts(self) -> ModelFacts:
        """The model's side of a session."""

    @property
    @abstractmethod
    def backend_name(self) -> str:
        """What computes the output, in a word, as reports say it."""

    @property
    def reason(self) -> str:
        """Why this one plays, where it was chosen out of several; ``""`` where there was nothing to choose."""
        return ""

    @abstractmethod
    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        """Open a native session on ``engine``, for a session that ``caller`` stands for."""

    @property
    def adapts_itself(self) -> bool:
        """Whether ``adaptation="embedded"`` is possible: the model brings a wrapper of its own."""
        return False

    def latency_growth_samples(self, host: HostConfig) -> int:
        """How much the latency of that wrapper grows when the host's blocks vary, against its promise."""
        return 0


@dataclass(frozen=True, kw_only=True)
class _DeclaredModel(Backend):
    """A model that nobody has written metadata for: its user says what it is."""

    in_channels: int = 2
    out_channels: int = 2
    sample_rate: int | None = None
    block_size: int | None = None
    look_behind_samples: int = 0
    parameters: tuple[NumericalParameter, ...] = ()
    quality: str = "high"

    def __post_init__(self) -> None:
        self._check("in_channels", 1, MAXIMUM_CHANNELS)
        self._check("out_channels", 1, MAXIMUM_CHANNELS)
        self._check("sample_rate", MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE, "Hz")
        self._check("block_size", 1, MAXIMUM_BLOCK_SIZE, "samples")
        self._check("look_behind_samples", 0, MAXIMUM_BLOCK_SIZE)
        given: object = self.parameters
        kinds = get_args(NumericalParameter)
        if not isinstance(given, (tuple, list)) or not all(isinstance(each, kinds) for each in given):
            raise ModelError(
                f"{type(self).__name__}: parameters must be a tuple of ContinuousParameter and CategoricalParameter, "
                f"got {given!r:.200}."
            )

    def _check(self, field: str, lowest: int, highest: int, unit: str = "") -> None:
        """A whole number of any kind becomes Python's own; None stays where it means any."""
        value = getattr(self, field)
        if value is None and field in ("sample_rate", "block_size"):
            return
        what = f"{type(self).__name__}: {field}"
        object.__setattr__(self, field, whole_number(value, what, lowest, highest, unit=unit, error=ModelError))

    @property
    def label(self) -> str:
        """What reports call it."""
        return type(self).__name__

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(
            name=self.label,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
            sample_rates=() if self.sample_rate is None else (self.sample_rate,),
            block_sizes=() if self.block_size is None else (self.block_size,),
            look_behind_samples=self.look_behind_samples,
            parameters=self.parameters,
            quality=self.quality,
        )


@dataclass(frozen=True)
class PythonBackend(_DeclaredModel):
    """A Python callable as a model, for trying things out; not for performance.

    It takes the GIL for every block. Another Python thread that is busy makes it late, by many milliseconds.

    Args:
        function: ``function(x, parameters) -> y``. ``x`` is float32 ``[in_channels, look_behind_samples + N]``, its
            last ``N`` samples are new; ``parameters`` has each declared parameter in its own unit, an array of shape
            ``(1,)``, or ``(N,)`` for ``rate="sample"``; ``y`` is ``[out_channels, N]``. An object that keeps state has
            a method ``reset()``: it is copied (``copy.deepcopy``) or reset, so that the noise that it is measured with
            leaves no trace. If it has ``prepare(sample_rate, longest_block)``, that is called first.
        delay_samples: How far the output lags behind the input, at the model's rate.
        in_channels, out_channels: Of the model.
        sample_rate: The model's rate in Hz; None for any.
        block_size: Samples of every call, at the model's rate; None for any number.
        look_behind_samples: Past samples that it wants to see again with every call.
        parameters: As a model declares them.
        quality: Of the rate conversion: ``"high"`` or ``"fast"``.
    """

    function: ModelCallable
    delay_samples: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ModelError(f"PythonBackend: expected a callable, got {type(self.function).__name__}.")
        super().__post_init__()
        self._check("delay_samples", 0, MAXIMUM_DELAY_SAMPLES)

    @property
    def label(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    @property
    def backend_name(self) -> str:
        return "python"

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        if config.instances > 1 and keeps_state(self.function):
            raise RuntimeEngineError(
                f"instances={config.instances} run blocks of one stream at the same time, which a model that keeps "
                f"state can't do, and {self.label} has a method reset(). Use instances=1."
            )
        names = tuple(parameter.name for parameter in self.parameters)
        model = PythonModel(self.function, names, self.delay_samples, caller)
        return engine.open_python(config, [model] * config.instances)


@dataclass(frozen=True)
class NativeBackend(_DeclaredModel):
    """A shared object that implements ``native/include/neutone_like/backend.h``.

    Args:
        path: The shared object.
        source: What it plays: a path or a name, as it says.
        options: As it says.

    The others are as in :class:`PythonBackend`.
    """

    path: str | os.PathLike[str]
    source: str | os.PathLike[str] = ""
    options: Mapping[str, object] = field(default_factory=dict[str, object], kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        as_path(self.path, "a backend's shared object", RuntimeEngineError)
        as_path(self.source, "what a backend plays", RuntimeEngineError)

    @property
    def label(self) -> str:
        return os.path.basename(os.fspath(self.source) or os.fspath(self.path))

    @property
    def backend_name(self) -> str:
        return "native"

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        # A bare name would be looked for in the system's folders.
        path = os.path.abspath(self.path)
        if not os.path.isfile(path):
            raise RuntimeEngineError(f"There is no backend {path}: NativeBackend takes the path of a shared object.")
        return engine.open_shared_object(config, path, os.fspath(self.source), option_lines(self.options))


@dataclass(frozen=True)
class BuiltinBackend(_DeclaredModel):
    """One of the engine's own backends, for tests and comparisons.

    Args:
        name: ``"identity"`` gives its input back; ``"one_pole"`` is a low-pass whose state the engine keeps;
            ``"faults"`` does what its options say at the blocks they say.
        options: As in ``native/src/engine/builtin_backends.hpp``.

    The others are as in :class:`PythonBackend`.
    """

    name: str
    options: Mapping[str, object] = field(default_factory=dict[str, object], kw_only=True)

    @property
    def label(self) -> str:
        return self.name

    @property
    def backend_name(self) -> str:
        return self.name

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        if not isinstance(self.name, str):
            raise RuntimeEngineError(f"A built-in model is named by a text, got {self.name!r:.200}.")
        return engine.open_builtin(config, self.name, option_lines(self.options))


def option_lines(options: Mapping[str, object]) -> str:
    """Options as a backend reads them: one ``key=value`` a line.

    Raises:
        RuntimeEngineError: A key or value that would be read as something else.
    """
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise RuntimeEngineError(f"options must be a dictionary with texts as keys, got {options!r:.200}.")
    for key, value in options.items():
        if not key or "=" in key or "\n" in f"{key}{value}":
            raise RuntimeEngineError(f"An option is key=value on one line, got {key!r} and {value!r}.")
    return "".join(f"{key}={value}\n" for key, value in options.items())
