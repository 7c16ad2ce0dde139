"""Reset forgets everything, and no instance knows of another."""

from neutone_like.validate.outcome import Outcome, equal, verdict, where_apart
from neutone_like.validate.subject import Subject

BIT_FOR_BIT = "no difference, bit for bit"
RESET_ADVICE = (
    "Clear every state in reset_model(): buffers, counters, hidden states, random generators. If only the first run "
    "differs, the state was not clean when the model was exported. Random numbers need a seed that reset_model() sets."
)
INSTANCES_ADVICE = (
    "Instances share state. Keep state in buffers made in __init__, not in class attributes, module-level variables, "
    "default arguments or caches."
)


def check_reset_repeats(subject: Subject) -> Outcome:
    """Play a sound, and again after reset(), and in a module loaded afresh; an offline model also after another one."""
    first_module, second_module = subject.artifact.fresh_module(), subject.artifact.fresh_module()
    for played, setting in enumerate(subject.effort.choose(subject.settings, "host settings", fewest=2)):
        samples = subject.samples(setting)
        sounds, values = subject.sounds(samples), subject.automation(samples)
        module = subject.prepare(first_module, setting)
        first = subject.play(module, sounds, values, setting, samples)
        others = {}
        if not subject.is_stream:
            subject.play(module, subject.sounds(samples, seed=1), values, setting, samples)
            others["after another sound"] = subject.play(module, sounds, values, setting, samples)
        module.reset()
        others["after reset()"] = subject.play(module, sounds, values, setting, samples)
        afresh = subject.prepare(second_module if played == 0 else subject.artifact.fresh_module(), setting)
        others["in a module loaded afresh"] = subject.play(afresh, sounds, values, setting, samples)
        for label, other in others.items():
            if not equal(first, other):
                measured = f"{where_apart(first, other)} {label}, at {setting}"
                return verdict(False, measured, BIT_FOR_BIT, RESET_ADVICE)
    measured = "the same sound gives the same output, after reset() and in a module loaded afresh"
    return verdict(True, measured, BIT_FOR_BIT, RESET_ADVICE)


def check_instances_are_independent(subject: Subject) -> Outcome:
    """Play two instances in turns, part by part, and compare each with itself alone."""
    setting = subject.native
    samples = subject.samples_for_turns(setting)
    sounds = [subject.sounds(samples, seed=seed) for seed in (1, 2)]
    loaded = [subject.fresh(setting) for _ in range(2)]  # these play in turns, and copies alone
    copies = [subject.prepare(subject.copied(), setting) for _ in range(2)]
    pairs = {"modules loaded from the file": [*loaded, *copies]}
    if subject.eager_model is not None:
        pairs["Python models"] = [subject.eager(setting) for _ in range(4)]
    for label, (one, two, alone_one, alone_two) in pairs.items():
        # Alone first: where all four are one and the same, what they played before shows.
        alone = [
            subject.play_in_turns([module], [sound], setting, samples)[0]
            for module, sound in zip((alone_one, alone_two), sounds, strict=True)
        ]
        for mixed, expected in zip(subject.play_in_turns([one, two], sounds, setting, samples), alone, strict=True):
            if not equal(expected, mixed):
                measured = f"two {label} in turns: {where_apart(expected, mixed)}"
                return verdict(False, measured, BIT_FOR_BIT, INSTANCES_ADVICE)
    return verdict(True, f"two {' and two '.join(pairs)} play as if alone", BIT_FOR_BIT, INSTANCES_ADVICE)
