"""A generator makes as many samples as are asked for, whatever their number and however it is asked."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, NonRealtimeBase, NonRealtimeSampleQueueWrapper
from neutone_like.render import render_file
from support.offline_models import metadata, scripted, without_the_optimiser

__all__ = ["without_the_optimiser"]
PIECE = 16384
AROUND_PIECES = [count * PIECE + offset for count in (1, 2) for offset in (-1, 0, 1, 2)]
LENGTHS = [1, 2, 3, 255, 256, 257, *AROUND_PIECES, 39_999]


class Tone(NonRealtimeBase):
    """Ones, as many as it was prepared for; one-shot: ``length`` of them."""

    metadata = metadata("Tone")
    audio_in_channels = ()

    def __init__(
        self, block_sizes: tuple[int, ...] = (), channels: int = 1, parameters: int = 1, length: int = 0, rate: int = 0
    ) -> None:
        self.block_sizes = block_sizes
        self.sample_rates = (rate,) if rate else ()
        self.audio_out_channels = (channels,)
        self.parameters = tuple(ContinuousParameter(f"level {index}") for index in range(parameters))
        super().__init__(nn.Identity())
        self.channels = channels
        self.length = length
        self.size = 1

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.length > 0

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
        return [torch.ones(self.channels, self.length if self.length > 0 else self.size)]


def made(wrapper: NonRealtimeSampleQueueWrapper, rows: int, pieces: list[int], announced: int) -> int:
    wrapper.begin(announced)
    parts = [wrapper.push([], torch.rand(rows, piece))[0].size(1) for piece in pieces]
    return sum(parts) + wrapper.finish()[0].size(1)


def in_pieces(length: int, piece: int) -> list[int]:
    return [min(piece, length - start) for start in range(0, length, piece)]


@pytest.mark.parametrize("host_rate", [48000, 44100])
@pytest.mark.parametrize("block_sizes", [(), (256,), (1000,)])
@pytest.mark.parametrize("parameters", [0, 2])
def test_by_hand(block_sizes: tuple[int, ...], host_rate: int, parameters: int) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Tone(block_sizes, 2, parameters, rate=48000))
    wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 512)
    for length in LENGTHS:
        assert made(wrapper, parameters, in_pieces(length, PIECE), length) == length
        if length > 1:  # a lone column that nobody announced stands for a signal of any length
            assert made(wrapper, parameters, in_pieces(length, PIECE), 0) == length
            assert made(wrapper, parameters, [1, length - 1], 0) == length
            assert wrapper.forward([], torch.rand(parameters, length))[0].size(1) == length
    assert made(wrapper, parameters, [1] * 300, 0) == 300
    assert made(wrapper, parameters, [1] * 300, 300) == 300


def test_scripted() -> None:
    module = scripted(Tone((256,)))
    for length in (1, 2, 16385):
        assert made(module, 1, in_pieces(length, PIECE), length) == length
    assert made(module, 1, [1, 1, 1], 0) == 3


def test_one_column_for_all_is_one_block() -> None:
    """What hosts send that know no length."""
    wrapper = NonRealtimeSampleQueueWrapper(Tone((1000,), rate=48000))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512)
    assert wrapper.forward([], torch.rand(1, 1))[0].size(1) == 1000
    assert made(wrapper, 1, [1], 0) == 1000
    assert wrapper.forward([])[0].size(1) == 1000


@pytest.mark.parametrize("length", [1, 257, 16384, 16385, 32769])
@pytest.mark.parametrize(("block_sizes", "parameters"), [((256,), 1), ((), 0)])
def test_rendered(tmp_path: Path, length: int, block_sizes: tuple[int, ...], parameters: int) -> None:
    model = Tone(block_sizes, 1, parameters)
    result = render_file(model, None, tmp_path / "out.wav", seconds=length / 48000, progress=False)
    assert result.samples == length


@pytest.mark.parametrize("length", [1, 2, 16384, 16385, 32769])
def test_a_one_shot_model_chooses_its_own(tmp_path: Path, length: int) -> None:
    assert render_file(Tone(length=length), None, tmp_path / "out.wav", progress=False).samples == length
