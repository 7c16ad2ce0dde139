"""Training a student: the same steps give the same weights, also after a kill; what goes wrong is told, and kept."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neutone_like.errors import AudioError, ModelError, ParameterError, TrainingError
from neutone_like.optimise import Losses, StudentModel, StudentShape, checkpoint_file
from neutone_like.optimise.distilling import checkpoint
from neutone_like.optimise.distilling.material import (
    Material,
    Phrase,
    checked_levels,
    recordings_from,
    split,
    with_levels,
)
from neutone_like.optimise.distilling.material import material as material_of
from neutone_like.optimise.distilling.schedule import Budget, rate_at, usual_rate, windows_for
from neutone_like.optimise.distilling.signals import phrases
from neutone_like.optimise.distilling.students import FAMILIES, student_network
from neutone_like.optimise.distilling.training import Training
from neutone_like.optimise.sounds import Recording
from neutone_like.streaming import reset_streaming

RATE = 48000
TCN = StudentShape("tcn", 2, 3, (1, 2))
LSTM = StudentShape("lstm", 2)


def noise(seed: int, samples: int = 4096) -> Tensor:
    return 0.3 * torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def phrase(seed: int) -> Phrase:
    dry = noise(seed)
    return Phrase(f"noise {seed}", dry, torch.tanh(2.0 * dry))


def material() -> Material:
    held_out = Recording("noise 9", noise(9).numpy(), RATE)
    return Material((phrase(0), phrase(1), phrase(2)), (phrase(3),), ((held_out, held_out),))


def training(
    shape: StudentShape = TCN, file: Path | None = None, steps: int | None = 45, losses: Any = None, **settings: Any
) -> Training:
    network = student_network(shape)
    windows = windows_for(network, 4096, 2)
    budget = Budget(steps, settings.pop("seconds", None))
    return Training(
        network, material(), windows, budget, losses or Losses(), seed=0, learning_rate=0.01, checkpoint=file,
        settings={"steps": steps, **settings},
    )  # fmt: skip


def weights(of: Training) -> Tensor:
    return torch.cat([each.detach().flatten() for each in of.network.parameters()])


def quiet(done: float, text: str) -> None:
    pass


class Killed(BaseException):
    """What no handler of errors sees."""


def killing(at_call: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Losses that end the process in the middle of a round."""
    calls = 0

    def losses(output: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == at_call:
            raise Killed
        return Losses()(output, target)

    return losses


# ------------------------------------------------------------------ the same result


@pytest.mark.parametrize("shape", [TCN, LSTM], ids=["tcn", "lstm"])
def test_a_training_that_was_killed_ends_as_one_that_was_not(shape: StudentShape, tmp_path: Path) -> None:
    whole = training(shape, tmp_path / "whole.pt")
    reached = whole.run(quiet)
    file = tmp_path / "killed.pt"
    with pytest.raises(Killed):
        training(shape, file, losses=killing(30)).run(quiet)
    assert 0 < checkpoint.read_checkpoint(file, {"steps": 45, "material": material().digest}).steps < 30  # type: ignore[union-attr]
    again = training(shape, file)
    went_on = again.run(quiet)
    assert torch.equal(weights(again), weights(whole))
    assert [point[0] for point in went_on.curve] == [point[0] for point in reached.curve]
    assert [point[3] for point in went_on.curve] == [point[3] for point in reached.curve]
    assert not torch.equal(weights(again), torch.cat([each.flatten() for each in student_network(shape).parameters()]))


def test_another_seed_gives_other_weights() -> None:
    first, second = training(), training()
    second.seed = 1
    first.run(quiet)
    second.run(quiet)
    assert not torch.equal(weights(first), weights(second))


def test_what_is_over_is_not_trained_again(tmp_path: Path) -> None:
    first = training(file=tmp_path / "c.pt")
    first.run(quiet)
    second = training(file=tmp_path / "c.pt", losses=killing(1))
    assert second.run(quiet).steps == 45
    assert torch.equal(weights(first), weights(second))


def test_it_learns_and_keeps_its_best_weights() -> None:
    subject = training(steps=200)
    reached = subject.run(quiet)
    assert reached.best_error < 0.1 * reached.curve[0][3]
    assert reached.best_error == min(point[3] for point in reached.curve)
    reset_streaming(subject.network)
    with torch.no_grad():
        output = subject.network(phrase(3).dry.unsqueeze(0))[0]
    error = float((output - phrase(3).wet).square().sum() / phrase(3).wet.square().sum())
    assert error == pytest.approx(reached.best_error, rel=1e-3)


def test_it_ends_when_its_seconds_are_over() -> None:
    reached = training(steps=None, seconds=0.3).run(quiet)
    assert reached.seconds >= 0.3
    assert reached.steps >= 1
    assert reached.curve[-1][0] == reached.steps


# ------------------------------------------------------------------ what goes wrong


def test_a_loss_that_is_no_number_stops_it_and_the_checkpoint_stays(tmp_path: Path) -> None:
    file, calls = tmp_path / "c.pt", 0

    def losses(output: Tensor, target: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return Losses()(output, target) * (float("nan") if calls > 20 else 1.0)

    with pytest.raises(TrainingError, match=rf"became nan at step 20.*kept in {file}.*learning_rate=") as raised:
        training(file=file, losses=losses).run(quiet)
    assert "lower" in str(raised.value)
    kept = checkpoint.read_checkpoint(file, {"steps": 45, "material": material().digest})
    assert kept is not None
    assert 0 < kept.steps <= 20
    assert all(bool(value.isfinite().all()) for value in kept.network.values())


def test_on_a_full_disk_the_checkpoint_before_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, calls = tmp_path / "c.pt", 0
    real = checkpoint_file.write_whole

    def write(path: Path, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, content)

    monkeypatch.setattr(checkpoint_file, "write_whole", write)
    with pytest.raises(TrainingError, match=r"can't be written at step \d+: No space left.*before is whole"):
        training(file=file).run(quiet)
    monkeypatch.undo()
    again, whole = training(file=file), training()
    again.run(quiet)
    whole.run(quiet)
    assert torch.equal(weights(again), weights(whole))


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path: Path) -> None:
    training(file=tmp_path / "c.pt").run(quiet)
    with pytest.raises(TrainingError, match=r"another training: steps was 45 and is 46\."):
        training(file=tmp_path / "c.pt", steps=46).run(quiet)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.pt"
    training(file=file).run(quiet)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(TrainingError, match=r"c\.pt is no checkpoint that can be read"):
        training(file=file).run(quiet)


# ------------------------------------------------------------------ what it learns from


def sounds(count: int, samples: int = 4800, rate: int = RATE) -> list[Recording]:
    return [Recording(f"sound {at}", noise(at, samples).numpy(), rate) for at in range(count)]


def test_no_phrase_is_learned_from_and_judged_by() -> None:
    parts = split(sounds(21), seed=3)
    names = [each.name for part in parts for each in part]
    assert sorted(names) == sorted(f"sound {at}" for at in range(21))
    assert [len(part) for part in parts] == [15, 3, 3]
    assert [each.name for each in split(sounds(21), seed=4)[2]] != [each.name for each in parts[2]]
    with pytest.raises(AudioError, match="at least 3 phrases"):
        split(sounds(2), seed=0)


def test_a_fading_sound_is_judged_at_every_level() -> None:
    """Split by time, only its quiet end would be."""
    fading = noise(0, 40 * RATE).numpy() * np.logspace(0, -2, 40 * RATE)
    found = recordings_from(fading.astype(np.float32), RATE, 1, 60.0, 0)
    assert len(found) == 10
    order = [int(each.name.split()[-1]) for seed in range(20) for each in split(found, seed)[2]]
    assert min(order) <= 3
    assert max(order) >= 8


def test_levels_are_spread() -> None:
    peaks = [20.0 * np.log10(np.abs(each.samples).max()) for each in with_levels(sounds(40), (-40.0, 0.0), 0)]
    assert -40.001 < min(peaks) < -32.0
    assert -8.0 < max(peaks) < 0.001


@pytest.mark.parametrize("wrong", [(0.0, -40.0), (-40.0,), (float("nan"), 0.0), -12.0, "loud"])
def test_levels_that_are_no_range_are_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match="levels_db"):
        checked_levels(wrong)


def test_what_a_teacher_silences_neither_steers_nor_judges() -> None:
    """A gate: relative to silence an error is infinite, and would alone decide which weights are kept."""
    quiet_ones = [replace(each, samples=0.001 * each.samples) for each in sounds(14)]
    given = [*sounds(7), *quiet_ones]
    made = material_of(lambda x: x * (float(x.abs().max()) > 0.1), given, 0, seed=0)
    aside = split(given, 0)[1:]
    assert [sum(float(abs(each.samples).max()) < 0.1 for each in part) for part in aside] == [2, 2], "it has both kinds"
    assert (len(made.training), len(made.validation), len(made.held_out)) == (15, 1, 1)
    assert all(float(each.wet.abs().max()) > 0.1 for each in made.validation)
    with pytest.raises(AudioError, match="makes silence of all 3 phrases"):
        material_of(lambda x: 0.0 * x, given, 0, seed=0)


def test_generated_phrases_have_levels_from_low_to_high() -> None:
    made = recordings_from(phrases(16000, 2, 0.3), 16000, 2, 9.0, seed=1)
    peaks = [20.0 * np.log10(np.abs(each.samples).max()) for each in made]
    assert len(made) == 30
    assert all(each.samples.shape == (2, 4800) for each in made)
    assert min(peaks) < -32.0
    assert -8.0 < max(peaks) <= 1e-4
    again = recordings_from(phrases(16000, 2, 0.3), 16000, 2, 9.0, seed=1)
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(made, again, strict=True))


def test_files_are_read_from_a_folder_and_wrong_ones_refused(tmp_path: Path) -> None:
    import soundfile

    (tmp_path / "deep").mkdir()
    soundfile.write(tmp_path / "a.wav", noise(0, 9000).T.numpy(), RATE)
    soundfile.write(tmp_path / "deep" / "b.flac", noise(1, 9000).repeat(2, 1).T.numpy(), RATE)
    for hidden in ("._a.wav", "deep/._b.flac", ".trash/c.wav"):  # as macOS leaves them
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"\x00\x05\x16\x07")
    found = recordings_from(tmp_path, RATE, 1, 60.0, 0)
    assert [each.name for each in found] == ["a.wav, phrase 1", "b.flac, phrase 1"]
    assert all(each.samples.shape == (1, 9000) for each in found)
    with pytest.raises(AudioError, match=r"a\.wav: expected the teacher's rate, 44100 Hz, got 48000 Hz"):
        recordings_from(tmp_path, 44100, 1, 60.0, 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudioError, match=r"expected sound files in this folder"):
        recordings_from(tmp_path / "empty", RATE, 1, 60.0, 0)
    with pytest.raises(AudioError, match=r"expected 3 channels"):
        recordings_from(tmp_path / "a.wav", RATE, 3, 60.0, 0)
    with pytest.raises(
        AudioError, match=r"function of a torch\.Generator that returns a tensor \[channels, N\], got \[5\]"
    ):
        recordings_from(lambda generator: torch.zeros(5), RATE, 1, 60.0, 0)
    with pytest.raises(AudioError, match="finite"):
        recordings_from(lambda generator: torch.full((1, 4800), float("nan")), RATE, 1, 60.0, 0)


# ------------------------------------------------------------------ losses, shapes, schedule


def test_losses_are_the_ratios_that_they_are_called() -> None:
    generator = np.random.default_rng(0)
    target = generator.normal(size=(3, 2, 4096))
    output = target + 0.1 * generator.normal(size=target.shape)

    def ratio(x: Any, y: Any) -> float:
        return float(np.mean(((x - y) ** 2).sum(axis=(1, 2)) / (y**2).sum(axis=(1, 2))))

    pair = [torch.from_numpy(each) for each in (output, target)]
    sharp = [each[..., 1:] - 0.85 * each[..., :-1] for each in (output, target)]
    assert float(Losses(0.0)(*pair)) == pytest.approx(ratio(output, target), rel=1e-6)
    assert float(Losses(0.5)(*pair)) == pytest.approx(ratio(output, target) + 0.5 * ratio(*sharp), rel=1e-6)
    assert float(Losses(0.0, spectrum=1.0)(pair[1], pair[1])) == 0.0
    flipped = Losses(0.0, spectrum=1.0)(-pair[1], pair[1]) - Losses(0.0)(-pair[1], pair[1])
    assert float(flipped) == pytest.approx(0.0, abs=1e-6), "magnitudes don't hear a sign"
    assert float(Losses(0.0, spectrum=1.0)(pair[0], pair[1]) - Losses(0.0)(*pair)) > 0.01


def test_features_are_compared_and_must_carry_gradients() -> None:
    target = torch.randn(2, 1, 256)
    output = (0.5 * target).requires_grad_()
    energy = Losses(0.0, features=lambda x: x.square().mean(-1), feature_weight=2.0)
    expected = 0.25 + 2.0 * 0.75**2
    assert float(energy(output, target).detach()) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ModelError, match="gradients flow"):
        Losses(features=lambda x: x.detach())(output, target)


@pytest.mark.parametrize("family", FAMILIES)
def test_students_stream_and_reach_as_far_as_they_say(family: Any) -> None:
    shape = StudentShape(family, 4, 3, () if family == "lstm" else (1, 4))
    network, x = student_network(shape, 2, 1), torch.randn(3, 2, 40).requires_grad_()
    whole = network(x)
    reset_streaming(network)
    blocks = torch.cat([network(block) for block in x.split([1, 7, 32], 2)], 2)
    assert torch.allclose(blocks, whole, atol=1e-6)
    (gradient,) = torch.autograd.grad(whole[..., 30].sum(), x)
    heard = gradient.abs().amax(dim=(0, 1)).nonzero().flatten().tolist()
    reach = shape.receptive_field_samples
    assert (heard[0], heard[-1]) == (0 if reach is None else 31 - reach, 30)
    reset_streaming(network)
    assert torch.equal(network(x), student_network(shape, 2, 1)(x)), "drawn from a seed"


def test_shapes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="dilations: expected 2, of near taps and of far ones"):
        StudentShape("wiener_hammerstein", 4, 8, (1,))
    with pytest.raises(ModelError, match="family must be one of .*'wavenet'.* got 'mlp'"):
        StudentShape("mlp", 4)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="width must be an integer"):
        StudentShape("lstm", 0)
    with pytest.raises(ModelError, match="dilations: expected one for each layer"):
        StudentShape("tcn", 4)
    with pytest.raises(ModelError, match="dilations: expected none"):
        StudentShape("lstm", 4, 3, (1, 2))


def test_windows_hear_what_a_network_hears() -> None:
    windows = windows_for(student_network(StudentShape("wavenet", 2, 6, (1, 3, 9, 27, 81, 243))), 96000, None)
    assert (windows.context_samples, windows.scored_samples, windows.pieces) == (1820, 8192, 1)
    carried = windows_for(student_network(LSTM), 96000, None)
    assert (carried.context_samples, carried.length, carried.batch) == (1024, 40 * 512, 16)
    assert windows_for(student_network(LSTM), 3000, None).length <= 3000


def test_the_learning_rate_rises_falls_and_fits_the_budget() -> None:
    rates = [rate_at(1.0, done) for done in np.linspace(0.0, 1.0, 101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 5
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.01)
    windows = windows_for(student_network(TCN), 4096, None)
    assert usual_rate(windows, 50) > usual_rate(windows, 500) > usual_rate(windows, 5000)


def test_a_student_model_declares_its_delay() -> None:
    model = StudentModel(student_network(TCN), sample_rate=44100, delay_samples=7)
    assert (model.model_delay_samples(), model.sample_rates, model.in_channels) == (7, (44100,), 1)
