"""Models whose networks TorchScript refuses become artifacts, and sound as they do in Python."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    ExportResult,
    ModelMetadata,
    NonRealtimeBase,
    WaveformToWaveformBase,
    export_model,
    load_artifact,
)
from neutone_like.errors import ExportError
from support.graph_networks import InList, Strided
from support.lighter_exports import ALL, only_checks


class Colour(nn.Module):
    """TorchScript has no keyword arguments without names, and no tuple without a type."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 1, 5))
        self.past: Any = None

    def forward(self, x: Tensor, by=(1.0, 0.5), **more: Any) -> Tensor:  # type: ignore[no-untyped-def]
        if self.past is None:
            self.past = torch.zeros(1, 1, 4)
        whole = torch.cat((self.past, x), -1)
        self.past = whole[..., -4:]
        y = torch.tanh(self.convolution(whole)) * by[0] + by[1] * x
        return y * more["gain"]


class Model(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Colour", authors=("Ada",), version="1.0.0", short_description="A memory of four")
    parameters = (ContinuousParameter("gain", "Output", default=0.5),)
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0), gain=params["gain"])[0]


class Plain(nn.Module):
    """Scripts, and resets nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, 4)
        self.register_buffer("past", torch.zeros(1, 1, 3))

    def forward(self, x: Tensor, scale: float) -> Tensor:
        whole = torch.cat((self.past, x), -1)
        self.past = whole[:, :, -3:]
        return self.convolution(whole) * scale


class Untyped(Model):
    """Its own code does not script either."""

    parameters = (
        ContinuousParameter("gain", "Output", default=0.5),
        ContinuousParameter("tilt", "Per sample", default=0.25, rate="sample"),
    )
    look_behind_samples = 3

    def do_forward_pass(self, x, params):  # type: ignore[no-untyped-def]
        values = {**{key: value for key, value in params.items() if key == "gain"}}
        return self.model(x[None, :, 3:], **values)[0] + 0.1 * x[:, :-3] * params["tilt"]


class InBlocks(Model):
    block_sizes = (64, 128)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0))[0] * params["gain"]


class Scaled(Model):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0), 2.0)[0] * params["gain"]


class Whole(NonRealtimeBase):
    metadata = ModelMetadata(name="Whole", authors=("Ada",), version="1.0.0", short_description="One whole sound")
    audio_in_channels = (1,)
    audio_out_channels = (1,)
    is_one_shot = True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [self.model(audio_in[0].unsqueeze(0), gain=0.5)[0]]


def seeded(kind: type[nn.Module], network: type[nn.Module] = Colour) -> Any:
    torch.manual_seed(3)
    return kind(network())


def exported(model: Any, folder: Path, **options: Any) -> ExportResult:
    return export_model(model, folder, validate=False, render_samples=False, **options)


@torch.no_grad()
def by_hand(model: Any, x: Tensor, params: dict[str, float], lengths: list[int]) -> Tensor:
    """The Python model, block by block, with its past where it asks for it."""
    past = model.look_behind_samples
    x = torch.cat((torch.zeros(1, past), x), 1)
    rates = {each.name: each.rate for each in model.declaration().parameters}
    outputs: list[Tensor] = []
    start = 0
    for length in lengths:
        values = {
            name: torch.full((length if rates[name] == "sample" else 1,), value) for name, value in params.items()
        }
        outputs.append(model.do_forward_pass(x[:, start : start + past + length], values).clone())
        start += length
    return torch.cat(outputs, 1)


@torch.no_grad()
def as_artifact(path: Path, x: Tensor, lengths: list[int], host_block: int) -> Tensor:
    module = load_artifact(path).module
    module.set_daw_sample_rate_and_buffer_size(48000, host_block)
    outputs: list[Tensor] = []
    for _ in range(2):  # the second time after a reset
        module.reset()
        outputs.append(torch.cat([module.forward(each) for each in x.split(lengths, 1)], 1))
    assert torch.equal(*outputs)
    return outputs[1]


@pytest.mark.parametrize(
    ("kind", "way"),
    [(Model, "captured: model (Colour)"), (Untyped, "captured: all of do_forward_pass")],
)
def test_it_sounds_as_in_python(kind: Any, way: str, tmp_path: Path) -> None:
    result = exported(seeded(kind), tmp_path / "out")
    assert result.way_in == way
    assert way in repr(result)
    generator = torch.Generator().manual_seed(0)
    lengths = [64] * 6
    x = torch.randn(1, 384, generator=generator) * 0.3
    defaults = {"gain": 0.5, "tilt": 0.25}
    model = seeded(kind).eval()
    params = {each.name: defaults[each.name] for each in model.declaration().parameters}
    expected = by_hand(model, x, params, lengths)
    y = as_artifact(result.model_path, x, lengths, 64)
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)


def test_what_scripts_is_scripted_unless_a_graph_is_asked_for(tmp_path: Path) -> None:
    model = seeded(Scaled, Plain)
    ways = [exported(model, tmp_path / way, capture=way).way_in for way in ("auto", "graph")]
    assert ways == ["scripted", "captured: model (Plain)"]
    x = torch.randn(1, 512, generator=torch.Generator().manual_seed(0))
    # Nothing resets its past but the wrapper, which resets the states of a graph.
    expected = by_hand(seeded(Scaled, Plain).eval(), x, {"gain": 0.5}, [64] * 8)
    y = as_artifact(tmp_path / "graph" / "model.nm", x, [64] * 8, 64)
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)


class ByName(Model):
    """Calls its network by name, and twice for each block."""

    block_sizes = (64,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        half = x.size(1) // 2
        first = self.model(x=x[:, :half].unsqueeze(0), gain=params["gain"])
        return torch.cat((first, self.model(x=x[:, half:].unsqueeze(0), gain=params["gain"])), 2)[0]


class Folding(nn.Module):
    """Keeps nothing, and does not script."""

    def forward(self, x: Tensor, **more: Any) -> Tensor:
        return torch.tanh(x * more["gain"]).sum(0, keepdim=True)


class InTwoForms(Model):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        left = self.model(x=x.unsqueeze(0), gain=params["gain"])
        return (left + self.model(x=x.unsqueeze(0).expand(2, -1, -1), gain=params["gain"]))[0]


def test_a_network_may_be_called_by_name_and_several_times(tmp_path: Path) -> None:
    result = exported(seeded(ByName), tmp_path)
    assert result.way_in == "captured: model (Colour)"
    x = torch.randn(1, 256, generator=torch.Generator().manual_seed(0))
    expected = by_hand(seeded(ByName).eval(), x, {"gain": 0.5}, [64] * 4)
    torch.testing.assert_close(as_artifact(result.model_path, x, [64] * 4, 64), expected, rtol=1e-5, atol=1e-6)


def test_a_network_that_is_called_in_two_forms_is_not_taken_for_one(tmp_path: Path) -> None:
    result = exported(seeded(InTwoForms, Folding), tmp_path)
    assert result.way_in == "captured: all of do_forward_pass"
    x = torch.randn(1, 128, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(as_artifact(result.model_path, x, [64] * 2, 64), 3.0 * torch.tanh(0.5 * x))


def test_scripting_alone_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="can't be turned into TorchScript"):
        exported(seeded(Model), tmp_path, capture="script")
    with pytest.raises(ExportError, match='capture must be "auto", "script" or "graph", got \'trace\''):
        exported(seeded(Model), tmp_path, capture="trace")


def test_a_network_of_whole_frames_asks_for_declared_blocks(tmp_path: Path) -> None:
    assert exported(seeded(InBlocks, Strided), tmp_path / "blocks").way_in == "captured: model (Strided)"
    with pytest.raises(ExportError, match=r"takes multiples of 512 samples(.|\n)*block_sizes = \(512,\)"):
        exported(seeded(AnyBlock, Padded), tmp_path / "any")


class Padded(Strided):
    """Fills its last frame up, by a number that is no sum of lengths."""

    def forward(self, x: Tensor, **unused: Any) -> Tensor:
        samples = x.shape[-1]
        more = -samples % 4
        return super().forward(nn.functional.pad(x, (0, more)))[..., :samples]


class AnyBlock(InBlocks):
    block_sizes = ()


def test_offline_models_are_captured_too(tmp_path: Path) -> None:
    result = exported(seeded(Whole), tmp_path)
    assert result.way_in == "captured: model (Colour)"
    x = torch.randn(1, 5000)
    with torch.no_grad():
        expected = seeded(Whole).eval().do_forward_pass(0, [x], {}, [], [])
        y = load_artifact(result.model_path).module.forward([x])
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)


class Deciding(nn.Module):
    def forward(self, x: Tensor, **unused: Any) -> Tensor:
        return x if x.sum() > 0 else -x


def test_both_reasons_are_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"can't be turned into TorchScript(.|\n)*decides by the values(.|\n)*x.sum"):
        exported(seeded(AnyBlock, Deciding), tmp_path)


@pytest.mark.slow
def test_it_passes_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, *ALL)
    result = export_model(seeded(Model, Colour), tmp_path, render_samples=False, report=False)
    assert result.validation is not None
    assert result.validation.passed
    assert exported(seeded(AnyBlock, InList), tmp_path / "list").way_in.startswith("captured")
