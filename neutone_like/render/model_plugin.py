"""One of our models as an effect: where it comes from, what plays it, and how its knobs stand."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ModelError, ParameterError
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import NumericalParameter, WaveformToWaveformBase
from neutone_like.model.parameter_values import by_name
from neutone_like.numbers import as_number
from neutone_like.printing import InNotebooks
from neutone_like.render.compiled_module import checked_backend, compiled_module, require_compiled
from neutone_like.render.foreign_module import ForeignModule
from neutone_like.render.parameter_values import ParameterValues
from neutone_like.render.sharing import states_of_model
from neutone_like.runtime.choosing import BackendName
from neutone_like.torch_settings import plain_settings

GAIN_RANGE_DB = 30.0
_SETTINGS = ("wet", "dry", "input_gain_db", "output_gain_db", "backend")

Model = Artifact | SampleQueueWrapper | WaveformToWaveformBase | str | PathLike[str]


class ModelPlugin(InNotebooks):
    """A model on a :class:`~neutone_like.render.Board`; a model put there bare becomes one of these.

    Args:
        model: An artifact, the path of a ``.nm`` file or of its folder, a ``WaveformToWaveformBase`` (copied: the
            original is left alone), or a ``SampleQueueWrapper`` (used itself; the way to ``quality="soxr"``).
        params: Values by name, in the parameters' own units. A value is a number or a label; or ``(seconds, value)``
            points, joined by straight lines (choices step); or a 1-D array with one value a sample.
        wet, dry: 0..1. ``None``: as the model's metadata says, which is where a plugin's knobs start.
        input_gain_db, output_gain_db: -30..30 dB. ``None``: as the metadata says.
        backend: What plays an artifact. ``"auto"``: its compiled model where one lies beside it that is made from this
            file and for the rate that the model has here, else TorchScript; both give the same sound, to rounding.
            ``"compiled"``, ``"torchscript"``: nothing else; a model that is compiled for one rate then plays at that,
            and the audio's is converted.

    Attributes:
        params: The values, as a dictionary: ``plugin.params["drive"] = 24.0``. Takes effect with the next call.
        wet, dry, input_gain_db, output_gain_db: As above; may be set at any time.

    Raises:
        ArtifactError: The path holds no usable artifact, or ``"compiled"`` is wanted and there is none.
        ParameterError: A value that the model, a knob or ``backend`` does not take.
        ModelError: Not a model, or one that is not declared correctly.
    """

    def __init__(
        self,
        model: Model,
        params: Mapping[str, Any] | None = None,
        *,
        wet: float | None = None,
        dry: float | None = None,
        input_gain_db: float | None = None,
        output_gain_db: float | None = None,
        backend: BackendName = "auto",
    ) -> None:
        self.source = model
        if isinstance(model, (str, PathLike)):
            model = load_artifact(model)
        self._artifact_or_model = model
        self.module, self.name, self.in_channels, self.out_channels, parameters = _open(model)
        self._parameters = parameters
        self.params = params
        self.wet = wet
        self.dry = dry
        self.input_gain_db = input_gain_db
        self.output_gain_db = output_gain_db
        self.knobs_0to1()
        self.backend: BackendName = checked_backend(backend, model)
        self._compiled: dict[int, SampleQueueWrapper | None] = {}  # by the rate of the audio
        if backend == "compiled" and isinstance(model, Artifact):
            require_compiled(model)

    def __reduce__(self) -> Any:
        """A copy, and a pickled one, has the model anew: an artifact is loaded from its file again."""
        return _restored, (
            self._artifact_or_model,
            dict(self.params),
            self.wet,
            self.dry,
            self.input_gain_db,
            self.output_gain_db,
            self.backend,
        )

    @property
    def states(self) -> list[Any]:
        """What keeps state, and so can be in one stream only."""
        return states_of_model(self.module)

    def played_at(self, sample_rate: int) -> tuple[Any, str]:
        """The wrapper that plays audio of a rate, in Hz; and what is in it, as ``RenderResult.backend_name`` says it.

        Raises:
            ArtifactError: ``"compiled"`` is wanted, and there is none any more.
        """
        model = self._artifact_or_model
        if not isinstance(model, Artifact):
            return self.module, "python"
        if sample_rate not in self._compiled:
            self._compiled[sample_rate] = compiled_module(model, sample_rate, self.backend)
        compiled = self._compiled[sample_rate]
        return (self.module, "torchscript") if compiled is None else (compiled, "compiled")

    @property
    def params(self) -> Any:
        """The values by name; what is set in their place is checked as a whole."""
        return self._values

    @params.setter
    def params(self, values: Any) -> None:
        self._values = ParameterValues(self._parameters, by_name(values))

    def __repr__(self) -> str:
        return f"ModelPlugin({self.name!r}, params={dict(self.params)!r})"

    def knobs_0to1(self) -> tuple[float, float, float, float]:
        """Wet, dry, input gain and output gain, as the wrapper takes them.

        Raises:
            ParameterError: One is out of its range.
        """
        return (
            _mix("wet", self.wet, self.module.get_wet_default_value()),
            _mix("dry", self.dry, self.module.get_dry_default_value()),
            _gain("input_gain_db", self.input_gain_db, self.module.get_input_gain_default_value()),
            _gain("output_gain_db", self.output_gain_db, self.module.get_output_gain_default_value()),
        )


def _restored(source: Any, params: Mapping[str, Any], *settings: Any) -> ModelPlugin:
    return ModelPlugin(source, params, **dict(zip(_SETTINGS, settings, strict=True)))


@plain_settings()
def _open(model: Any) -> tuple[Any, str, int, int, tuple[NumericalParameter, ...]]:
    """Wrapper, name, channels in and out, parameters; the wrapper is this plugin's alone unless a user passes one."""
    if isinstance(model, Artifact):
        ours = model.metadata.neutone_like is not None
        module = model.fresh_module() if ours else ForeignModule(model.fresh_module())
        return module, model.metadata.model_name, model.in_channels, model.out_channels, model.numerical_parameters
    if isinstance(model, WaveformToWaveformBase):
        model = SampleQueueWrapper(working_copy(model))
    if isinstance(model, SampleQueueWrapper):
        declared = model.w2w_base.declaration()
        return model, declared.metadata.name, declared.in_channels, declared.out_channels, declared.parameters
    raise ModelError(
        "Expected an artifact, the path of a .nm file, a WaveformToWaveformBase or a SampleQueueWrapper, "
        f"got {type(model).__name__}."
    )


def _mix(name: str, value: float | None, default: float) -> float:
    if value is None:
        return default
    number = as_number(value)
    if number is None or not 0.0 <= number <= 1.0:
        raise ParameterError(f"{name}: allowed is 0..1, got {value!r}.")
    return float(number)


def _gain(name: str, value: float | None, default: float) -> float:
    if value is None:
        return default
    number = as_number(value)
    if number is None or not -GAIN_RANGE_DB <= number <= GAIN_RANGE_DB:
        raise ParameterError(f"{name}: allowed is -{GAIN_RANGE_DB:g}..{GAIN_RANGE_DB:g} dB, got {value!r}.")
    return 0.5 + number / (2.0 * GAIN_RANGE_DB)
