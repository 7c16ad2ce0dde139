"""Each rate that a compiled model has is held to what the artifact's own module gives."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import Tensor

from neutone_like.artifact import load_artifact, write_artifact
from neutone_like.runtime.compiled_core import core_of
from neutone_like.runtime.compiling import compile_model
from neutone_like.validate.checks import compiled as checks_compiled
from neutone_like.validate.checks.compiled import check_compiled_equals_eager
from neutone_like.validate.live_subject import LiveSubject
from support.compiled_live_models import AnyRate


@pytest.mark.parametrize("never_finite_at", [48000, 96000])
def test_validation_fails_where_one_rate_of_several_is_not_finite(
    never_finite_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_artifact(AnyRate(), tmp_path / "any", render_samples=False, capture="script").model_path
    compile_model(path)
    subject = LiveSubject(load_artifact(path), None, quick=True)
    core = core_of(subject.artifact)
    prepare, played = core.model.prepare_model, core.played
    rates: list[int] = []

    def prepared(rate: int, block: int) -> None:
        rates.append(rate)
        prepare(rate, block)

    def broken(*inputs: Tensor) -> Tensor:
        return played(*inputs) * (float("nan") if rates[-1] == never_finite_at else 1.0)

    model = SimpleNamespace(prepare_model=prepared, reset_model=core.model.reset_model)
    stand_in = SimpleNamespace(
        model=model,
        played=broken,
        in_channels=core.in_channels,
        parameters=core.parameters,
        prepared_block=core.prepared_block,
    )
    monkeypatch.setattr(checks_compiled, "core_of", lambda artifact: stand_in)
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "failed", outcome
    assert "largest difference inf" in outcome.measured
    assert never_finite_at in rates
