"""Every check on models that are right, and on models that are wrong in one way each: its positive controls."""

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.model import WaveformToWaveformBase
from neutone_like.validate import validate_artifact
from neutone_like.validate.check_lists import EXPORTED, LIVE_CHECKS
from neutone_like.validate.checks import (
    chunking,
    contract,
    equivalence,
    extremes,
    inputs,
    latency,
    metadata,
    silence,
    state,
)
from neutone_like.validate.checks import model_delay as declared
from neutone_like.validate.checks.reload import FreshProcess, check_reloads_in_a_fresh_process
from neutone_like.validate.conditions import optimiser, steady_conditions
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, largest_difference
from support.lighter_exports import FRESH_PROCESS, without_times
from support.validate_models import (
    DeclaresNoDelay,
    DeclaresTooMuchDelay,
    Delayed,
    DelayThatGrows,
    Echo,
    FeedbackWithoutLimit,
    FiltersMonoToStereo,
    ForgetsBetweenBlocks,
    Gain,
    NanAtACorner,
    NeverForgets,
    NormalisesByBlock,
    OffByOne,
    PoisonedForEver,
    Random,
    Resonant,
    SharesState,
    Silent,
    WritesItsArguments,
)

CheckFunction = Callable[[Any], Outcome]
Judge = Callable[[type[WaveformToWaveformBase], CheckFunction], Outcome]


@pytest.fixture(scope="module")
def context_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[Any]], LiveSubject]:
    """A quick validation of a model, whose artifact is made once."""
    made: dict[type[Any], LiveSubject] = {}

    def make(model_class: type[Any]) -> LiveSubject:
        if model_class not in made:
            folder = tmp_path_factory.mktemp(model_class.__name__)
            with optimiser(False):
                model = model_class()
                write_artifact(model, folder, render_samples=False)
                made[model_class] = LiveSubject(load_artifact(folder), model, quick=True)
        return made[model_class]

    return make


@pytest.fixture
def judge(context_of: Callable[[type[Any]], LiveSubject]) -> Judge:
    def run(model_class: type[WaveformToWaveformBase], check: CheckFunction) -> Outcome:
        with steady_conditions():
            return check(context_of(model_class))

    return run


CHECKS: list[CheckFunction] = [
    equivalence.check_scripted_equals_eager,
    chunking.check_any_chunking_equals_whole,
    latency.check_reported_delay,
    declared.check_declared_delay,
    state.check_reset_repeats,
    state.check_instances_are_independent,
    extremes.check_extremes_stay_finite,
    extremes.check_recovers_from_nan,
    silence.check_silence,
    inputs.check_inputs_are_untouched,
    metadata.check_metadata,
    contract.check_contract_methods,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("model_class", [Gain, Delayed, Echo])
def test_models_that_are_right_pass(model_class: type[Any], check: CheckFunction, judge: Judge) -> None:
    outcome = judge(model_class, check)
    assert outcome.status == "passed", outcome


@pytest.mark.parametrize(
    ("model_class", "check", "measured"),
    [
        (Random, state.check_reset_repeats, r"differs by up to .* after reset\(\)"),
        (Random, equivalence.check_scripted_equals_eager, "largest difference"),
        (NeverForgets, state.check_reset_repeats, r"from sample 0 on after reset\(\), at 48000 Hz / 512"),
        (SharesState, state.check_instances_are_independent, "two Python models in turns: differs"),
        (NanAtACorner, extremes.check_extremes_stay_finite, "were NaN or infinite .*depth=0, rate=0"),
        (FeedbackWithoutLimit, extremes.check_extremes_stay_finite, r"loudest \+1\d\d\.\d dBFS"),
        (FeedbackWithoutLimit, silence.check_silence, "after sound .* dBFS, then .* dBFS"),
        (PoisonedForEver, extremes.check_recovers_from_nan, r"after NaN in the input, the output did not come back"),
        (NormalisesByBlock, chunking.check_any_chunking_equals_whole, r"from sample \d+ on"),
        (ForgetsBetweenBlocks, chunking.check_any_chunking_equals_whole, r"from sample \d+ on"),
        (DeclaresNoDelay, declared.check_declared_delay, "a clear peak at sample 37"),
        (OffByOne, declared.check_declared_delay, "a clear peak at sample 37"),
        (DeclaresTooMuchDelay, declared.check_declared_delay, "the whole response comes before sample 100"),
        (DelayThatGrows, latency.check_reported_delay, r"\+\d+\.\d+ samples|-\d+\.\d+ samples"),
    ],
)
def test_a_wrong_model_trips_its_check(
    model_class: type[Any], check: CheckFunction, measured: str, judge: Judge
) -> None:
    outcome = judge(model_class, check)
    assert outcome.status == "failed", outcome
    assert outcome.advice
    with pytest.raises(AssertionError, match=measured):
        raise AssertionError(outcome.measured)


def test_the_advice_names_the_delay_to_declare(judge: Judge) -> None:
    assert "Return 37 from model_delay_samples()" in judge(DeclaresNoDelay, declared.check_declared_delay).advice


def test_filters_and_echoes_contradict_no_declaration(judge: Judge) -> None:
    for model_class in (Echo, FiltersMonoToStereo):
        outcome = judge(model_class, declared.check_declared_delay)
        assert outcome.status == "passed"
        assert "no single clear peak" in outcome.measured


def test_the_lag_of_a_filter_contradicts_nothing(judge: Judge) -> None:
    outcome = judge(Resonant, declared.check_declared_delay)
    assert (outcome.status, outcome.measured) == ("passed", "a clear peak at sample 2")


def test_what_cannot_be_timed_is_skipped_with_a_reason(judge: Judge) -> None:
    for check in (declared.check_declared_delay, latency.check_reported_delay):
        outcome = judge(Silent, check)
        assert outcome.status == "skipped"
        assert outcome.measured.startswith("not run: the model is silent")


def test_a_model_that_writes_its_arguments_is_told_and_does_no_harm(judge: Judge) -> None:
    outcome = judge(WritesItsArguments, inputs.check_inputs_are_untouched)
    assert outcome.status == "passed"
    assert outcome.information == (
        "the model writes into its argument x, params['gain']; this wrapper gives it copies",
    )
    assert judge(WritesItsArguments, chunking.check_any_chunking_equals_whole).status == "passed"


class _Altered:
    """An artifact whose modules are not what the file says."""

    def __init__(self, artifact: Any, fresh_module: Callable[[], Any]) -> None:
        self._artifact = artifact
        self.fresh_module = fresh_module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artifact, name)


class _AlteredModule:
    """A loaded module with some methods replaced."""

    def __init__(self, module: Any, **methods: Any) -> None:
        self._module = module
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _altered(context: LiveSubject, change: Callable[[Any], Any]) -> LiveSubject:
    artifact: Any = _Altered(context.artifact, lambda: change(context.artifact.fresh_module()))
    return LiveSubject(artifact, None, quick=True)


def test_a_host_whose_memory_is_overwritten_is_noticed(context_of: Callable[[type[Any]], LiveSubject]) -> None:
    def spoil(module: Any) -> Any:
        def forward(x: torch.Tensor, params: Any = None) -> torch.Tensor:
            y = module.forward(x, params)
            params.mul_(0.5)
            return y

        return _AlteredModule(module, forward=forward)

    with steady_conditions():
        outcome = inputs.check_inputs_are_untouched(_altered(context_of(Gain), spoil))
    assert outcome.status == "failed"
    assert outcome.measured == "the host's parameters, at 48000 Hz / 512 was overwritten"


def test_one_module_for_all_is_noticed(context_of: Callable[[type[Any]], LiveSubject]) -> None:
    good = context_of(Gain)
    only = good.artifact.fresh_module()
    artifact: Any = _Altered(good.artifact, lambda: only)
    with steady_conditions():
        outcome = state.check_instances_are_independent(LiveSubject(artifact, None, quick=True))
    assert outcome.status == "failed"
    assert "two modules loaded from the file in turns" in outcome.measured


@pytest.mark.parametrize("wrong_by", [1, -1, 40])
def test_a_latency_reported_wrongly_is_measured_exactly(
    wrong_by: int, context_of: Callable[[type[Any]], LiveSubject]
) -> None:
    def misreport(module: Any) -> Any:
        return _AlteredModule(
            module, calc_buffering_delay_samples=lambda: module.calc_buffering_delay_samples() + wrong_by
        )

    good = context_of(Delayed)
    with steady_conditions():
        outcome = latency.check_reported_delay(_altered(good, misreport))
    assert outcome.status == "failed"
    assert f"{-wrong_by:+.3f} samples at" in outcome.measured


def test_a_method_that_is_missing_or_of_the_wrong_type_is_named(
    context_of: Callable[[type[Any]], LiveSubject],
) -> None:
    def alter(module: Any) -> Any:
        return _AlteredModule(module, is_resampling=lambda: 1, get_wet_default_value=lambda: math.nan)

    with steady_conditions():
        outcome = contract.check_contract_methods(_altered(context_of(Gain), alter))
    assert outcome.status == "failed"
    assert "is_resampling() must return bool, got 1" in outcome.measured
    assert "get_wet_default_value() must return float 0..1, got nan" in outcome.measured


def test_a_file_of_another_maker_is_checked_as_far_as_the_format_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_times(monkeypatch)
    written = write_artifact(Gain(), tmp_path, render_samples=False)
    metadata = json.loads(written.metadata.to_json())
    del metadata["neutone_like"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.load(str(written.model_path))
        torch.jit.save(module, str(tmp_path / "other.nm"), _extra_files={"metadata.json": json.dumps(metadata)})
    report = validate_artifact(tmp_path / "other.nm", quick=True)
    assert report.passed, [check.line() for check in report.failures]
    skipped = {check.name for check in report if check.status == "skipped"}
    assert skipped == {check.name for check in LIVE_CHECKS if check.ours_only and check.name != EXPORTED} | {
        FRESH_PROCESS
    }
    assert report["metadata"].measured == "not run: another tool made this file, which can't answer what this asks"


def test_metadata_that_contradicts_the_module_is_named(context_of: Callable[[type[Any]], LiveSubject]) -> None:
    def alter(module: Any) -> Any:
        return _AlteredModule(module, get_native_sample_rates=lambda: [44100])

    with steady_conditions():
        outcome = metadata.check_metadata(_altered(context_of(Gain), alter))
    assert outcome.status == "failed"
    assert "native_sample_rates: [48000] in metadata.json, but the method returns [44100]" in outcome.measured


def test_a_file_that_does_not_load_in_a_new_process_is_noticed(
    tmp_path: Path, context_of: Callable[[type[Any]], LiveSubject]
) -> None:
    good = context_of(Gain)
    broken: Any = _Altered(good.artifact, good.artifact.fresh_module)
    broken.path = tmp_path / "model.nm"
    broken.path.write_bytes(b"not an archive")
    context = LiveSubject(broken, None, quick=True)
    with steady_conditions():
        process = FreshProcess(context)
        try:
            outcome = check_reloads_in_a_fresh_process(context, process)
        finally:
            process.close()
    assert outcome.status == "failed"
    assert outcome.measured.startswith("the process ended with code 1: ")


def test_a_difference_of_shape_or_nan_is_infinite() -> None:
    assert largest_difference(torch.zeros(1, 2), torch.zeros(1, 3)) == math.inf
    assert largest_difference(torch.tensor([[math.nan]]), torch.zeros(1, 1)) == math.inf
    assert largest_difference(torch.ones(1, 2), torch.zeros(1, 2)) == 1.0


def test_every_corner_of_the_parameters_is_tried(context_of: Callable[[type[Any]], LiveSubject]) -> None:
    corners = {tuple(corner.knobs[:, 0].tolist()) for corner in context_of(NanAtACorner).corners()}
    assert corners == {(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)}
