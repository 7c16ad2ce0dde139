"""Replicate padding streams: beside the ordinary network, in random blocks, and no later than it has to be."""

import random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import reset_streaming, to_streaming, verify_streaming
from neutone_like.streaming.trials import difference, random_blocks


class Through(nn.Module):
    """A network of one function."""

    def __init__(self, function: Any, *layers: nn.Module) -> None:
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.layers)


def causal(kernel: int, stride: int = 1, dilation: int = 1, channels: int = 2) -> nn.Module:
    def run(x: Tensor, conv: nn.Module) -> Tensor:
        return conv(F.pad(x, (dilation * (kernel - 1), 0), mode="replicate"))

    return Through(run, nn.Conv1d(channels, channels, kernel, stride, dilation=dilation))


def both_ways(kernel: int, channels: int = 2) -> nn.Module:
    return nn.Conv1d(channels, channels, kernel, padding=kernel // 2, padding_mode="replicate")


def require_equal(network: nn.Module, x: Tensor, delay: int | None = None) -> None:
    """In random blocks and after a reset, from the first sample on; ``x`` has an offset, so that zeros would show."""
    network = network.eval()
    streaming = to_streaming(network, x)
    if delay is not None:
        assert streaming.delay_samples == delay
    with torch.no_grad():
        whole = network(x)
        for trial in range(4):
            blocks = random_blocks(x, streaming.block_multiple_samples, random.Random(trial), singles=trial == 0)
            y = torch.cat([streaming(block) for block in blocks], 2)[:, :, streaming.delay_samples :]
            assert difference(y, whole[:, :, : y.size(2)]) < 1e-5
            reset_streaming(streaming)


def signal(samples: int = 96, channels: int = 2) -> Tensor:
    return 3.0 + torch.randn(1, channels, samples)


def test_causal_ones_have_no_delay() -> None:
    torch.manual_seed(0)
    for kernel, stride, dilation in ((5, 1, 3), (5, 3, 1)):
        require_equal(causal(kernel, stride, dilation), signal(), delay=0)
    stack = nn.Sequential(causal(3), nn.Tanh(), causal(4, dilation=2), nn.PReLU(), causal(3), nn.Conv1d(2, 1, 1))
    assert verify_streaming(to_streaming(stack, signal()), stack.eval(), example=signal(), chunkings=8).passed


def test_padding_for_several_layers_at_once() -> None:
    torch.manual_seed(0)

    def run(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
        return second(torch.tanh(first(F.pad(x, (6, 0), mode="replicate"))))

    require_equal(Through(run, nn.Conv1d(2, 2, 3), nn.Conv1d(2, 2, 5, stride=2)), signal(), delay=0)
    require_equal(Through(run, nn.Conv1d(2, 2, 4, stride=2), nn.Conv1d(2, 2, 3)), signal())


def beside(x: Tensor, conv: nn.Module) -> Tensor:
    """The padded signal itself goes on too, later than what it is added to."""
    padded = F.pad(x, (4, 0), mode="replicate")
    return conv(padded) + padded[:, :, 4:] + padded[:, :, :-4]


def padded_again(x: Tensor, conv: nn.Module) -> Tensor:
    x = F.pad(F.pad(x, (1, 0), mode="replicate"), (1, 0), mode="replicate")
    return conv(F.pad(x, (2, 0)))


def zeros_first(x: Tensor, conv: nn.Module) -> Tensor:
    return conv(F.pad(F.pad(x, (2, 0), value=0.5), (2, 0), mode="replicate"))


def right_alone(x: Tensor, conv: nn.Module) -> Tensor:
    x = F.pad(F.pad(x, (0, 3), mode="reflect"), (0, 1), mode="replicate")
    return conv(F.pad(F.pad(x, (-1, 2), mode="circular"), (-1, 0), mode="replicate"))


def summed(x: Tensor, conv: nn.Module) -> Tensor:
    return conv(F.pad(x, (4, 0), mode="replicate").cumsum(2))


def spectrum(x: Tensor, conv: nn.Module) -> Tensor:
    window = torch.hann_window(16)
    heard = torch.stft(x[:, 0], 16, 8, window=window, pad_mode="replicate", return_complex=True).abs()
    return conv(heard[:, :2])


def as_image(x: Tensor, conv: nn.Module) -> Tensor:
    return conv(F.pad(x.unsqueeze(1), (4, 0, 1, 1), mode="replicate")[:, 0, 1:3])


@pytest.mark.parametrize(
    "function", [beside, padded_again, zeros_first, right_alone, summed, spectrum, as_image], ids=lambda f: f.__name__
)
def test_what_else_is_done_with_it(function: Any) -> None:
    torch.manual_seed(0)
    require_equal(Through(function, nn.Conv1d(2, 2, 5)), signal())


def test_padding_on_both_sides_waits_and_its_first_sample_too() -> None:
    torch.manual_seed(0)
    # The second layer's first sample is there 2 samples late, and what stands for those before it can't be earlier.
    require_equal(nn.Sequential(both_ways(5), nn.Tanh(), both_ways(3), both_ways(7)), signal())
    require_equal(nn.Sequential(nn.Conv1d(2, 2, 4, 2, 1), both_ways(3), nn.ConvTranspose1d(2, 1, 4, 2, 1)), signal())


def test_random_stacks() -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        rng = random.Random(seed)
        layers: list[nn.Module] = []
        for _ in range(rng.randint(2, 4)):
            kernel = rng.randint(2, 5)
            layers.append(
                rng.choice(
                    [
                        causal(kernel, dilation=rng.randint(1, 3)),
                        causal(4, stride=2),
                        both_ways(2 * rng.randint(1, 3) + 1),
                        nn.Conv1d(2, 2, 3, padding=1),
                        nn.Tanh(),
                        nn.Upsample(scale_factor=2),
                        nn.AvgPool1d(2),
                    ]
                )
            )
        require_equal(nn.Sequential(*layers), signal(192))


def test_what_stands_before_the_signal_in_other_modes_is_refused_with_what_to_use() -> None:
    for mode in ("reflect", "circular"):
        with pytest.raises(ModelError, match=f"pads with '{mode}' samples.*or with the first sample"):
            to_streaming(nn.Conv1d(2, 2, 3, padding=1, padding_mode=mode))
