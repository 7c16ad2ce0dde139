"""Generators in few steps: what their reports state, that live and offline are one, and how they are trained."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from neutone_like.optimise.diffusion import ddim, sample
from support.example_hosts import example, hosted, recording, scripted
from support.example_hosts import without_optimiser as without_optimiser

textures, parts, train_textures = (
    example(name) for name in ("latent_textures", "texture_parts", "train_latent_textures")
)
few_steps, distil = example("few_step_denoiser"), example("distil_diffusion_denoiser")
denoising = example("train_diffusion_denoiser")


def by_steps(rows: list[dict[str, Any]]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["sampler"], row["steps"]): row for row in rows}


# Textures


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, int], dict[str, Any]]:
    """The table anew, of the weights that are shipped."""
    return by_steps(train_textures.table(*textures.load_networks(), seed=0, pieces=512))


def test_few_steps_come_as_near_as_is_stated(measured: dict[tuple[str, int], dict[str, Any]]) -> None:
    stated = by_steps(textures.load_training_report()["table"])
    assert stated.keys() == measured.keys()
    for key, row in measured.items():
        if "nearness_db" in row:
            assert row["nearness_db"] == pytest.approx(stated[key]["nearness_db"], abs=1.5), key
            assert row["level_db"] == pytest.approx(stated[key]["level_db"], abs=0.3), key


def test_order_2_and_halving_are_worth_their_decibels(measured: dict[tuple[str, int], dict[str, Any]]) -> None:
    """Against 256 steps of the same network; and halving is nearer to real textures, too."""
    near = {key: row["nearness_db"] for key, row in measured.items() if "nearness_db" in row}
    assert near["DPM-Solver++, log SNR", 8] > max(near["DDIM", 8], near["DDIM, log SNR", 8]) + 4.0
    assert near["progressive", 4] > max(near["DDIM", 4], near["DDIM, log SNR", 4]) + 8.0
    assert near["progressive", 1] > near["DDIM", 1] + 6.0
    for steps in (1, 2, 4):
        assert measured["progressive", steps]["frechet_distance"] < 0.8 * measured["DDIM", steps]["frechet_distance"]


def test_the_codec_gives_back_levels_that_it_never_saw() -> None:
    codec, _ = textures.load_networks()
    error_db = train_textures.codec_error_db(codec, 0)
    assert error_db == pytest.approx(textures.load_training_report()["codec_error_db"], abs=0.1)
    assert error_db < 3.0
    deviation_db = 4.34 * float(train_textures.Textures(1, 2).paired().std())
    assert deviation_db > 5.0 * error_db, "what there was to lose"


def test_a_texture_has_the_levels_that_are_asked_for() -> None:
    """Noise filtered to the levels of a latent measures as those, in the mean over its windows."""
    codec, _ = textures.load_networks()
    player = parts.Player(codec)
    latents = torch.zeros(1, textures.PIECE * textures.LATENTS)
    sound = torch.cat([0.01 * player(latents, torch.full((1, 1), 0.01)) for _ in range(30)], 1)[0] / 1e-4
    power = textures.band_levels(sound)[2:].exp().mean(0)
    wanted = codec(torch.zeros(1, textures.LATENTS)).reshape(2, -1).exp().mean(0)
    loud = wanted > 1e-3 * wanted.max()
    difference_db = 10.0 * torch.log10(power / wanted)[loud]
    assert float(difference_db.abs().max()) < 3.0  # bands overlap


def test_the_noise_is_white_gaussian_and_repeats_after_a_reset() -> None:
    noise = parts.Noise(4096, (5003, 4999), seed=2)
    first = torch.cat([noise() for _ in range(40)])
    assert float(first.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(first.square().mean()) == pytest.approx(1.0, abs=0.02)
    assert float(first.pow(4).mean()) == pytest.approx(3.0, abs=0.2)
    spectrum = torch.fft.rfft(first, n=2 * first.size(0)).abs().square()
    correlation = torch.fft.irfft(spectrum)[1:60_000] / first.size(0)
    assert float(correlation.abs().max()) < 0.03, "not at the tables' lengths either"
    noise.reset()
    assert torch.equal(noise(), first[:4096])
    noise.reset(take=1)
    assert not torch.equal(noise(), first[:4096])


def settings(kind: str, steps: str, seconds: float = 1.5, take: int = 0) -> Tensor:
    kinds, choices = textures.KINDS.index(kind) / 3, textures.STEPS.index(steps) / 3
    return torch.tensor([[(seconds - 0.25) / 9.75], [kinds], [choices], [take / 3]])


def live_values(kind: str) -> dict[str, Tensor]:
    return {"kind": torch.tensor([float(textures.KINDS.index(kind))]), "follow": torch.zeros(1)}


@pytest.mark.parametrize(("kind", "latents"), [("rain", 1), ("wind", 2), ("surf", 4), ("fire", 8)])
def test_live_and_offline_play_the_same(kind: str, latents: int) -> None:
    (offline,) = scripted("texture_generator", textures.SAMPLE_RATE).forward([], settings(kind, "4"))
    assert offline.shape == (1, 36_000)
    live = example("live_texture").build_model(steps=4, latents_at_once=latents)
    live.reset_model()
    block = torch.zeros(1, live.block_sizes[0])
    blocks = [live.do_forward_pass(block, live_values(kind)) for _ in range(64 // latents)]
    torch.testing.assert_close(
        torch.cat(blocks, 1) / live.level, offline[:, : 8 * textures.PIECE_SAMPLES], atol=1e-4, rtol=0
    )
    assert 0.01 < float(offline.square().mean().sqrt()) < 0.3


def test_another_kind_is_heard_after_a_block() -> None:
    """A change in the middle of a piece, against none: the window of two hops lets some of it be heard at once."""
    live = example("live_texture").build_model(steps=1)
    block = torch.zeros(1, live.block_sizes[0])

    def heard(kinds: str) -> Tensor:
        live.reset_model()
        return torch.cat([live.do_forward_pass(block, live_values(kind)) for kind in kinds.split()])

    same, changed = heard("rain rain rain rain"), heard("rain rain rain wind")
    assert torch.equal(changed[:3], same[:3])
    assert float((changed[3] - same[3]).square().mean()) > 0.1 * float(same[3].square().mean())


def test_latents_that_do_not_make_up_a_piece_are_refused() -> None:
    with pytest.raises(ValueError, match="1, 2, 4 or 8"):
        example("live_texture").build_model(latents_at_once=3)


@pytest.mark.parametrize("damped", [True, False])
def test_what_is_fed_back_dies_away(damped: bool) -> None:
    """A minute of wind, in float32 as in float64; as a control without what makes it so, where it grows."""

    def minute(dtype: torch.dtype) -> tuple[Tensor, float]:
        live = example("live_texture").build_model(latents_at_once=textures.PIECE).to(dtype)
        live.reset_model()
        if not damped:
            live.player.remembered, live.player.most = 1.0, 1e9
        block = torch.zeros(1, live.block_sizes[0], dtype=dtype)
        values = {"kind": torch.tensor([1.0]), "follow": torch.zeros(1, dtype=dtype)}
        sound, latents = [], 0.0
        for _ in range(350):
            sound.append(live.do_forward_pass(block, values).double())
            latents = max(latents, float(live.player.before.abs().max()))
        return torch.cat(sound, 1), latents

    single, latents = minute(torch.float32)
    level = float(single.square().mean().sqrt())
    if damped:
        double, _ = minute(torch.float64)
        assert float((single - double).abs().max()) < 3e-6
        assert latents <= parts.REMEMBERED * parts.MOST_LATENT + 1e-6
        assert 0.01 < level < 0.1
    else:
        assert latents > 8.0
        assert level > 0.2


def test_kinds_sound_as_their_names() -> None:
    """The mean frequency of rain is the highest, that of wind the lowest, in one step as in eight."""
    generator = scripted("texture_generator", textures.SAMPLE_RATE)

    def mean_hertz(kind: str, steps: str) -> float:
        power = torch.fft.rfft(generator.forward([], settings(kind, steps))[0][0]).abs().square()
        return float((power * torch.arange(power.size(0))).sum() / power.sum()) / 1.5

    for steps in ("1", "8"):
        found = {kind: mean_hertz(kind, steps) for kind in textures.KINDS}
        assert found["rain"] > 2.0 * max(found["wind"], found["fire"])
        assert found["surf"] > found["wind"]


def test_a_live_texture_follows_what_is_played() -> None:
    live = example("live_texture").build_model(steps=1, latents_at_once=textures.PIECE)
    values = {"kind": torch.zeros(1), "follow": torch.ones(1)}
    silent = [live.do_forward_pass(torch.zeros(1, textures.PIECE_SAMPLES), values) for _ in range(2)]
    assert not silent[1].any()
    rms = [
        float(live.do_forward_pass(level * torch.ones(1, textures.PIECE_SAMPLES), values).square().mean().sqrt())
        for level in (0.01, 0.01, 0.1, 100.0)
    ]
    assert rms[1] < 0.3 * rms[2]
    assert rms[3] < 8.0 * rms[2], "loud input has an end"


def test_pieces_go_on_where_the_last_ended() -> None:
    """Levels change no more from piece to piece than inside one; without the latents before they change more."""
    codec, networks = textures.load_networks()
    draw = train_textures.Textures(1, 2).pieces(codec)
    _, noise, before, kind = draw(torch.Generator().manual_seed(1), 400)
    goes_on = before.abs().sum(1) > 0.0

    def jumps(condition: Tensor) -> tuple[float, float]:
        made = sample(networks[4], ddim(textures.DIFFUSION, 4), noise, condition, kind)[goes_on]
        joined = torch.cat((before[goes_on], made), 1).reshape(len(made), -1, textures.LATENTS)
        moved = joined.diff(dim=1).square().mean((0, 2)).sqrt()
        return float(moved[textures.CONTEXT - 1]), float(moved[textures.CONTEXT :].mean())

    seam, inside = jumps(before)
    assert seam < 1.3 * inside
    assert jumps(torch.zeros_like(before))[0] > 1.2 * seam


def test_texture_training_goes_on_and_writes_what_the_examples_load(tmp_path: Path) -> None:
    app = importlib.import_module("typer").Typer()
    app.command()(train_textures.main)
    weights = tmp_path / "quick.pt"
    arguments = [
        "--updates",
        "4",
        "--count",
        "1",
        "--pieces",
        "64",
        "--out",
        str(weights),
        "--work",
        str(tmp_path / "work"),
    ]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "| progressive | 4 |" in result.stdout
    _, networks = textures.load_networks(weights)
    assert any(
        not torch.equal(value, networks[1].state_dict()[name]) for name, value in networks[4].state_dict().items()
    )
    assert len(list((tmp_path / "work").iterdir())) == 11, "a checkpoint of each"
    assert by_steps(textures.load_training_report(weights)["table"])["DDIM", 4]["piece_us"] > 0.0


# Denoiser


def test_the_distilled_denoiser_gains_what_is_stated() -> None:
    stated = by_steps(few_steps.load_training_report()["table"])
    clean, start, noisy = distil.held_out()
    before_db = distil.spectral_snr_db(noisy, clean)
    for steps, network in few_steps.load_networks().items():
        found = sample(distil.InOrder(network), ddim(few_steps.DIFFUSION, steps), start, noisy)
        row = stated["progressive", steps]
        assert distil.spectral_snr_db(found, clean) - before_db == pytest.approx(row["improvement_db"], abs=0.1)
        assert row["nearness_db"] > stated["DDIM", steps]["nearness_db"] + 1.0
    one, four, many = stated["progressive", 1], stated["progressive", 4], stated["DDIM", 50]
    assert four["improvement_db"] == pytest.approx(many["improvement_db"], abs=0.3)
    assert one["improvement_db"] == pytest.approx(four["improvement_db"], abs=1.0)
    assert abs(stated["DDIM", 4]["improvement_db"] - many["improvement_db"]) > 0.3, "without distillation"


def test_the_distilled_denoiser_is_nearer_to_many_steps() -> None:
    found = by_steps(distil.table(few_steps.load_networks(), seconds=0.4))
    for steps in (4, 2, 1):
        assert found["progressive", steps]["nearness_db"] > found["DDIM", steps]["nearness_db"] + 0.5


@pytest.mark.parametrize("name", ["guit_em9", "ambi_choir"])
def test_few_steps_of_it_gain_what_many_do_on_recordings(name: str, shared_folder: Path) -> None:
    clean = denoising.audible(recording(shared_folder, name, 2.0))
    noisy = denoising.in_noise(clean, 5.0, seed=5)

    def gained_db(wrapper: Any, values: Tensor) -> float:
        return denoising.snr_db(wrapper.forward([noisy], values)[0], clean) - 5.0

    teacher = few_steps.FewSteps(example("diffusion_denoiser").build_model().model, 50)
    model = few_steps.FewStepDenoiser(torch.nn.ModuleList([teacher] * 3))
    many = gained_db(hosted(model, 44100), torch.tensor([[1.0], [0.0]]))
    distilled = scripted("few_step_denoiser", 44100)
    four, one = (gained_db(distilled, torch.tensor([[choice], [0.0]])) for choice in (1.0, 0.0))
    assert four == pytest.approx(many, abs=0.3)
    assert one == pytest.approx(four, abs=1.0)
    assert one > 3.0


def test_denoiser_distillation_writes_what_the_example_loads(tmp_path: Path) -> None:
    app = importlib.import_module("typer").Typer()
    app.command()(distil.main)
    weights = tmp_path / "quick.pt"
    arguments = [
        "--updates",
        "1",
        "--together",
        "1",
        "--pool",
        "4",
        "--seconds",
        "0.2",
        "--out",
        str(weights),
        "--work",
        str(tmp_path / "work"),
    ]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert f"Wrote {weights}" in result.stdout
    assert few_steps.load_networks(weights).keys() == {1, 2, 4}
