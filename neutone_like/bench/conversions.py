"""Time of a single rate conversion, per block of input, with soxr's streaming converter beside it."""

from collections.abc import Callable

import numpy as np
import torch
from rich.table import Table

from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.bench.timing import time_calls
from neutone_like.errors import MissingExtraError
from neutone_like.extras import import_extra
from neutone_like.signal.resampler import FirResampler

PAIRS = ((48000, 44100), (44100, 48000), (96000, 48000), (48000, 96000), (48000, 16000))
BLOCKS = (64, 128, 256, 512)
CHANNELS = 2
CALLS = 1000


def our_conversion(in_rate: int, out_rate: int, block: int, quality: str) -> Callable[[], object]:
    """A call that converts the next block of a stereo stream."""
    resampler = script_wrapper(FirResampler(CHANNELS))
    resampler.prepare(in_rate, out_rate, quality)
    resampler.start(1)
    x = torch.rand(CHANNELS, block) - 0.5

    def convert() -> object:
        resampler.push(x)
        return resampler.pull(resampler.available())

    return convert


def soxr_conversion(in_rate: int, out_rate: int, block: int) -> Callable[[], object]:
    """The same through ``soxr.ResampleStream`` at VHQ.

    Raises:
        MissingExtraError: soxr is not installed.
    """
    soxr = import_extra("soxr", extra="render", purpose="comparison with libsoxr")
    stream = soxr.ResampleStream(in_rate, out_rate, CHANNELS, dtype="float32", quality="VHQ")
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (block, CHANNELS)).astype(np.float32)
    return lambda: stream.resample_chunk(x)


def conversions_table() -> Table:
    """Mean times: what some calls put off, others pay."""
    table = Table(
        title="One conversion, stereo, one thread: mean us per block of input",
        caption="ours scripted; all called from Python. soxr gathers many blocks before it gives any output",
        title_justify="left",
    )
    for heading in ("from Hz", "to Hz", "block", "high", "fast", "soxr VHQ"):
        table.add_column(heading, justify="right")
    with torch.inference_mode():
        for in_rate, out_rate in PAIRS:
            for block in BLOCKS:
                ours = [_mean(our_conversion(in_rate, out_rate, block, quality)) for quality in ("high", "fast")]
                table.add_row(str(in_rate), str(out_rate), str(block), *ours, _soxr_mean(in_rate, out_rate, block))
    return table


def _mean(call: Callable[[], object]) -> str:
    return f"{time_calls(call, calls=CALLS).mean_us:.1f}"


def _soxr_mean(in_rate: int, out_rate: int, block: int) -> str:
    try:
        return _mean(soxr_conversion(in_rate, out_rate, block))
    except MissingExtraError:
        return "not installed"
