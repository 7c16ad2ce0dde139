"""The parameters of one model in a render: what is set, checked when it is set."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from neutone_like.errors import ParameterError
from neutone_like.model import NumericalParameter
from neutone_like.model.parameter_values import check_names
from neutone_like.render.automation import Constant, Curve, PerSample, read_curve


class ParameterValues(MutableMapping[str, Any]):
    """A dictionary of parameter values in their own units; deleting one brings its default back.

    Args:
        declared: The model's parameters.
        values: What differs from the defaults; see :func:`neutone_like.render.automation.read_curve`.

    Raises:
        ParameterError: Unknown name, or a value that the parameter does not take.
    """

    def __init__(self, declared: tuple[NumericalParameter, ...], values: Mapping[str, Any] | None = None) -> None:
        self._declared = {parameter.name: parameter for parameter in declared}
        self._values: dict[str, Any] = {parameter.name: parameter.default for parameter in declared}
        self._curves: dict[str, Curve] = {name: Constant(p.default_0to1) for name, p in self._declared.items()}
        self.update(values or {})

    def __getitem__(self, name: str) -> Any:
        self._require(name)
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        parameter = self._require(name)
        self._curves[name] = read_curve(parameter, value)
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self[name] = self._require(name).default

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"ParameterValues({self._values!r})"

    @property
    def curves(self) -> tuple[Curve, ...]:
        """In the declared order, which is the order of a host's rows."""
        return tuple(self._curves.values())

    @property
    def moves(self) -> bool:
        """Whether any value changes during the stream."""
        return any(curve.moves for curve in self._curves.values())

    @property
    def moves_between_blocks(self) -> tuple[str, ...]:
        """The parameters that a model reads once a block, and whose value changes during the stream."""
        return tuple(name for name, c in self._curves.items() if c.moves and self._declared[name].rate == "block")

    def require_still(self, model_name: str) -> None:
        """Check that a model that is called once, with the whole signal, can follow the values.

        Raises:
            ParameterError: Names a parameter that it reads once and that moves.
        """
        for name in self.moves_between_blocks:
            raise ParameterError(
                f"Parameter {name!r} can't be automated: {model_name} is a one-shot model, called once for the whole "
                f"signal, and reads it once, since its rate is 'block'. Give one value for all of the signal; or "
                f"declare the parameter with rate='sample', which gives the model a value for every sample."
            )

    def require_length(self, samples: int) -> None:
        """Check that values given for every sample are as many as there are samples.

        Raises:
            ParameterError: Names the parameter, its number of values, and ``samples``.
        """
        for name, curve in self._curves.items():
            if isinstance(curve, PerSample) and len(curve.own_values) != samples:
                raise ParameterError(
                    f"Parameter {name!r}: an array holds one value for each of the {samples} samples of the audio, "
                    f"got {len(curve.own_values)}. Use (seconds, value) points to be free of the length."
                )

    def _require(self, name: str) -> NumericalParameter:
        check_names(tuple(self._declared.values()), {name: None})
        return self._declared[name]
