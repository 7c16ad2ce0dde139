"""Own units to a host's 0..1 and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neutone_like import CategoricalParameter, ContinuousParameter, ParameterError
from neutone_like.model.parameter_values import from_host_value, from_host_values, to_host_value, to_host_values

DRIVE = ContinuousParameter("drive", default=12.0, minimum=-6.0, maximum=36.0, unit="dB")
SHAPE = CategoricalParameter("shape", labels=("soft", "hard", "2"), default="hard")
BOTH = (DRIVE, SHAPE)


def test_defaults() -> None:
    values = to_host_values(BOTH, {})
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, torch.tensor([[18.0 / 42.0], [0.5]]))


def test_no_parameters() -> None:
    assert to_host_values((), {}).shape == (0, 1)
    assert from_host_values((), torch.zeros(4, 1)) == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"drive": -6.0}, [0.0, 0.5]),
        ({"drive": 36}, [1.0, 0.5]),
        ({"drive": " 15.0 "}, [0.5, 0.5]),
        ({"shape": "soft", "drive": 15}, [0.5, 0.0]),
        ({"shape": 2, "drive": 15}, [0.5, 1.0]),
        ({"shape": "1", "drive": 15}, [0.5, 0.5]),  # the text of an index
        ({"shape": "2", "drive": 15}, [0.5, 1.0]),  # a label that looks like one
    ],
)
def test_values_by_name(values: dict[str, float | str], expected: list[float]) -> None:
    expected[0] = expected[0] if "drive" in values else 18.0 / 42.0
    torch.testing.assert_close(to_host_values(BOTH, values), torch.tensor(expected).unsqueeze(1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drvie": 3.0}, r"no parameter 'drvie'; it has \['drive', 'shape'\]\. Did you mean 'drive'\?"),
        ({"x": 3.0}, r"no parameter 'x'; it has \['drive', 'shape'\]\.$"),
        ({"drive": 37.0}, r"'drive': allowed is -6\.0\.\.36\.0 dB, got 37\.0"),
        ({"drive": float("nan")}, r"'drive'.*finite number, got nan"),
        ({"drive": "loud"}, r"'drive': allowed is a number in -6\.0\.\.36\.0, got the text 'loud'"),
        ({"drive": "nan"}, r"'drive'.*finite number, got nan"),
        ({"drive": True}, r"'drive'.*finite number, got True"),
        ({"shape": "round"}, r"'shape': allowed is one of \['soft', 'hard', '2'\] or an index in 0\.\.2, got 'round'"),
        ({"shape": 3}, r"'shape'.*got 3"),
        ({"shape": 0.5}, r"'shape'.*got 0\.5"),
    ],
)
def test_refused(values: dict[str, float | str], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        to_host_values(BOTH, values)


def test_unknown_name_where_there_are_none() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'drive'; it has none\.$"):
        to_host_values((), {"drive": 1.0})


def test_back_again() -> None:
    assert from_host_values(BOTH, torch.tensor([0.5, 0.5])) == {"drive": 15.0, "shape": "hard"}
    assert from_host_values(BOTH, torch.tensor([[0.0], [1.0], [0.7], [0.0]])) == {"drive": -6.0, "shape": "2"}


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2, 5), (2, 1, 1), ()])
def test_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"Expected host values of shape \[2\] or \[2, 1\], got \["):
        from_host_values(BOTH, torch.zeros(shape))


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_host_value_out_of_range(value: float) -> None:
    with pytest.raises(ParameterError, match=r"'drive': a host value lies in 0\.\.1, got"):
        from_host_value(DRIVE, value)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0.0, 1.0))
def test_there_and_back(minimum: float, width: float, share: float) -> None:
    maximum = minimum + width
    value = min(maximum, minimum + share * (maximum - minimum))
    parameter = ContinuousParameter("x", default=minimum, minimum=minimum, maximum=maximum)
    host = to_host_value(parameter, value)
    assert 0.0 <= host <= 1.0
    assert from_host_value(parameter, host) == pytest.approx(value, abs=1e-9 * (abs(minimum) + width))


@given(st.integers(2, 40), st.data())
def test_labels_there_and_back(count: int, data: st.DataObject) -> None:
    parameter = CategoricalParameter("x", labels=tuple(f"label {number}" for number in range(count)))
    index = data.draw(st.integers(0, count - 1))
    values = to_host_values((parameter,), {"x": index})  # through float32, as a host sends it
    assert from_host_values((parameter,), values) == {"x": f"label {index}"}
