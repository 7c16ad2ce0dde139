"""What the Neutone SDK has and this package has not: said by name, instead of a bare ImportError."""

from typing import NoReturn

from neutone_like.errors import NeutoneLikeError

NON_REALTIME = frozenset(
    {
        "NonRealtimeBase",
        "NonRealtimeTokenizerBase",
        "NonRealtimeSampleQueueWrapper",
        "TokenizerType",
        "non_realtime_wrapper",
        "non_realtime_sqw",
    }
)
BUILDING_BLOCKS = frozenset(
    {
        "filters",
        "FIRFilter",
        "IIRFilter",
        "FilterType",
        "realtime_stft",
        "RealtimeSTFT",
        "cached_mel_spec",
        "CachedMelSpec",
        "conv",
        "Conv1dGeneral",
        "tcn_1d",
        "gcn_1d",
        "queues",
        "CircularInplaceTensorQueue",
        "sandwich",
    }
)


class NotOfferedError(NeutoneLikeError, ImportError):
    """A name of the Neutone SDK that this package does not offer; the message says what to use instead."""


def refuse(module: str, name: str) -> NoReturn:
    """Answer a module's ``__getattr__``.

    Raises:
        NotOfferedError: The Neutone SDK has this name, and it is not offered here.
        AttributeError: It has not.
    """
    if name in NON_REALTIME:
        raise NotOfferedError(
            f"{module} offers live models only so far: {name} is for models that are not real-time. "
            "Keep exporting those with neutone_sdk until this package has them."
        )
    if name in BUILDING_BLOCKS:
        raise NotOfferedError(
            f"{module} offers what wraps and exports a model, not building blocks such as {name}. "
            "Keep importing it from neutone_sdk: its modules work inside a wrapper as any torch.nn.Module does."
        )
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
