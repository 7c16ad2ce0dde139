"""Files through offline models: several in, several out, exact length, parameters of all kinds, Ctrl-C."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    AudioError,
    ModelError,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    NonRealtimeTokenizerBase,
    ParameterError,
    TokensParameter,
    load_artifact,
)
from neutone_like.artifact import write_artifact
from neutone_like.render import OfflinePlugin, render_file
from neutone_like.render.offline_rendering import target_paths
from support.float_files import noise, read, write
from support.offline_models import AllKinds, Misbehaved, Mixer, Ramp, WholeDelay, metadata, scripted


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("options", [{"one_shot": True}, {"block_sizes": (480,)}, {"delay": 37}])
def test_a_file_is_rendered_as_the_wrapper_plays_it(tmp_path: Path, options: dict[str, Any], rate: int) -> None:
    x = noise(2, 100_003)
    model = WholeDelay(sample_rates=(48000,), **options)
    result = render_file(model, write(tmp_path / "in.wav", x, rate), tmp_path / "out.wav")
    wrapper = NonRealtimeSampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    y = read(tmp_path / "out.wav")
    np.testing.assert_array_equal(y, wrapper.forward([torch.from_numpy(x)])[0].numpy())
    assert (result.samples, result.channels, result.sample_rate) == (100_003, 2, rate)
    assert (result.in_paths, result.out_paths) == ((tmp_path / "in.wav",), (tmp_path / "out.wav",))
    assert result.to_dict()["out_paths"] == [str(tmp_path / "out.wav")]
    assert result.peak == pytest.approx(float(np.abs(y).max()))


def test_several_files_in_and_out(tmp_path: Path) -> None:
    voice, band = noise(1, 40_000), noise(2, 40_000, seed=1)
    sources = [write(tmp_path / "voice.wav", voice), write(tmp_path / "band.wav", band)]
    result = render_file(Mixer(), sources, tmp_path / "song.wav")
    assert [path.name for path in result.out_paths] == ["song.mono.wav", "song.both.wav", "song.band-only.wav"]
    np.testing.assert_array_equal(read(result.out_paths[0]), voice)
    np.testing.assert_array_equal(read(result.out_paths[1]), voice + band)
    np.testing.assert_array_equal(read(result.out_paths[2]), band)
    assert not (tmp_path / "song.wav").exists()
    assert "song.mono.wav, " in result.summary()


def test_names_of_outputs_stay_apart() -> None:
    paths = target_paths(Path("a/x.flac"), ("drums", "a/b", "a:b", "..", "Stimme ä"))
    assert [path.name for path in paths] == [
        "x.drums.flac",
        "x.a-b-2.flac",
        "x.a-b-3.flac",
        "x.output.flac",
        "x.Stimme-ä.flac",
    ]
    assert {path.parent for path in paths} == {Path("a")}


def test_another_rate_for_the_output(tmp_path: Path) -> None:
    time_axis = np.arange(48000) / 48000
    x = (0.3 * np.sin(2 * np.pi * 300 * time_axis) * np.hanning(48000)).astype(np.float32)[None]
    source = write(tmp_path / "in.wav", x)
    result = render_file(
        WholeDelay(channels=1, block_sizes=(999,)), source, tmp_path / "out.wav", out_sample_rate=24000
    )
    assert (result.samples, result.sample_rate) == (24000, 24000)
    np.testing.assert_allclose(read(tmp_path / "out.wav"), x[:, ::2], atol=1e-4)


def test_parameters_of_all_kinds(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", noise(2, 5000))
    params = {"level": [(0.0, 0.0), (0.05, 10.0)], "shape": "square", "prompt": "abc", "notes": np.array([1, 2])}
    result = render_file(AllKinds(), source, tmp_path / "out.wav", params=params)
    level, shape, characters, count, total = (read(path)[0] for path in result.out_paths)
    assert [each[3000] for each in (shape, characters, count, total)] == [2.0, 3.0, 2.0, 3.0]
    # Read once a block of 512, at the block's first sample.
    np.testing.assert_allclose(level, np.minimum(np.arange(5000) // 512 * 512 / 2400 * 10, 10.0), atol=1e-3)
    defaults = render_file(AllKinds(), source, tmp_path / "default.wav")
    assert [read(path)[0, 0] for path in defaults.out_paths] == [2.0, 1.0, 2.0, 2.0, 124.0]


class Reader(NonRealtimeTokenizerBase):
    """Plays the sum of its tokens."""

    metadata = metadata("Reader")
    parameters = (TokensParameter("text", max_tokens=4),)
    audio_in_channels = ()
    audio_out_channels = (1,)

    def __init__(self) -> None:
        super().__init__(nn.Identity(), "1 'a' 1\n10 'aa' 2\n100 'b' 1", "RWKVWorld")

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [torch.full((1, 50), float(sum(tokens_params[0])) / 1000.0)]


def test_text_goes_through_the_models_tokenizer(tmp_path: Path) -> None:
    result = render_file(Reader(), None, tmp_path / "out.wav", params={"text": "aaab"})
    assert result.in_path is None
    assert result.to_dict()["in_path"] is None
    np.testing.assert_allclose(read(tmp_path / "out.wav"), np.full((1, 50), 0.111), atol=1e-6)
    for text, message in (
        ("babab", "'text': allowed are up to 4 tokens, got 5"),
        ("ac", "'text': The model's vocabulary has no token for the byte 99 of 'c', character 2"),
        ([1, "a"], "'text': expected a list of integers, or a text for the model's tokenizer, got"),
    ):
        with pytest.raises(ParameterError, match=message):
            render_file(Reader(), None, tmp_path / "out.wav", params={"text": text})


def test_generators(tmp_path: Path) -> None:
    result = render_file(Ramp(block_sizes=(1000,)), None, tmp_path / "out.wav", seconds=1.5, params={"knob": 1.0})
    assert (result.samples, result.sample_rate) == (48000, 32000)  # the model's own rate
    expected = (np.arange(48000, dtype=np.float32) / 1000.0 + 1.0)[None]
    np.testing.assert_allclose(read(tmp_path / "out.output-1.wav"), expected, rtol=1e-6)
    assert render_file(Ramp(block_sizes=(1000,)), None, tmp_path / "out.wav").samples == 1000
    told: list[tuple[int, int]] = []
    result = render_file(
        Ramp(one_shot=True),
        [],
        tmp_path / "out.wav",
        out_sample_rate=48000,
        progress=lambda done, total: told.append((done, total)),
    )
    assert (result.samples, result.sample_rate) == (10500, 48000)
    assert told[-1] == (100, 100)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = write(tmp_path / "in.wav", noise(2, 100_000))
    render_file(WholeDelay(), source, tmp_path / "out.wav", progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (100_000, 100_000)
    assert len({done for done, _ in told}) > 1


def test_a_plugin_renders_one_file_after_the_other(tmp_path: Path) -> None:
    plugin = OfflinePlugin(scripted_as_user(WholeDelay(5, block_sizes=(100,))))
    for seed in range(3):
        x = noise(2, 5000 + seed, seed)
        render_file(plugin, write(tmp_path / "in.wav", x), tmp_path / "out.wav")
        np.testing.assert_array_equal(read(tmp_path / "out.wav"), x)
    assert repr(plugin) == "OfflinePlugin('Whole delay', params={})"


def scripted_as_user(model: NonRealtimeBase) -> NonRealtimeSampleQueueWrapper:
    return NonRealtimeSampleQueueWrapper(model)


def test_an_artifact_by_path_or_loaded(tmp_path: Path) -> None:
    write_artifact(AllKinds(), tmp_path / "kinds", render_samples=False)
    source = write(tmp_path / "in.wav", noise(2, 5000))
    params = {"level": 7.5, "shape": "sine", "prompt": "ab", "notes": [5]}
    for model in (AllKinds(), tmp_path / "kinds", load_artifact(tmp_path / "kinds" / "model.nm")):
        result = render_file(model, source, tmp_path / "out.wav", params=params)
        assert [read(path)[0, 2000] for path in result.out_paths] == [7.5, 0.0, 2.0, 1.0, 5.0]
    with pytest.raises(ParameterError, match="'prompt': allowed are up to 5 characters, got 6"):
        render_file(tmp_path / "kinds", source, tmp_path / "out.wav", params={"prompt": "sixsix"})


def test_the_callers_model_and_threads_stay_as_they_are(tmp_path: Path) -> None:
    model = WholeDelay(5).train()
    before = (torch.get_num_threads(), torch.is_grad_enabled(), torch.get_rng_state().tolist())
    render_file(model, write(tmp_path / "in.wav", noise(2, 500)), tmp_path / "out.wav")
    assert model.training
    wrapper = NonRealtimeSampleQueueWrapper(WholeDelay(5).train())
    heard: list[bool] = []
    reset_model = wrapper.nrb.reset_model
    wrapper.nrb.reset_model = lambda: (heard.append(wrapper.nrb.training), reset_model())  # type: ignore[method-assign]
    render_file(wrapper, tmp_path / "in.wav", tmp_path / "out.wav")
    assert wrapper.nrb.training
    assert False in heard
    assert float(model.past.abs().sum()) == 0.0
    assert before == (torch.get_num_threads(), torch.is_grad_enabled(), torch.get_rng_state().tolist())


def test_what_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path / "good.wav", noise(2, 500))
    short = write(tmp_path / "short.wav", noise(2, 400))
    slow = write(tmp_path / "slow.wav", noise(2, 500), 44100)
    wide = write(tmp_path / "wide.wav", noise(3, 500))
    single = write(tmp_path / "single.wav", noise(2, 1))
    target = tmp_path / "out.wav"
    cases: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
        (Mixer(), good, {}, AudioError, r"Mixer: in_path: expected 2 files, for \['voice', 'band'\], got 1"),
        (Mixer(), None, {}, AudioError, r"expected 2 files, .* got 0"),
        (Mixer(), [good, short], {}, AudioError, r"equally long, got 500 samples in .*good.wav and 400 in .*short.wav"),
        (Mixer(), [good, slow], {}, AudioError, r"one sample rate, got 48000 Hz in .*good.wav and 44100 Hz in .*slow"),
        (Mixer(), [good, wide], {}, AudioError, r"takes mono or stereo .* got 3 channels in .*wide.wav"),
        (Mixer(), [good, tmp_path / "no.wav"], {}, AudioError, r"There is no file .*no.wav"),
        (Ramp(), good, {}, AudioError, r"Ramp: in_path: expected None, since it has no input, got 1"),
        (WholeDelay(), single, {"out_sample_rate": 8000}, AudioError, "no sample is left at out_sample_rate"),
        (WholeDelay(), good, {"seconds": 1.0}, ParameterError, "seconds is for generators"),
        (WholeDelay(), good, {"wet": 0.5, "dry": 0.5}, ParameterError, "wet, dry: an offline model has no mix"),
        (Ramp(), None, {"seconds": 0.0}, ParameterError, "seconds must be a number above 0, got 0.0"),
        (Ramp(one_shot=True), None, {"seconds": 1.0}, ParameterError, "decides for itself how long its output is"),
        (AllKinds(), good, {"params": {"promt": "a"}}, ParameterError, "no parameter 'promt'.* mean 'prompt'"),
        (AllKinds(), good, {"params": {"prompt": "sixsix"}}, ParameterError, "'prompt': allowed are up to 5 char"),
        (AllKinds(), good, {"params": {"prompt": 3}}, ParameterError, "'prompt': expected a text, got 3"),
        (AllKinds(), good, {"params": {"notes": [1, 2, 3, 4]}}, ParameterError, "'notes': allowed are up to 3 tokens"),
        (AllKinds(), good, {"params": {"notes": "a"}}, ParameterError, "'notes': The model has no tokenizer"),
        (AllKinds(), good, {"params": {"level": 11.0}}, ParameterError, "'level': allowed is 0.0..10.0 dB, got 11.0"),
        (AllKinds(), good, {"params": {"level": np.zeros(3)}}, ParameterError, "each of the 500 samples"),
        (Misbehaved("too many"), good, {}, ModelError, "must return 1 outputs"),
        (Misbehaved("raises"), good, {}, ModelError, r"Misbehaved failed at 0.\d+ s of the audio: as I was told"),
        (WholeDelay(), good, {"device": "nowhere"}, ModelError, "device: the model can't be moved to 'nowhere'"),
        (
            OfflinePlugin(WholeDelay()),
            good,
            {"device": "cpu"},
            ParameterError,
            "device: a OfflinePlugin has its",
        ),
    ]
    for model, source, options, error, message in cases:
        with pytest.raises(error, match=message):
            render_file(model, source, target, **options)
        assert not target.exists()
    with pytest.raises(ModelError, match="Expected the artifact of an offline model, .* got 3"):
        OfflinePlugin(3)  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "good.wav",
        "short.wav",
        "single.wav",
        "slow.wav",
        "wide.wav",
    ]


def test_scripted_errors_are_ours_again(tmp_path: Path) -> None:
    plugin = OfflinePlugin(WholeDelay())
    plugin.module = scripted(Misbehaved("mono"))
    with pytest.raises(ModelError, match=r"^do_forward_pass must return float32 of shape \(2, 500\)"):
        render_file(plugin, write(tmp_path / "in.wav", noise(2, 500)), tmp_path / "out.wav")
    plugin.module = scripted(Misbehaved("raises"))
    with pytest.raises(ModelError, match=r"^Whole delay failed at 0.\d+ s of the audio: .*as I was told"):
        render_file(plugin, tmp_path / "in.wav", tmp_path / "out.wav")


def test_not_a_number_is_counted(tmp_path: Path) -> None:
    class Holes(WholeDelay):
        def do_forward_pass(
            self,
            curr_block_idx: int,
            audio_in: list[Tensor],
            numerical_params: dict[str, Tensor],
            text_params: list[str],
            tokens_params: list[list[int]],
        ) -> list[Tensor]:
            y = audio_in[0]
            y[:, 3] = float("nan")
            return [y]

    result = render_file(Holes(), write(tmp_path / "in.wav", noise(2, 500)), tmp_path / "out.wav")
    assert result.nonfinite_samples == 1
    assert len(result.warnings()) == 1
    assert read(tmp_path / "out.wav")[0, 3] == 0.0


@pytest.mark.parametrize("token", [1 << 63, -(1 << 63) - 1, 10**30])
def test_tokens_beyond_64_bits_are_refused_in_words(token: int) -> None:
    with pytest.raises(ParameterError, match=f"a token is a whole number of 64 bits.*got {token} at place 1"):
        TokensParameter("notes", default=(0, token))
    with pytest.raises(ParameterError, match=f"'notes'.*64 bits.*got {token} at place 1"):
        OfflinePlugin(AllKinds(), {"notes": [0, token]})
    assert OfflinePlugin(AllKinds(), {"notes": [(1 << 63) - 1]}).tokens == [[(1 << 63) - 1]]
