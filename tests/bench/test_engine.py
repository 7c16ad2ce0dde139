"""The engine's tables say what ran: how long things take is printed, never asserted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console
from rich.table import Table

from neutone_like.artifact import Artifact
from neutone_like.bench.engine_model import RECEPTIVE_FIELD, Convolutions, convolutions_artifact, recurrent_artifact
from neutone_like.bench.engine_tables import conversion_table, instances_table, mismatch_table, sessions_table
from neutone_like.bench.engine_workers import workers_table
from neutone_like.validate.conditions import optimiser

SECONDS = 0.1


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artifact]:
    with optimiser(False):
        yield convolutions_artifact(tmp_path_factory.mktemp("engine"), 48000, 256)


def rows(table: Table) -> list[dict[str, str]]:
    headings = [str(column.header) for column in table.columns]
    columns = [list(column.cells) for column in table.columns]
    Console(width=200, quiet=True).print(table)
    return [dict(zip(headings, map(str, cells), strict=True)) for cells in zip(*columns, strict=True)]


def test_the_model_sees_as_far_back_as_it_says() -> None:
    model = Convolutions(channels=1)
    x = torch.zeros(1, RECEPTIVE_FIELD + 10)
    gain = {"gain": torch.ones(1)}
    quiet = model.do_forward_pass(x, gain)
    assert quiet.shape == (1, 11)
    x[0, 10] = 1.0
    changed = (model.do_forward_pass(x, gain) - quiet).abs()[0] > 1e-9
    assert changed.nonzero().flatten().tolist() == list(range(11))
    x[0, 10], x[0, 0] = 0.0, 1.0
    changed = (model.do_forward_pass(x, gain) - quiet).abs()[0] > 1e-9
    assert changed.nonzero().flatten().tolist() == [0]


def test_sessions_on_workers(artifact: Artifact) -> None:
    found = rows(sessions_table(artifact, SECONDS, (1, 2), (1, 2)))
    assert [(row["sessions"], row["workers"]) for row in found] == [("1", "1"), ("2", "1"), ("1", "2"), ("2", "2")]
    for row in found:
        assert float(row["callback p50"]) <= float(row["callback p99"]) <= float(row["callback max"])
        assert float(row["blocks/s at most"]) > 0.0
        assert len(row["worker load"].split(",")) == int(row["workers"])


def test_parallel_instances(artifact: Artifact) -> None:
    found = rows(instances_table(artifact, SECONDS))
    assert [row["instances"] for row in found] == ["1", "2"]
    assert all(int(row["latency"]) >= 1024 for row in found)


def test_blocks_that_do_not_fit(artifact: Artifact) -> None:
    found = rows(mismatch_table(artifact, SECONDS))
    buffering = {row["host block"]: int(row["buffering"]) for row in found}
    assert buffering == {"256": 0, "64": 192, "1024": 0, "300": 252}
    for row in found:
        assert int(row["latency"]) == int(row["buffering"]) + int(row["inference"])


@pytest.mark.slow
def test_conversion_in_the_callback(artifact: Artifact, tmp_path: Path) -> None:
    with optimiser(False):
        any_rate = convolutions_artifact(tmp_path / "same", 48000, 0)
        other = convolutions_artifact(tmp_path / "other", 44100, 0)
    found = rows(conversion_table(any_rate, other, SECONDS))
    latencies = {(row["model Hz"], row["mode"]): int(row["latency"]) for row in found if row["host block"] == "64"}
    assert latencies["48000", "inline"] == 0
    assert latencies["44100", "inline"] > 64
    assert latencies["44100", "async"] > latencies["44100", "inline"]


@pytest.mark.slow
def test_a_worker_at_rest_and_at_work(tmp_path: Path) -> None:
    with optimiser(False):
        recurrent = recurrent_artifact(tmp_path / "recurrent")
    found = rows(workers_table(recurrent, SECONDS))
    situations = ["at rest, a session open", "playing", "beside a busy Python thread"]
    assert [(row["wake-up"], row[""]) for row in found] == [(w, s) for w in ("event", "poll") for s in situations]
    for row in found:
        assert 0.0 <= float(row["worker load"].rstrip("%")) <= 110.0
