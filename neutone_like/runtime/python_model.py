"""The side of a Python backend that the engine calls: views of the engine's memory in, copies for the user."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.runtime.model_calls import ModelCaller, called_by

Audio = npt.NDArray[np.float32]
ModelCallable = Callable[[Audio, dict[str, Audio]], Any]


class PythonModel:
    """One instance of a user's callable. Every method is called with the GIL held, by one thread at a time.

    Args:
        function: ``function(x, parameters) -> y``.
        parameter_names: In the order of the engine's values.
        delay_samples: How far the output lags behind the input.
        caller: Of the session that plays it.
    """

    def __init__(
        self, function: ModelCallable, parameter_names: tuple[str, ...], delay_samples: int, caller: ModelCaller
    ) -> None:
        self.function = function
        self.parameter_names = parameter_names
        self.delay_samples = delay_samples
        self.caller = caller

    def clone(self) -> "PythonModel | None":
        """Another instance in the same state, or None where there can't be one."""
        if not keeps_state(self.function):
            return self
        try:
            with called_by(self.caller):
                function = copy.deepcopy(self.function)
        except Exception:  # what the user's object holds decides what is raised here
            return None
        return PythonModel(function, self.parameter_names, self.delay_samples, self.caller)

    def prepare(self, sample_rate: int, longest_block: int) -> int:
        """Tell the callable, if it wants to know, and answer with its delay in samples."""
        prepare = getattr(self.function, "prepare", None)
        if callable(prepare):
            with called_by(self.caller):
                prepare(sample_rate, longest_block)
        return self.delay_samples

    def reset(self) -> None:
        """As new."""
        reset = getattr(self.function, "reset", None)
        if callable(reset):
            with called_by(self.caller):
                reset()

    def process(self, audio: Audio, output: Audio, values: list[Audio]) -> str | None:
        """One block: ``output`` is filled.

        Returns:
            None, or what is wrong with the shape or type that came back.
        """
        parameters = {name: value.copy() for name, value in zip(self.parameter_names, values, strict=True)}
        with called_by(self.caller):
            y = np.asarray(self.function(audio.copy(), parameters))
        if y.shape != output.shape or y.dtype.kind != "f":
            return (
                f"Expected the callable to return floating-point audio of shape {list(output.shape)} for input of "
                f"shape {list(audio.shape)}, got {y.dtype} of shape {list(y.shape)}."
            )
        output[:] = y
        return None


def keeps_state(function: object) -> bool:
    """Whether a callable remembers what it was given: those that do have a method ``reset``."""
    return callable(getattr(function, "reset", None))
