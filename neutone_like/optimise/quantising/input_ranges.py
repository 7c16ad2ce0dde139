"""What layers are given while audio plays: how far it reaches, and how much of it a grid clips.

Ranges without the farthest numbers are nearer on the audio that they were chosen by, and farther off on other audio.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from neutone_like.optimise.quantising.rounded_layers import InputGrid

Hear = Callable[[str, Tensor], None]


class InputRanges:
    """The lowest and the highest number of what each layer was given."""

    def __init__(self) -> None:
        self._ends: dict[str, tuple[float, float]] = {}

    def hear(self, name: str, x: Tensor) -> None:
        """One call of a layer."""
        lowest, highest = self._ends.get(name, (0.0, 0.0))
        finite = x.detach()[x.isfinite()]
        if finite.numel():
            lowest, highest = min(lowest, float(finite.min())), max(highest, float(finite.max()))
        self._ends[name] = lowest, highest

    def was_called(self, name: str) -> bool:
        """Whether a layer was given anything."""
        return name in self._ends

    def grids(self) -> dict[str, InputGrid]:
        """For each layer that was given more than silence the grid that reaches over all of it."""
        return {name: InputGrid.of_range(*ends) for name, ends in self._ends.items() if ends != (0.0, 0.0)}


class Clipped:
    """How many of the numbers that layers were given their grids clip."""

    def __init__(self, grids: Mapping[str, InputGrid]) -> None:
        self._grids = grids
        self._counts: dict[str, tuple[int, int]] = dict.fromkeys(grids, (0, 0))

    def hear(self, name: str, x: Tensor) -> None:
        """One call of a layer."""
        clipped, heard = self._counts[name]
        self._counts[name] = clipped + int(self._grids[name].beyond(x.detach()).sum()), heard + x.numel()

    def share(self, name: str) -> float:
        """Of a layer, 0..1."""
        clipped, heard = self._counts[name]
        return clipped / max(1, heard)


@contextmanager
def hearing_inputs(layers: Mapping[str, nn.Module], hear: Hear) -> Iterator[None]:
    """Tell what layers are given while this lasts, in the model or in copies that are made of it meanwhile."""

    def hook_of(name: str) -> Any:
        def heard(_: Any, arguments: Any, named: Any) -> None:
            x = arguments[0] if arguments else named.get("input", named.get("x"))
            if isinstance(x, Tensor) and x.numel():
                hear(name, x)

        return heard

    handles = [each.register_forward_pre_hook(hook_of(name), with_kwargs=True) for name, each in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
