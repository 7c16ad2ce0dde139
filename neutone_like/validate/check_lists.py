"""Which checks an artifact must pass, in order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neutone_like.validate.checks.alignment import check_length_and_alignment
from neutone_like.validate.checks.cancellation import check_cancellation
from neutone_like.validate.checks.chunking import check_any_chunking_equals_whole
from neutone_like.validate.checks.compiled import check_compiled_equals_eager
from neutone_like.validate.checks.contract import check_contract_methods
from neutone_like.validate.checks.cutting import check_any_cutting_equals_whole
from neutone_like.validate.checks.equivalence import check_scripted_equals_eager
from neutone_like.validate.checks.exported import check_exported_files, has_exported_files
from neutone_like.validate.checks.extremes import check_extremes_stay_finite, check_recovers_from_nan
from neutone_like.validate.checks.inputs import check_inputs_are_untouched
from neutone_like.validate.checks.latency import check_reported_delay
from neutone_like.validate.checks.metadata import check_metadata
from neutone_like.validate.checks.model_delay import check_declared_delay
from neutone_like.validate.checks.offline_delay import check_declared_delay as check_offline_delay
from neutone_like.validate.checks.progress import check_progress
from neutone_like.validate.checks.realtime import check_realtime_deadlines
from neutone_like.validate.checks.silence import check_silence
from neutone_like.validate.checks.speed import check_inference_time, check_render_time
from neutone_like.validate.checks.state import check_instances_are_independent, check_reset_repeats
from neutone_like.validate.checks.traced import check_traced_networks
from neutone_like.validate.outcome import Outcome

DEADLINES = "real-time deadlines"
EXPORTED = "exported files in time"


@dataclass(frozen=True)
class NamedCheck:
    """A check as reports name it.

    Attributes:
        ours_only: It asks what only an artifact of this package can answer.
        concerns: Whether there is anything in an artifact that it could check; else reports don't list it.
    """

    name: str
    run: Callable[[Any], Outcome]
    ours_only: bool = False
    concerns: Callable[[Any], bool] = lambda _: True


METADATA = NamedCheck("metadata", check_metadata, ours_only=True)
CONTRACT = NamedCheck("contract methods", check_contract_methods)
EQUIVALENCE = NamedCheck("scripted equals eager", check_scripted_equals_eager, ours_only=True)
TRACED = NamedCheck("traced networks keep their state", check_traced_networks)
COMPILED = NamedCheck("compiled equals eager", check_compiled_equals_eager, ours_only=True)
RESET = NamedCheck("reset repeats", check_reset_repeats)
INSTANCES = NamedCheck("instances independent", check_instances_are_independent)
EXTREMES = NamedCheck("extremes stay finite", check_extremes_stay_finite, ours_only=True)
NAN = NamedCheck("recovers from NaN", check_recovers_from_nan, ours_only=True)
INPUTS = NamedCheck("inputs untouched", check_inputs_are_untouched)

LIVE_CHECKS = (
    METADATA,
    CONTRACT,
    EQUIVALENCE,
    TRACED,
    COMPILED,
    NamedCheck("any chunking equals whole", check_any_chunking_equals_whole, ours_only=True),
    NamedCheck("delay as reported", check_reported_delay, ours_only=True),
    NamedCheck("delay as declared", check_declared_delay, ours_only=True),
    RESET,
    INSTANCES,
    EXTREMES,
    NAN,
    NamedCheck("silence", check_silence),
    INPUTS,
    NamedCheck("inference time", check_inference_time),
    NamedCheck(DEADLINES, check_realtime_deadlines),
    NamedCheck(EXPORTED, check_exported_files, ours_only=True, concerns=has_exported_files),
)
OFFLINE_CHECKS = (
    METADATA,
    CONTRACT,
    EQUIVALENCE,
    TRACED,
    COMPILED,
    NamedCheck("length and alignment", check_length_and_alignment, ours_only=True),
    NamedCheck("delay as declared", check_offline_delay, ours_only=True),
    NamedCheck("any cutting equals whole", check_any_cutting_equals_whole, ours_only=True),
    RESET,
    # A module of another maker can't be interrupted between two pieces.
    NamedCheck(INSTANCES.name, INSTANCES.run, ours_only=True),
    EXTREMES,
    NAN,
    INPUTS,
    NamedCheck("progress", check_progress, ours_only=True),
    NamedCheck("cancellation", check_cancellation, ours_only=True),
    NamedCheck("render time", check_render_time),
)
