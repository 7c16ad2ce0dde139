"""Reported latency beside measured, over every combination of rates, blocks and delays that hosts and models have.

An impulse goes in, and a band-limited impulse comes out. The slope of its spectrum's phase says where its centre is, to
a thousandth of a sample.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.table import Table

from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.bench.models import Delay
from neutone_like.host import SampleQueueWrapper
from neutone_like.validate import measure
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.playing import HostSetting, latency_samples, prepare

HOST_RATES = (44100, 48000, 96000)
MODEL_RATES = (44100, 48000, 16000)
HOST_BLOCKS = (1, 32, 64, 100, 128, 256, 441, 480, 512, 1024, 2048)
MODEL_BLOCKS = (0, 128, 480, 512, 2048)  # 0: any
MODEL_DELAYS = (0, 37, 100)


@dataclass(frozen=True)
class MatrixResult:
    """One combination. Sizes in samples, ``model_block`` 0 meaning any; latencies at the host rate."""

    host: HostSetting
    model_rate: int
    model_block: int
    model_delay: int
    reported: int
    measured: float
    buffering: float

    @property
    def error(self) -> float:
        return self.measured - self.reported

    @property
    def buffering_above_least(self) -> float:
        """Model samples of buffering above ``M - gcd(H, M)``; at unequal rates above ``M``, so that below 0 is good."""
        if self.model_block == 0:
            return self.buffering
        model_samples = self.buffering * self.model_rate / self.host.sample_rate
        if self.host.sample_rate == self.model_rate:
            return model_samples - (self.model_block - math.gcd(self.host.block_size, self.model_block))
        return model_samples - self.model_block


def measure_matrix(
    host_rates: Sequence[int] = HOST_RATES,
    model_rates: Sequence[int] = MODEL_RATES,
    host_blocks: Sequence[int] = HOST_BLOCKS,
    model_blocks: Sequence[int] = MODEL_BLOCKS,
    model_delays: Sequence[int] = MODEL_DELAYS,
) -> Iterator[MatrixResult]:
    """Measure every combination, with scripted wrappers."""
    for model_rate, model_block, delay in itertools.product(model_rates, model_blocks, model_delays):
        blocks = (model_block,) if model_block else ()
        module = script_wrapper(SampleQueueWrapper(Delay(delay, (model_rate,), blocks, channels=1)))
        for host_rate, host_block in itertools.product(host_rates, host_blocks):
            with torch.no_grad(), optimiser(False):
                host = HostSetting(host_rate, host_block)
                yield measure_combination(module, host, model_rate, model_block, delay)


def measure_combination(module: Any, host: HostSetting, model_rate: int, model_block: int, delay: int) -> MatrixResult:
    """Measure a module, whose model only delays, at one host setting."""
    prepare(module, host)
    reported = latency_samples(module)
    ratio = host.sample_rate / min(model_rate, host.sample_rate)
    half_window = math.ceil(192 * ratio)  # longer than both filters together
    # The impulse sits so that the window round its answer begins inside the output.
    samples = half_window + reported + half_window
    x = torch.zeros(1, -(-samples // host.block_size) * host.block_size)
    x[0, half_window] = 1.0
    output = torch.cat([module.forward(block.contiguous()) for block in x.split(host.block_size, 1)], 1)
    window = output[0, reported : reported + 2 * half_window].numpy().astype(np.float64)
    lines = round(0.4 / ratio * window.size)
    centred = np.roll(window, -half_window)
    fit = measure.fit_delay_on_lines(
        np.fft.rfft(centred)[:lines], host.sample_rate / window.size, 0.9 * half_window / host.sample_rate
    )
    return MatrixResult(
        host,
        model_rate,
        model_block,
        delay,
        reported,
        reported + fit.seconds * host.sample_rate,
        float(module.latency_parts()["buffering"]),
    )


def latency_matrix_table(results: Sequence[MatrixResult]) -> Table:
    """The worst case for each pair of rates."""
    table = Table(
        title=f"Latency, reported beside measured: worst of {len(results)} combinations, in host samples",
        caption="buffering: model samples above M - gcd(H, M) at equal rates, above M otherwise; 0 or less is promised",
        title_justify="left",
    )
    for heading in (
        "host Hz",
        "model Hz",
        "combinations",
        "worst difference",
        "there: H / M / delay",
        "reported",
        "buffering",
    ):
        table.add_column(heading, justify="right")
    for key, found in itertools.groupby(sorted(results, key=_rates), key=_rates):
        group = list(found)
        worst = max(group, key=lambda result: abs(result.error))
        table.add_row(
            str(key[0]),
            str(key[1]),
            str(len(group)),
            f"{abs(worst.error):.5f}",
            f"{worst.host.block_size} / {worst.model_block or 'any'} / {worst.model_delay}",
            f"{min(result.reported for result in group)}..{max(result.reported for result in group)}",
            f"{max(result.buffering_above_least for result in group):+.2f}",
        )
    return table


def _rates(result: MatrixResult) -> tuple[int, int]:
    return result.host.sample_rate, result.model_rate
