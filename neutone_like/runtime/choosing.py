"""Which backend plays a model: as a user wishes, or the fastest that is there."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from neutone_like.arguments import is_one_of
from neutone_like.artifact import Artifact, load_artifact
from neutone_like.errors import ArtifactError, MissingExtraError, RuntimeEngineError
from neutone_like.runtime.artifact_backend import ArtifactBackend
from neutone_like.runtime.backends import Backend, ModelFacts
from neutone_like.runtime.compiled_backend import CompiledBackend, compiled_beside
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled
from neutone_like.runtime.exchange_backend import ExchangeBackend, exported_beside
from neutone_like.runtime.exchange_libraries import EXCHANGE_LIBRARIES, LIBRARY_OF_SUFFIX
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.measured_choice import REFERENCE, fastest
from neutone_like.runtime.mode import Mode
from neutone_like.runtime.model_calls import ModelCaller
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.session_config import Adaptation

if TYPE_CHECKING:
    from neutone_like.runtime import _native

BackendName = Literal["auto", "compiled", "torchscript"]
"""What plays an artifact that is rendered."""
EngineBackendName = Literal["auto", "compiled", "torchscript", "onnxruntime", "litert"]
"""What plays one in an engine."""
_COMPILED_SUFFIX = ".nlc"


def choose_backend(
    model: Any,
    host: HostConfig,
    wanted: EngineBackendName | Backend = "auto",
    adaptation: Adaptation = "native",
    mode: Mode = "async",
) -> Backend:
    """What plays a model.

    Args:
        model: Whatever a user passes as one.
        host: What plays it.
        wanted: ``"auto"``: the compiled form where it is there, is that of this file, and is for the rate that the
            model would have for this host; else TorchScript, with a warning where it is there and can't be played.
            Where files for other engines lie beside it and can be played here, the fastest of all in the host's blocks:
            it is measured once, and kept.
            ``"onnxruntime"``, ``"litert"``: the file that was exported for it. A backend: plays in the place of the
            artifact's module.
        adaptation: ``"embedded"`` plays the wrapper, which only TorchScript has.
        mode: ``"inline"`` keeps a compiled form whatever is faster: only that one may be in a callback.

    Raises:
        RuntimeEngineError: Nothing that can be played, or not in this way.
        ArtifactError: What is wrong with a file.
    """
    if not isinstance(wanted, Backend) and not is_one_of(wanted, get_args(EngineBackendName)):
        raise RuntimeEngineError(f"backend must be one of {get_args(EngineBackendName)} or a backend, got {wanted!r}.")
    found = as_backend(model)
    if isinstance(wanted, Backend):
        return _OtherBackend(found, wanted)
    if isinstance(found, ArtifactBackend):
        return _of_artifact(found, host, wanted, adaptation, mode)
    if wanted in ("auto", found.backend_name):
        return found
    raise RuntimeEngineError(
        f"backend={wanted!r} says what plays an artifact, and {found.facts.name} is played by {found.backend_name}. "
        "Leave backend away."
    )


def _of_artifact(
    found: ArtifactBackend, host: HostConfig, wanted: EngineBackendName, adaptation: Adaptation, mode: Mode
) -> Backend:
    if wanted == "onnxruntime" or wanted == "litert":
        return ExchangeBackend.beside(found.artifact, EXCHANGE_LIBRARIES[wanted])
    if wanted == "auto" and adaptation == "embedded":
        return found
    compiled = compiled_for(found.artifact, host.sample_rate, wanted)
    usual = found if compiled is None else CompiledBackend.beside(found.artifact, compiled)
    if wanted != "auto" or (mode == "inline" and compiled is not None):
        return usual
    others = _exported(found.artifact)
    if not others:
        return usual
    return fastest(found.artifact, host, {usual.backend_name: usual, **others, REFERENCE: found})


def _exported(artifact: Artifact) -> dict[str, Backend]:
    """What lies beside an artifact for other engines that are here; what is wrong with a file is warned of."""
    backends: dict[str, Backend] = {}
    for name, library in EXCHANGE_LIBRARIES.items():
        if not exported_beside(artifact, library):
            continue
        try:
            library.find()
            backends[name] = ExchangeBackend.beside(artifact, library)
        except MissingExtraError:
            continue  # an engine that nobody installed is none to choose from
        except (ArtifactError, RuntimeEngineError) as error:
            warnings.warn(f"{name} does not play {artifact.path}: {error}", RuntimeWarning, stacklevel=5)
    return backends


def compiled_for(artifact: Artifact, host_rate: int, wanted: BackendName) -> CompiledModel | None:
    """The compiled form of an artifact where it is to play, by the rules of :func:`choose_backend`; else ``None``.

    Args:
        artifact: Of a live model, or an offline one.
        host_rate: In Hz.
        wanted: See there.

    Raises:
        ArtifactError: ``"compiled"`` is wanted, and there is none that can be played.
        RuntimeEngineError: The same, for want of the native engine.
    """
    if wanted == "compiled":
        return load_compiled(artifact.path)
    if wanted == "torchscript" or not compiled_beside(artifact).exists():
        return None
    try:
        compiled = load_compiled(artifact.path)
    except (ArtifactError, RuntimeEngineError) as error:
        warnings.warn(f"TorchScript plays {artifact.path}: {error}", RuntimeWarning, stacklevel=5)
        return None
    return compiled if _has_rate_for(compiled, host_rate, artifact.sample_rates) else None


def _has_rate_for(compiled: CompiledModel, host_rate: int, rates: tuple[int, ...]) -> bool:
    """Whether a model of these rates would play for a host at one that it was compiled for."""
    wanted = native_module().choose_rate(host_rate, list(rates))
    return not compiled.sample_rates or wanted in compiled.sample_rates


def as_backend(model: Any) -> Backend:
    """Whatever a user passes as a model, as it plays by itself.

    Raises:
        RuntimeEngineError: Nothing that can be played; says what can.
        ArtifactError: What is wrong with the file.
    """
    if isinstance(model, Backend):
        return model
    if isinstance(model, Artifact):
        return ArtifactBackend(model)
    if isinstance(model, (str, os.PathLike)):
        return _of_path(Path(model))  # pyright: ignore[reportUnknownArgumentType]
    hint = " Wrap a callable: PythonBackend(function, in_channels=2, out_channels=2)." if callable(model) else ""
    raise RuntimeEngineError(
        "Expected the path of an artifact, an Artifact, a PythonBackend or a NativeBackend, "
        f"got {type(model).__name__}.{hint}"
    )


def _of_path(path: Path) -> Backend:
    if path.suffix == _COMPILED_SUFFIX:
        return CompiledBackend.of_file(path)
    if path.suffix in LIBRARY_OF_SUFFIX:
        return ExchangeBackend.of_file(path)
    return ArtifactBackend(load_artifact(path))


class _OtherBackend(Backend):
    """A backend in the place of an artifact's own module."""

    def __init__(self, model: Backend, played_by: Backend) -> None:
        self._model = model
        self._played_by = played_by
        expected, got = _interface(model.facts), _interface(played_by.facts)
        for field, value in expected.items():
            if got[field] != value:
                raise RuntimeEngineError(
                    f"{model.facts.name} has {field}={value!r}, and the backend that should play it declares "
                    f"{field}={got[field]!r}. Declare it alike."
                )

    @property
    def facts(self) -> ModelFacts:
        return self._model.facts

    @property
    def backend_name(self) -> str:
        return self._played_by.backend_name

    def open_session(
        self, engine: "_native.Engine", config: "_native.SessionConfig", caller: ModelCaller
    ) -> "_native.Session":
        return self._played_by.open_session(engine, config, caller)


def _interface(facts: ModelFacts) -> dict[str, object]:
    """What a backend must know to be called in the place of another one."""
    return {
        "in_channels": facts.in_channels,
        "out_channels": facts.out_channels,
        "look_behind_samples": facts.look_behind_samples,
        "parameters": tuple(parameter.name for parameter in facts.parameters),
    }
