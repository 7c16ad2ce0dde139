"""A wrapper written for the Neutone SDK's offline models, seen as such a model of this package."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.compat.neutone_sdk import constants
from neutone_like.compat.neutone_sdk.description import describe, require_room
from neutone_like.compat.neutone_sdk.parameter import NeutoneParameter, to_non_realtime_parameter
from neutone_like.model import CategoricalParameter, NonRealtimeBase

if TYPE_CHECKING:
    from neutone_like.compat.neutone_sdk.non_realtime_wrapper import NonRealtimeBase as Wrapper

_PROBE_SAMPLES = (24_000, 30_011)
_ANY_RATE = 48000


class NonRealtimeModel(NonRealtimeBase):
    """Calls a wrapper as the Neutone SDK would: knobs aggregated from 0 to 1, then each in its own range.

    A wrapper without buffer sizes receives the whole sound at once there, one-shot or not, and so it does here. Of one
    that is one-shot, buffer sizes are not looked at.

    Args:
        wrapper: Used as it is, not copied.
    """

    names: list[str]
    passes: list[bool]
    is_choice: list[bool]
    lowest: list[float]
    spans: list[float]
    if TYPE_CHECKING:
        model: Any  # TorchScript would take an annotation of a submodule for its type

    def __init__(self, wrapper: "Wrapper") -> None:
        super().__init__(wrapper)
        declared = wrapper.get_neutone_parameters()
        self.metadata = describe(wrapper)
        self.parameters = tuple(to_non_realtime_parameter(parameter) for parameter in declared)
        self.audio_in_channels = tuple(wrapper.get_audio_in_channels())
        self.audio_out_channels = tuple(wrapper.get_audio_out_channels())
        require_room(wrapper, self.parameters, self.audio_in_channels, self.audio_out_channels)
        self.audio_in_labels = tuple(wrapper.get_audio_in_labels())
        self.audio_out_labels = tuple(wrapper.get_audio_out_labels())
        self.sample_rates = tuple(wrapper.get_native_sample_rates())
        sizes = tuple(wrapper.get_native_buffer_sizes())
        self.is_whole = bool(wrapper.is_one_shot_model()) or not sizes
        self.block_sizes = () if self.is_whole else sizes

        own = dict(zip((each.name for each in self.parameters), declared, strict=True))
        numerical = self.declaration().numerical_parameters
        self.names = [parameter.name for parameter in numerical]
        self.passes = [not isinstance(own[parameter.name], NeutoneParameter) for parameter in numerical]
        self.is_choice = [isinstance(parameter, CategoricalParameter) for parameter in numerical]
        self.lowest = [parameter.minimum for parameter in numerical]
        self.spans = [parameter.maximum - parameter.minimum for parameter in numerical]
        self.usual_block = constants.DEFAULT_DAW_BS
        self.reports_progress = True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        values = self._aggregated(numerical_params)
        outputs = self.model.do_forward_pass(curr_block_idx, audio_in, values, text_params, tokens_params)
        # In this order: another thread may read the progress between the two lines.
        self.set_progress_percentage(self.model.get_progress_percentage())
        self.model.set_progress_percentage(0.0)
        return outputs

    def _aggregated(self, params: dict[str, Tensor]) -> dict[str, Tensor]:
        samples = 1
        for name in self.names:
            samples = max(samples, params[name].size(0))
        rows = torch.zeros(len(self.names), samples)
        for index, name in enumerate(self.names):
            if not self.passes[index]:
                rows[index] = (params[name] - self.lowest[index]) / self.spans[index]
        values: dict[str, Tensor] = {}
        if len(self.names) > 0:
            rows = self.model.aggregate_numerical_params_0to1(rows)
        for index, name in enumerate(self.names):
            if self.passes[index]:
                values[name] = params[name]
            else:
                value = self.lowest[index] + rows[index] * self.spans[index]
                values[name] = torch.round(value) if self.is_choice[index] else value
        return values

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.is_whole

    @torch.jit.export
    def reset_model(self) -> None:
        self.model.reset_model()
        self.model.set_progress_percentage(0.0)

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.model.set_sample_rate_and_buffer_size(sample_rate, block_size if block_size > 0 else self.usual_block)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.model.calc_model_delay_samples()

    @torch.jit.export
    def get_model_bpm(self) -> int | None:
        return self.model.get_model_bpm()

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        return self.model.get_tokenizer_str()

    @torch.jit.export
    def get_tokenizer_type(self) -> str | None:
        return self.model.get_tokenizer_type()

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        return self.reports_progress and self.model.has_progress_percentage()

    @torch.jit.export
    def get_progress_percentage(self) -> float:
        part = min(max(self.model.get_progress_percentage(), 0.0), 100.0) / 100.0
        return max(self.progress_percentage, self.call_progress_start + self.call_progress_span * part)

    @torch.jit.export
    def request_cancel_forward_pass(self) -> None:
        self.cancel_requested = True
        self.model.request_cancel_forward_pass()

    @torch.jit.export
    def forget_cancel_request(self) -> None:
        self.cancel_requested = False
        self.model.forget_cancel_request()


def adapt_non_realtime(wrapper: "Wrapper") -> NonRealtimeModel:
    """The wrapper, not a copy of it, as a model of the same class name, so that messages name what users wrote.

    Raises:
        ModelError: The getters say what a ``.nm`` has no room for.
    """
    named: type[NonRealtimeModel] = type(
        type(wrapper).__name__, (NonRealtimeModel,), {"__module__": NonRealtimeModel.__module__}
    )
    model = named(wrapper)
    if model.is_whole:
        _learn_by_trying(model)
    return model


def _learn_by_trying(model: NonRealtimeModel) -> None:
    """What the Neutone SDK leaves open: whether outputs are as long as the input, and whether progress is ever set."""
    lengths: list[bool] = []
    reports: list[bool] = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for samples in _PROBE_SAMPLES:
            copy = working_copy(model)
            try:
                outputs = _try_once(copy, samples)
            except Exception:  # the export tries it again, and says what is wrong with the user's own line
                return
            lengths.append(all(output.size(-1) == samples for output in outputs))
            reports.append(copy.progress_percentage > 0.0)
    model.keeps_length = all(lengths) or model.declaration().is_generator
    model.reports_progress = all(reports)


def _try_once(model: NonRealtimeModel, samples: int) -> list[Tensor]:
    declared = model.declaration()
    model.prepare_model(declared.sample_rates[0] if declared.sample_rates else _ANY_RATE, 0)
    model.reset_model()
    generator = torch.Generator().manual_seed(samples)
    audio = [torch.rand(count, samples, generator=generator) - 0.5 for count in declared.audio_in_channels]
    values = {each.name: torch.full((1,), float(each.default)) for each in declared.numerical_parameters}
    texts = [each.default for each in declared.text_parameters]
    tokens = [list(each.default) for each in declared.tokens_parameters]
    return model.do_forward_pass(0, audio, values, texts, tokens)


def give_own_classes(model: nn.Module) -> None:
    """Let a copied model's parametrizations be removed: PyTorch takes them off the class, which the copy shares."""
    for module in model.modules():
        if nn.utils.parametrize.is_parametrized(module):
            shared: type[nn.Module] = type(module)
            own: Any = type(shared.__name__, shared.__bases__, dict(shared.__dict__))
            module.__class__ = own
