"""Networks compiled and played beside PyTorch in float64."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like.compiler import Plan, TestVector, plan_graph, write_plan
from neutone_like.graph import Graph, GraphPlayer, capture
from neutone_like.runtime.native_module import native_module


def opened(plan: Plan, kernels: str = "") -> Any:
    """The native player of a plan."""
    samples = plan.granule + plan.look_behind
    channels = [view.dims[0].at(samples) for view in (plan.audio, plan.output)]
    vector = TestVector(
        np.zeros((channels[0], samples), np.float32),
        np.zeros(len(plan.parameters), np.float32),
        np.zeros((channels[1], plan.granule), np.float32),
    )
    return native_module().CompiledModel(write_plan(plan, "{}", vector), kernels=kernels)


@dataclass
class Differences:
    """Largest ones from float64, over all blocks."""

    compiled: float = 0.0
    eager: float = 0.0
    peak: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the compiled one is as exact as PyTorch in float32, twice over."""
        return self.compiled <= max(2.0 * self.eager, 1e-6 * self.peak, 1e-9)


def play_beside(graph: Graph, blocks: Sequence[Tensor], kernels: str = "", native: Any = None) -> Differences:
    """Play blocks ``[1, channels, samples]`` or ``[channels, samples]`` through a graph and its compiled form."""
    native = opened(plan_graph(graph), kernels) if native is None else native
    exact, eager = GraphPlayer(graph, torch.float64), GraphPlayer(graph)
    found = Differences()
    for block in blocks:
        with torch.no_grad():
            wanted, rounded = exact(block.double()), eager(block.clone())
        rows = block.reshape(-1, block.shape[-1]).contiguous().numpy()
        got = torch.from_numpy(np.asarray(native.play(rows, []))).reshape(wanted.shape)
        found.compiled = max(found.compiled, largest(got - wanted))
        found.eager = max(found.eager, largest(rounded - wanted))
        found.peak = max(found.peak, largest(wanted))
    return found


def largest(values: Tensor) -> float:
    """The largest number, whatever its sign; infinite where one is NaN."""
    return float(values.abs().nan_to_num(float("inf"), posinf=float("inf")).max()) if values.numel() else 0.0


class Function(nn.Module):
    """A function of one tensor as a network, with modules that it uses."""

    def __init__(self, function: Callable[..., Tensor], *modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.modules_used = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.modules_used)


def captured(network: nn.Module, channels: int, samples: int = 48) -> Graph:
    """The graph of a network of ``[1, channels, samples]``."""
    return capture(network.eval(), 0.4 * torch.randn(1, channels, samples))


def noise(channels: int, sizes: Sequence[int], level: float = 0.5) -> list[Tensor]:
    """Blocks of these lengths."""
    return [level * torch.randn(1, channels, samples) for samples in sizes]
