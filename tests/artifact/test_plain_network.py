"""What only training needs comes off the copy that is exported: what plays is what the user's network computed."""

# Networks of every odd kind.
# pyright: basic, reportArgumentType=false, reportOperatorIssue=false, reportCallIssue=false
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.utils.prune as prune
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from neutone_like import (
    ExportError,
    ModelError,
    ModelMetadata,
    SampleQueueWrapper,
    WaveformToWaveformBase,
    export_model,
    load_artifact,
)
from neutone_like.artifact import write_artifact
from neutone_like.artifact.writing.working_copy import working_copy


class Net(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Net", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


class Doubled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2.0 * weight


class Restless(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight + torch.rand_like(weight)


def layer() -> nn.Conv1d:
    return nn.Conv1d(1, 1, 1)


def own(parametrization: nn.Module) -> nn.Module:
    convolution = layer()
    parametrize.register_parametrization(convolution, "weight", parametrization)
    return convolution


def tied() -> nn.Module:
    first, second = layer(), layer()
    second.weight = first.weight
    return nn.Sequential(prune.random_unstructured(first, "weight", amount=1), second)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: parametrizations.weight_norm(layer()),
        lambda: parametrizations.spectral_norm(layer()),
        lambda: parametrizations.orthogonal(nn.Conv1d(1, 1, 1)),
        lambda: own(Doubled()),
        lambda: torch.nn.utils.weight_norm(layer()),
        lambda: torch.nn.utils.spectral_norm(layer()),
        lambda: prune.random_unstructured(prune.identity(layer(), "bias"), "weight", amount=1),
        lambda: torch.optim.swa_utils.AveragedModel(own(Doubled())),
        lambda: nn.DataParallel(layer()),
        lambda: nn.Sequential(torch.compile(layer(), backend="eager"), nn.Tanh(), own(Doubled())),
        tied,
    ],
)
def test_what_training_wraps_around_a_network_is_folded_and_plays_the_same(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    network = make().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    model = Net(network)
    path = export_model(model, tmp_path / "net", validate=False, report=False, render_samples=False).model_path
    x = torch.rand(1, 256) - 0.5
    with torch.no_grad():
        expected = network(x.unsqueeze(0)).squeeze(0)  # the user's own network, which still is as it was
        assert torch.equal(load_artifact(path).module.forward(x), expected)
    assert {name: value.tolist() for name, value in network.state_dict().items()} == {
        name: value.tolist() for name, value in before.items()
    }


def test_a_parametrization_that_is_another_each_time_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match=r"(?s)weight gives another weight with every call.*remove_parametrizations"):
        working_copy(Net(own(Restless())))


def test_weights_without_values_are_refused_by_name() -> None:
    with pytest.raises(ExportError, match=r"model is a LazyConv1d, a lazy layer"):
        working_copy(Net(nn.LazyConv1d(1, 1)))
    with pytest.raises(ExportError, match=r"model\.weight is on the meta device"):
        working_copy(Net(nn.Conv1d(1, 1, 1, device="meta")))


def test_sparse_weights_are_refused_by_name() -> None:
    network = layer()
    network.register_buffer("mask", torch.eye(2).to_sparse())
    with pytest.raises(ExportError, match=r"model\.mask is a sparse tensor \(torch\.sparse_coo\).*to_dense\(\)"):
        working_copy(Net(network))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_type_are_the_cause_that_is_named(kind: torch.dtype, tmp_path: Path) -> None:
    name = str(kind).removeprefix("torch.")
    with pytest.raises(ExportError, match=rf"Audio is float32, and model\.weight is {name}: call model\.float\(\)"):
        write_artifact(Net(layer().to(kind)), tmp_path / "net", render_samples=False)


class Unbegun(Net):
    def __init__(self) -> None:
        self.gain = 0.5


class UnbegunLayer(nn.Module):
    def __init__(self) -> None:
        self.gain = 0.5


@pytest.mark.parametrize(("make", "name"), [(Unbegun, "Unbegun"), (lambda: Net(UnbegunLayer()), "UnbegunLayer")])
def test_a_module_that_never_began_is_named(make: Any, name: str, tmp_path: Path) -> None:
    calls: tuple[Any, ...] = (SampleQueueWrapper, lambda model: export_model(model, tmp_path / "out"))
    for call in calls:
        with pytest.raises(ModelError, match=rf"^{name}\.__init__ does not call super\(\)\.__init__\(\)"):
            call(make())


class Mapped(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.vmap(lambda channel: torch.tanh(channel))(x)


def test_a_network_inside_vmap_is_captured(tmp_path: Path) -> None:
    written = write_artifact(Net(Mapped()), tmp_path / "net", render_samples=False)
    assert written.way_in.startswith("captured: model")


class Hooked(Net):
    def __init__(self) -> None:
        super().__init__(layer())
        self.model.register_forward_hook(lambda module, given, out: 2.0 * out)


def typed_hook(self: Any, given: tuple[Tensor], out: Tensor) -> Tensor:
    return out * 2.0


def test_a_hook_that_cannot_be_compiled_is_the_cause_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"What to do: The network has hooks: .*lambda.* on model\."):
        write_artifact(Hooked(), tmp_path / "net", render_samples=False, capture="script")


def test_a_hook_that_cannot_be_compiled_is_captured_with_its_network(tmp_path: Path) -> None:
    model = Hooked().eval()
    written = write_artifact(model, tmp_path / "net", render_samples=False)
    assert written.way_in.startswith("captured: model")
    x = torch.randn(1, 512)
    with torch.no_grad():
        expected = model(x)
        module = load_artifact(written.model_path).module
        module.set_daw_sample_rate_and_buffer_size(48000, 512)
        torch.testing.assert_close(module.forward(x), expected)


def test_a_hook_on_every_module_is_refused_by_name(tmp_path: Path) -> None:
    handle = torch.nn.modules.module.register_module_forward_hook(lambda module, given, out: None)
    try:
        with pytest.raises(ExportError, match=r"hooks on every module of this program \(.*lambda"):
            export_model(Net(layer()), tmp_path / "net", validate=False, report=False, render_samples=False)
    finally:
        handle.remove()


class Ignored(Net):
    @torch.jit.ignore
    def helper(self, x: Tensor) -> Tensor:
        return 2.0 * x

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.helper(x)


class Unused(Net):
    @torch.jit.unused
    def helper(self, x: Tensor) -> Tensor:
        return 2.0 * x

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.helper(x)


@pytest.mark.parametrize("kind", [Ignored, Unused])
def test_a_function_left_in_python_is_an_export_error_at_its_line(kind: type[Net], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"(?s)self\.helper\(x\).*@torch\.jit\.ignore or @torch\.jit\.unused"):
        export_model(kind(layer()), tmp_path / "net", validate=False, report=False, render_samples=False)


class Numbers(Net):
    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.gain = np.float32(0.5)
        self.taps = [np.float64(0.25), np.float64(0.5)]
        self.count = np.int64(2)
        self.on = np.bool_(True)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * self.gain * self.taps[self.count - 1] if self.on else x


def test_numpy_numbers_in_attributes_are_numbers(tmp_path: Path) -> None:
    model = Numbers()
    path = export_model(model, tmp_path / "net", validate=False, report=False, render_samples=False).model_path
    x = torch.rand(1, 256)
    assert torch.equal(load_artifact(path).module.forward(x), x * 0.25)
    assert type(model.gain) is np.float32


LARGE = 1_000_000


class Slices(Net):
    def __init__(self) -> None:
        super().__init__(nn.Identity())
        large = torch.arange(LARGE, dtype=torch.float32)
        self.register_buffer("start", large[:10])
        self.weight = nn.Parameter(large[100:110], requires_grad=False)
        self.turned = large.reshape(1000, 1000)[:3, :2].t()
        self.sparse = large[50::100_000]
        self.table: dict[str, Tensor] = {"end": large[-5:]}
        self.blocks = [large[500:510], large[505:515]]  # these overlap

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * (self.start.sum() + self.weight.sum() + self.turned.sum() + self.sparse.sum())


def test_a_slice_of_a_large_tensor_is_saved_as_the_slice(tmp_path: Path) -> None:
    model = Slices()
    result = export_model(model, tmp_path / "net", validate=False, report=False, render_samples=False)
    assert result.model_path.stat().st_size < 500_000 < 4 * LARGE
    module: Any = load_artifact(result.model_path).module.w2w_base
    for name in ("start", "weight", "turned", "sparse"):
        assert torch.equal(getattr(module, name), getattr(model, name))
        assert getattr(module, name).stride() == getattr(model, name).stride() or name in ("sparse", "turned")
    assert model.start.untyped_storage().nbytes() == 4 * LARGE  # the user's model is as it was
    copied = working_copy(model)
    assert torch.equal(copied.table["end"], model.table["end"])
    copied.blocks[0][5:] = -1.0
    assert bool((copied.blocks[1][:5] == -1.0).all()), "what overlapped does so still"
    assert copied.blocks[0].untyped_storage().nbytes() == 60


class KeepsItsParent(nn.Module):
    def __init__(self, *, plainly: bool) -> None:
        super().__init__()
        self.gain = nn.Linear(1, 1)
        self.gain.parent = self if plainly else (self,)

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_a_network_that_is_a_part_of_itself_is_named_and_the_advice_works(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^KeepsItsParent is a part of itself: Linear\.parent is what it lies in"):
        export_model(Net(KeepsItsParent(plainly=True)), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_artifact(Net(KeepsItsParent(plainly=False)), tmp_path / "net", render_samples=False)


class Stereo(Net):
    in_channels = out_channels = 2


def test_two_channels_into_a_network_of_one_are_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"takes 1 channel and got 2: .*in_channels says.*x\.unsqueeze\(1\)"):
        write_artifact(Stereo(nn.Conv1d(1, 1, 1)), tmp_path / "net", render_samples=False)
