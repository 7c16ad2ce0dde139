"""What is drawn at a moment acts on what sounds at that moment: models of gain, played ones, show what they had."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    ParameterError,
    WaveformToWaveformBase,
)
from neutone_like.render import Board, ModelPlugin, render_file
from support.offline_models import metadata, scripted, without_the_optimiser

__all__ = ["without_the_optimiser"]
SAMPLES = 100_000
RISING = torch.linspace(0.2, 1.0, SAMPLES)[None]
STEP = torch.where(torch.arange(SAMPLES) < 70_007, 0.25, 0.75)[None]


class Level(NonRealtimeBase):
    """Multiplies by its parameter. ``options`` are attributes of the base class."""

    metadata = metadata("Level")
    audio_in_channels = (1,)
    audio_out_channels = (1,)

    def __init__(self, one_shot: bool = False, rate: str = "block", **options: object) -> None:
        self.parameters = (ContinuousParameter("level", default=0.5, smoothing_seconds=0.0, rate=rate),)  # type: ignore[arg-type]
        for name, value in options.items():
            setattr(self, name, value)
        super().__init__(nn.Identity())
        self.one_shot = one_shot
        self.size = 1

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.size = block_size

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        level = numerical_params["level"]
        if len(audio_in) == 0:
            return [level * torch.ones(1, self.size)]
        x = audio_in[0]
        return [x.narrow(1, self.look_behind_samples, x.size(1) - self.look_behind_samples) * level]


class LiveLevel(WaveformToWaveformBase):
    metadata = metadata("Live level")
    parameters = (ContinuousParameter("level", default=0.5, smoothing_seconds=0.0),)
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["level"]


def heard(model: Level, drawn: Tensor, script: bool = False, host_rate: int = 48000) -> Tensor:
    played = scripted(model) if script else NonRealtimeSampleQueueWrapper(model)
    played.set_daw_sample_rate_and_buffer_size(host_rate, 512)
    return played.forward([torch.ones(1, SAMPLES)], drawn)[0]


@pytest.mark.parametrize("script", [False, True])
def test_a_blocked_model_of_any_size_follows_within_32_samples(script: bool) -> None:
    y = heard(Level(), RISING, script)
    slope = 0.8 / (SAMPLES - 1)
    assert float((y - RISING).abs().max()) < 32.5 * slope
    assert int((heard(Level(), STEP, script) != STEP).sum()) < 32


def test_where_the_past_is_long_it_follows_within_512_samples() -> None:
    assert int((heard(Level(look_behind_samples=4000), STEP) != STEP).sum()) < 512


def test_a_block_has_the_value_of_its_first_sample() -> None:
    y = heard(Level(block_sizes=(1000,)), RISING)
    torch.testing.assert_close(y, RISING[:, ::1000].repeat_interleave(1000, dim=1), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("model_rate", [44100, 96000])
def test_resampled_it_is_aligned_too(model_rate: int) -> None:
    y = heard(Level(sample_rates=(model_rate,)), RISING)
    inside = slice(500, -500)  # a constant that begins and ends suddenly rings there
    slope = 0.8 / (SAMPLES - 1)
    assert float((y - RISING)[:, inside].abs().max()) < 40 * slope


def test_standing_values_cut_no_block() -> None:
    """The same calls as without automation: where nothing moves, nothing is paid for it."""
    calls: list[int] = []

    class Counting(Level):
        def do_forward_pass(self, *given: object) -> list[Tensor]:  # type: ignore[override]
            calls.append(given[1][0].size(1))  # type: ignore[index]
            return super().do_forward_pass(*given)  # type: ignore[arg-type]

    heard(Counting(), STEP)
    assert calls == [65536, 70_016 - 65536, SAMPLES - 70_016]


def test_pieces_are_the_same_as_the_whole() -> None:
    whole = heard(Level(), RISING)
    wrapper = NonRealtimeSampleQueueWrapper(Level())
    wrapper.begin(SAMPLES)
    parts: list[Tensor] = []
    for start in range(0, SAMPLES, 7001):
        length = min(7001, SAMPLES - start)
        parts += wrapper.push([torch.ones(1, length)], RISING[:, start : start + length])
    parts += wrapper.finish()
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=0.0, rtol=0.0)


@pytest.mark.parametrize("script", [False, True])
def test_a_one_shot_model_refuses_what_it_would_hear_once(script: bool) -> None:
    message = r"Parameter 'level' has the rate 'block', and a one-shot model is called once.*rate='sample'"
    with pytest.raises(Exception, match=message) as raised:
        heard(Level(one_shot=True), RISING, script)
    assert script or isinstance(raised.value, ParameterError)
    still = torch.full((1, SAMPLES), 0.3)
    still[0, 5] = float("nan")  # leaves the knob where it was
    torch.testing.assert_close(heard(Level(one_shot=True), still, script), torch.full((1, SAMPLES), 0.3))
    torch.testing.assert_close(heard(Level(one_shot=True, rate="sample"), RISING, script), RISING)


def test_also_when_it_comes_in_pieces() -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Level(one_shot=True))
    wrapper.begin(20)
    wrapper.push([torch.ones(1, 10)], torch.full((1, 10), 0.3))
    with pytest.raises(ParameterError, match="called once"):
        wrapper.push([torch.ones(1, 10)], torch.full((1, 10), 0.4))


def sound(folder: Path) -> Path:
    soundfile.write(folder / "in.wav", np.ones(SAMPLES), 48000, subtype="FLOAT")
    return folder / "in.wav"


@pytest.mark.parametrize("value", [[(0.0, 0.2), (2.0, 1.0)], np.linspace(0.2, 1.0, SAMPLES)])
def test_render_file_refuses_automation_that_a_one_shot_model_can_t_follow(tmp_path: Path, value: object) -> None:
    message = r"Parameter 'level' can't be automated: Level is a one-shot model.*one value.*rate='sample'"
    with pytest.raises(ParameterError, match=message):
        render_file(Level(one_shot=True), sound(tmp_path), tmp_path / "out.wav", params={"level": value})
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("value", [[(0.5, 0.25)], [(0.0, 0.25), (1.0, 0.25)], np.full(SAMPLES, 0.25)])
def test_a_curve_that_stands_is_a_constant(tmp_path: Path, value: object) -> None:
    render_file(Level(one_shot=True), sound(tmp_path), tmp_path / "out.wav", params={"level": value})
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], 0.25)


@pytest.mark.parametrize("options", [{}, {"block_sizes": (256, 65536)}, {"rate": "sample", "one_shot": True}])
def test_render_file_follows(tmp_path: Path, options: dict[str, object]) -> None:
    drawn = RISING[0].numpy()
    render_file(Level(**options), sound(tmp_path), tmp_path / "out.wav", params={"level": drawn})  # type: ignore[arg-type]
    y, _ = soundfile.read(tmp_path / "out.wav")
    assert float(np.abs(y - drawn).max()) < 257 * 0.8 / SAMPLES


def test_a_generator_of_any_block_size_follows_within_512_samples(tmp_path: Path) -> None:
    points = [(0.0, 0.2), (2.0, 1.0)]
    render_file(
        Level(audio_in_channels=()), None, tmp_path / "out.wav", params={"level": points}, seconds=2.0, progress=False
    )
    y, _ = soundfile.read(tmp_path / "out.wav")
    drawn = np.interp(np.arange(96000) / 48000, [0.0, 2.0], [0.2, 1.0])
    assert float(np.abs(y - drawn).max()) < 513 * 0.8 / 96000


def test_a_live_model_follows_within_32_samples() -> None:
    drawn = RISING.numpy()
    y = Board([ModelPlugin(LiveLevel(nn.Identity()), {"level": drawn[0]})])(np.ones_like(drawn), 48000)
    assert float(np.abs(y - drawn).max()) < 33 * 0.8 / SAMPLES


def test_the_refusal_names_the_one_that_moves(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=re.escape("'level'")):
        render_file(
            Level(one_shot=True), sound(tmp_path), tmp_path / "out.flac", params={"level": [(0.0, 0.0), (0.1, 0.5)]}
        )
