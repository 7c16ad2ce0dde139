"""The base class of an offline model: whole files, several inputs and outputs, texts and tokens."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import is_scripting  # pyright: ignore[reportPrivateImportUsage]

from neutone_like.errors import ModelError
from neutone_like.model.declared_parameters import DeclaresParameters
from neutone_like.model.offline_declaration import OfflineDeclaration, check_offline_declaration
from neutone_like.numbers import as_finite_number


class NonRealtimeBase(DeclaresParameters):
    """Subclass this, set the attributes, write :meth:`do_forward_pass`.

    Attributes may be set on the class or on the instance, before or after ``super().__init__()``; they are read when
    the model is wrapped or exported. A blocked model (the default) is called block by block and may keep state; a
    one-shot model says so in :meth:`is_one_shot_model` and is called once, with everything.

    Attributes:
        metadata: Who made it and what it is (:class:`ModelMetadata`).
        parameters: What a host can set, of all four kinds. Called, ``model.parameters()`` yields the weights as usual.
        audio_in_channels: The channel count of each input; ``()`` for a generator. More than 2: our own hosts.
        audio_out_channels: The channel count of each output; at least one.
        audio_in_labels, audio_out_labels: What each input and output is; ``()`` for ``"input 1"`` and so on.
        sample_rates: Rates in Hz that the model was made for; ``()`` means any. Hosts at other rates are resampled.
        block_sizes: Block lengths in samples that the model takes; ``()`` means any. A one-shot model's input is
            padded with silence to the shortest of them that holds it.
        look_behind_samples: Past samples that a blocked model sees again before each new block.
        overlap_window: ``"hann"``, ``"sqrt_hann"``, ``"triangular"`` or ``"rectangular"``: blocks overlap, and their
            outputs are faded into one another with this window, so that every sample is computed with context on both
            sides. ``""``: blocks follow one another.
        overlap_hop_samples: From the start of a block to the start of the next, where they overlap.
        keeps_length: False for a one-shot model whose output has another length than its input. A one-shot generator
            chooses its length in any case.

    Args:
        model: The network, available as ``self.model``; ``None`` when the subclass is the whole model.
    """

    __jit_ignored_attributes__ = [
        *DeclaresParameters.__jit_ignored_attributes__,
        "audio_in_channels",
        "audio_out_channels",
        "audio_in_labels",
        "audio_out_labels",
        "overlap_window",
        "overlap_hop_samples",
        "keeps_length",
    ]
    _declarable = (
        "metadata",
        "parameters",
        "audio_in_channels",
        "audio_out_channels",
        "audio_in_labels",
        "audio_out_labels",
        "sample_rates",
        "block_sizes",
        "look_behind_samples",
        "overlap_window",
        "overlap_hop_samples",
        "keeps_length",
    )

    audio_in_channels: tuple[int, ...] = (2,)
    audio_out_channels: tuple[int, ...] = (2,)
    audio_in_labels: tuple[str, ...] = ()
    audio_out_labels: tuple[str, ...] = ()
    overlap_window: str = ""
    overlap_hop_samples: int = 0
    keeps_length: bool = True

    def __init__(self, model: nn.Module | None = None) -> None:
        super().__init__(model)
        # TorchScript sees what is on the instance, not what is on the class.
        self.look_behind_samples = self.look_behind_samples
        self.cancel_requested = False
        # One number, which only grows while a signal is processed: another thread may read it at any time.
        self.progress_percentage = 0.0
        self.call_progress_start = 0.0
        self.call_progress_span = 100.0

    def declaration(self) -> OfflineDeclaration:
        """What the attributes say now, checked.

        Raises:
            ModelError: An attribute is missing or not allowed; every such one is named.
        """
        self._check_names()
        return check_offline_declaration(self)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """Process one block, or a one-shot model's whole signal: the method to write.

        Args:
            curr_block_idx: 0 for the first block of a signal, and so on.
            audio_in: Each ``[channels, look_behind_samples + N]`` at the model's rate; the last ``N`` are new.
            numerical_params: Each in its own unit; shape ``(1,)``, or ``(N,)`` for ``rate="sample"``.
            text_params: One text for each :class:`TextParameter`, in the order declared.
            tokens_params: One list for each :class:`TokensParameter`, in the order declared.

        Returns:
            For each output ``[channels, N]``. A generator called block by block gives as many samples as
            :meth:`prepare_model` was told.
        """
        raise NotImplementedError("Write do_forward_pass in your subclass.")

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        """True: the model is called once, with the whole signal. Read when the model is wrapped."""
        return False

    @torch.jit.export
    def reset_model(self) -> None:
        """Forget the past: write this if the model keeps state. The same input must then give the same output."""
        pass

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """Get ready for ``sample_rate`` Hz and blocks of ``block_size`` samples, 0 for a signal of any length.

        Where ``block_sizes`` is ``()`` blocks may be shorter: the last of a signal, and those in which a parameter of
        ``rate="block"`` moves (a generator's are never).
        """
        pass

    @torch.jit.export
    def model_delay_samples(self) -> int:
        """How many samples, at the model's rate, the model's output lags behind its input."""
        return 0

    @torch.jit.export
    def get_model_bpm(self) -> int | None:
        """The tempo in beats a minute that the model was made for, if there is one."""
        return None

    @torch.jit.export
    def get_tokenizer_str(self) -> str:
        """The tokenizer's file in base64; empty without one."""
        return ""

    @torch.jit.export
    def get_tokenizer_type(self) -> str | None:
        """What kind of file :meth:`get_tokenizer_str` holds."""
        return None

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """Whether progress moves before the end. True for a one-shot model that calls set_progress_percentage."""
        return not self.is_one_shot_model()

    @torch.jit.export
    def set_progress_percentage(self, progress_percentage: float) -> None:
        """Say from :meth:`do_forward_pass` how far this call is, 0..100. A step back is ignored."""
        if not is_scripting():
            progress_percentage = _percentage(progress_percentage, "progress_percentage")
        part = min(max(progress_percentage, 0.0), 100.0) / 100.0
        progress = min(self.call_progress_start + self.call_progress_span * part, 100.0)
        if progress > self.progress_percentage:
            self.progress_percentage = progress

    @torch.jit.export
    def get_progress_percentage(self) -> float:
        """How far the whole signal is, 0..100."""
        return self.progress_percentage

    @torch.jit.export
    def should_cancel_forward_pass(self) -> bool:
        """Whether a host wants the call to stop: check now and then, and return whatever there is."""
        return self.cancel_requested

    @torch.jit.export
    def request_cancel_forward_pass(self) -> None:
        """Ask the model to stop, from any thread."""
        self.cancel_requested = True

    @torch.jit.export
    def place_call(self, start_percentage: float, span_percentage: float) -> None:
        """Which part of the whole signal's progress the next call of :meth:`do_forward_pass` is. For hosts."""
        if not is_scripting():
            start_percentage = _percentage(start_percentage, "start_percentage")
            span_percentage = _percentage(span_percentage, "span_percentage")
        self.call_progress_start = start_percentage
        self.call_progress_span = span_percentage

    @torch.jit.export
    def restart_progress(self) -> None:
        """A new signal begins. For hosts."""
        self.progress_percentage = 0.0
        self.place_call(0.0, 100.0)

    @torch.jit.export
    def forget_cancel_request(self) -> None:
        """Forget a request that was followed or is out of date. For hosts."""
        self.cancel_requested = False


def _percentage(value: Any, name: str) -> float:
    number = as_finite_number(value)
    if number is None:
        raise ModelError(f"{name} must be a finite number, 0..100, got {value!r:.200}.")
    return number
