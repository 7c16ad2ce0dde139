"""What can't be compiled is named: the operation, the line of whoever wrote it, and what to do."""

import inspect
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.compiler import plan_graph
from neutone_like.compiler.lowering import RULES
from neutone_like.errors import CaptureError, CompileError
from neutone_like.graph import capture


class Network(nn.Module):
    """What is refused stands in one line of ``forward``, marked as such."""

    channels = 2

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Unknown(Network):
    def forward(self, x: Tensor) -> Tensor:
        y = 2.0 * x
        return torch.sort(y, dim=1)[0]  # refused


class Deciding(Network):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0.0):  # refused
            return x
        return -x


class Looping(Network):
    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x.abs().sum())):  # refused
            x = 0.5 * x
        return x


class Random(Network):
    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * torch.randn_like(x)  # refused


class DroppingOut(Network):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 0.5, training=True)  # refused


class SizedByValues(Network):
    def forward(self, x: Tensor) -> Tensor:
        return x * x[x > 0.0].mean()  # refused


class Places(Network):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.nonzero(x).float().mean()  # refused


class ComplexTangent(Network):
    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x, dim=1)
        return torch.fft.irfft(torch.tan(spectrum), n=2, dim=1)  # refused


class DoubleProduct(Network):
    """What is rounded to float32 in silence is another sound where it matters."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(2, 2, 3).double()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv1d(x.double(), self.convolution.weight, padding=1).float()  # refused


class LargeInDouble(Network):
    """Small products are calculated in float64, as recursive filters need them."""

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(2, 4096, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return (x.double().transpose(1, 2) @ self.weight).sum(2, keepdim=True).transpose(1, 2).float()  # refused


class DoubleRecurrent(Network):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(2, 2, batch_first=True).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.double().transpose(1, 2))[0].transpose(1, 2).float()  # refused


class DoubleTransform(Network):
    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.irfft(torch.fft.rfft(x.double(), dim=1), n=2, dim=1).float()  # refused


class ComplexState(Network):
    held: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("held", torch.zeros(1, 2, 1, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.complex(x, 0.5 * x) + self.held
        self.held = 0.5 * y[..., -1:]
        return y.real


class Growing(Network):
    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(1, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.past = torch.cat((self.past, x), -1)
        return x * self.past.mean()


class GrowingList(Network):
    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.blocks.append(x)
        return x + self.blocks[0][..., :1]


class NotANumber(Network):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(2, 2, 1)
        with torch.no_grad():
            self.convolution.weight[0, 1, 0] = torch.nan

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x)


class NotANumberAdded(Network):
    offsets: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offsets", torch.tensor([[0.0], [torch.nan]]))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offsets  # refused


class Several(Network):
    def forward(self, x: Tensor) -> Any:
        return x, 2.0 * x


class Images(Network):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 3, (2, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x[:, None])[:, 0] + x


class Batched(Network):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(1, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.permute(1, 2, 0))[0][..., 0][None]  # refused


class Projected(Network):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(2, 4, batch_first=True, proj_size=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.transpose(1, 2))[0].transpose(1, 2)  # refused


class Halves(Network):
    def forward(self, x: Tensor) -> Tensor:
        return x.half().float()  # refused


class Bits(Network):
    def forward(self, x: Tensor) -> Tensor:
        whole = torch.floor(100.0 * x).long()
        return (whole ^ 3).float()  # refused


class Masked(Network):
    """Not the logical one: 5 & 3 is 1 and 5 & 2 is 0."""

    def forward(self, x: Tensor) -> Tensor:
        whole = torch.floor(100.0 * x).long()
        return (whole & whole.flip(1)).float()  # refused


class Inverted(Network):
    def forward(self, x: Tensor) -> Tensor:
        whole = torch.floor(100.0 * x).long()
        return (~whole).float()  # refused


class Solving(Network):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.solve(torch.eye(2) + x.mean(-1) * x.mean(-1).mT, x)  # refused


REFUSED: dict[type[Network], str] = {
    Unknown: r"aten::sort.* is not among the operations that compile. TorchScript plays it",
    Deciding: r"Deciding decides by the values of a tensor.*torch\.where",
    Looping: r"Looping decides by the values of a tensor",
    Random: r"aten::randn_like.*random numbers",
    DroppingOut: r"aten::\w*(dropout|bernoulli).*random numbers",
    SizedByValues: r"aten::index.*how many those are depends on values; choose with torch.where",
    Places: r"aten::nonzero.*How much it gives depends on values",
    ComplexTangent: r"aten::tan.*complex ones",
    DoubleProduct: r"aten::conv.*in float64, and convolutions.* compile in float32.*Use \.float\(\)",
    LargeInDouble: r"aten::matmul.*a product in float64 with 4096 x 2 weights; at most 4096 .*Calculate it in float32",
    DoubleRecurrent: r"aten::lstm.*in float64, and",
    DoubleTransform: r"aten::_fft_r2c.*complex128; compiled models hold.*Calculate in float32",
    ComplexState: r"state held is torch.complex64.*real and imaginary parts, each as a buffer.*TorchScript plays it",
    Growing: r"keeps past .* its shape changes .*keep the last samples",
    GrowingList: r"keeps blocks\.\d .* a list that grows",
    NotANumber: r"NaN.*train or load",
    NotANumberAdded: r"aten::add.*NaN",
    Several: r"returns several tensors; return one",
    Images: r"aten::conv.*a convolution over 2 dimensions; those over time compile",
    Batched: r"aten::lstm.*a recurrent layer over a batch of 2; one sequence compiles",
    Projected: r"aten::lstm.*projections \(proj_size\)",
    Halves: r"float16; compiled models hold",
    Bits: r"aten::bitwise_xor.*is not among the operations",
    Masked: r"aten::(bitwise_and|__and__).*the bits of whole numbers; only truths",
    Inverted: r"aten::bitwise_not.*the bits of whole numbers; only truths",
    Solving: r"aten::.*linalg.*is not among the operations",
}


def marked_line(network: type[nn.Module]) -> str | None:
    """Where ``# refused`` stands."""
    lines, first = inspect.getsourcelines(network)
    found = [first + number for number, line in enumerate(lines) if line.rstrip().endswith("# refused")]
    return f"{inspect.getsourcefile(network)}:{found[0]}" if found else None


def reason_of(network: nn.Module) -> str:
    """Why it doesn't compile."""
    try:
        plan_graph(capture(network.eval(), 0.3 * torch.randn(1, 2, 48)))
    except (CaptureError, CompileError) as error:
        return str(error)
    return "nothing"


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # of PyTorch
@pytest.mark.parametrize("network", REFUSED, ids=lambda each: each.__name__)
def test_what_can_t_be_compiled_is_named_with_its_line(network: type[Network]) -> None:
    reason = reason_of(network())
    assert re.search(REFUSED[network], reason, re.DOTALL), reason
    if (line := marked_line(network)) is not None:
        assert line in reason
    assert "TorchScript does not say" not in reason


def test_a_mistake_in_a_rule_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not stop an export, nor look like something that the model does wrong."""

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setitem(RULES, "aten::tanh.default", fails)
    reason = reason_of(nn.Tanh())
    assert "aten::tanh.default" in reason
    assert "the compiler fails on it (ZeroDivisionError: of all things); TorchScript plays it" in reason
