"""The Neutone SDK's way to put an offline model behind the interface that hosts call."""

from typing import cast

from neutone_like.compat.neutone_sdk.constants import DEFAULT_DAW_BS, DEFAULT_DAW_SR
from neutone_like.compat.neutone_sdk.non_realtime_model import adapt_non_realtime
from neutone_like.compat.neutone_sdk.non_realtime_wrapper import NonRealtimeBase
from neutone_like.host import NonRealtimeSampleQueueWrapper as HostWrapper


class NonRealtimeSampleQueueWrapper(HostWrapper):
    """:class:`neutone_like.NonRealtimeSampleQueueWrapper` for a wrapper written for the Neutone SDK, not copied.

    Args:
        nrb: The wrapper.
        daw_sr, daw_bs: Host rate in Hz and host block in samples.
        use_debug_mode: Kept as an attribute. Shapes are checked either way.
    """

    def __init__(
        self,
        nrb: NonRealtimeBase,
        daw_sr: int = DEFAULT_DAW_SR,
        daw_bs: int = DEFAULT_DAW_BS,
        use_debug_mode: bool = True,
    ) -> None:
        super().__init__(adapt_non_realtime(nrb))
        self.use_debug_mode = use_debug_mode
        self.set_daw_sample_rate_and_buffer_size(daw_sr, daw_bs)

    def prepare_for_inference(self) -> None:
        """Get ready to be compiled."""
        cast(NonRealtimeBase, self.nrb.model).prepare_for_inference()
        self.use_debug_mode = False
        self.eval()
