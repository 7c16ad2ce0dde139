"""What may be written for a parameter, and which value each sample gets."""

import re

import numpy as np
import pytest
import torch

from neutone_like import CategoricalParameter, ContinuousParameter, ParameterError
from neutone_like.render.automation import read_curve
from neutone_like.render.parameter_values import ParameterValues

DRIVE = ContinuousParameter("drive", default=12.0, minimum=-6.0, maximum=36.0, unit="dB")
SHAPE = CategoricalParameter("shape", labels=("soft", "hard", "fold"), default="hard")
RATE = 1000


def own_values(
    parameter: ContinuousParameter | CategoricalParameter, value: object, start: int, samples: int
) -> list[float]:
    host = read_curve(parameter, value).values(start, samples, RATE)
    assert host.dtype == np.float32
    assert host.shape == (samples,)
    return (parameter.minimum + host.astype(float) * (parameter.maximum - parameter.minimum)).tolist()


@pytest.mark.parametrize("value", [24.0, 24, np.float32(24), np.int64(24), np.array(24.0), torch.tensor(24.0)])
def test_constant(value: object) -> None:
    assert own_values(DRIVE, value, 5, 3) == pytest.approx([24.0] * 3, abs=1e-5)


@pytest.mark.parametrize("value", ["fold", 2, 2.0, np.int64(2)])
def test_choice(value: object) -> None:
    assert own_values(SHAPE, value, 0, 2) == [2.0, 2.0]


POINTS = [(0.002, 0.0), (0.004, 10.0), (0.006, -6.0)]


@pytest.mark.parametrize("value", [POINTS, tuple(POINTS), np.array(POINTS), torch.tensor(POINTS, dtype=torch.float64)])
def test_points_are_joined_by_straight_lines(value: object) -> None:
    expected = [0.0, 0.0, 0.0, 5.0, 10.0, 2.0, -6.0, -6.0]
    assert own_values(DRIVE, value, 0, 8) == pytest.approx(expected, abs=1e-5)
    assert own_values(DRIVE, value, 3, 3) == pytest.approx(expected[3:6], abs=1e-5)


def test_choices_step_at_the_nearest_sample() -> None:
    assert own_values(SHAPE, [(0.0, "soft"), (0.003, "fold"), (0.0056, 1)], 0, 8) == [0, 0, 0, 2, 2, 2, 1, 1]


@pytest.mark.parametrize("sample", [1, 7, 147, 44099, 123_457])
def test_a_step_lands_on_its_sample_whatever_rounding_does(sample: int) -> None:
    host = read_curve(SHAPE, [(0.0, 0), (sample / 44100, 2)]).values(sample - 1, 3, 44100)
    assert host.tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("value", [np.arange(6.0), np.arange(6), torch.arange(6.0)])
def test_one_value_a_sample(value: object) -> None:
    assert own_values(DRIVE, value, 2, 6) == pytest.approx([2.0, 3.0, 4.0, 5.0, 5.0, 5.0], abs=1e-5)


def test_range_ends_survive_single_precision() -> None:
    narrow = ContinuousParameter("narrow", default=0.1, minimum=0.1, maximum=0.7)
    host = read_curve(narrow, np.array([0.1, 0.7], dtype=np.float32)).values(0, 2, RATE)
    assert host.tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    assert 0.0 <= host.min() <= host.max() <= 1.0


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (DRIVE, 40.0, "Parameter 'drive': allowed is -6.0..36.0 dB, got 40.0."),
        (DRIVE, float("nan"), "Parameter 'drive': value must be a finite number, got nan."),
        (DRIVE, "loud", "Parameter 'drive': value must be a finite number, got 'loud'."),
        (DRIVE, True, "Parameter 'drive': value must be a finite number, got True."),
        (DRIVE, None, "expected a number or a label, a sequence of (seconds, value) points, or a 1-D array"),
        (DRIVE, np.zeros((3, 4)), "got ndarray of shape (3, 4)."),
        (SHAPE, "bent", "allowed is one of ['soft', 'hard', 'fold'] or an index in 0..2, got 'bent'."),
        (SHAPE, 3, "allowed is one of ['soft', 'hard', 'fold'] or an index in 0..2, got 3."),
        (DRIVE, [], "an automation curve is one or more (seconds, value) points"),
        (DRIVE, [1.0, 2.0], "One value a sample goes in a 1-D array."),
        (DRIVE, [(0.0, 1.0), (0.5,)], "an automation curve is one or more (seconds, value) points"),
        (DRIVE, [(1.0, 1.0), (0.5, 2.0)], "the times of an automation curve must rise, got 0.5 s after 1.0 s."),
        (DRIVE, [(0.5, 1.0), (0.5, 2.0)], "the times of an automation curve must rise, got 0.5 s after 0.5 s."),
        (DRIVE, [(-1.0, 1.0)], "the time of an automation point is in seconds, 0 or later, got -1.0."),
        (DRIVE, [("now", 1.0)], "the time of an automation point is in seconds, 0 or later, got 'now'."),
        (DRIVE, [(float("nan"), 1.0)], "the time of an automation point is in seconds, 0 or later, got nan."),
        (DRIVE, [(0.0, 99.0)], "Parameter 'drive': allowed is -6.0..36.0 dB, got 99.0."),
        (DRIVE, np.array([1.0, 99.0]), "Parameter 'drive': allowed is -6.0..36.0 dB, got 99.0 at sample 1."),
        (DRIVE, np.array([1.0, np.nan]), "got nan at sample 1."),
        (DRIVE, np.array([]), "expected one number a sample, got 0"),
        (DRIVE, np.array([True, False]), "expected one number a sample, got 2 of type bool."),
        (SHAPE, np.array([0.0, 0.5]), "allowed is a whole number in 0.0..2.0, got 0.5 at sample 1."),
    ],
)
def test_what_is_refused(parameter: ContinuousParameter | CategoricalParameter, value: object, message: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(message)):
        read_curve(parameter, value)


def test_values_by_name() -> None:
    values = ParameterValues((DRIVE, SHAPE), {"shape": "fold"})
    assert dict(values) == {"drive": 12.0, "shape": "fold"}
    values["drive"] = 36.0
    assert [float(curve.values(0, 1, RATE)[0]) for curve in values.curves] == [1.0, 1.0]
    del values["drive"]
    assert values["drive"] == 12.0
    assert len(values) == 2
    assert "drive" in values
    assert "tone" not in values


def test_unknown_names_list_the_known() -> None:
    message = "The model has no parameter 'drvie'; it has ['drive', 'shape']. Did you mean 'drive'?"
    with pytest.raises(ParameterError, match=re.escape(message)):
        ParameterValues((DRIVE, SHAPE), {"drvie": 1.0})
    values = ParameterValues((DRIVE, SHAPE))
    for action in (lambda: values["drvie"], lambda: values.pop("drvie"), lambda: values.update(drvie=1.0)):
        with pytest.raises(ParameterError, match=re.escape(message)):
            action()
    with pytest.raises(ParameterError, match=re.escape("The model has no parameter 'drive'; it has none.")):
        ParameterValues((), {"drive": 1.0})


def test_a_refused_value_changes_nothing() -> None:
    values = ParameterValues((DRIVE,), {"drive": 1.0})
    with pytest.raises(ParameterError):
        values["drive"] = 99.0
    assert values["drive"] == 1.0
