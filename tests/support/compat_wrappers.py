"""Wrappers as people write them for the Neutone SDK, from its documented interface.

With ``from neutone_sdk import ...`` instead of the one import below, they run there too, unchanged.
"""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import ContinuousNeutoneParameter, NeutoneParameter, WaveformToWaveformBase


class Described(WaveformToWaveformBase):
    """Getters that most wrappers only differ in by their strings."""

    def get_model_authors(self) -> list[str]:
        return ["Ada", "Grace"]

    def get_model_short_description(self) -> str:
        return "A test."

    def get_model_long_description(self) -> str:
        return "A wrapper for a test, with a longer description."

    def get_technical_description(self) -> str:
        return "Nothing is trained."

    def get_technical_links(self) -> dict[str, str]:
        return {"Code": "https://example.org/code"}

    def get_tags(self) -> list[str]:
        return ["test", "timbre transfer"]

    def get_model_version(self) -> str:
        return "1.0.0"

    def is_experimental(self) -> bool:
        return True

    def get_citation(self) -> str:
        return "Ada (1843). Notes."

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return []

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return []


class ClipperModel(nn.Module):
    """Writes into its arguments, as is usual there."""

    def forward(self, x: Tensor, low: Tensor, high: Tensor, gain: Tensor) -> Tensor:
        torch.neg(low, out=low)
        torch.mul(gain, low, out=low)
        torch.mul(gain, high, out=high)
        torch.clip(x, min=low, max=high, out=x)
        return x


class Clipper(Described):
    """Three knobs with a value for each sample."""

    def get_model_name(self) -> str:
        return "clipper"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("low", "lowest sample", default_value=0.15),
            ContinuousNeutoneParameter("high", "highest sample", default_value=0.25),
            ContinuousNeutoneParameter("gain", "scale of both", default_value=1.0),
        ]

    def get_wet_default_value(self) -> float:
        return 0.75

    def get_dry_default_value(self) -> float:
        return 0.25

    @torch.jit.export
    def get_input_gain_default_value(self) -> float:
        return 0.6

    def aggregate_params(self, params: Tensor) -> Tensor:
        return params

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model.forward(x, params["low"], params["high"], params["gain"])


class Averager(Described):
    """A mono convolution that looks behind, in blocks of 256; its knob's mean is over the look-behind too."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        super().__init__(nn.Conv1d(1, 1, 33, bias=False))

    def get_model_name(self) -> str:
        return "averager"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("level", "level", 0.5)]

    def is_input_mono(self) -> bool:
        return True

    def is_output_mono(self) -> bool:
        return True

    def get_native_sample_rates(self) -> list[int]:
        return [44100]

    def get_native_buffer_sizes(self) -> list[int]:
        return [256]

    def get_look_behind_samples(self) -> int:
        return 32

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0) * params["level"]


class Delay(nn.Module):
    """A buffer that is a plain attribute, changed in place."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples
        self.past = torch.zeros(1, samples)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.past, x], dim=-1)
        self.past[:, :] = x[:, -self.samples :]
        return x[:, : -self.samples]


class Delayed(Described):
    """Mono in, stereo out, late by 100 samples, two rates and two block sizes, no knob."""

    def __init__(self) -> None:
        super().__init__(Delay(100))

    def get_model_name(self) -> str:
        return "delayed"

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return True

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [44100, 48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [256, 512]

    @torch.jit.export
    def reset_model(self) -> bool:
        self.model.past.fill_(0)
        return True

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return self.model.samples

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model.forward(x).repeat(2, 1)


class CachedConv(nn.Module):
    """Keeps its past in a buffer that nothing ever resets."""

    pad: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.padding = (kernel - 1) * dilation
        self.register_buffer("pad", torch.zeros(1, in_channels, self.padding))
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, dilation=dilation)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.pad, x], -1)
        self.pad = x[..., -self.padding :]
        return self.norm(self.conv(x))


class OverdriveModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.condition = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 8))
        self.blocks = nn.ModuleList([CachedConv(2, 8, 5, 1), CachedConv(8, 8, 5, 4)])
        self.output = nn.Conv1d(8, 2, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        p = self.condition(c).unsqueeze(-1)
        for block in self.blocks:
            x = torch.relu(block(x) + p)
        return torch.tanh(self.output(x))


class Overdrive(Described):
    """A small TCN with conditioning and state in buffers. It has no reset_model."""

    def __init__(self) -> None:
        super().__init__(OverdriveModel())

    def get_model_name(self) -> str:
        return "overdrive"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("depth", "depth", 1.0, min_value=-1.0, max_value=3.0),
            ContinuousNeutoneParameter("P1", "first", 0.2),
            ContinuousNeutoneParameter("P2", "second", 0.7),
        ]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        condition = torch.hstack([params["P1"], params["P2"]]).reshape((1, -1)) * params["depth"]
        y = self.model(x.reshape(1, 2, -1), condition)
        for channel in range(x.shape[0]):
            x[channel] = y[0, channel]
        return x


class LstmModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.lstm = nn.LSTM(1, 8, batch_first=True)
        self.head = nn.Linear(8, 1)
        self.h = torch.zeros(1, 1, 8)
        self.c = torch.zeros(1, 1, 8)

    def forward(self, x: Tensor) -> Tensor:
        y, (self.h, self.c) = self.lstm(x, (self.h, self.c))
        return x + self.head(y)

    @torch.jit.export
    def reset(self) -> None:
        self.h.zero_()
        self.c.zero_()


class Lstm(Described):
    """A mono recurrent amp in blocks of 128, scripted before it is wrapped."""

    def __init__(self) -> None:
        super().__init__(torch.jit.script(LstmModel()))

    def get_model_name(self) -> str:
        return "lstm"

    def is_input_mono(self) -> bool:
        return True

    def is_output_mono(self) -> bool:
        return True

    def get_native_sample_rates(self) -> list[int]:
        return [48000]

    def get_native_buffer_sizes(self) -> list[int]:
        return [128]

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("drive", "gain before", 0.3)]

    def reset_model(self) -> bool:
        self.model.reset()
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model.forward((x * (1.0 + 9.0 * params["drive"])).unsqueeze(-1)).squeeze(-1)


class Tone(Described):
    """A one-pole low-pass that is told the rate, in blocks of 128; debug mode is off when it plays."""

    def __init__(self, model: nn.Module, use_debug_mode: bool = True) -> None:
        super().__init__(model, use_debug_mode)
        self.rate = 0
        self.past = torch.zeros(2, 1)

    def get_model_name(self) -> str:
        return "tone"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("cutoff", "cut-off frequency", 0.5)]

    def get_native_buffer_sizes(self) -> list[int]:
        return [128]

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        self.rate = sample_rate
        return n_samples == 128

    def reset_model(self) -> bool:
        self.past = torch.zeros(2, 1)
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        if self.use_debug_mode:
            assert self.rate > 0
        hz = 100.0 * torch.pow(100.0, params["cutoff"])
        a = torch.exp(-6.283185307 * hz / self.rate)
        steps = torch.arange(1, x.size(1) + 1, dtype=torch.float64)
        decay = torch.pow(a.to(torch.float64), steps)
        kernel = torch.pow(a.to(torch.float64), steps.flip(0) - 1.0).flip(0) * (1.0 - a)
        spread = torch.zeros(x.size(1), x.size(1), dtype=torch.float64)
        for index in range(x.size(1)):
            spread[index, index:] = kernel[: x.size(1) - index]
        y = x.to(torch.float64) @ spread + self.past.to(torch.float64) * decay
        self.past = y[:, -1:].to(torch.float32)
        return y.to(torch.float32)


def build_all() -> dict[str, Any]:
    """Each wrapper as its author would build it."""
    return {
        "clipper": Clipper(ClipperModel()),
        "averager": Averager(),
        "delayed": Delayed(),
        "overdrive": Overdrive(),
        "lstm": Lstm(),
        "tone": Tone(nn.Identity()),
    }
