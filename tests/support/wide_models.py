"""Models with more knobs and channels than the format of ``.nm`` files has room for."""

import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelMetadata,
    NonRealtimeBase,
    TextParameter,
    TokensParameter,
    WaveformToWaveformBase,
)


class Wide(WaveformToWaveformBase):
    """The inputs, in turns, times ``1 + sum(0.1 n knob[n])``: every knob is heard, each to another degree.

    Args:
        in_channels, out_channels: Of the model.
        knobs: How many it has; each goes from 0 to 2 and starts at another place.
        sample_rates: Its own.
    """

    metadata = ModelMetadata(name="Wide", authors=("Ada",), version="1.0.0", short_description="For tests")

    def __init__(self, in_channels: int, out_channels: int, knobs: int = 0, sample_rates: tuple[int, ...] = ()) -> None:
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.parameters = tuple(
            ContinuousParameter(f"knob {number}", default=1.0 / number, maximum=2.0) for number in range(1, knobs + 1)
        )
        self.sample_rates = sample_rates
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        gain = torch.ones(1)
        for number in range(1, len(params) + 1):
            gain = gain + 0.1 * number * params[f"knob {number}"]
        rows = [x[channel % x.size(0)] for channel in range(self.out_channels)]
        return torch.stack(rows) * gain


class WideOffline(NonRealtimeBase):
    """Three channels to four, five knobs, two texts and two lists of tokens: all of them are heard."""

    metadata = ModelMetadata(name="Wide offline", authors=("Ada",), version="1.0.0", short_description="For tests")
    parameters = (
        *(ContinuousParameter(f"knob {number}", default=0.1 * number) for number in range(1, 5)),
        CategoricalParameter("sign", labels=("plus", "minus")),
        TextParameter("one", default="ab", max_characters=8),
        TextParameter("two", default="abc", max_characters=8),
        TokensParameter("three", default=(1, 2), max_tokens=8),
        TokensParameter("four", default=(3,), max_tokens=8),
    )
    audio_in_channels = (3,)
    audio_out_channels = (4, 1)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def is_one_shot_model(self) -> bool:
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        gain = numerical_params["knob 1"] + 10.0 * numerical_params["knob 4"]
        gain = gain * (1.0 - 2.0 * numerical_params["sign"])
        said = 1.0 * len(text_params[0]) + 10.0 * len(text_params[1])
        counted = 100.0 * len(tokens_params[0]) + 1000.0 * len(tokens_params[1])
        x = audio_in[0]
        return [torch.cat((x, x[:1])) * gain, x[:1] * (said + counted)]
