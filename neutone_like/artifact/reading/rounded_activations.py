"""Programs that round numbers on the way to few levels, so that the last bit of one may make a level of difference.

Another processor, another version of PyTorch, or blocks of another length add in another order. What lies between two
levels then goes to the other one, and what is heard differs by as much as the rounding itself costs.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.jit import ScriptModule

SAFETY = 4.0
"""Times the effect of a last bit that was seen."""
_LAST_BIT = 2.0**-22  # of full scale: a few roundings of a float32 sample
_OPERATION = "fake_quantize_per_tensor_affine"


def rounds_activations(module: ScriptModule) -> bool:
    """Whether a module, or one inside it, rounds so."""
    parts = [each for each in module.modules() if isinstance(each, ScriptModule)]
    return any(_OPERATION in code for each in parts for code in _code_of(each))


def _code_of(module: Any) -> Iterator[str]:
    return (module._c._get_method(name).code for name in module._c._method_names())


def rounded_otherwise(x: Tensor) -> Tensor:
    """The same sound as other roundings before it would have made it."""
    generator = torch.Generator().manual_seed(7)
    return x + _LAST_BIT * (2.0 * torch.rand(x.shape, generator=generator) - 1.0)


def tolerated(output: NDArray[np.float32], otherwise: NDArray[np.float32]) -> float:
    """How far two outputs of such a module may be apart without anything being wrong.

    Args:
        output: What it made of a sound.
        otherwise: What it made of the same, otherwise rounded.
    """
    return SAFETY * float(np.abs(otherwise - output).max(initial=0.0))
