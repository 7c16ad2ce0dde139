"""What native/binding offers. Only this package uses it; its users find the same behind typed, documented classes."""

import enum
from collections.abc import Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from neutone_like.runtime.python_model import PythonModel

Audio = npt.NDArray[np.float32]
Histogram = tuple[npt.NDArray[np.uint64], int]

class Mode(enum.Enum):
    inline = ...
    # "async" is reached by item: it is a keyword.

class LatePolicy(enum.Enum):
    fade = ...
    hold = ...
    dry = ...

class ProcessResult(enum.Enum):
    ok = ...
    block_too_large = ...
    two_threads = ...
    closed = ...
    on_device = ...

class ParameterSpec:
    name: str
    minimum: float
    maximum: float
    default_0to1: float
    categorical: bool
    per_sample: bool
    smoothing_seconds: float

class RateFilter:
    def __init__(self, up: int, down: int, taps: Audio) -> None: ...

class SessionConfig:
    sample_rate: int
    block_size: int
    channels: int
    varying_blocks: bool
    model_rate: int
    model_block: int
    in_channels: int
    out_channels: int
    look_behind: int
    parameters: list[ParameterSpec]
    filter_in: RateFilter
    filter_out: RateFilter
    embedded: bool
    embedded_growth: int
    mode: Mode
    late_policy: LatePolicy
    instances: int
    max_inference_seconds: float
    queue_seconds: float
    wait_fraction: float

class EngineConfig:
    workers: int
    polling: bool
    realtime_priority: bool
    watchdog_seconds: float

class SessionStats:
    callbacks: int
    samples: int
    underruns: int
    missing_samples: int
    dropped_samples: int
    restarts: int
    inserted_silence_samples: int
    nonfinite_samples: int
    nonfinite_input_samples: int
    failed_blocks: int
    model_blocks: int
    waits: int
    waited_ns: int
    waited_seconds: float
    hung: bool
    last_error: str
    max_inference_seconds: float
    worker_seconds: float

class LatencyParts:
    resample_in: float
    buffering: float
    model: float
    resample_out: float
    inference: float
    total: int

class Session:
    is_closed: bool
    output_channels: int
    latency_samples: int
    def process(self, audio: Audio, output: Audio) -> ProcessResult: ...
    def process_offline(self, audio: Audio, output: Audio, values: Audio | None) -> None: ...
    def set_parameter_0to1(self, index: int, value: float, /) -> None: ...
    def parameter_0to1(self, index: int, /) -> float: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...
    def wait_idle(self) -> None: ...
    def latency_parts(self) -> LatencyParts: ...
    def stats(self) -> SessionStats: ...
    def callback_time_ns(self) -> Histogram: ...
    def inference_time_ns(self) -> Histogram: ...
    def turnaround_time_ns(self) -> Histogram: ...

class DevicePlan:
    callbacks: int
    record_output: bool
    realtime_priority: bool
    paced: bool
    jitter_seconds: float
    vary_blocks: bool
    seed: int
    companion: bool
    def __init__(self, session: Session, /) -> None: ...
    def set_input(self, audio: Audio) -> None: ...
    def add_change(self, sample: int, index: int, value_0to1: float, /) -> None: ...

class DeviceReport:
    callbacks: int
    samples: int
    seconds: float
    deadline_misses: int
    underruns: int
    missing_samples: int
    waits: int
    waited_seconds: float
    cpu_seconds: float
    realtime_priority: bool
    block_sizes: list[int]
    error: ProcessResult
    def callback_time_ns(self) -> Histogram: ...
    def wake_lateness_ns(self) -> Histogram: ...
    def output(self) -> Audio: ...

class WorkerStats:
    cpu_seconds: float
    turns: int
    realtime_priority: bool
    left_behind: bool

class CompiledModel:
    kernels: str
    instance_bytes: int
    rates: list[int]
    @overload
    def __init__(self, data: bytes, kernels: str = "", name: str = "This file", rate: int = 0) -> None: ...
    @overload
    def __init__(self, other: CompiledModel, rate: int) -> None: ...
    def facts(self) -> dict[str, int]: ...
    def metadata(self) -> bytes: ...
    def test_vector(self) -> tuple[Audio, Audio, Audio] | None: ...
    def takes(self, samples: int, /) -> bool: ...
    def play(self, audio: Audio, parameters: Sequence[Audio]) -> Audio: ...
    def reset(self) -> None: ...

class Engine:
    def __init__(self, config: EngineConfig, /) -> None: ...
    def open_shared_object(self, config: SessionConfig, path: str, source: str, options: str, /) -> Session: ...
    def open_builtin(self, config: SessionConfig, name: str, options: str, /) -> Session: ...
    def open_compiled(self, config: SessionConfig, path: str, /) -> Session: ...
    def open_python(self, config: SessionConfig, models: list[PythonModel], /) -> Session: ...
    def close(self) -> None: ...
    def run_realtime(self, plans: list[DevicePlan]) -> list[DeviceReport]: ...
    def worker_stats(self) -> list[WorkerStats]: ...

def compiled_kernels() -> list[str]: ...
def set_leak_warnings(value: bool, /) -> None: ...
def choose_rate(host_rate: int, rates: Sequence[int]) -> int: ...
def choose_block(host_block: int, sizes: Sequence[int], up: int, down: int) -> int: ...
def buffering_numerator(host_block: int, model_block: int, up: int, down: int) -> int: ...
def adaptation_latency_samples(
    up: int, down: int, half_width_in: int, half_width_out: int, model_delay: int, buffering: int
) -> int: ...
def first_output_end(
    up: int, down: int, half_width_in: int, half_width_out: int, model_delay: int, latency: int
) -> int: ...
def blocks_per_callback(host_block: int, model_block: int, up: int, down: int) -> int: ...
def inference_wait_samples(seconds: float, host_block: int, host_rate: int, varying_blocks: bool) -> int: ...
def design_filter(up: int, down: int, fast: bool) -> npt.NDArray[np.float32]: ...
def histogram_bucket_ends_ns() -> npt.NDArray[np.uint64]: ...

class LiveDevice:
    index: int
    name: str
    host_api: str
    max_input_channels: int
    max_output_channels: int
    default_sample_rate: float
    is_default_input: bool
    is_default_output: bool

def live_devices(library: str) -> list[LiveDevice]: ...

class LivePlan:
    library: str
    input_device: int
    output_device: int
    inputs: list[int]
    outputs: list[int]
    sample_rate: int
    block_size: int
    latency_seconds: float
    input_tape_seconds: float
    output_tape_seconds: float
    output_tape_channels: int
    close_limit_seconds: float
    silence_limit_seconds: float
    def set_loop_back(self, sound: Audio, listen_samples: int) -> None: ...

class LiveStream:
    callbacks: int
    samples: int
    session_samples: int
    device_xruns: int
    input_overflows: int
    input_underflows: int
    output_underflows: int
    output_overflows: int
    overloads: int
    silent_samples: int
    busy_ns: int
    smallest_block: int
    largest_block: int
    is_lost: bool
    is_closed: bool
    sample_rate: float
    input_latency_seconds: float
    output_latency_seconds: float
    lost_input_samples: int
    lost_output_samples: int
    loop_back_samples: int
    def __init__(self, plan: LivePlan) -> None: ...
    def start(self) -> None: ...
    def attach(self, session: Session) -> None: ...
    def look_lost(self) -> bool: ...
    def close(self) -> None: ...
    def callback_time_ns(self) -> Histogram: ...
    def take_input_peak(self) -> float: ...
    def take_output_peak(self) -> float: ...
    def take_input(self, most: int) -> tuple[int, Audio]: ...
    def take_output(self, most: int) -> tuple[int, Audio]: ...
    def loop_back(self) -> Audio: ...
