"""Every check of offline models, on models that are right and, one by one, on what is wrong."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import ExportError
from neutone_like.artifact import load_artifact, write_artifact
from neutone_like.model import NonRealtimeBase
from neutone_like.validate import validate_artifact
from neutone_like.validate.check_lists import OFFLINE_CHECKS
from neutone_like.validate.checks import (
    alignment,
    cancellation,
    contract,
    cutting,
    equivalence,
    extremes,
    inputs,
    metadata,
    offline_delay,
    progress,
    state,
)
from neutone_like.validate.checks.reload import FreshProcess, check_reloads_in_a_fresh_process
from neutone_like.validate.conditions import optimiser, steady_conditions
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome
from support.lighter_exports import only_checks
from support.validate_models import Gain
from support.whole_models import Drone, Smoother, Tones, Whole
from support.wrong_whole_models import (
    ClaimsProgress,
    DeclaresNoDelay,
    DeclaresTooMuchDelay,
    FailsWhenCancelled,
    NanAtACorner,
    NanWithoutText,
    NeverForgets,
    NormalisesByBlock,
    Plain,
    Random,
    SharesState,
)

CheckFunction = Callable[[Any], Outcome]
ContextOf = Callable[[type[NonRealtimeBase]], OfflineSubject]
Judge = Callable[[type[NonRealtimeBase], CheckFunction], Outcome]


@pytest.fixture(scope="module")
def context_of(tmp_path_factory: pytest.TempPathFactory) -> ContextOf:
    """A quick validation of a model, whose artifact is made once."""
    made: dict[type[Any], OfflineSubject] = {}

    def make(model_class: type[Any]) -> OfflineSubject:
        if model_class not in made:
            folder = tmp_path_factory.mktemp(model_class.__name__)
            with optimiser(False):
                model = model_class()
                write_artifact(model, folder, render_samples=False)
                made[model_class] = OfflineSubject(load_artifact(folder), model, quick=True)
        return made[model_class]

    return make


@pytest.fixture
def judge(context_of: ContextOf) -> Judge:
    def run(model_class: type[NonRealtimeBase], check: CheckFunction) -> Outcome:
        with steady_conditions():
            return check(context_of(model_class))

    return run


@pytest.mark.parametrize("name", [check.name for check in OFFLINE_CHECKS])
@pytest.mark.parametrize("model_class", [Whole, Smoother, Tones, Drone])
def test_models_that_are_right_pass(model_class: type[Any], name: str, judge: Judge) -> None:
    outcome = judge(model_class, {check.name: check.run for check in OFFLINE_CHECKS}[name])
    skipped = model_class in (Tones, Drone) and name in ("delay as declared", "recovers from NaN")
    skipped = skipped or name == "compiled equals eager"  # nothing is compiled here
    assert outcome.status == ("skipped" if skipped else "passed"), outcome


@pytest.mark.parametrize(
    ("model_class", "check", "measured"),
    [
        (Random, equivalence.check_scripted_equals_eager, "largest difference"),
        (Random, state.check_reset_repeats, "differs by up to .* after another sound, at 48000 Hz"),
        (NeverForgets, state.check_reset_repeats, "differs by up to .* from sample 0 on after another sound"),
        (NeverForgets, extremes.check_recovers_from_nan, "after NaN in the input, the next sound differs by up to"),
        (SharesState, state.check_instances_are_independent, "two Python models in turns: differs by up to"),
        (NanAtACorner, extremes.check_extremes_stay_finite, r"\d+ samples were NaN or infinite \(.*gain=0"),
        (NanWithoutText, extremes.check_extremes_stay_finite, "were NaN or infinite .*prompt=''"),
        (NormalisesByBlock, cutting.check_any_cutting_equals_whole, r"differs by .* \(blocks of 1000\)"),
        (DeclaresNoDelay, offline_delay.check_declared_delay, "output 1 is 5 samples too late"),
        (DeclaresTooMuchDelay, offline_delay.check_declared_delay, "output 1 is 20 samples too early"),
        (ClaimsProgress, progress.check_progress, r"is True, and a call of the model leaves progress at 0"),
    ],
)
def test_a_wrong_model_trips_it(model_class: type[Any], check: CheckFunction, measured: str, judge: Judge) -> None:
    outcome = judge(model_class, check)
    assert outcome.status == "failed", outcome
    assert outcome.advice
    assert re.search(measured, outcome.measured), outcome.measured


def test_the_advice_names_the_delay_to_declare(judge: Judge) -> None:
    for wrong, got in ((DeclaresNoDelay, 0), (DeclaresTooMuchDelay, 25)):
        advice = judge(wrong, offline_delay.check_declared_delay).advice
        assert f"Return 5 from model_delay_samples() (samples at the model's rate), instead of {got}" in advice


def test_a_model_that_fails_when_cancelled_is_reported(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, "cancellation")
    outcome = validate_artifact(context_of(FailsWhenCancelled).artifact.path, quick=True)["cancellation"]
    assert outcome.status == "failed"
    assert outcome.measured.startswith("stopped by ")
    assert "half done" in outcome.measured


# ---------------------------------------------------------------- modules that are wrong


class _Altered:
    """An artifact whose modules are not what the file says."""

    def __init__(self, artifact: Any, change: Callable[[Any], Any]) -> None:
        self._artifact = artifact
        self.fresh_module = lambda: change(artifact.fresh_module())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifact, name)


class _AlteredModule:
    """A loaded module with some methods replaced."""

    def __init__(self, module: Any, **methods: Any) -> None:
        self._module = module
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def judge_altered(context: OfflineSubject, check: CheckFunction, change: Callable[[Any], Any]) -> Outcome:
    artifact: Any = _Altered(context.artifact, change)
    with steady_conditions():
        return check(OfflineSubject(artifact, None, quick=True))


def after(change: Callable[[list[Tensor], Any], list[Tensor]]) -> Callable[[Any], Any]:
    """A module whose outputs are changed; the function is told of the module too."""

    def alter(module: Any) -> Any:
        return _AlteredModule(module, forward=lambda *given: change(module.forward(*given), module))

    return alter


@pytest.mark.parametrize("samples", [1, -2])
def test_an_output_that_moves_with_the_rate_is_measured(samples: int, context_of: ContextOf) -> None:
    def move(outputs: list[Tensor], module: Any) -> list[Tensor]:
        return [torch.roll(y, samples, 1) if module.is_resampling() else y for y in outputs]

    outcome = judge_altered(context_of(Plain), alignment.check_length_and_alignment, after(move))
    assert outcome.status == "failed"
    assert f"{samples:+.3f} samples at 44100 Hz" in outcome.measured


def test_a_sample_too_few_is_noticed(context_of: ContextOf) -> None:
    outcome = judge_altered(
        context_of(Plain), alignment.check_length_and_alignment, after(lambda outputs, _: [y[:, 1:] for y in outputs])
    )
    assert outcome.status == "failed"
    assert "24371 samples at 48000 Hz gave [(1, 24370)]" in outcome.measured


def test_a_generator_that_lasts_longer_at_another_rate_is_noticed(context_of: ContextOf) -> None:
    def hold(outputs: list[Tensor], module: Any) -> list[Tensor]:
        return [torch.cat((y, y), 1) if module.is_resampling() else y for y in outputs]

    outcome = judge_altered(context_of(Tones), alignment.check_length_and_alignment, after(hold))
    assert outcome.status == "failed"
    assert "1.000 s, at 44100 Hz" in outcome.measured


def test_pieces_that_differ_from_the_whole_are_noticed(context_of: ContextOf) -> None:
    def alter(module: Any) -> Any:
        return _AlteredModule(module, push=lambda sounds, knobs: module.push([0.5 * x for x in sounds], knobs))

    broken = iter([False, True] * 20)

    def every_other(module: Any) -> Any:
        return alter(module) if next(broken) else module

    artifact: Any = _Altered(context_of(Smoother).artifact, every_other)
    context = OfflineSubject(artifact, None, quick=True)
    with steady_conditions():
        context.reused = lambda setting: context.prepare(artifact.fresh_module(), setting)
        outcome = cutting.check_any_cutting_equals_whole(context)
    assert outcome.status == "failed"
    assert "(in pieces of 977, 48000 Hz)" in outcome.measured


def test_one_module_for_all_is_noticed(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, "instances independent")
    only = context_of(Smoother).artifact.fresh_module()
    artifact: Any = _Altered(context_of(Smoother).artifact, lambda _: only)
    outcome = validate_artifact(artifact, quick=True)["instances independent"]
    assert outcome.status == "failed"
    assert "There is no signal to end" in outcome.measured, "the other one has ended it"


def test_infinity_that_reaches_the_host_is_noticed(context_of: ContextOf) -> None:
    def pass_on(outputs: list[Tensor], _: Any) -> list[Tensor]:
        return [torch.where(y.abs() > 0.6, torch.full_like(y, math.inf), y) for y in outputs]

    def alter(module: Any) -> Any:
        def forward(sounds: list[Tensor], *rest: Any) -> list[Tensor]:
            return [torch.full_like(x, math.nan) if not torch.isfinite(x).all() else x for x in sounds]

        return _AlteredModule(module, forward=forward)

    outcome = judge_altered(context_of(Plain), extremes.check_recovers_from_nan, alter)
    assert "after NaN in the input, NaN or infinity reached the host" in outcome.measured
    outcome = judge_altered(context_of(Plain), extremes.check_extremes_stay_finite, after(pass_on))
    assert outcome.status == "failed"


@pytest.mark.parametrize("what", ["audio", "parameters", "texts or tokens"])
def test_a_host_whose_memory_is_overwritten_is_noticed(what: str, context_of: ContextOf) -> None:
    def alter(module: Any) -> Any:
        def forward(sounds: list[Tensor], knobs: Tensor, texts: list[str], tokens: list[list[int]]) -> list[Tensor]:
            outputs = module.forward(sounds, knobs, texts, tokens)
            if what == "audio":
                sounds[0].mul_(0.5)
            elif what == "parameters":
                knobs.mul_(0.5)
            else:
                tokens[0].append(7)
            return outputs

        return _AlteredModule(module, forward=forward)

    outcome = judge_altered(context_of(Whole), inputs.check_inputs_are_untouched, alter)
    assert outcome.status == "failed"
    assert outcome.measured == f"the host's {what}, at 44100 Hz was overwritten"


def test_progress_that_stops_short_or_goes_back_is_noticed(context_of: ContextOf) -> None:
    def stuck(module: Any) -> Any:
        return _AlteredModule(module, get_progress_percentage=lambda: min(module.get_progress_percentage(), 99.0))

    outcome = judge_altered(context_of(Plain), progress.check_progress, stuck)
    assert outcome.measured == "0 after reset(), 99 at the end"

    def backwards(module: Any) -> Any:
        told = iter([0.0])
        seen: list[float] = []

        def forward(*given: Any) -> Any:
            outputs = module.forward(*given)
            while len(seen) < 3:  # until the watching thread has asked so often
                pass
            return outputs

        def get() -> float:
            seen.append(next(told, 60.0 - len(seen) if len(seen) < 3 else 100.0))
            return seen[-1]

        return _AlteredModule(module, get_progress_percentage=get, forward=forward)

    outcome = judge_altered(context_of(Plain), progress.check_progress, backwards)
    assert outcome.measured == "it went backwards"


def test_a_request_that_is_ignored_is_noticed(context_of: ContextOf) -> None:
    def deaf(module: Any) -> Any:
        return _AlteredModule(module, request_cancel_forward_pass=lambda: None)

    outcome = judge_altered(context_of(Plain), cancellation.check_cancellation, deaf)
    assert outcome.status == "failed"
    assert outcome.measured == "1 outputs came after a request before the sound"


def test_something_left_of_a_cancelled_sound_is_noticed(context_of: ContextOf) -> None:
    def alter(module: Any) -> Any:
        asked: list[None] = []

        def request() -> None:
            asked.append(None)
            module.request_cancel_forward_pass()

        def forward(*given: Any) -> list[Tensor]:
            return [y + 0.1 * len(asked) for y in module.forward(*given)]

        return _AlteredModule(module, request_cancel_forward_pass=request, forward=forward)

    outcome = judge_altered(context_of(Plain), cancellation.check_cancellation, alter)
    assert outcome.measured == "after a request before the sound, the next sound differs"


def test_a_method_that_is_missing_or_of_the_wrong_type_is_named(context_of: ContextOf) -> None:
    def alter(module: Any) -> Any:
        return _AlteredModule(
            module,
            realtime=True,
            is_one_shot_model=lambda: 1,
            get_progress_percentage=lambda: 101.0,
            get_tokenizer_type=lambda: "Words",
            forward_non_realtime=lambda *_: [],
        )

    outcome = judge_altered(context_of(Plain), contract.check_contract_methods, alter)
    assert outcome.status == "failed"
    for problem in (
        "attribute realtime must be False, got True",
        "is_one_shot_model() must return bool, got 1",
        "get_progress_percentage() must return float 0..100, got 101.0",
        "get_tokenizer_type() must return JSON, SentencePiece, RWKVWorld or None, got 'Words'",
        "forward_non_realtime(audio, all parameters) must return outputs",
    ):
        assert problem in outcome.measured


def test_metadata_that_contradict_the_module_are_named(context_of: ContextOf) -> None:
    def alter(module: Any) -> Any:
        return _AlteredModule(module, get_audio_out_channels=lambda: [2], get_model_bpm=lambda: 90)

    outcome = judge_altered(context_of(Plain), metadata.check_metadata, alter)
    assert "audio_out_channels: [1] in metadata.json, but the method returns [2]" in outcome.measured
    assert "model_bpm: None in metadata.json, but the method returns 90" in outcome.measured


@pytest.mark.parametrize("content", [b"not an archive", None])
def test_a_file_that_plays_otherwise_in_a_new_process_is_noticed(
    content: bytes | None, tmp_path: Path, context_of: ContextOf
) -> None:
    artifact: Any = _Altered(context_of(Plain).artifact, lambda module: module)
    artifact.path = tmp_path / "model.nm"
    other = context_of(NanAtACorner).artifact.path.read_bytes()
    artifact.path.write_bytes(content or other)
    context = OfflineSubject(artifact, None, quick=True)
    with steady_conditions():
        process = FreshProcess(context)
        try:
            outcome = check_reloads_in_a_fresh_process(context, process)
        finally:
            process.close()
    assert outcome.status == "failed"
    expected = "the process ended with code 1: " if content else "largest difference "
    assert outcome.measured.startswith(expected)


# ---------------------------------------------------------------- the whole report


def test_a_file_of_another_maker_is_checked_as_far_as_the_format_goes(context_of: ContextOf) -> None:
    class Foreign(OfflineSubject):
        @property
        def is_ours(self) -> bool:
            return False

    context = Foreign(context_of(Plain).artifact, None, quick=True)
    with steady_conditions():
        for check in OFFLINE_CHECKS:
            if not check.ours_only:
                assert check.run(context).status == "passed", check.name


def test_report_of_a_good_model(context_of: ContextOf) -> None:
    names: list[str] = []
    report = validate_artifact(context_of(Whole).artifact, eager_model=Whole(), quick=True, progress=names.append)
    assert report.passed, [check.line() for check in report.failures]
    assert [check.name for check in report] == names
    assert names == [*(check.name for check in OFFLINE_CHECKS), "reloads in a fresh process"]
    assert dict(report.conditions)["host settings"] == "44100 Hz, 48000 Hz"


def test_without_the_python_model_the_test_vector_takes_its_place(context_of: ContextOf) -> None:
    context = OfflineSubject(context_of(Whole).artifact, None, quick=True)
    with steady_conditions():
        outcome = equivalence.check_scripted_equals_eager(context)
    assert (outcome.status, outcome.measured) == ("passed", "the test vector plays as recorded")


def test_a_model_of_the_other_kind_is_refused(context_of: ContextOf) -> None:
    with pytest.raises(ExportError, match="eager_model: .* was made from a NonRealtimeBase, got Gain"):
        validate_artifact(context_of(Plain).artifact, eager_model=Gain())
