"""Which kinds of students a search trains: those that learn best in a tenth of the time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from neutone_like.errors import ModelError
from neutone_like.optimise import StudentShape
from neutone_like.optimise.budget import makers

RATE = 48000


def test_what_learns_best_in_a_tenth_of_the_time_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [
        StudentShape("wavenet", 16, 3, (1, 2)),
        StudentShape("tcn", 8, 3, (1, 2)),
        StudentShape("wavenet", 8, 6, (1, 2)),
        StudentShape("lstm", 4),
        StudentShape("wiener_hammerstein", 4, 3, (1, 2)),
    ]
    errors = {"wavenet": 0.3, "tcn": 0.2, "lstm": 0.4, "wiener_hammerstein": 0.1}
    asked: list[tuple[str, float]] = []

    def distil(teacher: Any, shape: StudentShape, *, out: Path, seconds: float) -> Any:
        asked.append((shape.family, seconds))
        if shape.family == "lstm":
            raise ModelError("it does not stream")
        return SimpleNamespace(curve=[SimpleNamespace(validation_esr=each) for each in (1.0, errors[shape.family])])

    monkeypatch.setattr(makers, "distil", distil)

    def chosen(students: int) -> tuple[list[StudentShape], list[str]]:
        made = makers.Makers(
            subject=cast(Any, None), original=cast(Any, None), folder=tmp_path, has_parameters=False, sample_rate=RATE,
            block_sizes=[64], budget=0.5, training={"seconds": 30.0}, calibration=[], students=students,
            show=lambda text: None,
        )  # fmt: skip
        return made.chosen(shapes), made.left_out

    found, left_out = chosen(2)
    assert [each.family for each in found] == ["wiener_hammerstein", "tcn"]
    assert asked == [(family, pytest.approx(3.0)) for family in ("wavenet", "tcn", "lstm", "wiener_hammerstein")]
    assert left_out[0] == "lstm, 4 units: it does not stream"
    assert left_out[1].startswith("wavenet, 16 channels, 2 layers of 3 taps: an ESR of 0.3 after")
    asked.clear()
    assert chosen(5)[0] == [shapes[0], shapes[1], shapes[3], shapes[4], shapes[2]], "of each family one first"
    assert asked == [], "nothing has to be tried where all are trained"
