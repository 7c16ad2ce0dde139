"""An export under a profiler works, and leaves the profiler running."""

import cProfile
from pathlib import Path

from neutone_like.artifact import write_artifact
from support.host_models import DelayModel


def test_export_under_a_profiler(tmp_path: Path) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(write_artifact, DelayModel(), tmp_path / "out", render_samples=False)
    assert (tmp_path / "out" / "model.nm").exists()
    assert any("write_artifact" in str(entry.code) for entry in profiler.getstats())
