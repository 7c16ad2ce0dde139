"""The resampler against brute force, against itself cut up, and against what its filter must do to tones."""

from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import AudioError
from neutone_like.signal.filter_design import half_width_samples, polyphase_table, reduced_ratio
from neutone_like.signal.resampler import FirResampler

COMMON_RATES = (16000, 22050, 44100, 48000, 88200, 96000)
UNUSUAL = ((48000, 47952), (44056, 48000), (8000, 192000), (192000, 11025))


def random_pieces(total: int, longest: int, generator: np.random.Generator) -> list[int]:
    pieces: list[int] = []
    while sum(pieces) < total:
        pieces.append(min(int(generator.integers(1, longest)), total - sum(pieces)))
    return pieces


def stream(resampler: Any, x: torch.Tensor, pieces: list[int]) -> torch.Tensor:
    outputs: list[torch.Tensor] = []
    for piece in x.split(pieces, 1):
        resampler.push(piece)
        outputs.append(resampler.pull(resampler.available()))
    return torch.cat(outputs, 1)


def direct_sum(x: np.ndarray, rates: tuple[int, int], first_end: int, count: int) -> np.ndarray:
    """Every output as its own sum over taps, straight from the definition of the table."""
    up, down = reduced_ratio(rates[1], rates[0])
    table = polyphase_table(up, down, "high").numpy()
    taps = table.shape[1]
    y = np.zeros(count)
    for output in range(count):
        end = output * down + first_end
        last = -(-end // up)
        row = table[last * up - end]
        for tap in range(taps):
            index = last - taps + tap
            if 0 <= index < x.size:
                y[output] += row[tap] * x[index]
    return y


@pytest.mark.parametrize("rates", [(48000, 44100), (44100, 48000), (96000, 48000), (16000, 44100), *UNUSUAL[:2]])
@pytest.mark.parametrize("first_end", [1, -777])
def test_every_output_is_the_sum_that_defines_it(rates: tuple[int, int], first_end: int) -> None:
    x = torch.randn(1, 700)
    resampler = FirResampler(1)
    resampler.prepare(*rates, "high")
    resampler.start(first_end)
    y = stream(resampler, x, random_pieces(700, 90, np.random.default_rng(1)))[0].numpy()
    expected = direct_sum(x[0].double().numpy(), rates, first_end, min(y.size, 300))
    # Single precision: a hundred products of full-scale numbers, each sum rounded to 24 bits.
    np.testing.assert_allclose(y[: expected.size], expected, rtol=0, atol=3e-7 * float(x.abs().max()))


@pytest.mark.parametrize("rates", [(a, b) for a in COMMON_RATES for b in COMMON_RATES if a != b] + list(UNUSUAL))
def test_cutting_up_the_stream_changes_nothing(rates: tuple[int, int]) -> None:
    x = torch.randn(2, 6000)
    resampler = FirResampler(2)
    resampler.prepare(*rates, "high")
    resampler.start(1)
    whole = stream(resampler, x, [6000])
    assert whole.size(1) == -(-6000 * rates[1] // rates[0])
    for longest in (2, 50, 3000):
        resampler.start(1)
        pieces = stream(resampler, x, random_pieces(6000, longest, np.random.default_rng(longest)))
        torch.testing.assert_close(pieces, whole, atol=0, rtol=0)


def test_outputs_appear_as_soon_as_their_window_is_complete() -> None:
    resampler = FirResampler(1)
    resampler.prepare(48000, 44100, "high")
    resampler.start(1)
    taken = 0
    for given in range(1, 500):
        resampler.push(torch.zeros(1, 1))
        taken += resampler.pull(resampler.available()).size(1)
        assert taken == -(-given * 147 // 160)


def test_every_phase_passes_a_constant_unchanged() -> None:
    for up, down in ((147, 160), (160, 147), (1, 2), (2, 1), (160, 441)):
        for quality in ("high", "fast"):
            sums = polyphase_table(up, down, quality).sum(1)
            torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-12, rtol=0)


@pytest.mark.parametrize(("quality", "most"), [("high", 64), ("fast", 32)])
def test_delay_stays_within_its_promise(quality: str, most: int) -> None:
    for slow, fast in ((44100, 48000), (16000, 96000), (48000, 96000), (22050, 44100)):
        up, down = reduced_ratio(fast, slow)
        assert half_width_samples(up, down, quality) <= most
        assert half_width_samples(down, up, quality) * slow / fast <= most


def test_rates_without_a_usable_common_divisor_are_refused() -> None:
    with pytest.raises(AudioError, match="191999 phases of .* larger common divisor"):
        FirResampler(1).prepare(192000, 191999, "high")


def test_scripted_is_the_same() -> None:
    x = torch.randn(2, 3000)
    pieces = random_pieces(3000, 700, np.random.default_rng(5))
    eager = FirResampler(2)
    eager.prepare(48000, 44100, "high")
    eager.start(1)
    script = torch.jit.script(FirResampler(2))
    script.prepare(48000, 44100, "high")
    script.start(1)
    torch.testing.assert_close(stream(script, x, pieces), stream(eager, x, pieces), atol=0, rtol=0)


def test_inference_mode_costs_no_copy_of_the_buffer_and_may_end() -> None:
    x = torch.randn(2, 64)  # made outside, as a host's audio is
    resampler = FirResampler(2)
    with torch.inference_mode():
        resampler.prepare(48000, 44100, "high")
        resampler.start(1)
        inside = resampler.inputs
        resampler.push(x)
        assert resampler.inputs is inside
    resampler.push(x)
    assert not resampler.inputs.is_inference()
    assert resampler.pull(resampler.available()).size(1) == -(-128 * 147 // 160)


@pytest.mark.parametrize("rates", [(48000, 44100), (44100, 48000), (48000, 96000), (96000, 48000), (96000, 44100)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_where_a_stream_begins_changes_no_sum(rates: tuple[int, int], channels: int) -> None:
    """A latency that differs by whole inputs moves the grid of groups, and nothing else; long and short runs agree."""
    x = torch.randn(channels, 3000)
    resampler = FirResampler(channels)
    resampler.prepare(*rates, "high")
    up, down = reduced_ratio(rates[1], rates[0])
    resampler.start(1)
    first = stream(resampler, x, [3000])
    earlier = -(-37 // down) * up  # so many outputs more
    resampler.start(1 - earlier * down)
    moved = stream(resampler, x, [100] * 30)
    torch.testing.assert_close(moved[:, earlier:], first, atol=0, rtol=0)
