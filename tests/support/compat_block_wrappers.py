"""Live wrappers around the Neutone SDK's building blocks, as people write them from its documented interface.

With ``from neutone_sdk... import ...`` instead of the imports below, they are written the same there.
"""

import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import CircularInplaceTensorQueue, ContinuousNeutoneParameter, NeutoneParameter
from neutone_like.compat.neutone_sdk.cached_mel_spec import CachedMelSpec
from neutone_like.compat.neutone_sdk.conv import Conv1dGeneral
from neutone_like.compat.neutone_sdk.filters import FilterType, FIRFilter, IIRFilter
from neutone_like.compat.neutone_sdk.realtime_stft import RealtimeSTFT
from neutone_like.compat.neutone_sdk.tcn_1d import TCN1D, FiLM
from support.compat_wrappers import Described


class Prefiltered(Described):
    """A clipper behind a low-pass that is told the rate; its own reset_model forgets nothing."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.pre_filter = FIRFilter(FilterType.LOWPASS, cutoffs=[4000.0], filt_size=129)
        self.rumble = IIRFilter(FilterType.HIGHPASS, 20.0, 0.7)

    def get_model_name(self) -> str:
        return "prefiltered"

    def calc_model_delay_samples(self) -> int:
        return self.pre_filter.delay

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.pre_filter.set_parameters(sample_rate=sample_rate)
        self.rumble.set_parameters(sample_rate=sample_rate)
        return True

    def reset_model(self) -> bool:
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.rumble(self.pre_filter(x)).clamp(-0.5, 0.5)


class Damper(nn.Module):
    """A band of spectra ``[channels, bins, frames]``, quieter."""

    def forward(self, x: Tensor, amount: Tensor) -> Tensor:
        if amount == 0.0:
            return x
        first, last = x.size(1) // 8, x.size(1) // 3
        x[:, first:last, :] *= 1.0 - amount
        return x


class Spectral(Described):
    """Spectra whose sizes follow the block that it is told; the block sizes are those of its spectra."""

    def __init__(self) -> None:
        super().__init__(Damper())
        self.stft = RealtimeSTFT(8, 2, 64, n_fft=256, hop_len=64, logarithmize=False, fade_n_samples=48)
        self.stft.set_buffer_size(self.stft.calc_min_buffer_size())

    def get_model_name(self) -> str:
        return "spectral"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("amount", "how much quieter", 0.9)]

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [44100]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return self.stft.calc_supported_buffer_sizes()

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return self.stft.calc_model_delay_samples()

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.stft.set_buffer_size(n_samples)
        return True

    def reset_model(self) -> bool:
        self.stft.reset()
        return True

    def prepare_for_inference(self) -> None:
        super().prepare_for_inference()
        self.stft.use_debug_mode = False
        self.stft.eval()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.stft.spec_to_audio(self.model.forward(self.stft.audio_to_spec(x), params["amount"]))


class Past(nn.Module):
    pad: Tensor

    def __init__(self, samples: int, channels: int) -> None:
        super().__init__()
        self.samples = samples
        self.register_buffer("pad", torch.zeros(1, channels, samples))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.pad.expand(x.size(0), -1, -1), x], -1)
        self.pad = x[..., -self.samples :]
        return x


class DrivenModel(nn.Module):
    """One convolution with FiLM; what it heard is in one buffer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.pad = Past(12, 1)
        self.conv = nn.Conv1d(1, 8, 5, dilation=3)
        self.film = FiLM(2, 8)
        self.out = nn.Conv1d(8, 1, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return torch.tanh(self.out(torch.relu(self.film(self.conv(self.pad(x)), condition))))


class Driven(Described):
    """Both channels in one call. It has no reset_model."""

    def __init__(self) -> None:
        super().__init__(DrivenModel())

    def get_model_name(self) -> str:
        return "driven"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("P1", "first", 0.3), ContinuousNeutoneParameter("P2", "second", 0.6)]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        condition = torch.hstack([params["P1"], params["P2"]]).reshape((1, -1))
        return self.model(x.unsqueeze(1), condition).squeeze(1)


class DrivenInTurn(Driven):
    """Channel by channel, through the same buffer: the right channel hears the left one's past."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        condition = torch.hstack([params["P1"], params["P2"]]).reshape((1, -1))
        for channel in range(x.shape[0]):
            x[channel] = self.model(x[channel].reshape(1, 1, -1), condition).reshape(-1)
        return x


class Layered(Described):
    """A cached convolution, a cached TCN, and mel spectra that set its level; blocks of 128, no reset_model."""

    def __init__(self) -> None:
        torch.manual_seed(6)
        super().__init__(Conv1dGeneral(2, 4, 7, dilation=2, causal=False))
        self.tcn = TCN1D(4, 2, n_blocks=2, kernel_size=3, n_channels=4, dil_growth=2, use_bn=True, cached=True)
        self.mel = CachedMelSpec(48000, 2, n_fft=256, hop_len=128, n_mels=8)

    def get_model_name(self) -> str:
        return "layered"

    def get_native_sample_rates(self) -> list[int]:
        return [48000]

    def get_native_buffer_sizes(self) -> list[int]:
        return [128, 256]

    def prepare_for_inference(self) -> None:
        super().prepare_for_inference()
        self.model.prepare_for_inference()
        self.mel.prepare_for_inference()

    def calc_model_delay_samples(self) -> int:
        return self.model.get_delay_samples() + self.tcn.get_delay_samples()

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        level = self.mel(x).mean([0, 1]).repeat_interleave(128)
        return self.tcn(self.model(x.unsqueeze(0))).squeeze(0) / (1.0 + level)


class Told(Described):
    """Names no block size, and plays the one it was told: a queue and a buffer are made for it."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.queue = CircularInplaceTensorQueue(2, 30)
        self.block = torch.zeros(2, 512)

    def get_model_name(self) -> str:
        return "told"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("gain", "gain", 0.7)]

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.block = torch.zeros(2, n_samples)
        return True

    def reset_model(self) -> bool:
        self.queue.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.block[:, :] = x * params["gain"]  # no other length fits
        self.queue.push(x)
        newest = torch.zeros(2, 1)
        self.queue.fill(newest)
        return self.block + newest.mean() * 0.0
