"""Vocoders: that a stream is the whole signal by the declared delay later, and that what the page states is so."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner

from neutone_like import load_artifact
from neutone_like.optimise import quality
from neutone_like.runtime import Engine, HostConfig
from support.example_hosts import example
from support.places import EXPORTED, PROJECT
from support.random_blocks import error_of_peak, play, random_lengths

networks, training, measurements = (
    example(name) for name in ("vocoder_networks", "train_vocoders", "vocoder_measurements")
)
vocoder = example("vocoder")
PAGE = PROJECT / "docs" / "how-to" / "streaming-vocoders.md"
DELAYS = {"hifigan": 256, "multiband": 256 + 24, "istft": 256 + 512}

every_kind = pytest.mark.parametrize("kind", networks.KINDS)


@pytest.fixture(scope="module")
def sounds() -> list[Tensor]:
    return measurements.held_out()


@pytest.fixture(scope="module")
def stated() -> dict[str, Any]:
    return networks.load_training_report()


# The delay


@torch.no_grad()
def whole(kind: str, sound: Tensor) -> Tensor:
    """By the ordinary network, all at once: ``[samples]``."""
    return networks.Resynthesis(networks.load_network(kind)).to(sound.dtype)(sound.unsqueeze(0))[0, 0]


@every_kind
@torch.no_grad()
def test_a_stream_is_the_whole_signal_later(kind: str, sounds: list[Tensor]) -> None:
    """In single precision up to rounding, which logarithms of soft bands and phases make larger."""
    layer, delay = networks.live_network(networks.load_network(kind))
    assert delay == DELAYS[kind]
    sound = sounds[2][:, : 80 * networks.HOP_SAMPLES]
    lengths = random_lengths(np.random.default_rng(3), sound.size(1), networks.HOP_SAMPLES, longest=11)
    for dtype, allowed in ((torch.float32, 3e-5), (torch.float64, 1e-10)):
        streamed = play(layer.to(dtype), sound.unsqueeze(0).to(dtype), lengths)[0, 0]
        wanted = whole(kind, sound.to(dtype))[:-delay]
        assert error_of_peak(streamed[delay:], wanted) <= allowed
        assert error_of_peak(streamed[delay - 1 : -1], wanted) > 1e-2, "the control: a sample less"


@pytest.mark.parametrize("block", [64, 100, 1024])
def test_hosts_hear_the_whole_signal_by_the_latency_that_they_are_told_later(block: int, sounds: list[Tensor]) -> None:
    """The compiled artifact, at blocks that are no hops."""
    sound = sounds[3][:, :33_280]
    host = HostConfig(networks.SAMPLE_RATE, block, channels=1)
    with Engine() as engine, engine.open(load_artifact(EXPORTED / "vocoder"), host, mode="inline") as session:
        assert session.backend_name == "compiled"
        latency = session.latency_samples
        padded = torch.nn.functional.pad(sound, (0, -sound.size(1) % block)).numpy()
        played = [session.process(padded[:, at : at + block]) for at in range(0, padded.shape[1], block)]
    heard = torch.from_numpy(np.concatenate(played, 1)[0, latency : sound.size(1)])
    wanted = whole("istft", sound)[: heard.numel()]
    assert latency >= DELAYS["istft"]
    assert error_of_peak(heard, wanted) <= 1e-4
    assert error_of_peak(heard[1:], wanted[:-1]) > 1e-2, "the control: a sample early"


def test_levels_are_where_they_were() -> None:
    """By physics, apart from what the code declares: the middle of a burst's energy stays within 3 ms."""
    time = torch.arange(22_016) / networks.SAMPLE_RATE
    burst = 0.3 * torch.sin(2.0 * torch.pi * 440.0 * time) * torch.exp(-(((time - 0.5) / 0.02) ** 2))
    made = whole("istft", burst.unsqueeze(0))
    centre = float((made.square() * time).sum() / made.square().sum())
    assert centre == pytest.approx(0.5, abs=0.003)


# What is stated


def test_networks_sound_as_is_stated(sounds: list[Tensor], stated: dict[str, Any]) -> None:
    found = {row["name"]: row for row in measurements.quality_rows(networks.WEIGHTS, sounds)}
    rows = {row["name"]: row for row in stated["quality"]}
    assert found.keys() == rows.keys()
    for name, row in rows.items():
        assert found[name]["log_mel_distance_db"] == pytest.approx(row["log_mel_distance_db"], abs=0.2), name
        assert found[name]["spectral_distance"] == pytest.approx(row["spectral_distance"], abs=0.05), name
        assert found[name]["frechet_distance"] == pytest.approx(row["frechet_distance"], rel=0.1), name
        assert found[name]["loudness_difference_lu"] == pytest.approx(row["loudness_difference_lu"], abs=0.3), name
    trained, random_phases = found[networks.TITLES["istft"]], found["random phases"]
    for kind in networks.KINDS:
        for measure in ("log_mel_distance_db", "spectral_distance", "frechet_distance"):
            assert found[networks.TITLES[kind]][measure] < random_phases[measure], (kind, measure)
    assert trained["log_mel_distance_db"] < 0.7 * random_phases["log_mel_distance_db"]
    assert trained["spectral_distance"] < found["Griffin-Lim, 60 rounds, offline"]["spectral_distance"]


def test_seams_cost_what_is_stated(
    sounds: list[Tensor], stated: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer windows and fades err less; without a fade and without memory most."""
    monkeypatch.setattr(measurements, "KINDS", ("multiband",))
    rows = [row for row in stated["seams"] if row["name"] == networks.TITLES["multiband"]]
    rows = [rows[0], rows[-1]]
    monkeypatch.setattr(measurements, "SEAMS", [(row["window_hops"], row["fade_hops"]) for row in rows])
    found = measurements.seam_rows(networks.WEIGHTS, sounds)
    for row, again in zip(rows, found, strict=True):
        assert again.pop("name") == row["name"]
        numbers = {name: value for name, value in row.items() if name != "name"}
        assert again == pytest.approx(numbers, rel=0.1, abs=1e-4)
    assert found[-1]["error_to_signal_ratio"] < 0.01 * found[0]["error_to_signal_ratio"]


def test_the_page_has_the_tables_that_the_weights_report_has(stated: dict[str, Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert measurements.as_markdown(stated) in page


# Training


def test_training_goes_on_and_writes_what_the_examples_load(
    tmp_path: Path, stated: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from the command line; what is measured is tested above."""
    tables = {name: stated[name] for name in ("quality", "cost", "seams")}
    monkeypatch.setattr(training, "measure", lambda weights, seconds: tables)
    app, weights, page = typer.Typer(), tmp_path / "quick.pt", tmp_path / "page.md"
    app.command()(training.main)
    page.write_text("before\n<!-- vocoders: begin -->\nold\n<!-- vocoders: end -->\nafter\n", encoding="utf-8")
    arguments = ["--updates", "2", "--pieces", "3", "--out", str(weights), "--work", str(tmp_path / "work")]
    again: dict[str, Any] | None = None
    for more in ([], ["--page", str(page)]):  # the second goes on from checkpoints, which are at the end
        result = CliRunner().invoke(app, [*arguments, *more], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        states, report = torch.load(weights, weights_only=True), networks.load_training_report(weights)
        assert again is None or all(torch.equal(states[k][n], v) for k in again for n, v in again[k].items())
        before_a_kill = 1000.0 if again is not None else 0.0
        assert all(before_a_kill <= each < before_a_kill + 500.0 for each in report["took_cpu_seconds"].values())
        again = states
        for kind in networks.KINDS:
            kept = torch.load(tmp_path / "work" / f"{kind}.pt", weights_only=True)
            torch.save({**kept, "cpu_seconds": 1000.0}, tmp_path / "work" / f"{kind}.pt")
        assert report["updates"] == dict.fromkeys(networks.KINDS, 2)
        assert {name: report[name] for name in tables} == tables
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    assert measurements.as_markdown(tables) in written
    for kind in networks.KINDS:
        network, untrained = networks.load_network(kind, weights), networks.new_network(kind).state_dict()
        assert any(not torch.equal(value, untrained[name]) for name, value in network.state_dict().items())


def test_what_training_begins_from_is_carriers_alone(sounds: list[Tensor]) -> None:
    """The generators add nothing at first, and bands are as loud as they should be; a tone is where it is."""
    mel = networks.Analysis()(sounds[0].unsqueeze(0))
    for kind in ("hifigan", "multiband"):
        network = networks.new_network(kind)
        carried = network.carriers(networks.magnitudes(mel))
        torch.testing.assert_close(network(mel), carried, rtol=0, atol=1e-6)
        assert not network.carriers.weight.requires_grad
    assert not networks.Carriers()(torch.zeros(1, networks.MELS, 9)).any(), "silence"
    time = torch.arange(22_016) / networks.SAMPLE_RATE
    tone = 0.1 * torch.sin(2.0 * torch.pi * 1500.0 * time)[None, None]
    with torch.no_grad():
        power = torch.fft.rfft(networks.Carriers()(networks.magnitudes(networks.Analysis()(tone)))[0, 0]).abs().square()
    hertz = torch.fft.rfftfreq(22_016 + networks.HOP_SAMPLES, 1.0 / networks.SAMPLE_RATE)
    assert float((power * hertz).sum() / power.sum()) == pytest.approx(1500.0, abs=150.0)


def test_carriers_alone_are_as_near_as_the_page_says(sounds: list[Tensor]) -> None:
    untrained = networks.Resynthesis(networks.new_network("hifigan"))
    with torch.no_grad():
        made = [untrained(sound.unsqueeze(0))[0].numpy() for sound in sounds]
    found = quality([sound.numpy() for sound in sounds], made, sample_rate=networks.SAMPLE_RATE)
    stated = re.search(r"untrained, are at\n +(\d+\.\d+) dB, (\d+\.\d+) and (\d+)", PAGE.read_text(encoding="utf-8"))
    assert stated is not None
    mel, spectral, frechet = map(float, stated.groups())
    assert found.log_mel_distance_db == pytest.approx(mel, abs=0.1)
    assert found.spectral_distance == pytest.approx(spectral, abs=0.05)
    assert found.frechet_distance == pytest.approx(frechet, rel=0.05)


def test_loss_is_finite_in_silence() -> None:
    """Where magnitudes are 0 and their slopes are not: gradients are numbers."""
    network = networks.new_network("istft")
    loss = training.Spectra(1e-5)(network, (torch.zeros(2, 1, training.SEGMENT_SAMPLES),), torch.Generator())
    loss.backward()
    assert all(bool(each.grad.isfinite().all()) for each in network.parameters() if each.grad is not None)


def test_costs_are_measured_as_they_are_played(stated: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "KINDS", ("multiband",))
    monkeypatch.setattr(measurements, "ROUNDS", 1)
    monkeypatch.setattr(measurements, "BLOCK_SIZES", (64,))
    rows = measurements.cost_rows(networks.WEIGHTS)
    assert [row["backend"] for row in rows] == ["compiled", "torchscript"] * 2
    assert all(value > 0.0 for row in rows for value in row["rtf"].values())
    late = [round(row["latency_ms"] * networks.SAMPLE_RATE / 1000.0) for row in rows]
    assert late[0] == late[1] == DELAYS["multiband"] + 256 - 64
    assert late[2] == late[3] == 4 * 256 + 12 * 256 - 64, "a fade, and what a block of the window waits for"
    kept = [row for row in stated["cost"] if row["name"].startswith(networks.TITLES["multiband"])]
    for row, before in zip(rows, kept, strict=True):
        assert (row["name"], row["backend"]) == (before["name"], before["backend"])
        assert row["latency_ms"] == pytest.approx(before["latency_ms"], abs=0.1)
        assert row["file_bytes"] == pytest.approx(before["file_bytes"], rel=0.05)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="hifigan, multiband, istft; got 'wavenet'"):
        networks.new_network("wavenet")
