"""A wrapper written for the Neutone SDK, seen as a live model of this package."""

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from neutone_like.compat.neutone_sdk import constants
from neutone_like.compat.neutone_sdk.block_sizes import sizes_it_is_told
from neutone_like.compat.neutone_sdk.buffers import changing_buffers, named_buffers
from neutone_like.compat.neutone_sdk.description import describe, require_room
from neutone_like.compat.neutone_sdk.parameter import is_knob_0to1, to_live_parameter
from neutone_like.errors import ModelError
from neutone_like.model import WaveformToWaveformBase

if TYPE_CHECKING:
    from neutone_like.compat.neutone_sdk.wavform_to_wavform import WaveformToWaveformBase as Wrapper


class LiveModel(WaveformToWaveformBase):
    """Calls a wrapper as the Neutone SDK would: knobs from 0 to 1, aggregated over the block, history included.

    A wrapper of fixed block sizes, or with its own ``aggregate_params``, receives what that makes of a value for each
    sample. One that takes any block size and leaves the mean as it is receives the knob's value now: with blocks as
    short as hosts and moving knobs make them it is the same, and does not depend on how the host cuts its stream.

    Args:
        wrapper: Used as it is, not copied.
        state_buffers: Names of buffers that :meth:`reset_model` puts back, because the wrapper does not.
        told_sizes: Block sizes of a wrapper that names none, and plays only the one it was last told.
    """

    names: list[str]
    is_knob: list[bool]
    initial_buffers: dict[str, Tensor]
    aggregates: Final[bool]
    restores_buffers: Final[bool]
    if TYPE_CHECKING:
        model: Any  # TorchScript would take an annotation of a submodule for its type

    def __init__(
        self, wrapper: "Wrapper", state_buffers: tuple[str, ...] = (), told_sizes: tuple[int, ...] = ()
    ) -> None:
        super().__init__(wrapper)
        block_sizes = tuple(wrapper.get_native_buffer_sizes()) or told_sizes
        declared = wrapper.get_neutone_parameters()
        knobs = [is_knob_0to1(parameter) for parameter in declared]
        per_sample = bool(block_sizes) or _overrides(wrapper, "aggregate_params")
        self.metadata = describe(wrapper)
        self.parameters = tuple(
            to_live_parameter(parameter, "sample" if per_sample else "block") for parameter in declared
        )
        self.in_channels = 1 if wrapper.is_input_mono() else 2
        self.out_channels = 1 if wrapper.is_output_mono() else 2
        self.sample_rates = tuple(wrapper.get_native_sample_rates())
        self.block_sizes = block_sizes
        self.look_behind_samples = wrapper.get_look_behind_samples()
        require_room(wrapper, self.declaration().parameters, (self.in_channels,), (self.out_channels,))

        self.names = [parameter.name for parameter in declared]
        self.is_knob = knobs
        self.aggregates = per_sample and any(knobs)
        self.rows = constants.MAX_N_PARAMS
        self.default_rows = wrapper.get_numerical_params_default_values_0to1()
        self.past_rows = self.default_rows.repeat(1, self.look_behind_samples)
        self.restores_buffers = len(state_buffers) > 0
        self.initial_buffers = {
            name: buffer.clone() for name, buffer in named_buffers(wrapper) if name in state_buffers
        }

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.model.do_forward_pass(x, self._aggregated(params, x.size(1)) if self.aggregates else params)
        # A buffer that is put back at a reset may be the very tensor that the wrapper returned.
        return y.clone() if self.restores_buffers else y

    def _aggregated(self, params: dict[str, Tensor], samples: int) -> dict[str, Tensor]:
        rows = torch.zeros(self.rows, samples - self.look_behind_samples)
        for index, name in enumerate(self.names):
            if self.is_knob[index]:
                rows[index] = params[name]
        if self.look_behind_samples > 0:
            rows = torch.cat((self.past_rows, rows), 1)
            self.past_rows = rows[:, rows.size(1) - self.look_behind_samples :].clone()
        aggregated = self.model.aggregate_params(rows)
        if aggregated.dim() != 2 or aggregated.size(0) != self.rows:
            raise ModelError(
                f"aggregate_params must return {self.rows} rows, as it is given, got a tensor of shape "
                f"{aggregated.size()}."
            )
        values: dict[str, Tensor] = {}
        for index, name in enumerate(self.names):
            values[name] = aggregated[index] if self.is_knob[index] else params[name]
        return values

    @torch.jit.export
    def reset_model(self) -> None:
        self.model.reset_model()
        if self.restores_buffers:
            for name, buffer in self._state_buffers().items():
                if 0 in buffer.stride():  # expanded: its values share memory
                    buffer.resize_([0])
                buffer.resize_(self.initial_buffers[name].size()).copy_(self.initial_buffers[name])
        self.past_rows = self.default_rows.repeat(1, self.look_behind_samples)

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.reset_model()
        self.model.set_model_sample_rate_and_buffer_size(sample_rate, block_size)
        if self.restores_buffers:
            for name, buffer in self._state_buffers().items():
                self.initial_buffers[name] = buffer.clone()

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.model.calc_model_delay_samples()

    def _state_buffers(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        if torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
            for module_name, module in self.model.named_modules():
                for name, buffer in module.named_buffers():  # TorchScript's own, which does not look into submodules
                    key = f"{module_name}.{name}"
                    if key in self.initial_buffers:
                        found[key] = buffer
        else:
            for key, buffer in named_buffers(self.model):
                if key in self.initial_buffers:
                    found[key] = buffer
        return found


def adapt(wrapper: "Wrapper") -> LiveModel:
    """The wrapper, not a copy of it, as a live model of the same class name, so that messages name what users wrote.

    Raises:
        ModelError: The getters say what a ``.nm`` has no room for.
    """
    named: type[LiveModel] = type(type(wrapper).__name__, (LiveModel,), {"__module__": LiveModel.__module__})
    sizes: tuple[int, ...] = ()
    if _overrides(wrapper, "set_model_sample_rate_and_buffer_size") and not wrapper.get_native_buffer_sizes():
        sizes = sizes_it_is_told(named(wrapper))
    if _overrides(wrapper, "reset_model"):
        return named(wrapper, told_sizes=sizes)
    return named(wrapper, changing_buffers(named(wrapper, told_sizes=sizes)), sizes)


def _overrides(wrapper: "Wrapper", method: str) -> bool:
    owner = next(base for base in type(wrapper).__mro__ if method in vars(base))
    return not owner.__module__.startswith("neutone_like.compat.")
