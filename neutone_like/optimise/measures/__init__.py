"""How far one sound is from another. All take float64 ``(channels, samples)``, the reference first."""

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]  # (channels, samples)
