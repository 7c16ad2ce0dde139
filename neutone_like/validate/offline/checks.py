"""Which checks an artifact that is not real-time must pass, in order."""

from neutone_like.validate.offline.alignment import check_length_and_alignment
from neutone_like.validate.offline.cancellation import check_cancellation
from neutone_like.validate.offline.context import OfflineCheckFunction
from neutone_like.validate.offline.contract import check_contract_methods, check_metadata
from neutone_like.validate.offline.cutting import check_any_cutting_equals_whole
from neutone_like.validate.offline.declared_delay import check_declared_delay
from neutone_like.validate.offline.equivalence import check_scripted_equals_eager
from neutone_like.validate.offline.extremes import check_extremes_stay_finite, check_recovers_from_nan
from neutone_like.validate.offline.inputs import check_inputs_are_untouched
from neutone_like.validate.offline.progress import check_progress
from neutone_like.validate.offline.speed import check_render_time
from neutone_like.validate.offline.state import check_instances_are_independent, check_reset_repeats

NON_REALTIME_CHECKS: tuple[tuple[str, OfflineCheckFunction], ...] = (
    ("metadata", check_metadata),
    ("contract methods", check_contract_methods),
    ("scripted equals eager", check_scripted_equals_eager),
    ("length and alignment", check_length_and_alignment),
    ("delay as declared", check_declared_delay),
    ("any cutting equals whole", check_any_cutting_equals_whole),
    ("reset repeats", check_reset_repeats),
    ("instances independent", check_instances_are_independent),
    ("extremes stay finite", check_extremes_stay_finite),
    ("recovers from NaN", check_recovers_from_nan),
    ("inputs untouched", check_inputs_are_untouched),
    ("progress", check_progress),
    ("cancellation", check_cancellation),
    ("render time", check_render_time),
)
NON_REALTIME_OWN_ONLY = frozenset(
    {
        "metadata",
        "scripted equals eager",
        "length and alignment",
        "delay as declared",
        "any cutting equals whole",
        "instances independent",
        "extremes stay finite",
        "recovers from NaN",
        "progress",
        "cancellation",
    }
)
"""These ask the module what only ours can answer, or promise."""
