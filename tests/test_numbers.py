"""What is a number, wherever one is asked for."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like.errors import AudioError
from neutone_like.numbers import as_finite_number, as_number, as_whole_number, real_number, whole_number

WHOLE = [
    3,
    *(kind(3) for kind in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64)),
    np.array(3),
    torch.tensor(3),
    torch.tensor(3, dtype=torch.uint8),
]
REAL = [
    0.5,
    *(kind(0.5) for kind in (np.float16, np.float32, np.float64, np.longdouble)),
    np.array(0.5, np.float32),
    *(torch.tensor(0.5, dtype=kind) for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64)),
    torch.tensor(0.5, requires_grad=True),
    torch.nn.Parameter(torch.tensor(0.5)),
    Fraction(1, 2),
    Decimal("0.5"),
]


class NotANumber:
    def __repr__(self) -> str:  # the test's name, which every worker must see alike
        return "NotANumber()"


NONE = [
    True,
    np.bool_(True),
    torch.tensor(True),
    "3",
    b"3",
    None,
    [3],
    (0.5,),
    np.array([3]),
    np.array([[0.5]]),
    torch.tensor([3]),
    1j,
    np.complex64(1),
    torch.tensor(1j),
    np.str_("3"),
    np.datetime64("2020-01-01"),
    torch.empty((), device="meta"),
    NotANumber(),
    int,
    {},
]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_a_whole_number_of_any_make_becomes_an_int(value: Any) -> None:
    for found in (as_number(value), as_whole_number(value), whole_number(value, "n", 3, 3)):
        assert found == 3
        assert type(found) is int
    assert as_finite_number(value) == 3.0


@pytest.mark.parametrize("value", REAL, ids=repr)
def test_a_real_number_of_any_make_becomes_a_float(value: Any) -> None:
    for found in (as_number(value), real_number(value, "x", 0.5, 0.5), as_finite_number(value)):
        assert found == 0.5
        assert type(found) is float
    assert as_whole_number(value) is None


@pytest.mark.parametrize("value", NONE, ids=repr)
def test_what_is_no_number_is_none(value: Any) -> None:
    assert as_number(value) is None
    assert as_whole_number(value) is None
    assert as_finite_number(value) is None


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float32("nan"),
        Decimal("sNaN"),
        10**400,
        Fraction(10**400),
        torch.tensor(-torch.inf),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_nan_and_what_is_beyond_all_floats_is_not_finite_and_in_no_range(value: Any) -> None:
    assert as_finite_number(value) is None
    with pytest.raises(AudioError, match=r"^gain must lie in -1\.0\.\.1\.0 dB, got "):
        real_number(value, "gain", -1.0, 1.0, unit="dB", error=AudioError)


@pytest.mark.parametrize(
    "value",
    [2, np.int64(9), 5.0, "5", True, float("nan")],
    ids=repr,
)
def test_a_refusal_names_what_is_allowed_and_what_came(value: Any) -> None:
    with pytest.raises(AudioError) as caught:
        whole_number(value, "rate", 3, 8, unit="Hz", error=AudioError)
    assert str(caught.value) == f"rate must be an integer in 3..8 Hz, got {value!r}."
