"""The Neutone SDK's names around a wrapper: parameters, saving and loading, sounds, and what is not offered."""

import importlib
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ArtifactError,
    ContinuousParameter,
    ExportError,
    ModelError,
    ParameterError,
    SampleQueueWrapper,
)
from neutone_like.artifact import read_metadata
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.compat import neutone_sdk
from neutone_like.compat.neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    DiscreteTokensNeutoneParameter,
    NeutoneParameter,
    TextNeutoneParameter,
)
from neutone_like.compat.neutone_sdk.audio import (
    AudioSamplePair,
    get_default_audio_samples,
    render_audio_sample,
)
from neutone_like.compat.neutone_sdk.not_offered import NotOfferedError
from neutone_like.compat.neutone_sdk.utils import load_neutone_model, save_neutone_model
from support import compat_wrappers
from support.lighter_exports import only_checks, without_pictures

# What users of version 1.5.2 import, from its examples and its README.
IMPORTS = {
    "": (
        "WaveformToWaveformBase",
        "NeutoneModel",
        "NeutoneParameter",
        "ContinuousNeutoneParameter",
        "CategoricalNeutoneParameter",
        "TextNeutoneParameter",
        "DiscreteTokensNeutoneParameter",
        "NeutoneParameterType",
        "SampleQueueWrapper",
        "audio",
        "constants",
        "utils",
    ),
    ".audio": ("AudioSample", "AudioSamplePair", "get_default_audio_samples", "render_audio_sample"),
    ".constants": ("MAX_N_PARAMS", "SDK_VERSION"),
    ".core": ("NeutoneModel",),
    ".parameter": ("NeutoneParameter", "ContinuousNeutoneParameter"),
    ".sqw": ("SampleQueueWrapper",),
    ".utils": ("save_neutone_model", "load_neutone_model"),
    ".wavform_to_wavform": ("WaveformToWaveformBase",),
}


@pytest.mark.parametrize("module", IMPORTS)
def test_names_are_where_that_sdk_has_them(module: str) -> None:
    found = importlib.import_module(f"neutone_like.compat.neutone_sdk{module}")
    assert [name for name in IMPORTS[module] if not hasattr(found, name)] == []


def test_save_takes_that_sdks_arguments() -> None:
    names = list(inspect.signature(save_neutone_model).parameters)
    assert names == [
        "model",
        "root_dir",
        "dump_samples",
        "submission",
        "audio_sample_pairs",
        "max_n_samples",
        "freeze",
        "optimize",
        "speed_benchmark",
        "test_offline_mode",
    ]


@pytest.mark.parametrize(
    ("line", "alternative"),
    [
        ("from neutone_like.compat.neutone_sdk.benchmark import benchmark_latency_", "neutone-like bench"),
        ("from neutone_like.compat.neutone_sdk.metadata import validate_metadata", "read_metadata"),
        ("from neutone_like.compat.neutone_sdk import sandwich", "get_native_sample_rates"),
        ("from neutone_like.compat.neutone_sdk.gcn_1d import GCN1D", "keep importing it from neutone_sdk"),
        ("from neutone_like.compat.neutone_sdk import KnobNeutoneParameter", "ContinuousNeutoneParameter"),
        ("from neutone_like.compat.neutone_sdk.filters import IIRSVF", "StateVariableFilter"),
        ("import neutone_like.compat.neutone_sdk.conv as c; c.PaddingCached", "Use Conv1dGeneral"),
    ],
)
def test_what_is_not_offered_says_what_is(line: str, alternative: str) -> None:
    with pytest.raises(NotOfferedError, match=rf"neutone_like\.compat\.neutone_sdk.* has no .*{alternative}"):
        exec(line)


@pytest.mark.parametrize("module", ["", ".filters", ".conv"])
def test_nonsense_is_refused_as_usual(module: str) -> None:
    with pytest.raises(ImportError, match="cannot import name 'nonsense'"):
        exec(f"from neutone_like.compat.neutone_sdk{module} import nonsense")
    assert not hasattr(neutone_sdk, "nonsense")


# ---------------------------------------------------------------------- parameters


def test_old_and_new_ways_to_declare_a_knob() -> None:
    for parameter in (
        NeutoneParameter("a", "b", 0.3),
        NeutoneParameter(name="a", description="b", default_value=0.3),
        ContinuousNeutoneParameter("a", "b", 0.3),
        ContinuousNeutoneParameter("a", "b", default_value=-4.0, min_value=-10.0, max_value=10.0),
    ):
        assert parameter.default_value_0to1 == pytest.approx(0.3)
        assert parameter.to_metadata()["type"] == "continuous"
    assert CategoricalNeutoneParameter("a", "b", 3, 1).to_metadata()["labels"] == ["0", "1", "2"]
    assert TextNeutoneParameter("a", "b", 20, "c").to_metadata()["max_n_chars"] == 20
    assert DiscreteTokensNeutoneParameter("a", "b").to_metadata()["default_value"] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NeutoneParameter("a", "b", 1.5), r"'a': default_value must lie in 0\.0\.\.1\.0, got 1\.5"),
        (lambda: NeutoneParameter("a", "b", "x"), "'a': default_value must lie in .*, got 'x'"),
        (lambda: ContinuousNeutoneParameter("a", "b", 3.0, 0.0, 2.0), r"must lie in 0\.0\.\.2\.0, got 3\.0"),
        (lambda: ContinuousNeutoneParameter("a", "b", 3.0, 3.0, 3.0), "min_value must be below max_value"),
        (lambda: CategoricalNeutoneParameter("a", "b", 1, 0), r"n_values must lie in 2\.\.20, got 1"),
        (lambda: CategoricalNeutoneParameter("a", "b", 2, 2), r"default_value must lie in 0\.\.1, got 2"),
        (lambda: CategoricalNeutoneParameter("a", "b", 2, 0, ["x"]), "expected n_values=2 labels"),
        (lambda: CategoricalNeutoneParameter("a", "b", 2, 0, ["x", "y" * 20]), "shorter than 20 characters"),
    ],
)
def test_parameter_that_can_not_be(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


class Reporter(compat_wrappers.Described):
    """Plays back what it is given for each parameter."""

    def __init__(self, declared: Sequence[Any]) -> None:
        self.declared = declared
        super().__init__(nn.Identity())

    def get_model_name(self) -> str:
        return "reporter"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return list(self.declared)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.cat((params["a"].expand(1, x.size(1)), params["b"].expand(1, x.size(1))))


def test_range_of_a_knob_is_ignored_and_its_own_units_can_be_asked_for() -> None:
    ignored = ContinuousNeutoneParameter("a", "range ignored", 0.0, min_value=-24.0, max_value=24.0)
    asked = ContinuousParameter("b", "in dB", default=0.0, minimum=-24.0, maximum=24.0, unit="dB")
    wrapper = Reporter((ignored, asked))
    for module in (
        neutone_sdk.SampleQueueWrapper(wrapper),
        script_wrapper(SampleQueueWrapper(wrapper.live_model()).eval()),
    ):
        module.set_daw_sample_rate_and_buffer_size(48000, 64)
        x = torch.zeros(2, 64)
        torch.testing.assert_close(module.forward(x), torch.tensor([[0.5], [0.0]]).expand(2, 64))
        module.reset()
        knobs = torch.tensor([[0.75], [0.75], [0.0], [0.0]]).expand(4, 64)
        torch.testing.assert_close(module.forward(x, knobs), torch.tensor([[0.75], [12.0]]).expand(2, 64))
    torch.testing.assert_close(wrapper(x), torch.tensor([[0.5], [0.0]]).expand(2, 64))


def test_choice_arrives_as_its_index_beside_a_knob_with_its_own_aggregation() -> None:
    class Latest(Reporter):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params[:, -1:]

    choice = CategoricalNeutoneParameter("b", "shape", 3, 1, ["sine", "square", "saw"])
    wrapper = Latest((ContinuousNeutoneParameter("a", "level", 0.25), choice))
    module = script_wrapper(SampleQueueWrapper(wrapper.live_model()).eval())
    module.set_daw_sample_rate_and_buffer_size(48000, 32)
    torch.testing.assert_close(module.forward(torch.zeros(2, 32)), torch.tensor([[0.25], [1.0]]).expand(2, 32))
    module.reset()
    knobs = torch.cat((torch.linspace(0.0, 1.0, 32).unsqueeze(0), torch.full((1, 32), 0.9)))
    torch.testing.assert_close(module.forward(torch.zeros(2, 32), knobs), torch.tensor([[1.0], [2.0]]).expand(2, 32))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ((TextNeutoneParameter("a", "b"),), "a live model takes .* got TextNeutoneParameter 'a'"),
        ((NeutoneParameter("a", "b", 0.5), NeutoneParameter("a", "c", 0.5)), "the name 'a' is used twice"),
    ],
)
def test_parameters_a_live_model_can_not_have(declared: Sequence[Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Reporter(declared).to_metadata()


def test_aggregation_must_keep_the_rows() -> None:
    class Flat(Reporter):
        def aggregate_params(self, params: Tensor) -> Tensor:
            return params.mean(1)

    wrapper = Flat((NeutoneParameter("a", "", 0.5), NeutoneParameter("b", "", 0.5)))
    with pytest.raises(ModelError, match="aggregate_params must return 4 rows"):
        neutone_sdk.SampleQueueWrapper(wrapper).forward(torch.zeros(2, 64))


# ---------------------------------------------------------------------- what a wrapper says about itself


def test_getter_over_the_limit_is_named() -> None:
    class Verbose(compat_wrappers.Delayed):
        def get_model_name(self) -> str:
            return "n" * 31

        def get_tags(self) -> list[str]:
            return ["fine", "fifteen and more"]

        def get_input_gain_default_value(self) -> float:
            return 1.5

    with pytest.raises(ModelError, match="Verbose says more about itself than a .nm has room for") as refusal:
        Verbose().live_model()
    for part in ("get_model_name(): name", "get_tags(): tags.1", "get_input_gain_default_value(): input_gain"):
        assert part in str(refusal.value)


def test_getters_become_metadata() -> None:
    metadata = compat_wrappers.Clipper(compat_wrappers.ClipperModel()).to_metadata()
    assert metadata["wet_default_value"] == 0.75
    assert metadata["dry_default_value"] == 0.25
    assert metadata["input_gain_default_value"] == pytest.approx(0.6)
    assert metadata["is_experimental"] is True
    assert metadata["neutone_parameters"]["p3"]["default_value"] == 1.0
    averager = json.loads(compat_wrappers.Averager().get_metadata_json())
    assert averager["model_type"] == "mono-mono"
    assert averager["look_behind_samples"] == 32
    assert averager["native_buffer_sizes"] == [256]


def test_a_fifth_knob_is_refused_by_name(tmp_path: Path) -> None:
    """Models of this package may have more; what was written for that SDK keeps to its limits."""

    class Many(compat_wrappers.Clipper):
        def get_neutone_parameters(self) -> list[NeutoneParameter]:
            return [ContinuousNeutoneParameter(f"knob {n}", "", default_value=0.5) for n in range(5)]

    with pytest.raises(ModelError, match="Many has 5 knobs, where the format has room for 4. Leave out the rest"):
        save_neutone_model(Many(compat_wrappers.ClipperModel()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_abstract_getters_must_be_written() -> None:
    class Silent(neutone_sdk.WaveformToWaveformBase):
        pass

    with pytest.raises(TypeError, match="get_model_name"):
        Silent(nn.Identity())  # pyright: ignore[reportAbstractUsage]


def test_look_behind_needs_the_queue() -> None:
    with pytest.raises(ModelError, match="Averager wants 32 past samples.*SampleQueueWrapper"):
        compat_wrappers.Averager()(torch.zeros(1, 256))


def test_failure_names_the_users_own_line(tmp_path: Path) -> None:
    class Broken(compat_wrappers.Delayed):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x @ x

    with pytest.raises(ExportError, match=r"(?s)Broken\.do_forward_pass raised RuntimeError.*return x @ x"):
        save_neutone_model(Broken(), tmp_path)


# ---------------------------------------------------------------------- saving and loading


def test_other_models_are_refused(tmp_path: Path) -> None:
    foreign = type("Base", (), {"__module__": "neutone_sdk.wavform_to_wavform"})
    late: Any = type("Late", (foreign,), {})()
    with pytest.raises(ExportError, match="Late still has its base class from neutone_sdk"):
        save_neutone_model(late, tmp_path)
    other: Any = nn.Identity()
    with pytest.raises(
        ExportError, match="subclass of neutone_like.compat.neutone_sdk.WaveformToWaveformBase or NonRealtimeBase"
    ):
        save_neutone_model(other, tmp_path)


def test_arguments_without_effect_give_one_warning(tmp_path: Path) -> None:
    late: Any = nn.Identity()
    with pytest.warns(UserWarning, match="ignores these") as caught, pytest.raises(ExportError):
        save_neutone_model(late, tmp_path, False, False, None, 3, True, True, False, False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    for argument in ("freeze", "optimize", "speed_benchmark", "test_offline_mode"):
        assert f"{argument}: " in str(caught[0].message)


class NeverReset(compat_wrappers.Described):
    """State that no buffer holds and nothing resets."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.past = torch.zeros(2, 1)

    def get_model_name(self) -> str:
        return "never.reset"

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + 0.5 * torch.cat((self.past, x[:, :-1]), 1)
        self.past = x[:, -1:].clone()
        return y


@pytest.mark.slow
def test_failed_check_is_a_warning_or_with_submission_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_checks(monkeypatch, "reset repeats", "instances independent")
    without_pictures(monkeypatch)
    with pytest.raises(ExportError, match="reset repeats.*Clear every state in reset_model"):
        save_neutone_model(NeverReset(), tmp_path / "strict", submission=True)
    assert not (tmp_path / "strict").exists()
    with pytest.warns(UserWarning, match="(?s)exported although it failed .*- reset repeats"):
        result = save_neutone_model(NeverReset(), tmp_path / "lenient")
    assert result.model_path.is_file()


@pytest.mark.slow
def test_own_sounds_are_inside_and_the_model_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, "metadata", "scripted equals eager")
    without_pictures(monkeypatch)
    wrapper = compat_wrappers.Clipper(compat_wrappers.ClipperModel())
    before = get_default_audio_samples()[0]
    pairs = [AudioSamplePair(before, render_audio_sample(wrapper, before))] * 3  # pyright: ignore[reportArgumentType]
    result = save_neutone_model(wrapper, tmp_path, dump_samples=True, audio_sample_pairs=pairs, max_n_samples=2)
    module, metadata = load_neutone_model(tmp_path)
    assert [set(sound) for sound in metadata["sample_sound_files"]] == [{"in", "out"}] * 2
    assert read_metadata(result.model_path).sample_sound_files[0].in_ == before.to_mp3_b64()
    assert json.loads(result.metadata_path.read_text()) == metadata
    assert sorted(path.name for path in tmp_path.iterdir() if "." in path.name) == sorted(
        {"model.nm", "metadata.json", "validation.json"} | {path.name for path in tmp_path.glob("report.html")}
    )
    loud = torch.full((2, 512), 0.9)
    torch.testing.assert_close(module.forward(loud), torch.full((2, 512), 0.25))


def test_what_is_no_artifact_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.nm").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="is not a .nm artifact"):
        load_neutone_model(str(tmp_path / "model.nm"))


# ---------------------------------------------------------------------- sounds
