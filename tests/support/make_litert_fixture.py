"""Writes ``twelve_tensors.tflite`` with LiteRT's converter, which brings 2 GB and so is no part of the tests.

``pip install torch==2.13.0 litert-torch==0.10.0``, then ``python tests/support/make_litert_fixture.py``.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

SAMPLES = 32
STATES = 8
PATH = Path(__file__).with_name("twelve_tensors.tflite")


class Twelve(nn.Module):
    """Twelve inputs, so that sorted by name they are in another order; every state has a weight of its own.

    ``y[n] = gain[n] x[n] + offset + count / 1000 + sum over k of (k + 1) z_k / 100``. With each block ``count`` grows
    by one, and ``z_k`` becomes ``k + 1`` times the block's last sample.
    """

    def forward(self, x: Tensor, gain: Tensor, offset: Tensor, count: Tensor, *lasts: Tensor) -> tuple[Tensor, ...]:
        y = x * gain + offset + count.to(torch.float32) * 0.001
        kept: list[Tensor] = []
        for index, last in enumerate(lasts):
            y = y + last * (0.01 * (index + 1.0))
            kept.append(x[:, SAMPLES - 1 :] * (index + 1.0))
        return y, count + 1, *kept


def write(path: Path) -> None:
    """Convert it."""
    import litert_torch  # pyright: ignore[reportMissingImports]

    states = [torch.zeros(1, 1) for _ in range(STATES)]
    example = (torch.zeros(1, SAMPLES), torch.zeros(SAMPLES), torch.zeros(1), torch.zeros(1, dtype=torch.int32))
    litert_torch.convert(Twelve().eval(), (*example, *states)).export(str(path))


if __name__ == "__main__":
    write(PATH)
