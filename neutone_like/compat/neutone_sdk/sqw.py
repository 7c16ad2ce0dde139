"""The Neutone SDK's way to put a wrapper behind the interface that hosts call."""

from typing import cast

from neutone_like.compat.neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR
from neutone_like.compat.neutone_sdk.live_model import adapt
from neutone_like.compat.neutone_sdk.wavform_to_wavform import WaveformToWaveformBase
from neutone_like.host import SampleQueueWrapper as HostWrapper


class SampleQueueWrapper(HostWrapper):
    """:class:`neutone_like.SampleQueueWrapper` for a wrapper written for the Neutone SDK, which is not copied.

    Args:
        w2w_base: The wrapper.
        daw_sr, daw_bs: Host rate in Hz and host block in samples.
        model_sr, model_bs: Choose among the wrapper's rates and block sizes; by default the best.
        use_debug_mode: Kept as an attribute. Shapes are checked either way.
    """

    def __init__(
        self,
        w2w_base: WaveformToWaveformBase,
        daw_sr: int = DEFAULT_DAW_SR,
        model_sr: int | None = None,
        daw_bs: int = DEFAULT_DAW_BS,
        model_bs: int | None = None,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__(adapt(w2w_base))
        self.use_debug_mode = use_debug_mode
        self.set_daw_sample_rate_and_buffer_size(daw_sr, daw_bs, model_sr, model_bs)

    def prepare_for_inference(self) -> None:
        """Get ready to be compiled."""
        cast(WaveformToWaveformBase, self.w2w_base.model).prepare_for_inference()
        self.use_debug_mode = False
        self.eval()
