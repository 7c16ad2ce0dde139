"""Methods that older versions of the Neutone SDK call by another name: written today, nothing calls them."""

from typing import Any

from neutone_like.errors import ModelError

NAMES = {
    "set_model_buffer_size": "set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool",
    "calc_min_delay_samples": "calc_model_delay_samples(self) -> int",
}


def refuse_old_names(wrapper: Any, base: type) -> None:
    """Raise :class:`ModelError` where a wrapper has a method by its old name and not by the one of today."""
    kind = type(wrapper)
    for old, signature in NAMES.items():
        new = signature.partition("(")[0]
        if hasattr(kind, old) and getattr(kind, new) is getattr(base, new):
            raise ModelError(
                f"{kind.__name__}.{old} has its name from an older Neutone SDK, and nothing calls it: since version "
                f"1.5 it is {signature}. Rename it."
            )
