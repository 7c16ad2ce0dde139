"""What the tests of web pages share: the page's files, and Node to play them with."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import neutone_like

Audio = npt.NDArray[np.float32]
PAGE = Path(neutone_like.__file__).parent / "plugin" / "web"
KERNELS = {"player.wasm": "wasm-simd128", "player_relaxed.wasm": "wasm-relaxed-simd"}
"""What each of the page's players says that it has."""
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node to play WebAssembly with: apt-get install nodejs")
