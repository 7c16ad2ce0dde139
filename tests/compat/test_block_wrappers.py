"""Wrappers around the Neutone SDK's building blocks play and export; where one can't, its own fault is named."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.compat.neutone_sdk import SampleQueueWrapper
from neutone_like.compat.neutone_sdk.utils import save_neutone_model
from neutone_like.errors import ExportError, ModelError
from neutone_like.validate.shared_state import explain_shared_state, shared_state
from support import compat_block_wrappers as wrappers
from support.lighter_exports import only_checks, without_pictures, without_times

ALL = (wrappers.Prefiltered, wrappers.Spectral, wrappers.Driven, wrappers.Layered, wrappers.Told)
RATES = {wrappers.Spectral: 44100}
CHUNKING = "any chunking equals whole"


def sound(samples: int) -> Tensor:
    return torch.rand(2, samples, generator=torch.Generator().manual_seed(3)) - 0.5


def by_hand(wrapper: Any, x: Tensor, rate: int, block: int) -> Tensor:
    """Told the rate and the block, then block by block with every knob where it starts."""
    wrapper.prepare_for_inference()
    wrapper.set_model_sample_rate_and_buffer_size(rate, block)
    knobs = wrapper.get_numerical_params_default_values_0to1()
    names = [parameter.name for parameter in wrapper.get_neutone_parameters()]
    with torch.no_grad():
        outputs = [
            wrapper.do_forward_pass(part.clone(), {name: knobs[row] for row, name in enumerate(names)}).clone()
            for part in x.split(block, 1)
        ]
    return torch.cat(outputs, 1)


def played(module: Any, x: Tensor, block: int) -> Tensor:
    return torch.cat([module.forward(part, None) for part in x.split(block, 1)], 1)


@pytest.mark.parametrize("kind", ALL)
def test_scripted_wrapper_plays_as_by_hand_at_the_block_it_is_told(kind: type[Any]) -> None:
    rate = RATES.get(kind, 48000)
    module = SampleQueueWrapper(kind())
    module.prepare_for_inference()
    module = script_wrapper(module)
    for block in (128, 256):
        module.set_daw_sample_rate_and_buffer_size(rate, block)
        x = sound(block * 9)
        expected = by_hand(kind(), x, rate, block)
        for _ in range(2):
            torch.testing.assert_close(played(module, x, block), expected, rtol=1e-5, atol=2e-6)
            module.reset()


def test_blocks_forget_at_a_reset_though_the_wrapper_does_not_say_so() -> None:
    """The control: the wrapper alone keeps its filters' past."""
    wrapper, x = wrappers.Prefiltered(), sound(256)
    first = wrapper(x)
    wrapper.reset()
    assert not torch.equal(wrapper(x), first)
    module = SampleQueueWrapper(wrappers.Prefiltered())
    module.set_daw_sample_rate_and_buffer_size(48000, 256)
    first = module.forward(x)
    assert not torch.equal(module.forward(x), first)
    module.reset()
    assert torch.equal(module.forward(x), first)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL)
def test_wrapper_exports(kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_times(monkeypatch)
    without_pictures(monkeypatch)
    result = save_neutone_model(kind(), tmp_path, submission=True)
    assert result.validation is not None
    assert result.validation.passed


# ---------------------------------------------------------------------- faults that are named


def test_state_that_channels_hand_to_each_other_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, CHUNKING)
    without_pictures(monkeypatch)
    with pytest.raises(ExportError, match=r"pad \(Past\) keeps state and is played 2 times in every block.*as a batch"):
        save_neutone_model(wrappers.DrivenInTurn(), tmp_path, submission=True)


def test_state_is_shared_only_where_it_changes_more_than_once() -> None:
    assert shared_state(wrappers.DrivenInTurn().live_model()) == {"model.model.pad (Past)": 2}
    for kind in (wrappers.Driven, wrappers.Prefiltered, wrappers.Spectral, wrappers.Layered):
        assert explain_shared_state(kind().live_model()) == ""


class PerBlock(wrappers.Described):
    """Has no state, and depends on how the stream is cut."""

    def get_model_name(self) -> str:
        return "per block"

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x - x.mean(1, keepdim=True)


def test_other_reasons_for_cuts_keep_the_general_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, CHUNKING)
    without_pictures(monkeypatch)
    with pytest.raises(ExportError, match="depends on how the stream is cut into blocks"):
        save_neutone_model(PerBlock(nn.Identity()), tmp_path, submission=True)


def test_a_wrapper_that_plays_only_the_block_it_is_told_gets_the_usual_ones() -> None:
    assert wrappers.Told().live_model().block_sizes == (64, 128, 256, 512, 1024, 2048, 4096)


class TellsHop(wrappers.Told):
    """Only multiples of 256, besides."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.block.view(2, -1, 256).flatten(1) + x


class TellsMost(wrappers.Told):
    """Made for the longest block: shorter ones work."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.block[:, : x.size(1)] + x


class TellsNothing(wrappers.Told):
    """Fails whatever it is told."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        raise RuntimeError("never")


def test_sizes_are_found_by_trying_and_only_where_they_are_needed() -> None:
    assert TellsHop().live_model().block_sizes == (256, 512, 1024, 2048, 4096)
    assert TellsMost().live_model().block_sizes == ()
    assert TellsNothing().live_model().block_sizes == ()
    assert wrappers.Prefiltered().live_model().block_sizes == ()
    assert wrappers.Layered().live_model().block_sizes == (128, 256)


class OldName(wrappers.Spectral):
    """Sets its block size in a method that nothing calls any more."""

    set_model_sample_rate_and_buffer_size = wrappers.Described.set_model_sample_rate_and_buffer_size

    def set_model_buffer_size(self, n_samples: int) -> bool:
        self.stft.set_buffer_size(n_samples)
        return True


class OldAndNew(wrappers.Spectral):
    def set_model_buffer_size(self, n_samples: int) -> bool:
        return True


def test_methods_by_their_old_names_are_refused(tmp_path: Path) -> None:
    message = (
        "OldName.set_model_buffer_size has its name from an older Neutone SDK, and nothing calls it: since version "
        r"1.5 it is set_model_sample_rate_and_buffer_size\(self, sample_rate: int, n_samples: int\) -> bool. Rename it"
    )
    with pytest.raises(ModelError, match=message):
        save_neutone_model(OldName(), tmp_path)
    OldAndNew().live_model()
