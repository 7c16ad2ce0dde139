"""The module in the file computes what the model computed where it was written."""

from neutone_like.errors import ArtifactError
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.context import Context, Outcome, first_difference, largest_difference, verdict
from neutone_like.validate.playing import play_aligned, prepare


def check_scripted_equals_eager(context: Context) -> Outcome:
    """Play the file's module, optimised as hosts run it, and the Python model; without one, the file's test vector."""
    if context.eager_model is None:
        return _check_test_vector(context)
    worst, allowed, where = 0.0, 0.0, ""
    with optimiser(True):
        module = context.artifact.fresh_module()
    for setting in context.settings:
        for label, values in context.value_sets().items():
            x = context.sound(4 * setting.block_size + 1000)
            expected = play_aligned(context.eager(setting), x, setting.block_size, values)
            with optimiser(True):
                actual = play_aligned(prepare(module, setting), x, setting.block_size, values)
            difference = largest_difference(actual, expected)
            limit = context.difference_allowed(setting, x, values, expected)
            if where == "" or difference / limit > worst / allowed:
                first = first_difference(actual, expected, limit)
                worst, allowed, where = difference, limit, f"{setting}, {label}" + _at(first)
    return verdict(
        worst <= allowed,
        f"largest difference {worst:.2g} ({where})",
        f"{allowed:.2g}",
        "The scripted model computes something else than Python does. Look for Python-side state (class attributes, "
        "globals, caches), random numbers, and integer division or rounding that TorchScript does differently.",
    )


def _at(sample: int) -> str:
    return f", from sample {sample} on" if sample >= 0 else ""


def _check_test_vector(context: Context) -> Outcome:
    allowed = "the output recorded at export (the Python model is not at hand)"
    try:
        context.artifact.verify_test_vector()
    except ArtifactError as error:
        advice = "Export the model again with this version of torch, or play it with the one it was made with."
        return Outcome("failed", str(error), allowed, advice)
    return Outcome("passed", "the test vector plays as recorded", allowed)
