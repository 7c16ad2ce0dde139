"""Which checks a live artifact must pass, in order."""

from neutone_like.validate.checks.chunking import check_any_chunking_equals_whole
from neutone_like.validate.checks.contract import check_contract_methods, check_metadata
from neutone_like.validate.checks.equivalence import check_scripted_equals_eager
from neutone_like.validate.checks.extremes import check_extremes_stay_finite, check_recovers_from_nan, check_silence
from neutone_like.validate.checks.inputs import check_inputs_are_untouched
from neutone_like.validate.checks.latency import check_reported_delay
from neutone_like.validate.checks.model_delay import check_declared_delay
from neutone_like.validate.checks.realtime import check_realtime_deadlines
from neutone_like.validate.checks.speed import check_inference_time
from neutone_like.validate.checks.state import check_instances_are_independent, check_reset_repeats
from neutone_like.validate.context import CheckFunction

DEADLINES = "real-time deadlines"

CHECKS: tuple[tuple[str, CheckFunction], ...] = (
    ("metadata", check_metadata),
    ("contract methods", check_contract_methods),
    ("scripted equals eager", check_scripted_equals_eager),
    ("any chunking equals whole", check_any_chunking_equals_whole),
    ("delay as reported", check_reported_delay),
    ("delay as declared", check_declared_delay),
    ("reset repeats", check_reset_repeats),
    ("instances independent", check_instances_are_independent),
    ("extremes stay finite", check_extremes_stay_finite),
    ("recovers from NaN", check_recovers_from_nan),
    ("silence", check_silence),
    ("inputs untouched", check_inputs_are_untouched),
    ("inference time", check_inference_time),
    (DEADLINES, check_realtime_deadlines),
)
OWN_ARTIFACTS_ONLY = frozenset(
    {
        "metadata",
        "scripted equals eager",
        "any chunking equals whole",
        "delay as reported",
        "delay as declared",
        "extremes stay finite",
        "recovers from NaN",
    }
)
"""These ask the module what only ours can answer."""
