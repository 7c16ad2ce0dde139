"""In what a teacher and its student must be alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import ModelError, ParameterError
from neutone_like.model import ModelMetadata, WaveformToWaveformBase

_NAME_CHARACTERS = 30
_SUFFIX = " (small)"


@dataclass(frozen=True)
class Facts:
    """Of one side.

    Attributes:
        what: Which side.
        sample_rate: Hz.
        delay_samples: At that rate.
    """

    what: str
    name: str
    authors: tuple[str, ...]
    version: str
    sample_rate: int
    in_channels: int
    out_channels: int
    delay_samples: int

    def student_metadata(self) -> ModelMetadata:
        """What a student says of itself."""
        return ModelMetadata(
            name=self.name[: _NAME_CHARACTERS - len(_SUFFIX)] + _SUFFIX,
            authors=self.authors,
            version=self.version,
            short_description=f"Learned from {self.name}"[:150],
        )


def facts_of(
    model: WaveformToWaveformBase | Artifact,
    sample_rate: int | None,
    params: Mapping[str, Any] | None,
    what: str = "teacher",
) -> Facts:
    """Read them off.

    Args:
        model: A live model or its artifact.
        sample_rate: Hz; needed where the model has several rates, or any.
        params: What its parameters are set to; ``None``: nothing.

    Raises:
        ModelError: It has not this rate, or several and none is chosen.
        ParameterError: It has parameters, and they are not set.
    """
    if isinstance(model, Artifact):
        rates, names = model.sample_rates, [each.name for each in model.numerical_parameters]
        name, authors, version = model.metadata.model_name, model.metadata.model_authors, model.metadata.model_version
        core: Any = model.fresh_module().w2w_base
    else:
        declared = model.declaration()
        rates, names = declared.sample_rates, [each.name for each in declared.parameters]
        name, authors, version = model.metadata.name, model.metadata.authors, model.metadata.version
        core = working_copy(model)  # which is prepared below, as a host prepares it: a delay may depend on the rate
    if names and params is None:
        raise ParameterError(
            f"{what}: {name} has the parameters {names}, and a student has none: it learns one setting. Give it, as in "
            f"params={{{names[0]!r}: ...}}; params={{}} is the defaults."
        )
    rate = _rate(rates, sample_rate, f"{what}: {name}")
    core.prepare_model(rate, min(model.block_sizes, default=64) if isinstance(model, Artifact) else 64)
    return Facts(
        what=what,
        name=name,
        authors=tuple(authors),
        version=version,
        sample_rate=rate,
        in_channels=model.in_channels,
        out_channels=model.out_channels,
        delay_samples=int(core.model_delay_samples()),
    )


def _rate(rates: tuple[int, ...], wanted: int | None, who: str) -> int:
    if wanted is None:
        if len(rates) == 1:
            return rates[0]
        raise ModelError(
            f"{who} plays at {list(rates) or 'any rate'}: give sample_rate, in Hz, that both are to play at."
        )
    if rates and wanted not in rates:
        raise ModelError(f"{who} plays at {list(rates)} Hz, and {wanted} Hz was asked for. Both need one rate.")
    return wanted


def require_same(teacher: Facts, student: Facts) -> None:
    """Raise :class:`ModelError` where a student can't stand in for its teacher, with all that differs."""
    names = {
        "sample_rate": "Hz",
        "in_channels": "channels in",
        "out_channels": "channels out",
        "delay_samples": "samples late",
    }
    different = [
        f"{getattr(teacher, name)} and {getattr(student, name)} {words}"
        for name, words in names.items()
        if getattr(teacher, name) != getattr(student, name)
    ]
    if different:
        raise ModelError(
            f"Teacher and student differ: {'; '.join(different)}. A student stands in for its teacher: make it with "
            "the same rate, channels and delay_samples."
        )
