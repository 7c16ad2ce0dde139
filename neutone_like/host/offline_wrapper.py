"""Fits a non-real-time model to any host: any sample rate, any length, exact alignment."""

from typing import List, Optional

import torch
from torch import Tensor

from neutone_like.errors import AudioError, ParameterError
from neutone_like.host.offline_stream import OfflineStream
from neutone_like.model import NonRealtimeBase
from neutone_like.signal.plan import DEFAULT_HOST_BLOCK, DEFAULT_HOST_RATE


class NonRealtimeSampleQueueWrapper(OfflineStream):
    """What a non-real-time ``.nm`` artifact holds: a model behind the interface that hosts call.

    The way of a signal: channel conversion, resampling to the model's rate, blocks (or the whole), the model,
    overlap-add, its delay taken out, resampling to the host's rate. Outputs are at the host's rate, aligned with the
    input and as long.

    A signal is passed whole to :meth:`forward`, or piece by piece to :meth:`begin`, :meth:`push` and :meth:`finish`, in
    memory that does not grow with its length if the model is blocked; the result is the same, bit for bit.

    Args:
        model: A non-real-time model. Its attributes are read now; changing them later has no effect here.
        quality: Of the resampler: ``"high"``, ``"fast"``, or ``"soxr"`` (in Python only; it can't be exported).

    Raises:
        ModelError: The model is not declared correctly.
    """

    def __init__(self, model: NonRealtimeBase, quality: str = "high") -> None:
        super().__init__(model, quality)
        rates = model.declaration().sample_rates
        self.set_daw_sample_rate_and_buffer_size(rates[0] if rates else DEFAULT_HOST_RATE, DEFAULT_HOST_BLOCK)

    @torch.jit.export
    def set_daw_sample_rate_and_buffer_size(
        self, daw_sr: int, daw_bs: int, model_sr: Optional[int] = None, model_bs: Optional[int] = None
    ) -> int:
        """Get ready for a host; it also resets.

        Args:
            daw_sr: Host rate in Hz, of what goes in and of what comes out.
            daw_bs: Host block in samples, which plays no part where a signal is processed as a whole.
            model_sr, model_bs: Choose among the model's rates and block sizes. By default the host's own rate where the
                model has it, else the next one above, and the largest block.

        Returns:
            -1: what comes out has no bound but the length of the signal.

        Raises:
            AudioError: A number is not positive, or not among the model's.
        """
        self._fit(daw_sr, daw_bs, model_sr, model_bs)
        self.reset()
        return -1

    @torch.jit.export
    def reset(self) -> None:
        """Forget everything: audio, progress, and a request to cancel."""
        self.nrb.forget_cancel_request()
        self.nrb.restart_progress()
        self.silenced_samples = 0
        self._clear()

    @torch.jit.export
    def forward(
        self,
        audio_in: List[Tensor],
        numerical_params: Optional[Tensor] = None,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> List[Tensor]:
        """Process a whole signal.

        Args:
            audio_in: float32 ``[channels, n]`` at the host's rate for each input; mono and stereo are converted. A
                generator takes none.
            numerical_params: ``[rows, n]`` in 0..1, a row for each numerical parameter, or ``[rows, 1]`` for all of the
                signal; further rows are ignored. ``None``: defaults. A blocked generator makes ``n`` host samples, or
                one block without them; a one-shot generator decides for itself.
            text_params, tokens_params: One for each such parameter; ``None``: defaults.

        Returns:
            float32 ``[channels, n]`` at the host's rate for each output; a one-shot generator's, or a model's with
            ``keeps_length = False``, as long as the model makes it. Nothing when cancelled.

        Raises:
            AudioError: Inputs are missing, differ in length, or have a shape, type or channel count that can't be used.
            ParameterError: Parameters of another shape; texts or tokens too many, too few or over their limit.
            ModelError: The model returns another number of outputs, or other shapes, than it declares.
        """
        return self.forward_non_realtime(audio_in, numerical_params, text_params, tokens_params)

    @torch.jit.export
    def forward_non_realtime(
        self,
        audio_in: List[Tensor],
        numerical_params: Optional[Tensor] = None,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> List[Tensor]:
        """The same as :meth:`forward`."""
        with torch.no_grad():
            samples = self._check(audio_in, numerical_params)
            self._begin(samples, text_params, tokens_params)
            self._push(audio_in, numerical_params, samples)
            return self._finish()

    @torch.jit.export
    def begin(
        self,
        total_samples: int = 0,
        text_params: Optional[List[str]] = None,
        tokens_params: Optional[List[List[int]]] = None,
    ) -> None:
        """Start a signal that comes in pieces.

        Args:
            total_samples: How long it will be, at the host's rate, for the progress; 0 if that is not known.
            text_params, tokens_params: As for :meth:`forward`.
        """
        with torch.no_grad():
            self._begin(total_samples, text_params, tokens_params)

    @torch.jit.export
    def push(self, audio_in: List[Tensor], numerical_params: Optional[Tensor] = None) -> List[Tensor]:
        """Take the next piece of the signal; return what is ready of each output, ``[channels, 0]`` included.

        Parameters are given with every piece or with none. Returns nothing once cancelled.
        """
        with torch.no_grad():
            if self.cancelled:
                return []
            if not self.streaming:
                raise AudioError("There is no signal to go on with. Call begin() before push().")
            samples = self._check(audio_in, numerical_params)
            self._push(audio_in, numerical_params, samples)
            if self.cancelled:
                return []
            ready = self.host_out.size
            self.delivered_samples += ready
            return self.outputs.split(self._take_out(ready))

    @torch.jit.export
    def finish(self) -> List[Tensor]:
        """End the signal; return the rest of each output, so that all pieces are as long as the input."""
        with torch.no_grad():
            if not self.streaming and not self.cancelled:
                raise AudioError("There is no signal to end. Call begin() and push() before finish().")
            return self._finish()

    def _check(self, audio_in: List[Tensor], params: Optional[Tensor]) -> int:
        """Refuse what can't be processed, before anything changes; return the length in host samples."""
        samples = 0
        if self.generates:
            for x in audio_in:
                if x.numel() > 0:
                    raise AudioError(f"The model is a generator without audio inputs, got {len(audio_in)}. Pass [].")
            if params is not None and params.dim() == 2 and params.size(1) > 1:
                samples = params.size(1)
        else:
            samples = self.inputs.check(audio_in)
        if params is not None:
            count = self.track.count
            fits = params.dim() == 2 and params.size(0) >= count
            if not fits or not (params.size(1) == samples or params.size(1) == 1):
                length = "n" if self.generates else f"{samples}"
                raise ParameterError(
                    f"Expected numerical parameters of shape ({count} or more, {length}) in 0..1, one value a sample, "
                    f"or ({count} or more, 1) for one value each, got {params.size()}."
                )
        return samples
