"""Compiled models as users meet them: opened and played."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neutone_like.artifact.format.archive import COMPILED_NAME, MODEL_NAME
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.artifact.reading.metadata_reading import resolve
from neutone_like.errors import ArtifactError, AudioError, ParameterError
from neutone_like.printing import Printed, Row
from neutone_like.runtime.native_module import native_module
from neutone_like.whole_file import write_whole

if TYPE_CHECKING:
    from neutone_like.compiler.proof import Accuracy  # which needs PyTorch
    from neutone_like.runtime import _native

COMPILED_KEY = "compiled"
"""Of what is added to a model's metadata."""


@dataclass(frozen=True, repr=False)
class CompileReport(Printed):
    """What a compilation made, and how exact it is.

    Attributes:
        steps: How many kernels run for a block.
        file_bytes: Of the file.
        memory_bytes: Of an instance.
        accuracy: Against the network in float64; of several rates the one that came nearest to what is allowed.
        sample_rates: Hz: those that there is a plan for each of; ``()``: one plan is right for all that the model has.
        left_out: Why there is none for others of the model's rates, or of hosts'.
    """

    steps: int
    file_bytes: int
    memory_bytes: int
    accuracy: "Accuracy"
    sample_rates: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()

    def _title(self) -> str:
        return f"CompileReport: {self.steps} steps"

    def _rows(self) -> list[Row]:
        return [
            ("file", f"{self.file_bytes} bytes"),
            ("memory of an instance", f"{self.memory_bytes} bytes"),
            ("accuracy", str(self.accuracy)),
            ("rate", ", ".join(f"{rate} Hz" for rate in self.sample_rates) or "any that the model has"),
            *[("left out", reason) for reason in self.left_out],
        ]


class CompiledModel(Printed):
    """A compiled model, with a state of its own. Nothing that it plays allocates memory or needs PyTorch.

    Attributes:
        path: The ``.nlc`` file; ``None`` where there is none.
        granules: Samples of the longest block that its plan works on; longer ones are played in such pieces.
        report: Of the compilation, where this process did it.
        metadata: ``metadata.json`` of the model, as read from the file.
        model_sha256: The digest of the ``model.nm`` that it belongs to.
        sample_rates: Hz: those that it is right for; ``()``: any.
        sample_rate: Hz: the one that it plays at, where the file has a plan for each; else ``None``.
    """

    def __init__(
        self,
        data: bytes,
        path: Path | None = None,
        report: CompileReport | None = None,
        kernels: str = "",
    ) -> None:
        """Open a file's content.

        Args:
            data: The content.
            path: Where it comes from.
            report: Of its compilation.
            kernels: ``"x86-64-v3"``...: those of an instruction set; by default the best that this processor has.

        Raises:
            ArtifactError: It is damaged, or none; says what is wrong.
        """
        if not isinstance(data, bytes):
            raise ArtifactError(
                f"Expected the content of a compiled model as bytes, got {type(data).__name__}. "
                "To open a file: load_compiled(path)."
            )
        self._take(native_module().CompiledModel(data, kernels, "This file" if path is None else str(path)), None)
        self._data = data
        self.path = path
        self.report = report
        try:
            self._take_metadata(json.loads(self._native.metadata()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ArtifactError(
                f"{path or 'The compiled model'} holds metadata that it can't have been compiled with: {error!r:.200}. "
                "Compile the model again."
            ) from error

    def _take_metadata(self, content: dict[str, Any]) -> None:
        own = content.pop(COMPILED_KEY, {})
        self.metadata = content
        self.model_sha256 = str(own.get("model_sha256", ""))
        self.sample_rates = tuple(int(rate) for rate in content.get("native_sample_rates", ()))
        self.parameters = tuple(
            str(slot["name"]) for slot in _slots(content) if slot["type"] in ("continuous", "categorical")
        )[: self._native.facts()["parameters"]]
        self._defaults = [float(each) for each in own.get("defaults", ())]

    def _take(self, native: "_native.CompiledModel", sample_rate: int | None) -> None:
        """Go on with another plan of the file."""
        self._native = native
        self.sample_rate = sample_rate or next(iter(native.rates), None)
        facts = native.facts()
        self.granules: tuple[int, ...] = (facts["granule"],)
        self.in_channels: int = facts["in_channels"]
        self.out_channels: int = facts["out_channels"]
        self.look_behind_samples: int = facts["look_behind"]
        self.delay_samples: int = facts["delay_samples"]
        self.steps: int = facts["steps"]

    def at_rate(self, sample_rate: int) -> "CompiledModel":
        """What plays at a sample rate: this one, or another of the same file with a state of its own.

        Args:
            sample_rate: Hz.

        Raises:
            ArtifactError: It is not right for this rate.
        """
        if self.sample_rates and sample_rate not in self.sample_rates:
            known = ", ".join(map(str, self.sample_rates))
            raise ArtifactError(
                f"{self.path or 'The compiled model'} is for {known} Hz, and {sample_rate} Hz is asked for. Compile "
                f"the model for it: neutone-like compile PATH --rate {sample_rate}"
            )
        if self.sample_rate in (None, sample_rate):
            return self
        return self._with_own_state(sample_rate)

    def _with_own_state(self, sample_rate: int | None) -> "CompiledModel":
        other = object.__new__(CompiledModel)
        other.__dict__.update(self.__dict__)
        other._take(native_module().CompiledModel(self._native, sample_rate or 0), sample_rate)
        return other

    def __copy__(self) -> "CompiledModel":
        """The same with a state of its own, as if nothing had been played; so are deep copies and pickled ones."""
        return self._with_own_state(self.sample_rate)

    def __deepcopy__(self, memo: object) -> "CompiledModel":
        return self._with_own_state(self.sample_rate)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened_again, (self._data, self.path, self.report, self.sample_rate)

    @property
    def data(self) -> bytes:
        """The content of the file."""
        return self._data

    @property
    def kernels(self) -> str:
        """The instruction set that it plays with."""
        return str(self._native.kernels)

    @property
    def memory_bytes(self) -> int:
        """Of an instance: its state, and what it computes with."""
        return int(self._native.instance_bytes)

    def process(self, audio: ArrayLike, params: Mapping[str, ArrayLike] | None = None) -> NDArray[np.float32]:
        """Play a block, at the model's rate and in blocks that it takes.

        Args:
            audio: ``[in_channels, look_behind_samples + N]`` float32, its last ``N`` samples new.
            params: Values in the parameters' own units, one or one for each sample: of those, a parameter that the
                model takes once a block is the first of each piece of ``granules`` samples. Others stand at their
                defaults.

        Returns:
            ``[out_channels, N]`` float32.

        Raises:
            AudioError: Another shape, or a number of samples that it does not take.
            ParameterError: It has no such parameter, or it has another number of values.
            RuntimeEngineError: Another thread is inside.
        """
        block = np.ascontiguousarray(audio, dtype=np.float32)
        samples = block.shape[-1] - self.look_behind_samples
        if block.ndim != 2 or block.shape[0] != self.in_channels or not self._native.takes(max(0, samples)):
            facts = self._native.facts()
            raise AudioError(
                f"Expected [{self.in_channels}, {self.look_behind_samples} + N], N a multiple of "
                f"{max(1, facts['multiple_of'])} from {facts['shortest']} on, got {list(block.shape)}."
            )
        if params is not None and not isinstance(params, Mapping):
            raise ParameterError(f"params must be a dictionary of names and values, got {params!r:.200}.")
        given = dict(params or {})
        unknown = [name for name in given if name not in self.parameters]
        if unknown:
            raise ParameterError(f"There is no parameter {unknown[0]!r}; the model has {list(self.parameters)}.")
        values = [
            _values(name, given.get(name, default), samples)
            for name, default in zip(self.parameters, self._defaults, strict=True)
        ]
        return np.asarray(self._native.play(block, values))

    def reset(self) -> None:
        """As if nothing had been played."""
        self._native.reset()

    def check_test_vector(self) -> None:
        """Play the sound that lies in the file.

        Raises:
            ArtifactError: It becomes something else than it did where the model was compiled.
        """
        vector = self._native.test_vector()
        if vector is None:
            raise ArtifactError(f"{self.path or 'The file'} holds no sound to check it with. Compile it again.")
        audio, values, expected = vector
        fresh = native_module().CompiledModel(self._native, self.sample_rate or 0)
        got = np.asarray(fresh.play(audio, [np.atleast_1d(each) for each in values]))
        peak = float(np.max(np.abs(expected), initial=0.0))
        difference = float(np.max(np.abs(got - expected), initial=0.0))
        if not difference <= 1e-4 * max(peak, 1e-3):
            raise ArtifactError(
                f"{self.path or 'The compiled model'} does not give what it did where it was compiled: differs by "
                f"{difference:.2g} at a peak of {peak:.2g}. Compile it again."
            )

    def write(self, path: str | PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: It can't be written.
        """
        write_whole(Path(path), self._data)

    def _title(self) -> str:
        return f"CompiledModel: {self.metadata.get('model_name', '')!r}, {self.steps} steps"

    def _rows(self) -> list[Row]:
        return [
            ("file", str(self.path)),
            ("granules", ", ".join(map(str, self.granules))),
            *([("rates", ", ".join(f"{rate} Hz" for rate in self.sample_rates))] if self.sample_rate else []),
            ("kernels", self.kernels),
            ("memory", f"{self.memory_bytes} bytes"),
        ]


def _values(name: str, given: ArrayLike, samples: int) -> NDArray[np.float32]:
    """Of one parameter: ``[1]`` or ``[samples]``."""
    try:
        values = np.atleast_1d(np.asarray(given, dtype=np.float32))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name!r} takes numbers, got {given!r}.") from error
    if values.ndim != 1 or len(values) not in (1, samples):
        raise ParameterError(
            f"{name!r} takes one value or one for each of the {samples} samples, got {list(values.shape)}."
        )
    return values


def _opened_again(
    data: bytes, path: Path | None, report: CompileReport | None, sample_rate: int | None
) -> CompiledModel:
    model = CompiledModel(data, path, report)
    return model if sample_rate is None else model.at_rate(sample_rate)


def _slots(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    ours = content.get("neutone_like") or {}
    return list(ours.get("parameters", ()))


def load_compiled(path: str | PathLike[str], *, sample_rate: int | None = None) -> CompiledModel:
    """Open a ``.nlc`` file.

    Args:
        path: The file, or that of the ``.nm`` beside which it lies, or the folder of both.
        sample_rate: Hz, at which it is to play; by default the first that it has a plan for.

    Raises:
        ArtifactError: There is none, it is damaged, is not right for this rate, or belongs to another ``.nm`` than the
            one given.
    """
    given = resolve(path)
    file = given.with_name(COMPILED_NAME) if given.suffix == ".nm" else given
    try:
        data = file.read_bytes()
    except OSError as error:
        model = given if file != given else given.with_name(MODEL_NAME)
        raise ArtifactError(
            f"There is no compiled model {file}: {error.strerror}. Make one: neutone-like compile {model}"
        ) from error
    compiled = CompiledModel(data, file)
    if file != given and compiled.model_sha256 != digest_of_file(given):
        raise ArtifactError(
            f"{file} was compiled from another model than {given}, which has changed since. Compile it again: "
            f"neutone-like compile {given}"
        )
    return compiled if sample_rate is None else compiled.at_rate(sample_rate)
