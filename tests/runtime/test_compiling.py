"""From artifacts to compiled models: written, opened again, played, and refused."""

import inspect
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from neutone_like import export
from neutone_like.artifact import load_artifact, write_artifact
from neutone_like.errors import ArtifactError, AudioError, CompileError, ParameterError
from neutone_like.export import export_model
from neutone_like.model import WaveformToWaveformBase
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled
from neutone_like.runtime.compiling import compile_artifact, compile_model, plan_artifact
from neutone_like.validate.checks.compiled import check_compiled_equals_eager
from neutone_like.validate.live_subject import LiveSubject
from support.compiled_files import resealed, section
from support.compiled_live_models import (
    Amp,
    AnyRate,
    Decaying,
    Deciding,
    Following,
    LooksBehind,
    NeverFinite,
    Ringing,
    Sorted,
    Spectral,
    TooSlow,
)

Sound = NDArray[np.float32]
SIZES = (64, 1, 17, 64, 200, 3)
_CONSTANTS = 7


def written(model: WaveformToWaveformBase, folder: Path) -> Path:
    """The ``.nm`` of a model."""
    return write_artifact(model, folder, render_samples=False, capture="script").model_path


def with_other_weights(data: bytes) -> bytes:
    """Each a tenth larger, and the checksum made to fit."""
    start, length = section(data, _CONSTANTS)
    return resealed(data, start, (np.frombuffer(data[start : start + length], np.float32) * np.float32(1.1)).tobytes())


@pytest.fixture(scope="module")
def amp(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompiledModel]:
    """An artifact with its compiled model beside it; tests leave both as they are."""
    path = written(Amp(), tmp_path_factory.mktemp("amp") / "amp")
    return path, compile_model(path)


@pytest.fixture
def own_amp(amp: tuple[Path, CompiledModel], tmp_path: Path) -> Path:
    """A copy of both for a test that changes them."""
    return Path(shutil.copytree(amp[0].parent, tmp_path / "amp")) / amp[0].name


def noise(samples: int, seed: int = 0) -> Sound:
    return np.random.default_rng(seed).uniform(-0.8, 0.8, (1, samples)).astype(np.float32)


def largest_difference(
    compiled: CompiledModel,
    path: Path,
    sizes: Sequence[int],
    rate: int = 48000,
    params: Sequence[dict[str, Sound]] | None = None,
) -> float:
    """Of the compiled model from the artifact's own module, over all blocks; half of them after a reset."""
    core: Any = load_artifact(path).fresh_module().w2w_base
    core.prepare_model(rate, max(sizes))
    difference = 0.0
    for again in range(2):
        core.reset_model()
        compiled.reset()
        sound = noise(compiled.look_behind_samples + sum(sizes), again)
        at = 0
        for index, samples in enumerate(sizes):
            block = np.ascontiguousarray(sound[:, at : at + compiled.look_behind_samples + samples])
            values = params[index] if params else {}
            given = {name: torch.from_numpy(np.atleast_1d(value)) for name, value in values.items()}
            with torch.no_grad():
                expected = core.do_forward_pass(torch.from_numpy(block), given).numpy()
            got = compiled.process(block, values)
            assert got.shape == expected.shape == (1, samples)
            difference = max(difference, float(np.abs(got - expected).max()))
            at += samples
    return difference


def test_a_model_is_compiled_beside_its_file_and_says_how_well(amp: tuple[Path, CompiledModel]) -> None:
    path, compiled = amp
    assert {each.name for each in path.parent.iterdir()} == {"model.nm", "model.nlc", "metadata.json"}
    report = compiled.report
    assert report is not None
    assert compiled.path == path.parent / "model.nlc"
    assert report.file_bytes == (path.parent / "model.nlc").stat().st_size
    assert report.steps == compiled.steps > 0
    assert report.memory_bytes > 0
    assert report.sample_rates == ()
    assert set(report.accuracy.blocks) == {1, 17, 64, 256}
    assert 0 < report.accuracy.error <= report.accuracy.allowed < 1e-5
    assert "rate: any that the model has" in " ".join(str(report).split())


def test_it_plays_what_the_model_does_with_values_for_blocks_and_for_samples(amp: tuple[Path, CompiledModel]) -> None:
    path, compiled = amp
    assert compiled.parameters == ("drive", "level", "curve")
    values: list[dict[str, Sound]] = [
        {
            "drive": np.array([0.5 + 0.6 * index], np.float32),
            "level": np.linspace(0.2, 1.0, samples, dtype=np.float32),
            "curve": np.array([index % 2], np.float32),
        }
        for index, samples in enumerate(SIZES)
    ]
    assert largest_difference(compiled, path, SIZES, params=values) < 2e-6


def test_a_value_stands_for_each_sample_and_others_are_at_their_defaults(amp: tuple[Path, CompiledModel]) -> None:
    _, compiled = amp
    sound = noise(50)

    def played(**params: Any) -> Sound:
        compiled.reset()
        return compiled.process(sound, params)

    whole = played(drive=1.0, level=np.full(50, 0.5, np.float32), curve=0)
    np.testing.assert_array_equal(played(), whole)
    np.testing.assert_array_equal(played(level=0.5), whole)
    np.testing.assert_array_equal(played(level=[0.5]), whole)
    assert np.abs(played(level=0.25) - 0.5 * whole).max() < 1e-6
    assert np.abs(played(curve=1) - whole).max() > 0.01


def test_what_does_not_fit_is_said(amp: tuple[Path, CompiledModel]) -> None:
    _, compiled = amp
    with pytest.raises(ParameterError, match=r"no parameter 'gain'; the model has \['drive', 'level', 'curve'\]"):
        compiled.process(noise(8), {"gain": 1.0})
    for values, message in (
        ({"level": np.ones(7, np.float32)}, r"'level' takes one value or one for each of the 8 samples, got \[7\]"),
        ({"level": np.ones((1, 8), np.float32)}, r"'level' takes .* got \[1, 8\]"),
        ({"drive": "loud"}, "'drive' takes numbers, got 'loud'"),
    ):
        with pytest.raises(ParameterError, match=message):
            compiled.process(noise(8), values)
    for audio in (np.zeros((2, 8), np.float32), np.zeros(8, np.float32), np.zeros((1, 0), np.float32)):
        with pytest.raises(AudioError, match=r"Expected \[1, 0 \+ N\], N a multiple of 1 from 1 on, got \["):
            compiled.process(audio)


def test_it_is_opened_by_its_own_file_and_by_the_model_s(amp: tuple[Path, CompiledModel]) -> None:
    path, compiled = amp
    sound = noise(100)
    compiled.reset()
    expected = compiled.process(sound)
    for given in (path, path.with_name("model.nlc"), str(path)):
        opened = load_compiled(given)
        np.testing.assert_array_equal(opened.process(sound), expected)
        assert opened.metadata["model_name"] == "Small"
        assert opened.sample_rates == (48000,)


def test_a_model_that_changed_since_is_refused(own_amp: Path) -> None:
    own_amp.write_bytes(own_amp.read_bytes() + b" ")
    with pytest.raises(ArtifactError, match=rf"model.nlc was compiled from another model than {own_amp}, which has c"):
        load_compiled(own_amp)
    load_compiled(own_amp.with_name("model.nlc"))
    own_amp.with_name("model.nlc").unlink()
    with pytest.raises(ArtifactError, match=rf"There is no compiled model .*neutone-like compile {own_amp}"):
        load_compiled(own_amp)


def test_a_file_that_can_t_be_written_leaves_the_one_before(own_amp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = own_amp.with_name("model.nlc").read_bytes()
    compiled = load_compiled(own_amp)

    def fails(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("os.replace", fails)
    monkeypatch.setattr("pathlib.Path.replace", fails)
    with pytest.raises(OSError, match="no room"):
        compiled.write(own_amp.with_name("model.nlc"))
    assert own_amp.with_name("model.nlc").read_bytes() == before
    assert {each.name for each in own_amp.parent.iterdir()} == {"model.nm", "model.nlc", "metadata.json"}


def test_the_test_vector_trips_on_other_weights(amp: tuple[Path, CompiledModel]) -> None:
    _, compiled = amp
    compiled.check_test_vector()
    assert compiled.path is not None
    with pytest.raises(ArtifactError, match="does not give what it did where it was compiled: differs by"):
        CompiledModel(with_other_weights(compiled.path.read_bytes())).check_test_vector()


def test_two_of_them_share_nothing_and_a_reset_repeats_bit_for_bit(amp: tuple[Path, CompiledModel]) -> None:
    path, _ = amp
    one, other = load_compiled(path), load_compiled(path)
    sound = noise(300)
    alone = [one.process(np.ascontiguousarray(each)) for each in np.split(sound, 3, axis=1)]
    one.reset()
    for index, block in enumerate(np.split(sound, 3, axis=1)):
        other.process(noise(77, seed=index))
        np.testing.assert_array_equal(one.process(np.ascontiguousarray(block)), alone[index])


def test_after_loud_sound_silence_becomes_silent_and_not_denormal(tmp_path: Path) -> None:
    path = written(Decaying(), tmp_path / "decaying")
    compiled = compile_model(path)
    heard = quiet = compiled.process(100.0 * noise(4800))
    assert np.isfinite(heard).all()
    for _ in range(60):
        quiet = compiled.process(np.zeros((1, 480), np.float32))
        assert np.isfinite(quiet).all()
    tiny = np.finfo(np.float32).tiny
    assert not np.logical_and(np.abs(quiet) > 0, np.abs(quiet) < tiny).any()
    assert np.abs(quiet).max() < 1e-30


def test_a_model_that_is_prepared_for_each_rate_has_a_plan_for_each(tmp_path: Path) -> None:
    path = written(Ringing(), tmp_path / "ringing")
    compiled = compile_model(path)
    assert compiled.report is not None
    assert compiled.report.sample_rates == compiled.sample_rates == (44100, 48000)
    assert compiled.sample_rate == load_compiled(path).sample_rate == 44100
    assert "rate: 44100 Hz, 48000 Hz" in " ".join(str(compiled.report).split())
    differences = {
        (rate, other): largest_difference(load_compiled(path, sample_rate=rate), path, SIZES, other)
        for rate in (44100, 48000)
        for other in (44100, 48000)
    }
    assert differences[44100, 44100] < 1e-6
    assert differences[48000, 48000] < 1e-6
    assert differences[44100, 48000] > 1e-4  # the control: it is another sound
    compiled.at_rate(48000).check_test_vector()
    with pytest.raises(ArtifactError, match=r"is for 44100, 48000 Hz, and 96000 Hz is asked for.* --rate 96000"):
        load_compiled(path, sample_rate=96000)
    with pytest.raises(CompileError, match=r"has the rates \(44100, 48000\) Hz, and 96000 Hz was asked for"):
        compile_model(path, sample_rate=96000)


def test_one_rate_is_compiled_where_one_is_asked_for(tmp_path: Path) -> None:
    path = written(Ringing(), tmp_path / "ringing")
    compiled = compile_model(path, sample_rate=48000)
    assert compiled.sample_rates == load_compiled(path).sample_rates == (48000,)
    assert compiled.path is not None
    assert compiled.path.read_bytes()[8] == 1  # as a reader from before there were several plans takes it
    assert largest_difference(compiled, path, SIZES, 48000) < 1e-6


def test_a_model_of_any_rate_is_compiled_for_those_of_hosts(tmp_path: Path) -> None:
    path = written(AnyRate(), tmp_path / "any")
    compiled = compile_model(path, path=tmp_path / "other.nlc")
    assert compiled.sample_rates == (48000, 44100, 88200, 96000)
    assert compiled.path == tmp_path / "other.nlc"
    assert not path.with_name("model.nlc").exists()
    for rate in compiled.sample_rates:
        assert largest_difference(load_compiled(tmp_path / "other.nlc", sample_rate=rate), path, SIZES, rate) < 1e-6
    shutil.copy(tmp_path / "other.nlc", path.with_name("model.nlc"))
    subject = LiveSubject(load_artifact(path), None, quick=True)
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "passed", outcome
    assert "at 48000, 44100, 88200, 96000 Hz" in outcome.measured


def test_a_rate_that_does_not_compile_is_left_out_and_named(tmp_path: Path) -> None:
    compiled = compile_model(written(TooSlow(), tmp_path / "slow"))
    assert compiled.sample_rates == (48000, 44100)
    assert compiled.report is not None
    assert len(compiled.report.left_out) == 2
    assert "aten::sort" in compiled.report.left_out[0]
    assert "left out: 88200 Hz: aten::sort" in " ".join(str(compiled.report).split())


def test_past_samples_that_the_host_gives_are_looked_at(tmp_path: Path) -> None:
    path = written(LooksBehind(), tmp_path / "behind")
    compiled = compile_model(path)
    assert compiled.look_behind_samples == 8
    assert largest_difference(compiled, path, SIZES) < 1e-6
    with pytest.raises(AudioError, match=r"Expected \[1, 8 \+ N\]"):
        compiled.process(noise(8))


def test_a_model_for_one_length_of_block_takes_only_that(tmp_path: Path) -> None:
    path = written(Spectral(), tmp_path / "spectral")
    compiled = compile_model(path)
    assert compiled.granules == (32,)
    assert largest_difference(compiled, path, (32,) * 5) < 1e-5
    with pytest.raises(AudioError, match=r"Expected \[1, 0 \+ N\]"):
        compiled.process(noise(31))


def test_validation_plays_it_beside_the_model(own_amp: Path) -> None:
    """The control: other weights, in a file that says that it belongs to the model."""
    subject = LiveSubject(load_artifact(own_amp), None, quick=True)
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "passed", outcome
    compiled = own_amp.with_name("model.nlc")
    compiled.write_bytes(with_other_weights(compiled.read_bytes()))
    assert load_compiled(own_amp).steps > 0
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "failed"
    assert "largest difference" in outcome.measured
    own_amp.write_bytes(own_amp.read_bytes() + b" ")
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "failed"
    assert "was compiled from another model" in outcome.measured
    compiled.unlink()
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "skipped"
    assert outcome.measured == "not run: there is no model.nlc beside it"


def test_a_plan_is_made_without_a_file(own_amp: Path) -> None:
    own_amp.with_name("model.nlc").unlink()
    listed = str(plan_artifact(own_amp))
    assert listed.startswith("blocks of any length, at most 64\naudio ")
    assert "ring " in listed
    assert not own_amp.with_name("model.nlc").exists()


def line_of(model: type, text: str) -> str:
    """Where it stands in the model's source."""
    lines, first = inspect.getsourcelines(model)
    number = first + next(index for index, each in enumerate(lines) if text in each)
    return f"{inspect.getsourcefile(model)}:{number}"


@pytest.mark.compiles
def test_exports_compile_and_say_why_not(tmp_path: Path) -> None:
    folder = tmp_path / "amp"
    first = export_model(Amp(), folder, validate=False, render_samples=False)
    assert first.compiled_path == folder / "model.nlc"
    assert first.not_compiled == ""
    assert load_compiled(first.model_path).steps > 0
    turned_off = export_model(Amp(1), folder, validate=False, render_samples=False, compile=False)
    assert turned_off.compiled_path is None
    assert turned_off.not_compiled == export.NOT_ASKED_FOR
    assert not (folder / "model.nlc").exists()


@pytest.mark.compiles
@pytest.mark.parametrize(
    ("model", "operation", "text"),
    [(Sorted, "aten::sort", "torch.sort(x, dim=0)"), (Deciding, "torch.where", "if float(x.abs()")],
)
def test_what_does_not_compile_is_exported_and_says_which_line(
    model: type[WaveformToWaveformBase], operation: str, text: str, tmp_path: Path
) -> None:
    folder = tmp_path / "refused"
    folder.mkdir()
    (folder / "model.nlc").write_bytes(b"of an earlier export")
    result = export_model(model(), folder, validate=False, render_samples=False)
    assert result.compiled_path is None
    assert not (folder / "model.nlc").exists()
    assert operation in result.not_compiled
    assert line_of(model, text) in result.not_compiled
    assert "no: " in str(result)
    assert model.__name__ in result.not_compiled or operation.startswith("aten")
    assert "_Played" not in result.not_compiled
    with pytest.raises(CompileError) as refused:
        compile_artifact(load_artifact(result.model_path))
    assert ":0" not in str(refused.value)
    assert "an unknown line" not in str(refused.value)
    assert "\n\n" not in str(refused.value)
    assert "that TorchScript does not say" in str(refused.value) or "TorchScript does not say in" in str(refused.value)
    assert "_Played" not in str(refused.value)


@pytest.mark.parametrize("first", [float("nan"), float("inf")])
def test_what_is_never_finite_is_refused(first: float, tmp_path: Path) -> None:
    """Every difference from NaN would be as good as none."""
    with torch.no_grad():
        path = written(NeverFinite(first), tmp_path / "never")
    with pytest.raises(CompileError, match="for noise is NaN or infinite.*TorchScript plays it"):
        compile_model(path)
    assert not path.with_name("model.nlc").exists()


def test_a_model_that_depends_on_how_sound_is_cut_is_refused(tmp_path: Path) -> None:
    path = written(Following(), tmp_path / "following")
    with pytest.raises(
        CompileError, match=r"how its sound is cut into blocks.*beyond 64 samples.*block_sizes = \(64,\)"
    ):
        compile_model(path)
    assert not path.with_name("model.nlc").exists()
