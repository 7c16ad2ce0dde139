"""Whatever a public call returns prints itself in a few lines, and in a notebook as a table whose texts are escaped."""

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
import torch
from torch import nn

import neutone_like as nl
from neutone_like import artifact, bench, model, optimise, realtime_safety, render, runtime, validate
from neutone_like.bench.timing import BlockTimes
from neutone_like.optimise.distilling.result import verdict
from neutone_like.optimise.played_cost import CompiledCost
from neutone_like.printing import MOST_LINES, Printed, printable
from neutone_like.render.stage import Stream
from neutone_like.runtime import backends, live, session_config
from neutone_like.validate.playing import HostSetting
from support.compiled_files import late_model
from support.places import PROJECT

PACKAGES = (
    "",
    ".artifact",
    ".bench",
    ".model",
    ".optimise",
    ".realtime_safety",
    ".render",
    ".runtime",
    ".runtime.live",
    ".validate",
)
EVIL = "<script>alert(1)</script>\x1b[31m&\u202e"
METADATA = nl.ModelMetadata(name="<b>Gain", authors=(EVIL,), version="1")
GAIN = nl.ContinuousParameter(EVIL)
STUDENT = optimise.StudentModel(nn.Identity(), sample_rate=48000)


class Gain(nl.WaveformToWaveformBase):
    metadata = METADATA
    parameters = (GAIN,)


# ---------------------------------------------------------------------- one of each


def check() -> validate.Check:
    return validate.Check(EVIL, "failed", EVIL * 50, EVIL, advice=EVIL)


def report() -> validate.ValidationReport:
    return validate.ValidationReport(EVIL, tuple([check()] * 30))


def live_metadata() -> Any:
    return artifact.read_metadata(PROJECT / "exported" / "overdrive").model_copy(
        update={"model_name": EVIL, "model_authors": (EVIL,), "model_short_description": EVIL * 9}
    )


def offline_metadata() -> Any:
    return artifact.read_metadata(PROJECT / "exported" / "stem_separator").model_copy(update={"model_name": EVIL})


def loaded() -> nl.Artifact:
    return nl.load_artifact(PROJECT / "exported" / "overdrive")


def export_result() -> nl.ExportResult:
    path = Path(EVIL.replace("/", ""))
    return nl.ExportResult(path, path, path, path, (path,) * 9, live_metadata(), report(), path)


def render_result() -> nl.RenderResult:
    path = Path(EVIL.replace("/", ""))
    return nl.RenderResult(path, path, (path,), (path,) * 99, 48000, 2, 48000, 1.0, 0.1, 0.1, 64, 2.0, True, 3)


def file_record() -> render.FileRecord:
    return render.FileRecord(EVIL, EVIL, "failed", audio={"audio_seconds": 1.0}, error=EVIL)


def safety() -> realtime_safety.RealtimeSafetyReport:
    conditions = realtime_safety.SafetyConditions(EVIL, "a callback", 1000, 10, 64, 48000, 2, "poll", "6.1")
    return realtime_safety.RealtimeSafetyReport(conditions, ending(), 1000, 1, (counter(),) * 20)


def counter() -> realtime_safety.CounterResult:
    frame = realtime_safety.Frame(EVIL, "/lib/x.so", 5)
    return realtime_safety.CounterResult("malloc", 9, 1000, 2, 3, 0, (frame,) * 30)


def ending() -> realtime_safety.Ending:
    return realtime_safety.Ending("finished", stack=counter().stack, output=EVIL)


def bench_report() -> bench.BenchReport:
    return bench.BenchReport(EVIL, (setting_result(),) * 20, {"processor": EVIL})


def setting_result() -> bench.SettingResult:
    return bench.SettingResult(HostSetting(48000, 64), 44100, BlockTimes((1.0,), (0.5,) * 5000), None, 64)


def played_cost(us: float = 9.0) -> optimise.PlayedCost:
    return optimise.PlayedCost(EVIL, "compiled", 48000, {64: us, 256: 4.0 * us}, 9999)


def quality_report() -> optimise.QualityReport:
    item = optimise.ItemQuality(EVIL, 1.0, 0.1, 10.0, 0.5, 1.0, None, 3)
    return optimise.QualityReport((item,) * 40, None, EVIL, 5, 32)


def budget_report() -> optimise.BudgetReport:
    point = optimise.BudgetPoint(EVIL, Path("a"), played_cost(), 0.5, 0.5, quality_report(), on_front=True)
    return optimise.BudgetReport((point,) * 30, 0.5, 0.02, (EVIL,) * 30)


def distil_result() -> optimise.DistilResult:
    judged = verdict(quality_report(), 0.5, played_cost(), played_cost(20.0), 0.1)
    curve = (optimise.CurvePoint(1, 0.5, 0.1, 0.2),) * 40
    costs = played_cost(), played_cost(20.0)
    return optimise.DistilResult(STUDENT, None, curve, quality_report(), 0.5, *costs, judged)


def proposals() -> optimise.StudentProposals:
    shape = optimise.StudentShape("tcn", 4, 3, (1, 2))
    candidate = optimise.StudentCandidate(shape, 99, played_cost(), 0.5, True)
    return optimise.StudentProposals((candidate,) * 30, played_cost(), 0.5)


def prune_result() -> optimise.PruneResult:
    layers = (optimise.PrunedLayers((EVIL,) * 9, "channels", 8, 4),) * 30
    whole = (optimise.KeptWhole(EVIL, 8, EVIL),) * 30
    return optimise.PruneResult(nn.Identity(), layers, whole, 99, 50, 0, 396, 200, 1e-8, note=EVIL)


def quantise_result() -> optimise.QuantiseResult:
    weight = optimise.QuantisedWeight(EVIL, "int8", (8, 8, 3), 768, 208, 0.001)
    layer = optimise.QuantisedActivations(EVIL, "int8", 0.0078125, -3, 0.001, 0.25, "")
    left = optimise.QuantisedActivations(EVIL, "float32", None, None, None, None, EVIL)
    return optimise.QuantiseResult(
        nn.Identity(), (weight,) * 30, 64, quality_report(), 0.1, 0.2, None, None, EVIL, 0, (layer, left) * 30
    )


class Playing:
    """A session that has played, with its engine."""

    def __init__(self) -> None:
        self.engine = runtime.Engine()
        backend = runtime.BuiltinBackend("identity")
        self.session = self.engine.open(backend, runtime.HostConfig(48000, 480))
        self.session.process(np.zeros((2, 480), np.float32))
        self.report = self.engine.run_realtime(self.session, seconds=0.05)


def recording() -> live.Recording:
    return live.Recording(Path(EVIL.replace("/", "")), 48000, 1.0, 5, EVIL)


def live_report(playing: Playing) -> live.LiveReport:
    times = playing.report.sessions[0].callback_time
    values: dict[str, Any] = {field.name: 9 for field in fields(live.LiveReport)}
    values |= dict.fromkeys(("name", "input_device", "output_device", "backend_name", "mode", "last_error"), EVIL)
    values |= {"callback_time": times, "recordings": (recording(),) * 9, "device_latency_seconds": None}
    return live.LiveReport(**values)


def backend_times(playing: Playing) -> bench.BackendTimes:
    return bench.BackendTimes(EVIL, playing.session.host, setting_result().times)


@pytest.fixture(scope="module")
def playing() -> Iterator[Playing]:
    made = Playing()
    yield made
    made.engine.close()


MAKERS: dict[type, Callable[[Playing], Any]] = {
    validate.Check: lambda _: check(),
    validate.ValidationReport: lambda _: report(),
    validate.HostSetting: lambda _: HostSetting(48000, 64),
    artifact.LiveMetadata: lambda _: live_metadata(),
    artifact.OfflineMetadata: lambda _: offline_metadata(),
    nl.Artifact: lambda _: loaded(),
    nl.CompiledModel: lambda _: nl.CompiledModel(late_model("{}")),
    nl.ExportResult: lambda _: export_result(),
    artifact.WrittenArtifact: lambda _: artifact.WrittenArtifact(
        Path("a"), Path("a/model.nm"), Path("a/metadata.json"), (Path("b"),) * 50, live_metadata()
    ),
    nl.RenderResult: lambda _: render_result(),
    nl.BatchResult: lambda _: nl.BatchResult((file_record(),) * 50, 50, EVIL, 1.0),
    render.FileRecord: lambda _: file_record(),
    render.WrittenFile: lambda _: render.WrittenFile(EVIL, "0" * 64, 7),
    render.Board: lambda _: render.Board([]),
    Stream: lambda _: render.Board([]).open_stream(48000, 2, 512),
    render.ModelPlugin: lambda _: render.ModelPlugin(loaded()),
    render.OfflinePlugin: lambda _: render.OfflinePlugin(PROJECT / "exported" / "stem_separator"),
    realtime_safety.RealtimeSafetyReport: lambda _: safety(),
    realtime_safety.CounterResult: lambda _: counter(),
    realtime_safety.Ending: lambda _: ending(),
    realtime_safety.Frame: lambda _: counter().stack[0],
    realtime_safety.SafetyConditions: lambda _: safety().conditions,
    bench.BenchReport: lambda _: bench_report(),
    bench.SettingResult: lambda _: setting_result(),
    bench.BlockTimes: lambda _: setting_result().times,
    bench.BackendTimes: lambda playing: backend_times(playing),
    bench.BackendsReport: lambda playing: bench.BackendsReport(EVIL, (backend_times(playing),) * 50, {EVIL: EVIL}),
    optimise.BudgetPoint: lambda _: budget_report().points[0],
    optimise.BudgetReport: lambda _: budget_report(),
    optimise.CurvePoint: lambda _: distil_result().curve[0],
    optimise.DistilResult: lambda _: distil_result(),
    optimise.ItemQuality: lambda _: quality_report().items[0],
    optimise.KeptWhole: lambda _: prune_result().kept_whole[0],
    optimise.PlayedCost: lambda _: played_cost(),
    optimise.PruneResult: lambda _: prune_result(),
    optimise.PrunedLayers: lambda _: prune_result().layers[0],
    optimise.QualityReport: lambda _: quality_report(),
    optimise.QualityVerdict: lambda _: distil_result().verdict,
    optimise.QuantiseResult: lambda _: quantise_result(),
    optimise.QuantisedActivations: lambda _: quantise_result().activations[0],
    optimise.QuantisedWeight: lambda _: quantise_result().weights[0],
    optimise.StudentCandidate: lambda _: proposals().candidates[0],
    optimise.StudentModel: lambda _: STUDENT,
    optimise.StudentProposals: lambda _: proposals(),
    CompiledCost: lambda _: CompiledCost(9999, 5000, 9.0, 64, EVIL),
    runtime.Engine: lambda playing: playing.engine,
    runtime.Session: lambda playing: playing.session,
    runtime.HostConfig: lambda playing: playing.session.host,
    session_config.SessionSettings: lambda playing: playing.session.settings,
    runtime.SessionStatistics: lambda playing: playing.session.stats(),
    runtime.LatencyParts: lambda playing: playing.session.latency_parts(),
    runtime.WorkerStatistics: lambda playing: playing.engine.worker_statistics()[0],
    runtime.RealtimeReport: lambda playing: playing.report,
    runtime.SessionRun: lambda playing: playing.report.sessions[0],
    runtime.WorkerRun: lambda playing: playing.report.workers[0],
    runtime.TimeDistribution: lambda playing: playing.report.sessions[0].callback_time,
    runtime.ParameterChange: lambda _: runtime.ParameterChange(5, EVIL, 1.0),
    runtime.BuiltinBackend: lambda _: runtime.BuiltinBackend("identity"),
    runtime.NativeBackend: lambda _: runtime.NativeBackend(EVIL),
    runtime.PythonBackend: lambda _: runtime.PythonBackend(lambda x, parameters: x),
    live.Device: lambda _: live.Device(0, EVIL, EVIL, 2, 2, 48000.0, True, True),
    live.LiveReport: lambda playing: live_report(playing),
    live.LiveStatus: lambda _: live.LiveStatus(-6.0, -3.0, 0.5, 0, 0, 1.0, False),
    live.Recording: lambda _: recording(),
    live.RoundTrip: lambda _: live.RoundTrip(128, 0.0027, (128,) * 20, None, 99.0, 48000, 128, 2),
    live.MidiControl: lambda _: live.MidiControl(EVIL, "cc14", 1, 7),
    backends.ModelFacts: lambda _: runtime.BuiltinBackend("identity").facts,
    nl.ModelMetadata: lambda _: METADATA,
    nl.ContinuousParameter: lambda _: GAIN,
    nl.CategoricalParameter: lambda _: nl.CategoricalParameter("a", labels=(EVIL, "b")),
    nl.TextParameter: lambda _: nl.TextParameter(EVIL, default=EVIL * 50),
    nl.TokensParameter: lambda _: nl.TokensParameter("t", default=tuple(range(5000))),
    nl.WaveformToWaveformBase: lambda _: Gain(),
    nl.NonRealtimeBase: lambda _: nl.NonRealtimeBase(),
    nl.NonRealtimeTokenizerBase: lambda _: nl.NonRealtimeTokenizerBase(tokenizer="{}", tokenizer_type="JSON"),
    model.Declaration: lambda _: Gain().declaration(),
    model.OfflineDeclaration: lambda _: type("Whole", (nl.NonRealtimeBase,), {"metadata": METADATA})().declaration(),
}
# What calls itself by what was done, instead of by its class.
CALLED: dict[type, str] = {
    optimise.PruneResult: "Pruned Identity: ",
    optimise.QualityReport: "Quality over 40 sounds",
    optimise.QualityVerdict: "Quality: NOT good enough",
    optimise.QuantiseResult: "Quantised Identity: ",
}
# Base classes of which nothing is made, wrappers that print their network, what is drawn or raised, and what needs a
# sound card (its own tests have one); and what users write down themselves, which prints as the call that made it.
ELSEWHERE = {
    nl.ArtifactMetadata,
    nl.SampleQueueWrapper,
    nl.NonRealtimeSampleQueueWrapper,
    backends.Backend,
    validate.Outcome,
    live.LiveStream,
    live.MidiKnobs,
    optimise.FineTuning,
    optimise.Losses,
    optimise.StudentShape,
}


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("kind", MAKERS, ids=lambda kind: kind.__name__)
def test_a_result_prints_itself(kind: type, playing: Playing) -> None:
    require_printed(kind, MAKERS[kind](playing))


def require_printed(kind: type, result: Any) -> None:
    assert isinstance(result, kind)
    text = repr(result)
    assert "object at 0x" not in text
    assert CALLED.get(kind, kind.__name__) in text or isinstance(result, nn.Module)
    assert len(text.splitlines()) <= MOST_LINES
    assert len(text) < 1000 or kind in (nl.TokensParameter, nl.TextParameter)
    assert printable(text) == text
    page = Tags(cast(Any, result)._repr_html_())
    assert page.tags <= {"div", "strong", "table", "tr", "td", "br"}
    assert page.text.strip()
    assert printable(page.text) == page.text


# ---------------------------------------------------------------------- the whole surface


def classes_in(annotation: Any) -> set[type]:
    """The classes of this package in an annotation."""
    found = {kind for part in get_args(annotation) for kind in classes_in(part)}
    ours = isinstance(annotation, type) and annotation.__module__.startswith("neutone_like.")
    return found | ({annotation} if ours and not isinstance(annotation, types.GenericAlias) else set[type]())


def returned_by(function: Any) -> set[type]:
    try:
        hints = typing.get_type_hints(inspect.unwrap(function))
    except NameError:  # a name that only type checkers import: nothing a user is given
        return set()
    return classes_in(hints.get("return"))


def public_results() -> set[type]:
    """Every class that a public name is, or that a public function, method or property returns."""
    found: set[type] = set()
    todo: list[Any] = []
    for package in PACKAGES:
        module = importlib.import_module(f"neutone_like{package}")
        todo += [getattr(module, name) for name in vars(module)["__all__"]]
    while todo:
        value = todo.pop()
        for kind in returned_by(value) if inspect.isfunction(value) else classes_in(value):
            if kind in found or kind.__name__.startswith("_") or issubclass(kind, BaseException):
                continue
            found.add(kind)
            members = [member for name, member in vars(kind).items() if not name.startswith("_")]
            functions = [getattr(each, "fget", None) or getattr(each, "func", None) or each for each in members]
            todo += [each for each in functions if inspect.isfunction(each)]
    return found


def test_every_public_result_is_printed() -> None:
    found = public_results()
    assert {runtime.SessionStatistics, nl.ExportResult, realtime_safety.Ending} <= found, "the walk misses results"
    ours = {kind for kind in found if not getattr(kind, "_is_protocol", False)}
    assert ours - set(MAKERS) - ELSEWHERE == set(), "make one of each in MAKERS, and let it print itself"


def test_what_does_not_print_itself_is_seen() -> None:
    """The control: an object without a repr of its own, one too tall, and a page that runs a script."""

    class Bare:
        pass

    class Tall(Printed):
        def __repr__(self) -> str:
            return "Tall\n" * 20

    class Raw(Printed):
        def _repr_html_(self) -> str:
            return f"<table>{EVIL}</table>"

    for kind in (Bare, Tall, Raw):
        with pytest.raises((AssertionError, AttributeError)):
            require_printed(kind, kind())


def test_a_recorded_run_does_not_print_its_sound(playing: Playing) -> None:
    torch.manual_seed(0)
    run = playing.engine.run_realtime(playing.session, seconds=0.02, record=True).sessions[0]
    assert run.output is not None
    assert "array" not in repr(run) + run._repr_html_()  # type: ignore[attr-defined]
