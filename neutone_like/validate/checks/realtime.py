"""Where a real-time engine plugs in its own check of an artifact against deadlines."""

from collections.abc import Callable, Sequence

from neutone_like.artifact.loader import Artifact
from neutone_like.validate.context import Context, Outcome, skipped
from neutone_like.validate.playing import HostSetting

RealtimeCheck = Callable[[Artifact, Sequence[HostSetting]], Outcome]
"""Runs an artifact at each host setting as a callback would, and judges how many deadlines it met."""

REALTIME_CHECKS: list[RealtimeCheck] = []
"""Filled by an engine when it is imported; validation itself has none. The last one is used."""

ALLOWED = "p99 of inference below 80 % of each block's duration, in a real-time engine"


def check_realtime_deadlines(context: Context) -> Outcome:
    """Hand the artifact to the engine, or say that there is none."""
    if not REALTIME_CHECKS:
        return skipped("the native engine is not part of this build", ALLOWED)
    return REALTIME_CHECKS[-1](context.artifact, context.settings)
