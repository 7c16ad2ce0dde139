"""The attacks on the loader, on an offline artifact: refused by name, or the same sound."""

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from neutone_like.artifact import write_artifact
from support import attack_worker
from support.attacks import ATTACKS, NAMES, Original, make_attack
from support.whole_models import Whole

SEEDS_OF_EACH = 2


class WholeJudge(attack_worker.Judge):
    """Judges modules that take whole sounds."""

    @staticmethod
    def play(module: Any, *, resampled: bool) -> Any:
        x = torch.rand(2, 1024, generator=torch.Generator().manual_seed(1)) - 0.5
        unoptimized: Any = torch.jit.optimized_execution  # pyright: ignore[reportPrivateImportUsage]
        outputs: list[Any] = []
        for rate in (44100, 48000) if resampled else (44100,):
            module.set_daw_sample_rate_and_buffer_size(rate, 256)
            module.reset()
            with torch.no_grad(), unoptimized(False):
                outputs.append(torch.cat(module.forward([x]), 0))
        return torch.cat(outputs, dim=1)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> WholeJudge:
    content = write_artifact(Whole(), tmp_path_factory.mktemp("whole"), render_samples=False).model_path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
        original = Original("whole", content, members, archive.start_dir)
    with pytest.MonkeyPatch.context() as patch:
        # Whichever of the usual originals an attack picks, it is this one.
        patch.setattr(attack_worker, "read_originals", lambda: dict.fromkeys([*NAMES, "whole"], original))
        return WholeJudge(tmp_path_factory.mktemp("attacked"))


@pytest.mark.slow
def test_every_attack_is_refused_or_changes_nothing(judge: WholeJudge) -> None:
    seeds = range(SEEDS_OF_EACH * len(ATTACKS))
    verdicts = [judge.judge(seed, make_attack(seed, judge.originals)) for seed in seeds]
    assert [str(verdict) for verdict in verdicts if not verdict.good] == []
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert outcomes["refused"] > len(ATTACKS)
    assert outcomes["played"] > 0


def test_the_judge_hears_another_sound(judge: WholeJudge, tmp_path: Path) -> None:
    """Positive control: a model that plays something else is no such artifact."""
    other = Whole()
    other.sample_rates = (48000,)
    path = write_artifact(other, tmp_path, render_samples=False).model_path
    heard = judge.play(judge.load(path), resampled=True)
    assert not torch.allclose(heard, judge.expected("whole"), atol=1e-3)
