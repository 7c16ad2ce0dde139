"""Folded tables in a compiled model's file: fewer bytes, and exactly the same tables, by the format's words alone."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like.artifact.format.compiled_file import kernels_of, read_compiled_facts
from neutone_like.compiler import Plan, file, folding, packed_constants, plan_graph
from neutone_like.compiler.file_format import Section
from neutone_like.errors import ArtifactError
from neutone_like.graph import capture
from neutone_like.optimise import quantise
from neutone_like.runtime.native_module import native_module
from support.compiled_files import resealed, section

METADATA = json.dumps({"model_long_description": "a" * 2000, "compiled": {"model_sha256": "0" * 64}})
ITEM_BYTES = {3: 64, 4: 120, 5: 20, 6: 4, 10: 48}


class Dilated(nn.Module):
    """A gated residual network of causal dilated convolutions."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, channels, 1)
        self.convs = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 3, dilation=2**at) for at in range(layers))
        self.mixes = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(layers))
        self.last = nn.Conv1d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``[1, N]`` to the same."""
        h = self.first(x)
        for at, (conv, mix) in enumerate(zip(self.convs, self.mixes, strict=True)):
            both = conv(nn.functional.pad(h, (2 * 2**at, 0)))
            wave, gate = both.chunk(2, 0)
            h = h + mix(torch.tanh(wave) * torch.sigmoid(gate))
        return self.last(h)


def made(channels: int = 8, layers: int = 4) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Dilated(channels, layers).eval()


def planned(network: nn.Module) -> Plan:
    return plan_graph(capture(network, (torch.zeros(1, 64),)))


def written(plan: Plan, test_samples: int = 0) -> bytes:
    sound = np.zeros((1, test_samples), np.float32)
    return file.write_plan(plan, METADATA, file.TestVector(sound, np.zeros(0, np.float32), sound))


def version(data: bytes) -> int:
    return struct.unpack_from("<I", data, 8)[0]


def table(data: bytes, kind: int) -> bytes:
    """A table of a file whose tables are folded, by the description of the format alone."""
    start, length = section(data, kind)
    count = struct.unpack_from("<I", data, start)[0]
    stride = 0 if kind == 6 else ITEM_BYTES[kind] // 4
    at, words = start + 4, list[int]()
    while len(words) < count:
        mask = f"{data[at]:08b}"[::-1]
        at += 1
        for differs in mask[: count - len(words)]:
            number = 0
            if differs == "1":
                digits = [data[at] % 128]
                while data[at] >= 128:
                    at += 1
                    digits.append(data[at] % 128)
                at += 1
                number = sum(digit * 128**place for place, digit in enumerate(digits))
            before = words[-stride] if stride and len(words) >= stride else 0
            words.append((before + (number // 2 if number % 2 == 0 else -(number + 1) // 2)) % 2**32)
    assert at == start + length
    return struct.pack(f"<{count}I", *words)


@pytest.mark.parametrize("precision", [None, "int8"])
def test_folded_tables_are_the_same_tables(precision: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network = made() if precision is None else quantise(made(), precision, measure=False).model
    plan = planned(network)
    small = written(plan)
    monkeypatch.setattr(file, "LEAST_SAVED", 1 << 40)
    plain = written(plan)
    assert (version(small), version(plain)) == (4, 1 if precision is None else 3)
    for kind, item_bytes in ITEM_BYTES.items():
        if kind == 10 and precision is None:
            continue
        start, length = section(plain, kind)
        again = table(small, kind)
        assert again == plain[start : start + length], kind
        assert len(again) % item_bytes == 0
        start, length = section(small, kind)
        assert folding.unfolded(Section(kind), small[start : start + length]) == again
    sound = np.random.default_rng(0).uniform(-1.0, 1.0, (1, 64)).astype(np.float32)
    players = [native_module().CompiledModel(each) for each in (small, plain)]
    first, second = (np.asarray(player.play(sound, [])) for player in players)
    assert np.abs(first).max() > 0.0
    assert np.array_equal(first, second)
    assert kernels_of(small) == kernels_of(plain)
    told = []
    for data in (small, plain):
        (tmp_path / "model.nlc").write_bytes(data)
        told.append(read_compiled_facts(tmp_path / "model.nlc"))
    assert [each.steps for each in told] == [len(plan.steps)] * 2
    assert [each.file_bytes for each in told] == [len(small), len(plain)]
    assert told[0].granule == told[1].granule == plan.granule


@pytest.mark.parametrize(("precision", "group_size", "most"), [("int8", None, 0.30), ("int4", 8, 0.22)])
def test_a_network_of_many_layers_becomes_as_small_as_its_weights(
    precision: Any, group_size: int | None, most: float
) -> None:
    network = made(32, 8)
    assert 50000 < sum(each.numel() for each in network.parameters()) < 60000
    small = quantise(network, precision, group_size=group_size, measure=False).model
    as_exported = 256
    assert len(written(planned(small), as_exported)) <= most * len(written(planned(network), as_exported))


def test_what_saves_too_little_stays_in_the_older_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_constants, "LEAST_SAVED", 1 << 40)
    assert version(written(planned(nn.Conv1d(1, 1, 1).eval()))) == 1


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    data = written(planned(made()))
    path = tmp_path / "model.nlc"
    for kind, name in ((4, "views"), (5, "steps"), (6, "integers")):
        start, _ = section(data, kind)
        words = struct.unpack_from("<I", data, start)[0]
        spoilt = resealed(data, start, struct.pack("<I", words + 8))
        with pytest.raises(ArtifactError, match=f"its folded {name} are not as long as they say that they are"):
            native_module().CompiledModel(spoilt)
        path.write_bytes(spoilt)
        if name == "steps":
            with pytest.raises(ArtifactError, match="lacks what a compiled model says about itself: .* folded table"):
                read_compiled_facts(path)


@pytest.mark.parametrize(
    ("folded", "words"),
    [
        (b"\1", "ends within its length"),
        (b"\xff\xff\xff\xff\0", "of 4294967295 words in 5 bytes"),
        (b"\1\0\0\0\1", "ends within its words"),
        (b"\1\0\0\0\1\xff", "ends within its words"),
        (b"\1\0\0\0\1" + b"\xff" * 5 + b"\1", "number that is too long"),
    ],
)
def test_what_is_no_folded_table_is_refused(folded: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        folding.unfolded(Section.INTEGERS, folded)


def test_every_word_comes_back() -> None:
    random = np.random.default_rng(0)
    for kind in folding.ITEM_WORDS:
        for count in (0, 1, 7, 8, 9, 100):
            words = random.integers(0, 2**32, count, np.uint32) >> random.integers(0, 32, count, np.uint32)
            raw = words.astype("<u4").tobytes()
            assert folding.unfolded(kind, folding.folded(kind, raw)) == raw
