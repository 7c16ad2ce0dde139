"""The script that tries whether gains multiply: a tiny run of all of it, and its arithmetic on known numbers."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from support.example_hosts import example
from support.example_hosts import without_optimiser as without_optimiser

compounding = example("compounding")
textures = example("compounding_textures")

BEGIN, END = "<!-- compounding: begin -->", "<!-- compounding: end -->"
PAGE = f"before\n{BEGIN}\nold\n{END}\nafter\n"


def tiny(folder: Path, page: Path) -> Any:
    app = importlib.import_module("typer").Typer()
    app.command()(compounding.main)
    small = {"updates": 4, "texture-updates": 8, "pool": 4, "count": 1, "seconds": 0.5, "rounds": 1, "many": 5}
    given = {**small, "page": page, "work": folder}
    arguments = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.slow
def test_a_tiny_run_plays_every_variant_and_writes_the_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert tiny(tmp_path / "work", page).exit_code == 0
    result = json.loads((tmp_path / "work" / "result.json").read_text())
    for rows, compared in ((result["denoiser"], 6), (result["textures"], 7)):
        assert len(rows) == compared
        assert rows[0]["name"] == "5 steps"
        assert rows[compounding.ALL]["name"] == "all four"
    live = {row["name"]: row for row in result["textures"]}
    assert {row["backend"] for row in live.values()} == {"compiled"}
    assert {row["backend"] for row in result["denoiser"]} == {"torchscript"}
    assert live["5 steps"]["log_mel_distance_db"] == 0.0
    assert 0.0 < live["int8 weights"]["log_mel_distance_db"] < 2.0 < live["no network at all"]["log_mel_distance_db"]
    assert live["all four"]["file_bytes"] < live["half the width"]["file_bytes"] < live["5 steps"]["file_bytes"]
    trained = result["denoiser"][0]["si_sdr_gained_db"]
    assert trained > result["denoiser"][compounding.ALL]["si_sdr_gained_db"] + 1.0, "four updates are no training"
    before, between, after = page.read_text().partition(compounding.report(result))
    assert between
    assert (before, after) == (f"before\n{BEGIN}\n\n", f"\n\n{END}\nafter\n")


def test_the_factors_are_multiplied_and_set_against_all_together() -> None:
    times = [100.0, 50.0, 25.0, 80.0, 100.0, 20.0]
    assert compounding.product(times) == pytest.approx(2.0 * 4.0 * 1.25)
    facts = {"file_bytes": 1000, "log_mel_distance_db": 1.0}
    rows = [{"name": str(time), "time": time, "si_sdr_gained_db": 1.0, **facts} for time in times]
    live = [{"name": "", "block_us": {"64": 2.0 * t, "256": t}, "frechet_distance": 1.0, **facts} for t in times]
    told = compounding.report({"denoiser": rows, "textures": live})
    assert told.count("Multiplied, the four factors are 10 x; together they gave 5 x.") == 2
    assert "| 20.0 | 20.0000 | 5.0 x | 1 |" in told


def test_a_page_without_a_place_for_the_tables_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("nothing", PAGE.replace(END, "")):
        page.write_text(text)
        with pytest.raises(ValueError, match=r"page\.md: expected a line '<!-- compounding: begin"):
            compounding.replace_tables(page, "compounding", "new")
        assert page.read_text() == text


def test_recordings_that_can_not_be_used_are_told(tmp_path: Path) -> None:
    held_out = example("compounding_denoiser").held_out
    with pytest.raises(ValueError, match="expected sound files of 44100 Hz, got none"):
        held_out(tmp_path, 1.0)
    importlib.import_module("soundfile").write(tmp_path / "a.wav", [0.0] * 100, 48000)
    with pytest.raises(ValueError, match=r"a\.wav: expected 44100 Hz, got 48000 Hz"):
        held_out(tmp_path, 1.0)
    importlib.import_module("soundfile").write(tmp_path / "a.wav", [0.0] * 100, 44100)
    with pytest.raises(ValueError, match=r"a\.wav: expected sound, got silence"):
        held_out(tmp_path, 1.0)


def test_the_students_are_the_networks_that_they_are_said_to_be() -> None:
    """Half the width has about a quarter of the denoiser's inner weights, depthwise about a seventh."""
    student = example("compounding_denoiser").Student
    whole, half, depthwise = (
        sum(each.numel() for each in student(*sizes).parameters()) for sizes in ((16, False), (8, False), (16, True))
    )
    original = example("diffusion_denoiser").CleanEstimate()
    assert whole == sum(each.numel() for each in original.parameters())
    assert half < 0.35 * whole
    assert depthwise < 0.35 * whole
    same = textures.Student(textures.HIDDEN, 2)
    same.load_state_dict(example("latent_textures").NextPiece().state_dict())
    one = textures.Student(textures.HIDDEN, 1)
    given = torch.randn(2, 64), torch.rand(2), torch.randn(2, 64), torch.eye(4)[:2]
    assert one(*given).shape == same(*given).shape == (2, 64)
