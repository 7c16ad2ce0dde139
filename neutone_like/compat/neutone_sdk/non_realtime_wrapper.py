"""Where the Neutone SDK keeps its bases for models that are not real-time, which are not offered yet."""

from typing import Any

from neutone_like.compat.neutone_sdk.not_offered import refuse


def __getattr__(name: str) -> Any:
    return refuse(__name__, name)
