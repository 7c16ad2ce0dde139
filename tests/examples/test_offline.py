"""Stem separator, tone generator, loudness normaliser, diffusion denoiser: what each promises to a host."""

import importlib
import itertools
import json
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import NonRealtimeSampleQueueWrapper
from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from support.example_hosts import without_optimiser as without_optimiser
from support.example_programs import run_here
from support.lighter_exports import ALL, FRESH_PROCESS, only_checks, without_pictures
from support.places import EXAMPLES

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

NAMES = ("stem_separator", "tone_generator", "loudness_normaliser", "diffusion_denoiser")
OUTPUTS = {"stem_separator": [2, 2], "tone_generator": [1]}
RATES = {"stem_separator": 22050, "diffusion_denoiser": 22050}
LARGEST_BYTES = 1_000_000

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str) -> Any:
    """The example's model; skips where what it needs is not installed."""
    if name == "stem_separator" and find_spec("torchaudio") is None:
        pytest.skip('torchaudio is not installed: pip install "neutone-like[torchaudio]"')
    return importlib.import_module(name).build_model()


def sounds(name: str, rate: int, seconds: float = 0.7) -> list[Tensor]:
    """What the model takes: a riff with drums, or nothing."""
    if name == "tone_generator":
        return []
    return [0.5 * (guitar_riff(rate, seconds) + drum_loop(rate, seconds))]


def hosted(wrapper: Any, rate: int) -> Any:
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    return wrapper


def outputs_of(wrapper: Any, audio: list[Tensor]) -> list[Tensor]:
    return [output.clone() for output in wrapper.forward(audio)]


@every_model
def test_declaration_is_valid_and_teaches(name: str) -> None:
    declaration = build(name).declaration()
    assert declaration.metadata.short_description
    assert list(declaration.audio_out_channels) == OUTPUTS.get(name, [2])
    text = importlib.import_module(name).__doc__ or ""
    assert len(text.splitlines()) > 12
    assert f"python examples/{name}.py" in text
    assert "What it shows:" in text


@every_model
@pytest.mark.parametrize("rate", [44100, 48000])
def test_scripted_equals_eager_and_is_as_long_as_the_input(name: str, rate: int) -> None:
    audio = sounds(name, rate)
    eager = hosted(NonRealtimeSampleQueueWrapper(build(name)), rate)
    scripted = hosted(torch.jit.script(NonRealtimeSampleQueueWrapper(build(name))), rate)
    assert scripted.is_resampling() == (name in RATES)
    expected, got = outputs_of(eager, audio), outputs_of(scripted, audio)
    length = audio[0].size(1) if audio else 2 * rate  # four notes at 120 a minute
    assert [list(output.shape) for output in got] == [[count, length] for count in OUTPUTS.get(name, [2])]
    for one, other in zip(got, expected):
        assert float(other.abs().max()) > 0.05
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@every_model
def test_pieces_give_the_same_to_the_bit_and_a_second_run_too(name: str) -> None:
    rate = RATES.get(name, 44100)
    wrapper = hosted(NonRealtimeSampleQueueWrapper(build(name)), rate)
    audio = sounds(name, rate)
    whole = outputs_of(wrapper, audio)
    wrapper.begin()
    pieces: list[list[Tensor]] = []
    for start, size in itertools.pairwise((0, 1, 700, 5000, 100_000)):
        pieces.append(wrapper.push([x[:, start:size] for x in audio]))
    pieces.append(wrapper.finish())
    for index, expected in enumerate(whole):
        assert torch.equal(torch.cat([piece[index] for piece in pieces], dim=1), expected)


@pytest.mark.parametrize("name", ["loudness_normaliser", "diffusion_denoiser", "tone_generator"])
def test_progress_moves_while_it_works_and_a_request_in_between_ends_it(name: str) -> None:
    """The model is asked by hand: no thread decides what is seen."""
    model, rate = build(name), RATES.get(name, 44100)
    assert model.is_one_shot_model()
    assert model.has_progress_percentage()
    seen: list[float] = []
    stop_after = [1000]

    def report(percentage: float) -> None:
        seen.append(percentage)
        if len(seen) == stop_after[0]:
            model.request_cancel_forward_pass()

    model.set_progress_percentage = report
    wrapper = hosted(NonRealtimeSampleQueueWrapper(model), rate)
    audio = sounds(name, rate, seconds=25.0 if name == "loudness_normaliser" else 0.5)
    expected = outputs_of(wrapper, audio)
    steps = {"loudness_normaliser": 3, "diffusion_denoiser": 4, "tone_generator": 4}[name]
    assert seen[:steps] == pytest.approx([100.0 * (step + 1) / steps for step in range(steps)])
    seen.clear()
    stop_after[0] = 2
    assert wrapper.forward(audio) == []
    assert len(seen) == 2
    stop_after[0] = 1000
    assert all(torch.equal(one, other) for one, other in zip(outputs_of(wrapper, audio), expected))


def test_another_thread_watches_the_denoiser_and_stops_it() -> None:
    """A recording that would take minutes is given up after its first step."""
    wrapper = hosted(torch.jit.script(NonRealtimeSampleQueueWrapper(build("diffusion_denoiser"))), 22050)
    audio = sounds("diffusion_denoiser", 22050, seconds=6.0)
    results: list[list[Tensor]] = []
    worker = threading.Thread(target=lambda: results.append(wrapper.forward(audio, torch.ones(2, 1))))
    worker.start()
    while worker.is_alive() and wrapper.get_progress_percentage() == 0.0:
        worker.join(0.005)
    wrapper.request_cancel_forward_pass()
    worker.join()
    assert results == [[]]
    assert 0.0 < wrapper.get_progress_percentage() < 100.0


@pytest.mark.slow
@every_model
def test_as_a_program_it_writes_a_small_artifact_that_passes_its_checks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build(name)
    # That network comes from a package, of which nothing may be needed to play the file.
    only_checks(monkeypatch, *(ALL if name == "stem_separator" else ALL - {FRESH_PROCESS}))
    without_pictures(monkeypatch)
    run_here(name, [], tmp_path, monkeypatch)
    assert f"Wrote build/{name}/model.nm" in capsys.readouterr().out
    folder = tmp_path / "build" / name
    assert (folder / "model.nm").stat().st_size < LARGEST_BYTES
    checks = json.loads((folder / "validation.json").read_text(encoding="utf-8"))["checks"]
    assert len(checks) > 10
