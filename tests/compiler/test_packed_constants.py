"""Quantised weights in a compiled model's file: fewer bytes, and exactly the same numbers, in either reader."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from neutone_like.compiler import Plan, file, packed_constants, plan_graph
from neutone_like.compiler.packing import LEAST_SHORT_UNITS
from neutone_like.compiler.weight_grids import find_grid
from neutone_like.errors import ArtifactError
from neutone_like.graph import capture
from neutone_like.optimise import quantise
from neutone_like.runtime.native_module import native_module
from support.compiled_files import resealed, section
from support.compiled_networks import play_beside

NOTHING = file.TestVector(np.zeros((4, 0), np.float32), np.zeros(0, np.float32), np.zeros((1, 0), np.float32))


@pytest.fixture(autouse=True)
def _without_folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as they are read, so that files of packed constants have version 3."""
    monkeypatch.setattr(file, "LEAST_SAVED", 1 << 40)


class Recurrent(nn.Module):
    """A recurrent layer that forgets between blocks."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """``[channels, N]`` to ``[units, N]``."""
        return self.layer(x.T)[0].T


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "convolutions": lambda: nn.Sequential(
        nn.Conv1d(4, 24, 3, padding=1), nn.Tanh(), nn.Conv1d(24, 17, 5, dilation=2, padding=4)
    ),
    "few channels": lambda: nn.Sequential(nn.Conv1d(4, 80, 9, padding=4), nn.Tanh(), nn.Conv1d(80, 1, 1)),
    "groups": lambda: nn.Sequential(nn.Conv1d(4, 24, 1), nn.Tanh(), nn.Conv1d(24, 24, 5, groups=3, padding=2)),
    "depthwise": lambda: nn.Sequential(nn.Conv1d(4, 24, 1), nn.Conv1d(24, 24, 41, groups=24, padding=20)),
    "transposed": lambda: nn.Sequential(nn.Conv1d(4, 32, 3), nn.ConvTranspose1d(32, 8, 3)),
    "lstm": lambda: Recurrent(nn.LSTM(4, 20, batch_first=True)),
    "gru": lambda: Recurrent(nn.GRU(4, 20, batch_first=True)),
    "rnn": lambda: Recurrent(nn.RNN(4, 40, batch_first=True)),
}
KINDS: tuple[tuple[Any, int | None], ...] = (("fp16", None), ("int8", None), ("int4", None), ("int4", 8))


def made(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(len(name))
        return NETWORKS[name]().eval()


def planned(network: nn.Module) -> Plan:
    return plan_graph(capture(network, (torch.zeros(4, 64),)))


def written(plan: Plan) -> bytes:
    return file.write_plan(plan, "{}", NOTHING)


def written_plain(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setattr(packed_constants, "LEAST_SAVED", 1 << 40)
        return written(plan)


def version(data: bytes) -> int:
    return struct.unpack_from("<I", data, 8)[0]


def unpacked(data: bytes) -> npt.NDArray[np.float32]:
    """The constants of a file, by the description of the format alone, one number after the other."""
    table, length = section(data, 10)
    packed = section(data, 11)[0]
    pieces = [struct.unpack_from("<6I3Q", data, table + 48 * index) for index in range(length // 48)]
    ends = [each[7] // 4 + (each[1] - 1) * (each[6] if each[1] > 1 else 0) + each[2] * each[3] for each in pieces]
    found = np.zeros(max(ends), np.float32)
    for kind, outer, rows, lanes, group, factors, step, destination, source in pieces:
        at = packed + source
        own_factors = struct.unpack_from(f"<{factors}d", data, at)
        at += 8 * factors
        groups = -(-rows // group) if group else 0
        scales = np.frombuffer(data, "<u2", outer * groups * lanes, at).astype(np.uint32) << 16
        scales = scales.view(np.float32).reshape(outer, groups, lanes)
        at += 2 * scales.size
        for block in range(outer):
            for row in range(rows):
                for lane in range(lanes):
                    place = (block * rows + row) * lanes + lane
                    number = float(_number(data, kind, at, place))
                    if group:
                        number *= float(scales[block, row // group, lane])
                    if factors:
                        number *= own_factors[lane * factors // lanes]
                    found[destination // 4 + block * step + row * lanes + lane] = number
    return found


def _number(data: bytes, kind: int, at: int, place: int) -> float:
    if kind == 3:
        nibble = data[at + place // 2] >> (4 * (place % 2)) & 15
        return nibble - 16 if nibble > 7 else nibble
    name, size = {0: ("<f", 4), 1: ("<e", 2), 2: ("<b", 1)}[kind]
    return struct.unpack_from(name, data, at + size * place)[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_packed_weights_are_the_same_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(0).uniform(-1.0, 1.0, (4, 64)).astype(np.float32)
    for precision, group_size in KINDS[list(NETWORKS).index(name) % 2 :: 2]:
        plan = planned(quantise(made(name), precision, group_size=group_size, measure=False).model)
        small, plain = written(plan), written_plain(plan, monkeypatch)
        assert (version(small), version(plain)) == (3, 1), precision
        start, length = section(plain, 7)
        whole = np.frombuffer(plain, np.float32, length // 4, start)
        again = unpacked(small)
        assert np.array_equal(whole[: len(again)], again), precision
        assert not whole[len(again) :].any()
        players = [native_module().CompiledModel(each) for each in (small, plain)]
        first, second = (np.asarray(player.play(sound, [])) for player in players)
        assert np.abs(first).max() > 0.0
        assert np.array_equal(first, second), precision


def test_float32_weights_stay_in_the_older_format() -> None:
    assert all(version(written(planned(made(name)))) == 1 for name in ("convolutions", "lstm"))


@pytest.mark.parametrize(("precision", "group_size", "most"), [("int8", None, 0.30), ("int4", 8, 0.22)])
def test_a_large_file_becomes_as_small_as_its_weights(precision: Any, group_size: int | None, most: float) -> None:
    torch.manual_seed(0)
    layers = [nn.Conv1d(4, 64, 1), nn.Tanh(), *(nn.Conv1d(64, 64, 7, padding=3) for _ in range(2))]
    network = nn.Sequential(*layers).eval()
    assert sum(each.numel() for each in network.parameters()) > 50000
    small = quantise(network, precision, group_size=group_size, measure=False).model
    assert len(written(planned(small))) <= most * len(written(planned(network)))


def test_biases_take_half_the_bytes_beside_weights_that_are_packed_alone() -> None:
    """And say nothing of the format where the weights are float32: zeros are half-precision numbers too."""
    layers = [nn.Conv1d(4, 128, 1), nn.Tanh(), nn.Conv1d(128, 16, 7, padding="same"), nn.Tanh(), nn.Conv1d(16, 256, 1)]
    plain = nn.Sequential(*layers).eval().requires_grad_(False)
    small = quantise(plain, "int8", measure=False).model
    data = written(planned(small))
    start, length = section(data, 10)
    kinds = [struct.unpack_from("<I", data, at)[0] for at in range(start, start + length, 48)]
    assert kinds.count(1) == 3
    assert kinds.count(0) == 0
    for layer in plain:
        if isinstance(layer, nn.Conv1d):
            assert layer.bias is not None
            layer.bias.zero_()
    assert version(written(planned(plain))) == 1


def test_only_what_multiplies_out_exactly_is_found() -> None:
    random = np.random.default_rng(0)
    integers = random.integers(-127, 128, (2, 30, 3)).astype(np.float64)
    scales = random.integers(128, 256, (2, 1, 3)) / 1024.0
    found = find_grid(integers * scales)
    assert found is not None
    assert (found.bits, found.group) == (8, 30)
    assert np.array_equal(found.numbers * found.scales.astype(np.float64), integers * scales)
    spoilt = integers * scales
    spoilt[1, 7, 2] += 2.0**-20
    assert find_grid(spoilt) is None
    assert find_grid(random.standard_normal((1, 64, 4)).astype(np.float32).astype(np.float64)) is None


def test_a_damaged_piece_is_told() -> None:
    data = written(planned(quantise(made("lstm"), "int8", measure=False).model))
    table = section(data, 10)[0]
    native_module().CompiledModel(resealed(data, table, struct.pack("<I", 2)))
    for value, words in ((9, "its kind is unknown"), (1, "it has no rows that share a scale")):
        with pytest.raises(ArtifactError, match=f"packing 0: {words}"):
            native_module().CompiledModel(resealed(data, table, struct.pack("<I", value)))


@pytest.mark.parametrize("make", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("weights", ["int8", "fp16"])
def test_many_units_are_played_with_the_weights_that_are_stored(make: Any, weights: Any) -> None:
    """They are multiplied as they are, in every instruction set, as exact as what they stand for."""
    torch.manual_seed(5)
    layers = Recurrent(make(4, LEAST_SHORT_UNITS + 5, num_layers=2, batch_first=True))
    network = nn.Sequential(layers, nn.Conv1d(LEAST_SHORT_UNITS + 5, 2, 1)).eval()
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 48)).astype(np.float32)
    rounded = quantise(network, weights, measure=False).model
    for each, is_short in ((network, False), (rounded, True)):
        graph = capture(each, (torch.from_numpy(sound),))
        steps = [step for step in plan_graph(graph).steps if step.kernel.name in ("LSTM", "GRU", "RNN")]
        assert [len(step.integers) >= 4 for step in steps] == [is_short] * 2
        assert version(written(plan_graph(graph))) == (4 if is_short else 1)  # readers of 1 to 3 know no short weights
        blocks = [0.5 * torch.randn(4, size) for size in (48, 1, 17)]
        for kernels in native_module().compiled_kernels():
            assert play_beside(graph, blocks, kernels).good
