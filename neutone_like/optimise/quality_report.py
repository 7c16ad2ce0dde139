"""What a comparison found: a few numbers over all sounds, those of each sound, and whether they are good enough."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.numbers import as_finite_number
from neutone_like.printing import Printed, Row
from neutone_like.validate.report import Check

# Of each measure: its name in words, its unit, and whether more of it is better.
MEASURES = {
    "error_to_signal_ratio": ("error-to-signal ratio", "", False),
    "si_sdr_db": ("SI-SDR", " dB", True),
    "spectral_distance": ("spectral distance", "", False),
    "log_mel_distance_db": ("log-mel distance", " dB", False),
    "loudness_difference_lu": ("loudness difference", " LU", False),
    "frechet_distance": ("Frechet distance", "", False),
}
_ADVICE = "Keep the reference, or change the candidate less: more bits, more channels, longer training."


@dataclass(frozen=True, repr=False)
class ItemQuality(Printed):
    """One sound. ``loudness_difference_lu`` is ``None`` where one side is below 400 ms or never above -70 LUFS.

    ``lag_samples``: by how many samples the candidate comes late, as the correlation has it. It is not taken out.
    """

    name: str
    seconds: float
    error_to_signal_ratio: float
    si_sdr_db: float
    spectral_distance: float
    log_mel_distance_db: float
    loudness_difference_lu: float | None
    lag_samples: int


@dataclass(frozen=True, repr=False)
class QualityVerdict(Printed):
    """Whether a candidate kept to its limits: a check for each of them."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all did."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {"passed": self.passed, "checks": [check.to_dict() for check in self.checks]}

    def _title(self) -> str:
        return "Quality: good enough" if self.passed else "Quality: NOT good enough"

    def _rows(self) -> list[Row]:
        return [
            (check.name, check.status, f"measured {check.measured}", f"allowed {check.allowed}")
            for check in self.checks
        ]


@dataclass(frozen=True, repr=False)
class QualityReport(Printed):
    """How far a candidate is from its reference.

    Attributes:
        items: Each sound by itself.
        frechet_distance: Between all embeddings of both sides; ``None`` where there are too few of them.
        embedding_name: Of what. The built-in one is no published one: its numbers compare with each other only.
        embeddings, embedding_dimensions: How many there were on each side; fewer than twice the dimensions are too few.
    """

    items: tuple[ItemQuality, ...]
    frechet_distance: float | None
    embedding_name: str
    embeddings: int
    embedding_dimensions: int

    @property
    def error_to_signal_ratio(self) -> float:
        """Mean over the sounds: 0 is equal, 1 is what silence would give."""
        return _mean([item.error_to_signal_ratio for item in self.items])

    @property
    def si_sdr_db(self) -> float:
        """Mean over the sounds, each within -120..120 dB."""
        return _mean([item.si_sdr_db for item in self.items])

    @property
    def spectral_distance(self) -> float:
        """Mean over the sounds, multi-resolution STFT."""
        return _mean([item.spectral_distance for item in self.items])

    @property
    def log_mel_distance_db(self) -> float:
        """Mean over the sounds, in dB."""
        return _mean([item.log_mel_distance_db for item in self.items])

    @property
    def loudness_difference_lu(self) -> float | None:
        """Of the sound where it is largest, louder above 0; ``None`` where one of them can't be measured."""
        found = [item.loudness_difference_lu for item in self.items]
        known = [each for each in found if each is not None]
        return max(known, key=abs) if len(known) == len(found) else None

    @checked_arguments(ParameterError)
    def check(
        self,
        *,
        error_to_signal_ratio: float | None = None,
        si_sdr_db: float | None = None,
        spectral_distance: float | None = None,
        log_mel_distance_db: float | None = None,
        loudness_difference_lu: float | None = None,
        frechet_distance: float | None = None,
    ) -> QualityVerdict:
        """Hold the numbers against limits: the least SI-SDR, the most of everything else (loudness in either sense).

        What could not be measured does not pass.

        Raises:
            ParameterError: No limit, or one that is no finite number.
        """
        limits = {
            "error_to_signal_ratio": error_to_signal_ratio,
            "si_sdr_db": si_sdr_db,
            "spectral_distance": spectral_distance,
            "log_mel_distance_db": log_mel_distance_db,
            "loudness_difference_lu": loudness_difference_lu,
            "frechet_distance": frechet_distance,
        }
        given = {name: limit for name, limit in limits.items() if limit is not None}
        if not given:
            raise ParameterError(
                f"check needs at least one limit, such as error_to_signal_ratio=0.01; of {list(limits)}."
            )
        return QualityVerdict(tuple(_check(name, getattr(self, name), limit) for name, limit in given.items()))

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            **{name: getattr(self, name) for name in MEASURES},
            "embedding": {
                "name": self.embedding_name,
                "count": self.embeddings,
                "dimensions": self.embedding_dimensions,
            },
            "items": [asdict(item) for item in self.items],
        }

    def _title(self) -> str:
        late = [item for item in self.items if item.lag_samples]
        count = f"{len(self.items)} sound{'s' * (len(self.items) != 1)}"
        if not late:
            return f"Quality over {count}"
        return (
            f"Quality over {count}; {len(late)} not aligned: {late[0].name} lags by {late[0].lag_samples} (in samples)"
        )

    def _rows(self) -> list[Row]:
        return [(words, _shown(getattr(self, name), unit)) for name, (words, unit, _) in MEASURES.items()]

    def _html_rows(self) -> list[Row]:
        items = [_row_of(item) for item in self.items]
        embedded = f"{self.embedding_name}: {self.embeddings} of {self.embedding_dimensions} dimensions"
        return [*self._rows(), ("embedding", embedded), ("sound", *(MEASURES[name][0] for name in _OF_ITEMS)), *items]


_OF_ITEMS = tuple(name for name in MEASURES if name != "frechet_distance")


def _row_of(item: ItemQuality) -> Row:
    return (item.name, *(_shown(getattr(item, name), MEASURES[name][1]) for name in _OF_ITEMS))


def _check(name: str, value: float | None, limit: float) -> Check:
    words, unit, more_is_better = MEASURES[name]
    allowed = as_finite_number(limit)
    if allowed is None:
        raise ParameterError(f"{name}: expected a finite number as limit, got {limit!r}.")
    if allowed < 0.0 and not more_is_better:
        raise ParameterError(f"{name}: expected a limit of 0 or more, got {limit!r}: it is never below 0.")
    if value is None:
        return Check(words, "failed", "not measured", _shown(allowed, unit), "Give more or longer audio.")
    good = value >= allowed if more_is_better else abs(value) <= allowed
    sense = "at least" if more_is_better else "either way at most" if name.startswith("loudness") else "at most"
    limits = f"{sense} {_shown(allowed, unit)}"
    return Check(words, "passed" if good else "failed", _shown(value, unit), limits, _ADVICE)


def _shown(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{value:.4g}{unit}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
