"""The base classes of offline models as the Neutone SDK has them."""

from abc import abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.working_copy import faithful_copy
from neutone_like.compat.neutone_sdk import constants
from neutone_like.compat.neutone_sdk.core import NeutoneModel
from neutone_like.compat.neutone_sdk.non_realtime_model import adapt_non_realtime, give_own_classes
from neutone_like.compat.neutone_sdk.parameter import DiscreteTokensNeutoneParameter, TextNeutoneParameter, default_0to1
from neutone_like.errors import ModelError
from neutone_like.model import NonRealtimeBase as OurBase
from neutone_like.model import TextParameter, TokensParameter

_NO_NUMBERS = (TextNeutoneParameter, DiscreteTokensNeutoneParameter, TextParameter, TokensParameter)


class TokenizerType(Enum):
    """What kind of file a tokenizer string holds."""

    JSON = "JSON"
    SENTENCEPIECE = "SentencePiece"
    RWKVWORLD = "RWKVWorld"


class NonRealtimeBase(NeutoneModel):
    """Subclass this as with the Neutone SDK: write the getters and :meth:`do_forward_pass`.

    Export it with ``save_neutone_model``. For the functions of this package itself (``export_model``, the command
    line...), :meth:`non_realtime_model` gives the same wrapper as one of its own models.
    """

    def __init__(self, model: nn.Module, use_debug_mode: bool = True) -> None:
        super().__init__(model, use_debug_mode)
        self.realtime = False
        rates, sizes = self.get_native_sample_rates(), self.get_native_buffer_sizes()
        self.current_model_sample_rate = rates[0] if rates else constants.DEFAULT_DAW_SR
        self.current_model_buffer_size = sizes[0] if sizes else constants.DEFAULT_DAW_BS
        self.progress_percentage = 0.0
        self.cancel_forward_pass_requested = False
        declared = self.get_neutone_parameters()
        self.n_numerical_params = len([each for each in declared if not isinstance(each, _NO_NUMBERS)])
        self.n_text_params = len([each for each in declared if isinstance(each, (TextNeutoneParameter, TextParameter))])
        self.n_tokens_params = len(declared) - self.n_numerical_params - self.n_text_params
        self.has_text_param = self.n_text_params > 0
        self.has_tokens_param = self.n_tokens_params > 0

    @abstractmethod
    def get_audio_in_channels(self) -> list[int]:
        """1 or 2 for each input; empty for a generator."""

    @abstractmethod
    def get_audio_out_channels(self) -> list[int]:
        """1 or 2 for each output."""

    @abstractmethod
    def get_native_sample_rates(self) -> list[int]:
        """Rates in Hz that the model was made for; empty means any."""

    @abstractmethod
    def get_native_buffer_sizes(self) -> list[int]:
        """Block lengths in samples that the model takes; empty means the whole sound at once."""

    @abstractmethod
    def is_one_shot_model(self) -> bool:
        """Whether the model takes the whole sound at once; else it is called block by block."""

    @abstractmethod
    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """Process the sound, or a block of it.

        Args:
            curr_block_idx: 0 for the first block.
            audio_in: Each ``[channels, N]`` at the model's rate.
            numerical_params: A row of what :meth:`aggregate_numerical_params_0to1` returns for each, in its own range.
            text_params, tokens_params: In the order declared.

        Returns:
            Each ``[channels, N]``.
        """

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        """Get ready for a rate in Hz and blocks of ``n_samples``. What it returns is not looked at."""
        return False

    def reset_model(self) -> bool:
        """Forget the past. It is called before every sound."""
        return False

    def aggregate_numerical_params_0to1(self, numerical_params_0to1: Tensor) -> Tensor:
        """From values 0..1 for each sample, ``(P, N)``, to what the model receives: here the mean."""
        return torch.mean(numerical_params_0to1, dim=1, keepdim=True)

    def get_audio_in_labels(self) -> list[str]:
        """What each input is; optional."""
        return []

    def get_audio_out_labels(self) -> list[str]:
        """What each output is; optional."""
        return []

    @torch.jit.export
    def set_progress_percentage(self, progress_percentage: float) -> None:
        """Say from :meth:`do_forward_pass` how far this call is, 0..100."""
        self.progress_percentage = progress_percentage

    @torch.jit.export
    def get_progress_percentage(self) -> float:
        """What was last said, 0..100."""
        return self.progress_percentage

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """Whether the model says how far it is."""
        return True

    @torch.jit.export
    def should_cancel_forward_pass(self) -> bool:
        """Whether a host has asked for the end of it."""
        return self.cancel_forward_pass_requested

    @torch.jit.export
    def request_cancel_forward_pass(self) -> None:
        """Ask for the end of it, from any thread."""
        self.cancel_forward_pass_requested = True

    @torch.jit.export
    def forget_cancel_request(self) -> None:
        """The request was followed, or is no longer meant."""
        self.cancel_forward_pass_requested = False

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        """How many samples, at the model's rate, the model's output lags behind its input."""
        return 0

    @torch.jit.export
    def set_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        """:meth:`set_model_sample_rate_and_buffer_size`, and what the getters of both then say."""
        self.current_model_sample_rate = sample_rate
        self.current_model_buffer_size = n_samples
        return self.set_model_sample_rate_and_buffer_size(sample_rate, n_samples)

    @torch.jit.export
    def reset(self) -> bool:
        """:meth:`reset_model`, no progress, and no request to cancel."""
        self.progress_percentage = 0.0
        self.cancel_forward_pass_requested = False
        return self.reset_model()

    @torch.jit.export
    def get_current_model_sample_rate(self) -> int:
        return self.current_model_sample_rate

    @torch.jit.export
    def get_current_model_buffer_size(self) -> int:
        return self.current_model_buffer_size

    @torch.jit.export
    def get_model_bpm(self) -> int | None:
        """The tempo that the model was made for, if there is one."""
        return None

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        """The tokenizer's file in base64; empty without one."""
        return ""

    @torch.jit.export
    def get_tokenizer_type(self) -> str | None:
        """What kind of file :meth:`get_tokenizer_str` holds."""
        return None

    @torch.jit.unused
    def is_text_model(self) -> bool:
        """Whether there is a text parameter."""
        return self.has_text_param

    @torch.jit.unused
    def is_tokens_model(self) -> bool:
        """Whether there is a tokens parameter."""
        return self.has_tokens_param

    @torch.jit.unused
    def get_numerical_params_default_values_0to1(self) -> Tensor:
        """The knobs' defaults, ``(P, 1)``."""
        knobs = [each for each in self.get_neutone_parameters() if not isinstance(each, _NO_NUMBERS)]
        return torch.tensor([default_0to1(each) for each in knobs]).reshape(-1, 1)

    @torch.jit.unused
    def forward(
        self,
        curr_block_idx: int,
        audio_in: Sequence[Tensor],
        numerical_params_0to1: Tensor | None = None,
        text_params: list[str] | None = None,
        tokens_params: list[list[int]] | None = None,
    ) -> list[Tensor]:
        """Run :meth:`do_forward_pass` once, with the declared defaults for what is not given, for notebooks."""
        adapted = adapt_non_realtime(self)
        declared = adapted.declaration()
        samples = audio_in[0].size(1) if audio_in else self.current_model_buffer_size
        knobs = self.get_numerical_params_default_values_0to1()
        knobs = knobs.expand(-1, samples) if numerical_params_0to1 is None else numerical_params_0to1
        values = {
            parameter.name: parameter.minimum + knobs[row] * (parameter.maximum - parameter.minimum)
            for row, parameter in enumerate(declared.numerical_parameters)
        }
        texts = [parameter.default for parameter in declared.text_parameters] if text_params is None else text_params
        tokens = [list(parameter.default) for parameter in declared.tokens_parameters]
        return adapted.do_forward_pass(
            curr_block_idx, list(audio_in), values, texts, tokens if tokens_params is None else tokens_params
        )

    @torch.jit.unused
    def non_realtime_model(self) -> OurBase:
        """A copy of this wrapper, prepared for inference, as a model of this package.

        Raises:
            ModelError: The getters say what a ``.nm`` has no room for; each is named.
            ExportError: The wrapper can't be copied.
        """
        with torch.no_grad():  # a network that is already scripted is copied with its graph otherwise
            prepared = faithful_copy(self)
        give_own_classes(prepared)
        prepared.prepare_for_inference()
        return adapt_non_realtime(prepared)


class NonRealtimeTokenizerBase(NonRealtimeBase):
    """A model that brings the tokenizer for its tokens.

    Args:
        model: As for :class:`NonRealtimeBase`.
        tokenizer_str: The tokenizer's file in base64.
        tokenizer_type: What kind of file it is.
        use_debug_mode: As for :class:`NonRealtimeBase`.

    Raises:
        ModelError: Another kind.
    """

    def __init__(
        self, model: nn.Module, tokenizer_str: str, tokenizer_type: TokenizerType, use_debug_mode: bool = True
    ) -> None:
        super().__init__(model, use_debug_mode)
        kind: Any = tokenizer_type
        if not isinstance(kind, TokenizerType):
            raise ModelError(f"tokenizer_type must be one of {[str(each) for each in TokenizerType]}, got {kind!r}.")
        self.tokenizer_str = tokenizer_str
        self.tokenizer_type = tokenizer_type.value
        self.has_tokenizer = True

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        return self.tokenizer_str

    @torch.jit.export
    def get_tokenizer_type(self) -> str | None:
        return self.tokenizer_type
