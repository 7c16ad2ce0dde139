"""What an export does differently for each kind of model: try it, wrap it, measure it, let it sound."""

from abc import ABC, abstractmethod
from typing import Any

from torch import nn
from torch.jit import ScriptModule

from neutone_like.artifact.format.format_limits import Model, check_live_format, check_offline_format, explain_other
from neutone_like.artifact.reading.offline_vector import make_offline_vector
from neutone_like.artifact.reading.reference_vector import make_test_vector
from neutone_like.artifact.writing.offline_probe import probe_offline_model
from neutone_like.artifact.writing.probe import probe_model
from neutone_like.artifact.writing.samples import SampleSound, render_sounds, render_whole_sounds
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ExportError
from neutone_like.host import NonRealtimeSampleQueueWrapper, SampleQueueWrapper
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase

_ANY_RATE = 48000
_ANY_BLOCK = 512


class Exporter(ABC):
    """One model on its way to a ``.nm``; the model itself is left as it was.

    A module that is measured or rendered with must not be the one that is saved: running leaves traces in its state.
    """

    @abstractmethod
    def probe(self) -> None:
        """Run the model as plain Python.

        Raises:
            ExportError: It fails, or returns something of the wrong shape.
        """

    @abstractmethod
    def wrapper(self) -> nn.Module:
        """A copy of the model in its host wrapper, reset: TorchScript saves attributes with the values they have."""

    @abstractmethod
    def measure(self, module: ScriptModule) -> dict[str, Any]:
        """What metadata says of how the module plays."""

    @abstractmethod
    def render(self, module: ScriptModule) -> tuple[SampleSound, ...]:
        """What the module sounds like."""


def exporter_for(model: Model, quality: str) -> Exporter:
    """The steps for a model of either kind.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: The format is too small for it.
    """
    if isinstance(model, WaveformToWaveformBase):
        return LiveExporter(model, quality)
    if isinstance(model, NonRealtimeBase):
        return OfflineExporter(model, quality)
    raise ExportError(explain_other(model))


class LiveExporter(Exporter):
    """For a model that plays while somebody listens."""

    def __init__(self, model: WaveformToWaveformBase, quality: str) -> None:
        self.model = model
        self.declaration = check_live_format(model, quality)
        self.quality = quality

    def probe(self) -> None:
        probe_model(self.model)

    def wrapper(self) -> nn.Module:
        wrapper = SampleQueueWrapper(working_copy(self.model), self.quality).eval()
        wrapper.reset()
        return wrapper.requires_grad_(False)

    def measure(self, module: ScriptModule) -> dict[str, Any]:
        declared = self.declaration
        defaults = [parameter.default_0to1 for parameter in declared.parameters]
        vector = make_test_vector(module, declared.in_channels, defaults)
        rate = declared.sample_rates[0] if declared.sample_rates else _ANY_RATE
        block = declared.block_sizes[0] if declared.block_sizes else _ANY_BLOCK
        module.set_daw_sample_rate_and_buffer_size(rate, block)
        return {
            "model_delay_samples": int(module.w2w_base.model_delay_samples()),
            "reported_latency": {
                "sample_rate": rate,
                "block_size": block,
                "latency_samples": int(module.latency_samples()),
            },
            "test_vector": vector.model_dump(mode="json"),
        }

    def render(self, module: ScriptModule) -> tuple[SampleSound, ...]:
        return render_sounds(module, self.declaration)


class OfflineExporter(Exporter):
    """For a model that takes whole sounds."""

    def __init__(self, model: NonRealtimeBase, quality: str) -> None:
        self.model = model
        self.declaration = check_offline_format(model, quality)
        self.quality = quality

    def probe(self) -> None:
        probe_offline_model(self.model)

    def wrapper(self) -> nn.Module:
        wrapper = NonRealtimeSampleQueueWrapper(working_copy(self.model), self.quality).eval()
        wrapper.reset()
        return wrapper.requires_grad_(False)

    def measure(self, module: ScriptModule) -> dict[str, Any]:
        declared = self.declaration
        vector = make_offline_vector(
            module,
            declared.audio_in_channels,
            [parameter.default_0to1 for parameter in declared.numerical_parameters],
            [parameter.default for parameter in declared.text_parameters],
            [parameter.default for parameter in declared.tokens_parameters],
        )
        rate = declared.sample_rates[0] if declared.sample_rates else _ANY_RATE
        module.set_daw_sample_rate_and_buffer_size(rate, _ANY_BLOCK)
        return {
            "model_delay_samples": int(module.nrb.model_delay_samples()),
            "test_vector": vector.model_dump(mode="json"),
        }

    def render(self, module: ScriptModule) -> tuple[SampleSound, ...]:
        return render_whole_sounds(module, self.declaration.audio_in_channels)
