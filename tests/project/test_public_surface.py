"""What users rely on does not change by accident: the whole public surface is compared with a file."""

import inspect

import pytest

from neutone_like import export_model
from support.public_surface import SNAPSHOT, public_surface


def test_the_public_surface_is_the_one_written_down() -> None:
    written = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert public_surface().splitlines() == written, "meant? Then run: python tests/support/public_surface.py"


def test_a_changed_default_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = inspect.unwrap(export_model)
    assert plain.__kwdefaults__ is not None
    monkeypatch.setitem(plain.__kwdefaults__, "quality", "fast")
    assert public_surface() != SNAPSHOT.read_text(encoding="utf-8")
