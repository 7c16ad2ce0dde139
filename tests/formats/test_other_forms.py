"""Operations in other forms for converters: they give what the operations do, and the operations are gone."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neutone_like.compiler.planning import at_length
from neutone_like.formats.graph_module import GraphModule
from neutone_like.graph import capture
from support.compiled_networks import Function

SAMPLES = 24


def upsampled(x: Tensor, **options: Any) -> Tensor:
    """``[1, N]`` by a transposed convolution of two groups."""
    weight = torch.linspace(-1.0, 1.0, 4 * 3 * 5).reshape(4, 3, 5)
    return F.conv_transpose1d(x.reshape(1, 4, -1), weight, groups=2, **options).reshape(1, -1)


def upsampled_image(x: Tensor, **options: Any) -> Tensor:
    """``[1, N]`` by one of two dimensions."""
    weight = torch.linspace(-1.0, 1.0, 2 * 3 * 3 * 4).reshape(2, 3, 3, 4)
    return F.conv_transpose2d(x.reshape(1, 2, 3, 4), weight, torch.tensor([0.5, 0.0, -0.5]), **options).reshape(1, -1)


NETWORKS = {
    "cut": Function(lambda x: upsampled(x, stride=4, padding=2)),
    "cut, and more at the end": Function(lambda x: upsampled(x, stride=4, padding=2, output_padding=1, dilation=2)),
    "more at the end than is cut": Function(lambda x: upsampled(x, stride=4, padding=1, output_padding=3)),
    "whole": Function(lambda x: upsampled(x, stride=3)),
    "cut along both": Function(lambda x: upsampled_image(x, stride=(2, 3), padding=(1, 2), output_padding=(0, 1))),
    "cut along one": Function(lambda x: upsampled_image(x, stride=2, padding=(0, 1))),
    **{
        f"power of {each}": Function(lambda x, each=each: (x.abs() + 0.5).pow(each))
        for each in (-1, -0.5, 0.3, 0.5, 2, 2.0, 3)
    },
    "powers of negative numbers": Function(lambda x: x.pow(2) + x.pow(3) + x.square() + x.pow(0.5).nan_to_num(7.0)),
    "half turns": Function(lambda x: (x + torch.where(x > 1.0, float("nan"), 0.0)).angle()),
}


def converted(network: nn.Module) -> GraphModule:
    core: Any = SimpleNamespace(graph=at_length(capture(network, (torch.zeros(1, SAMPLES),)), SAMPLES))
    return GraphModule(core, in_reals=True).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_other_forms_give_the_same(name: str) -> None:
    x = torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(1))
    x[0, :2] = torch.tensor([0.0, 1.5])
    module = converted(NETWORKS[name])
    (found,) = module(x)
    torch.testing.assert_close(found, NETWORKS[name](x), rtol=1e-6, atol=1e-6, equal_nan=True)


def test_what_converters_do_not_take_is_gone() -> None:
    def calls(name: str, of: str) -> list[torch.fx.Node]:
        program = torch.export.export(converted(NETWORKS[name]), (torch.ones(1, SAMPLES),), strict=False)
        return [node for node in program.graph.nodes if of in str(node.target)]

    assert not calls("half turns", "aten.angle")
    assert not calls("power of 0.5", "aten.pow")
    assert not calls("powers of negative numbers", "aten.square")
    assert calls("power of 0.3", "aten.pow")
    (convolution,) = calls("cut", "aten.conv_transpose1d")
    assert convolution.meta["val"].shape[-1] == 25
    (convolution,) = calls("more at the end than is cut", "aten.conv_transpose1d")  # the control: it stays as it was
    assert convolution.args[4] == [1]
