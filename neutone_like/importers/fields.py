"""A JSON object read key by key: each value checked, and what nobody asked for refused by name."""

import math
from typing import Any, TypeGuard, cast

from neutone_like.errors import ModelFileError

MAXIMUM_SIZE = 1_000_000


class Fields:
    """An object of a model file.

    Args:
        value: What the file has there.
        where: How messages call it, such as ``config.layers[0]``.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise ModelFileError(f"{where} must be a JSON object, got {value!r:.60}. The file is damaged.")
        self.values = cast("dict[str, Any]", value)
        self.where = where
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> Any:
        """What stands under ``key``; ``default`` where nothing does."""
        self.asked.add(key)
        return self.values.get(key, default)

    def need(self, key: str) -> Any:
        """What stands under ``key``, which must be there."""
        if key not in self.values:
            raise ModelFileError(f"{self.where} has no {key!r}, which it must have. The file is incomplete.")
        return self.get(key)

    def whole(self, key: str, default: int | None = None, maximum: int = MAXIMUM_SIZE) -> int:
        """An integer in ``1..maximum``."""
        return whole(self.need(key) if default is None else self.get(key, default), f"{self.where}.{key}", maximum)

    def wholes(self, key: str) -> list[int]:
        """A list of integers, not empty."""
        return [whole(value, f"{self.where}.{key}[{at}]") for at, value in enumerate(self.items(key))]

    def items(self, key: str) -> list[Any]:
        """A list, not empty and no longer than a thousand."""
        value = self.need(key)
        if not isinstance(value, list) or not 1 <= len(cast("list[Any]", value)) <= 1000:
            raise ModelFileError(f"{self.where}.{key} must be a list of 1..1000 entries, got {value!r:.60}.")
        return cast("list[Any]", value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        value = self.need(key) if default is None else self.get(key, default)
        if not isinstance(value, bool):
            raise ModelFileError(f"{self.where}.{key} must be true or false, got {value!r:.60}.")
        return value

    def done(self) -> None:
        """Refuse what was not asked for: an unknown key may change the sound."""
        unknown = sorted(set(self.values) - self.asked)
        if unknown:
            raise ModelFileError(
                f"{self.where} has {', '.join(map(repr, unknown[:5]))}, which is not known here; known are "
                f"{', '.join(sorted(self.asked))}. It may change the sound. Export the model with a trainer of "
                "format 0.7.0 or older, or update neutone_like."
            )


def whole(value: object, what: str, maximum: int = MAXIMUM_SIZE) -> int:
    """``value`` as an integer in ``1..maximum``."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        raise ModelFileError(f"{what} must be an integer in 1..{maximum}, got {value!r:.60}.")
    return value


def is_finite(value: object) -> TypeGuard[int | float]:
    """Whether it is a number (true and false are none), not NaN, and within what a float holds."""
    try:
        return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # JSON has integers of any length
        return False
