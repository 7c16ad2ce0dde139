"""The flat list of a file's weights, dealt out to the layers in the order in which the file has them."""

import math
from typing import Any, cast

import torch
from torch import Tensor

from neutone_like.errors import ModelFileError
from neutone_like.importers.fields import is_finite


class Weights:
    """A list of finite numbers; too few or too many are refused."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, list):
            raise ModelFileError(f"{where} must be a list of numbers, got {values!r:.60}. The file is damaged.")
        numbers = cast("list[Any]", values)
        for at, value in enumerate(numbers):
            if not is_finite(value):
                raise ModelFileError(
                    f"{where}[{at}] must be a finite number, got {value!r:.60}. Train or export again."
                )
        self.values = torch.tensor(numbers, dtype=torch.float64)
        if not bool(self.values.float().isfinite().all()):
            raise ModelFileError(f"{where} has a number beyond float32. Train or export again.")
        self.where = where
        self.at = 0

    def take(self, *shape: int) -> Tensor:
        """The next weights as a tensor of this shape, float32."""
        count = math.prod(shape)
        if self.at + count > len(self.values):
            raise ModelFileError(
                f"{self.where} has {len(self.values)} numbers, and the architecture needs more: at least "
                f"{self.at + count}. The file is cut off, or its config is not that of its weights."
            )
        taken = self.values[self.at : self.at + count].reshape(shape).float()
        self.at += count
        return taken

    def fill(self, *parameters: Tensor | None) -> None:
        """Copy the next weights into these parameters, one after the other; None is skipped."""
        with torch.no_grad():
            for parameter in parameters:
                if parameter is not None:
                    parameter.copy_(self.take(*parameter.shape))

    def done(self) -> None:
        """Refuse what is left over."""
        if self.at != len(self.values):
            raise ModelFileError(
                f"{self.where} has {len(self.values)} numbers, and the architecture takes {self.at}. "
                "The config is not that of these weights."
            )
