"""From a model, a host and a user's wishes to what the native engine is told."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from neutone_like.arguments import is_one_of
from neutone_like.errors import RuntimeEngineError
from neutone_like.model import NumericalParameter
from neutone_like.numbers import as_finite_number, real_number, whole_number
from neutone_like.printing import InNotebooks
from neutone_like.runtime.backends import Backend, ModelFacts
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.mode import Mode
from neutone_like.runtime.native_module import native_module
from neutone_like.signal.filter_design import polyphase_table, reduced_ratio, require_usable_ratio

if TYPE_CHECKING:
    from neutone_like.runtime import _native

Adaptation = Literal["native", "embedded"]
LatePolicy = Literal["fade", "hold", "dry"]
MAXIMUM_INSTANCES = 64


@dataclass(frozen=True)
class SessionSettings(InNotebooks):
    """A user's wishes for a session, checked: see :meth:`neutone_like.runtime.Engine.open`."""

    mode: Mode = "async"
    adaptation: Adaptation = "native"
    late_policy: LatePolicy = "fade"
    max_inference_seconds: float | None = None
    instances: int = 1
    queue_seconds: float = 2.0

    def __post_init__(self) -> None:
        for field, kind in (("mode", Mode), ("adaptation", Adaptation), ("late_policy", LatePolicy)):
            if not is_one_of(getattr(self, field), get_args(kind)):
                raise RuntimeEngineError(f"{field} must be one of {get_args(kind)}, got {getattr(self, field)!r}.")
        queue = real_number(self.queue_seconds, "queue_seconds", 0.01, 60, error=RuntimeEngineError)
        instances = whole_number(self.instances, "instances", 1, MAXIMUM_INSTANCES, error=RuntimeEngineError)
        object.__setattr__(self, "max_inference_seconds", _inference_seconds(self.max_inference_seconds))
        object.__setattr__(self, "queue_seconds", queue)
        object.__setattr__(self, "instances", instances)


def _inference_seconds(value: object) -> float | None:
    seconds = as_finite_number(value)
    if value is not None and (seconds is None or not 0.0 < seconds <= 60.0):
        raise RuntimeEngineError(
            f"max_inference_seconds must lie above 0 and up to 60, or be None to be measured, got {value!r}."
        )
    return seconds


def session_config(backend: Backend, host: HostConfig, settings: SessionSettings) -> "_native.SessionConfig":
    """Choose the model's rate and block for a host, and write everything down.

    Raises:
        RuntimeEngineError: The backend has no wrapper to embed, or a host that waits for a worker where there is none.
        AudioError: The two rates have no common divisor to speak of.
    """
    require_worker_to_wait_for(host, settings.mode)
    native = native_module()
    facts = backend.facts
    config = native.SessionConfig()
    config.sample_rate = host.sample_rate
    config.block_size = host.block_size
    config.channels = host.channels
    config.varying_blocks = host.varying_blocks
    config.wait_fraction = host.wait_fraction
    config.parameters = [_parameter_spec(parameter) for parameter in facts.parameters]
    config.mode = native.Mode[settings.mode]
    config.late_policy = native.LatePolicy[settings.late_policy]
    config.instances = settings.instances
    config.max_inference_seconds = settings.max_inference_seconds or 0.0
    config.queue_seconds = settings.queue_seconds
    if settings.adaptation == "native":
        _adapt_natively(config, facts, host)
    elif backend.adapts_itself:
        _leave_to_wrapper(config, facts, host)
        config.embedded_growth = backend.latency_growth_samples(host)
    else:
        raise RuntimeEngineError(
            f'adaptation="embedded" plays the wrapper inside an artifact, which {facts.name} does not have. '
            'Use adaptation="native".'
        )
    return config


def require_worker_to_wait_for(host: HostConfig, mode: Mode) -> None:
    """Raise RuntimeEngineError for a host that waits in a mode without workers."""
    if mode == "inline" and host.wait_fraction > 0.0:
        raise RuntimeEngineError(
            f'HostConfig(wait_fraction={host.wait_fraction:g}) waits for a worker, and with mode="inline" the callback '
            'runs the model itself. Use wait_fraction=0, or mode="async".'
        )


def _adapt_natively(config: "_native.SessionConfig", facts: ModelFacts, host: HostConfig) -> None:
    native = native_module()
    rate = native.choose_rate(host.sample_rate, list(facts.sample_rates))
    up, down = reduced_ratio(rate, host.sample_rate)
    host_block = 1 if host.varying_blocks else host.block_size
    config.model_rate = rate
    config.model_block = native.choose_block(host_block, list(facts.block_sizes), up, down)
    config.in_channels = facts.in_channels
    config.out_channels = facts.out_channels
    config.look_behind = facts.look_behind_samples
    if up != down:
        require_usable_ratio(host.sample_rate, rate, facts.quality)
        require_usable_ratio(rate, host.sample_rate, facts.quality)
        config.filter_in = native.RateFilter(up, down, _taps(up, down, facts.quality))
        config.filter_out = native.RateFilter(down, up, _taps(down, up, facts.quality))


def _leave_to_wrapper(config: "_native.SessionConfig", facts: ModelFacts, host: HostConfig) -> None:
    """The wrapper is given what the host sends, and answers with as many channels as it was given."""
    converts = facts.in_channels <= 2 and facts.out_channels <= 2
    config.embedded = True
    config.model_rate = host.sample_rate
    config.model_block = 0 if host.varying_blocks else host.block_size
    config.in_channels = host.channels if converts else facts.in_channels
    config.out_channels = host.channels if converts else facts.out_channels


@lru_cache(maxsize=8)
def _taps(up: int, down: int, quality: str) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(polyphase_table(up, down, quality).numpy(), dtype=np.float32)


def _parameter_spec(parameter: NumericalParameter) -> "_native.ParameterSpec":
    spec = native_module().ParameterSpec()
    spec.name = parameter.name
    spec.minimum = parameter.minimum
    spec.maximum = parameter.maximum
    spec.default_0to1 = parameter.default_0to1
    spec.categorical = parameter.kind == "categorical"
    spec.per_sample = parameter.rate == "sample"
    spec.smoothing_seconds = parameter.smoothing_seconds
    return spec
