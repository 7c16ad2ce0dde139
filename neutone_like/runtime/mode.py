"""Where a session's model runs."""

from typing import Literal

Mode = Literal["async", "inline"]  # on the engine's workers, or inside the host's callback
