"""Draws what a network needs to play blocks: a past, a delay, and branches that meet. Measured on the layers."""

import torch
from make_pictures import save
from matplotlib import pyplot
from torch import Tensor, nn

from neutone_like.streaming import to_streaming

BLOCK, SAMPLES = 16, 96
WRONG, RIGHT, PALE = "#e65100", "#3949ab", "#c5cae9"


def in_blocks(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(block) for block in x.split(BLOCK, 2)], 2)


def smoothing() -> nn.Conv1d:
    layer = nn.Conv1d(1, 1, 5, padding=2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[0.1, 0.2, 0.4, 0.2, 0.1]]]))
    return layer.eval()


def tone() -> Tensor:
    return torch.sin(torch.arange(float(SAMPLES)) * 0.35).view(1, 1, -1)


def draw_past() -> None:
    layer, x = smoothing(), tone()
    streaming = to_streaming(layer)
    with torch.no_grad():
        whole = layer(x)[0, 0]
    late = in_blocks(streaming, x)[0, 0, streaming.delay_samples :]
    figure, rows = pyplot.subplots(2, 1, figsize=(8.0, 2.8), sharex=True, sharey=True, layout="constrained")
    apart = (in_blocks(layer, x)[0, 0] - whole, late - whole[: late.numel()])
    labels = ("blocks on their own", "with the past kept")
    for axes, error, label, color in zip(rows, apart, labels, (WRONG, RIGHT), strict=True):
        axes.vlines(range(error.numel()), 0.0, error.abs(), color=color, linewidth=2)
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
        for start in range(0, SAMPLES, BLOCK):
            axes.axvline(start - 0.5, color="#bdbdbd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel(f"sample; blocks of {BLOCK} between the lines")
    figure.suptitle("distance from the whole signal's output", fontsize=9)
    save("streaming_past.svg")


def heard(network: nn.Module, n: int) -> list[int]:
    """The input samples on which output sample ``n`` depends, by the gradient."""
    x = torch.zeros(1, 1, SAMPLES, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, n], x)
    return gradient[0, 0].nonzero().flatten().tolist()


def draw_delay() -> None:
    layer = smoothing()
    streaming = to_streaming(layer)
    answered = 20
    rows = (("the whole signal", layer, answered), ("the stream", streaming, answered + streaming.delay_samples))
    figure, axes = pyplot.subplots(figsize=(8.0, 1.9), layout="constrained")
    for row, (label, network, n) in enumerate(rows):
        seen = heard(network, n)
        axes.scatter(seen, [-row] * len(seen), s=90, marker="s", color=PALE)
        axes.scatter([n], [-row], s=34, color=RIGHT)
        axes.text(10.0, -row, label, ha="left", va="center")
    axes.annotate("", (answered + 2, -1), (answered, 0), arrowprops={"arrowstyle": "->", "color": WRONG})
    axes.set(xlim=(9.5, 30), ylim=(-1.6, 0.6), yticks=[], xticks=range(16, 30, 2), xlabel="sample")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle("squares: what output sample 20 hears; dot: when it is given", fontsize=9)
    save("streaming_delay.svg")


class Block(nn.Module):
    """A shortcut beside a layer that looks ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.body = smoothing()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Apart(nn.Module):
    """The same with the body's stream, and a shortcut that doesn't wait."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def draw_branches() -> None:
    x = torch.zeros(1, 1, SAMPLES)
    x[..., 24] = 1.0
    block = Block().eval()
    streaming = to_streaming(block)
    with torch.no_grad():
        whole = block(x)[0, 0]
    panels = (
        ("the whole signal", whole),
        (f"the stream, {streaming.delay_samples} late", in_blocks(streaming, x)[0, 0]),
        ("a shortcut that doesn't wait", in_blocks(Apart(to_streaming(smoothing())), x)[0, 0]),
    )
    figure, columns = pyplot.subplots(1, 3, figsize=(8.0, 2.2), sharey=True, layout="constrained")
    for axes, (label, y), color in zip(columns, panels, (RIGHT, RIGHT, WRONG), strict=True):
        axes.vlines(range(16, 40), 0.0, y[16:40], color=color, linewidth=3)
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("sample")
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("answer to one impulse at sample 24", fontsize=9)
    save("streaming_branches.svg")


if __name__ == "__main__":
    draw_past()
    draw_delay()
    draw_branches()
