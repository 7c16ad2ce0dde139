"""Wrappers of the sizes that the Neutone SDK's own examples have: a long filter before, and spectra of 2048 samples."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter
from neutone_like.compat.neutone_sdk.filters import FilterType, FIRFilter
from neutone_like.compat.neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_like.compat.neutone_sdk.utils import load_neutone_model, save_neutone_model
from support.compat_block_wrappers import Spectral
from support.compat_wrappers import Clipper, ClipperModel, Described
from support.lighter_exports import only_checks, without_pictures

CHECKS = ("scripted equals eager", "any chunking equals whole", "delay as reported", "inputs untouched")


class FilteredClipper(Clipper):
    """257 taps for the rate that it is told, before what writes into its knobs; it has no reset_model."""

    def __init__(self) -> None:
        super().__init__(ClipperModel())
        self.pre_filter = FIRFilter(FilterType.LOWPASS, cutoffs=[1000.0], filt_size=257)

    def get_model_name(self) -> str:
        return "filtered clipper"

    def calc_model_delay_samples(self) -> int:
        return self.pre_filter.delay

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.pre_filter.set_parameters(sample_rate=sample_rate)
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model.forward(self.pre_filter(x), params["low"], params["high"], params["gain"])


class Notch(nn.Module):
    """Which bins it takes out depends on its knobs' values, as whole numbers."""

    def forward(self, x: Tensor, centre: Tensor, amount: Tensor) -> Tensor:
        if amount == 0.0:
            return x
        middle = int(torch.round(torch.pow(100.0, centre) * 0.01 * (x.size(1) - 1)))
        first, last = max(0, middle - 40), min(x.size(1), middle + 40)
        slope = 1.0 - torch.linspace(0.0, 1.0, last - first + 2)[1:-1] * amount
        x[:, first:last, :] *= slope.view(1, -1, 1)
        return x


class Notched(Spectral):
    """Sixteen frames at once; the host's block decides how many are new."""

    def __init__(self) -> None:
        Described.__init__(self, Notch())
        self.stft = RealtimeSTFT(16, 2, n_fft=2048, hop_len=512, power=1.0, logarithmize=False, fade_n_samples=384)
        self.stft.set_buffer_size(self.stft.calc_min_buffer_size())

    def get_model_name(self) -> str:
        return "notched"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("centre", "", 0.3), ContinuousNeutoneParameter("amount", "", 0.9)]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        spectra = self.stft.audio_to_spec(x)
        return self.stft.spec_to_audio(self.model.forward(spectra, params["centre"], params["amount"]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [FilteredClipper, Notched])
def test_it_exports_for_a_submission(kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, *CHECKS)
    without_pictures(monkeypatch)
    result = save_neutone_model(kind(), tmp_path, submission=True)
    assert result.validation is not None
    assert result.validation.passed
    assert {check.name for check in result.validation.checks} >= set(CHECKS)
    module, metadata = load_neutone_model(str(result.model_path))
    assert metadata["model_name"] == kind().get_model_name()
    delay = 128 if kind is FilteredClipper else 384
    module.set_daw_sample_rate_and_buffer_size(44100, 4096)
    assert module.calc_model_delay_samples() == delay
