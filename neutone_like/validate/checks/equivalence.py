"""The module in the file computes what the model computed where it was written."""

from neutone_like.errors import ArtifactError
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.outcome import Outcome, apart, verdict, where_apart
from neutone_like.validate.subject import Subject

ADVICE = (
    "The scripted model computes something else than Python does. Look for Python-side state (class attributes, "
    "globals, caches), random numbers without a seed that reset_model() sets, integer division or rounding that "
    "TorchScript does differently, and len() of a text: in TorchScript it counts the bytes of its UTF-8."
)


def check_scripted_equals_eager(subject: Subject) -> Outcome:
    """Play the file's module, optimised as hosts run it, and the Python model; without one, the file's test vector."""
    if subject.eager_model is None:
        return _check_test_vector(subject)
    worst, allowed, where = 0.0, 0.0, ""
    cases = [(setting, label) for label in subject.value_sets() for setting in subject.settings]
    for setting, label in subject.effort.choose(cases, "settings and parameter values", len(subject.settings)):
        values, sounds = subject.value_sets()[label], subject.sounds(subject.samples(setting))
        expected = subject.play(subject.eager(setting), sounds, values, setting)
        with optimiser(True):
            actual = subject.play(subject.prepare(subject.optimised, setting), sounds, values, setting)
        difference = apart(actual, expected)
        limit = subject.difference_allowed(setting, sounds, values, expected, difference)
        if where == "" or difference / limit > worst / allowed:
            worst, allowed, where = difference, limit, f"{setting}, {label}"
            where += f"; {where_apart(actual, expected, limit)}" if difference > limit else ""
    return verdict(worst <= allowed, f"largest difference {worst:.2g} ({where})", f"{allowed:.2g}", ADVICE)


def _check_test_vector(subject: Subject) -> Outcome:
    allowed = "the output recorded at export (the Python model is not at hand)"
    try:
        subject.artifact.verify_test_vector()
    except ArtifactError as error:
        advice = "Export the model again with this version of torch, or play it with the one it was made with."
        return Outcome("failed", str(error), allowed, advice)
    return Outcome("passed", "the test vector plays as recorded", allowed)
