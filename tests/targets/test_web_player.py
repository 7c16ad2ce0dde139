"""The WebAssembly that comes with the package is what its sources give: ``make targets``."""

import importlib.util
from pathlib import Path

import pytest

from neutone_like.errors import CompileError
from neutone_like.targets.web_player import SECTION, build_web_player, digest_inside
from support.web_page import PAGE


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason='no ziglang here: pip install "neutone-like[compile]"'
)
def test_it_can_be_made_again_to_the_byte(tmp_path: Path) -> None:
    build_web_player(tmp_path / "player.wasm")
    assert (tmp_path / "player.wasm").read_bytes() == (PAGE / "player.wasm").read_bytes(), "run make web-player"


def test_a_module_without_a_digest_is_none_of_ours() -> None:
    player = (PAGE / "player.wasm").read_bytes()
    assert len(digest_inside(player)) == 64
    for other in (b"", player[:-1], player.replace(SECTION, SECTION[::-1]), player + b"\0"):
        with pytest.raises(CompileError, match="no player.wasm that build_web_player made(.|\n)*make web-player"):
            digest_inside(other)
