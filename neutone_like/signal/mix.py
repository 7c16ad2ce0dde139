"""The host's mix: the delayed input beside the model's output, and gains before and after."""

import torch
from torch import Tensor, nn

from neutone_like.errors import ParameterError
from neutone_like.signal.channels import convert_channels
from neutone_like.signal.gain_ramp import RAMP_SECONDS, GainRamp, gain_from_0to1
from neutone_like.signal.queue import SampleQueue


class Mix(nn.Module):
    """Owns the four gains and the input that waits for its output.

    Args:
        in_channels, out_channels: The model's.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.mixes_others = in_channels != out_channels and max(in_channels, out_channels) > 2
        self.ramp_seconds = RAMP_SECONDS
        self.ramp_samples = 0  # 0: at once, because no stream has started
        self.latency = 0
        self.input_gain = GainRamp(1.0)
        self.output_gain = GainRamp(1.0)
        self.wet_gain = GainRamp(1.0)
        self.dry_gain = GainRamp(0.0)
        self.dry_queue = SampleQueue(max(2, in_channels, out_channels))

    @torch.jit.export
    def start(self, latency: int, left_out: int) -> None:
        """A stream begins, whose output lags ``latency`` host samples; the gains stand where they were heading.

        Of the silence at its start, ``left_out`` host samples are not handed out.
        """
        self.latency = latency
        self.ramp_samples = 0
        self.dry_queue.clear()
        self.dry_queue.push_silence(latency - left_out)
        for gain in (self.input_gain, self.output_gain, self.wet_gain, self.dry_gain):
            gain.settle()

    @torch.jit.export
    def run(self, host_rate: int) -> None:
        """The stream is on its way: from here on gains move gradually."""
        self.ramp_samples = int(host_rate * self.ramp_seconds)

    @torch.jit.export
    def wait(self, samples: int) -> None:
        """The output lags as many more host samples."""
        self.latency += samples
        self.dry_queue.put_silence_first(samples)

    @torch.jit.export
    def set_wet_dry(self, wet: float, dry: float) -> None:
        """How much of output and input is heard, each 0..1.

        Raises:
            ParameterError: A value out of range, or channels that can't be mixed.
        """
        if not (0.0 <= wet <= 1.0 and 0.0 <= dry <= 1.0):
            raise ParameterError(f"wet and dry must lie in 0..1, got {wet} and {dry}.")
        if dry > 0.0 and self.mixes_others:
            raise ParameterError(
                f"dry must be 0 for a model with {self.in_channels} channels in and {self.out_channels} out, got {dry}."
            )
        self.wet_gain.set_target(wet, self.ramp_samples)
        self.dry_gain.set_target(dry, self.ramp_samples)

    @torch.jit.export
    def set_gains(self, input_gain: float, output_gain: float) -> None:
        """Gain before the model and after the mix, each 0..1 for -30..30 dB.

        Raises:
            ParameterError: A value out of range.
        """
        if not (0.0 <= input_gain <= 1.0 and 0.0 <= output_gain <= 1.0):
            raise ParameterError(f"Gains must lie in 0..1 (0.5 is 0 dB), got {input_gain} and {output_gain}.")
        self.input_gain.set_target(gain_from_0to1(input_gain), self.ramp_samples)
        self.output_gain.set_target(gain_from_0to1(output_gain), self.ramp_samples)

    @torch.jit.export
    def take_input(self, x: Tensor) -> Tensor:
        """Keep a host block for the mix; return what the model is to hear of it, ``[in_channels, n]``, maybe a view.

        It is kept always, so that turning dry up finds it there, but for nothing where there is no latency and none of
        it is heard, or can be.
        """
        if not self.mixes_others and (self.latency > 0 or not self.dry_gain.is_silent()):
            dry = convert_channels(x, 2) if self.dry_queue.channels == 2 else x
            self.dry_queue.push(dry.clone(memory_format=torch.contiguous_format))
        return self.input_gain.multiply(convert_channels(x, self.in_channels))

    @torch.jit.export
    def output(self, wet: Tensor, channels: int) -> Tensor:
        """The model's output and the input that belongs to it, mixed: contiguous ``[channels, n]``."""
        samples = wet.size(1)
        y = self.wet_gain.multiply(convert_channels(wet, channels))
        if self.dry_gain.is_silent():
            self.dry_queue.skip(min(samples, self.dry_queue.size))
        else:
            dry = torch.nan_to_num(self.dry_queue.pop(samples), 0.0, 0.0, 0.0)
            y = y + self.dry_gain.multiply(convert_channels(dry, channels))
        return self.output_gain.multiply(y).contiguous()
