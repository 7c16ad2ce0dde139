"""Progress never goes back, ends at 100, and moves in between where the model says so."""

import itertools
import threading
from typing import Any

from neutone_like.validate.checks.by_hand import call_by_hand
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome, verdict

ALLOWED = "never backwards, within 0..100, 100 at the end; in between, as has_progress_percentage() says"
ADVICE = (
    "Call self.set_progress_percentage(0..100 of this call) from do_forward_pass, or return False from "
    "has_progress_percentage()."
)


class Watcher:
    """Reads a module's progress from another thread, as a host's window does."""

    def __init__(self, module: Any) -> None:
        self.seen: list[float] = []
        self._module = module
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.0005):
            self.seen.append(float(self._module.get_progress_percentage()))


def check_progress(subject: OfflineSubject) -> Outcome:
    """Read the progress from another thread while a sound is processed, and after it."""
    setting = subject.native
    samples = subject.samples(setting)
    module = subject.reused(setting)
    start = float(module.get_progress_percentage())
    with Watcher(module) as watcher:
        subject.play(module, subject.sounds(samples), subject.defaults, setting, samples)
    seen = [start, *watcher.seen, float(module.get_progress_percentage())]
    if start != 0.0 or seen[-1] != 100.0:
        return verdict(False, f"{start:g} after reset(), {seen[-1]:g} at the end", ALLOWED, ADVICE)
    if any(later < earlier for earlier, later in itertools.pairwise(seen)):
        return verdict(False, "it went backwards", ALLOWED, ADVICE)
    between = len({value for value in seen if 0.0 < value < 100.0})
    if subject.is_ours and subject.is_one_shot and module.has_progress_percentage() and not _model_reports(subject):
        return verdict(
            False, "has_progress_percentage() is True, and a call of the model leaves progress at 0", ALLOWED, ADVICE
        )
    return verdict(True, f"from 0 to 100, {between} values in between were seen", ALLOWED, ADVICE)


def _model_reports(subject: OfflineSubject) -> bool:
    """Whether the model itself says how far it is: asked without the wrapper, which ends every call at 100."""
    model = subject.reused(subject.native).nrb
    model.restart_progress()
    call_by_hand(subject, model)
    return float(model.get_progress_percentage()) > 0.0
