"""The WebAssembly that comes with the package is what its sources give: ``make targets``."""

import importlib.util
from pathlib import Path

import pytest

from neutone_like.errors import CompileError
from neutone_like.targets.web_player import PLAYERS, SECTION, build_web_players, digest_inside
from support.web_page import KERNELS, PAGE


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason='no ziglang here: pip install "neutone-like[compile]"'
)
def test_they_can_be_made_again_to_the_byte(tmp_path: Path) -> None:
    build_web_players(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PLAYERS) == sorted(KERNELS)
    for name in PLAYERS:
        assert (tmp_path / name).read_bytes() == (PAGE / name).read_bytes(), "run make web-player"


def test_a_module_without_a_digest_is_none_of_ours() -> None:
    player = (PAGE / "player.wasm").read_bytes()
    assert len(digest_inside(player)) == 64
    for other in (b"", player[:-1], player.replace(SECTION, SECTION[::-1]), player + b"\0"):
        with pytest.raises(CompileError, match="no player that build_web_players made(.|\n)*make web-player"):
            digest_inside(other)
