"""The module in the file computes what the model computed where it was written."""

from neutone_like.errors import ArtifactError
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.context import OfflineContext, apart, where_apart


def check_scripted_equals_eager(context: OfflineContext) -> Outcome:
    """Play the file's module, optimised as hosts run it, and the Python model; without one, the file's test vector."""
    if context.eager_model is None:
        return _check_test_vector(context)
    worst, allowed, where = 0.0, 0.0, ""
    with optimiser(True):
        module = context.artifact.fresh_module()
    for rate in context.rates:
        for label, values in context.value_sets().items():
            samples = context.samples(rate)
            sounds = context.sounds(samples)
            expected = context.play(context.eager(rate), sounds, values, samples)
            with optimiser(True):
                actual = context.play(context.prepare(module, rate), sounds, values, samples)
            difference = apart(actual, expected)
            limit = context.difference_allowed(rate, sounds, values, expected)
            if where == "" or difference / limit > worst / allowed:
                worst, allowed = difference, limit
                where = f"{rate} Hz, {label}"
                where += f"; {where_apart(actual, expected, limit)}" if difference > limit else ""
    return verdict(
        worst <= allowed,
        f"largest difference {worst:.2g} ({where})",
        f"{allowed:.2g}",
        "The scripted model computes something else than Python does. Look for Python-side state (class attributes, "
        "globals, caches), random numbers without a seed that reset_model() sets, integer division or rounding that "
        "TorchScript does differently, and len() of a text: in TorchScript it counts the bytes of its UTF-8.",
    )


def _check_test_vector(context: OfflineContext) -> Outcome:
    allowed = "the output recorded at export (the Python model is not at hand)"
    try:
        context.artifact.verify_test_vector()
    except ArtifactError as error:
        advice = "Export the model again with this version of torch, or play it with the one it was made with."
        return Outcome("failed", str(error), allowed, advice)
    return Outcome("passed", "the test vector plays as recorded", allowed)
