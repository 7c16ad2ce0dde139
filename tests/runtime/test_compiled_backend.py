"""Which backend plays an artifact: its compiled form where it is there and belongs to it, TorchScript otherwise."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like import ArtifactError, ContinuousParameter, RuntimeEngineError, load_artifact
from neutone_like.runtime import Engine, HostConfig, PythonBackend
from support.compiled_files import delayed, late_model, write_late_model
from support.places import PROJECT

HOST = HostConfig(48000, 96)
DRIVE = ContinuousParameter("drive", "", default=12.0, minimum=0.0, maximum=36.0)


@pytest.fixture
def overdrive(tmp_path: Path) -> Path:
    """An artifact without its compiled form."""
    for name in ("model.nm", "metadata.json"):
        shutil.copy(PROJECT / "exported" / "overdrive" / name, tmp_path / name)
    return tmp_path / "model.nm"


def played(model: Any, **settings: Any) -> tuple[str, Any]:
    """Who played it, and what came out."""
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 960)).astype(np.float32)
    with Engine(realtime_priority=False) as engine, engine.open(model, HOST, mode="inline", **settings) as session:
        blocks = [np.asarray(session.process(audio[:, at : at + 96])) for at in range(0, 960, 96)]
        heard = np.concatenate(blocks, axis=1)
        assert session.stats().failed_blocks == 0
        if session.backend_name == "compiled":
            assert session.latency_samples == 3
            np.testing.assert_array_equal(heard, delayed(audio))
        return session.backend_name, heard


def test_torchscript_plays_what_is_not_compiled(overdrive: Path) -> None:
    assert played(overdrive)[0] == "torchscript"
    with pytest.raises(ArtifactError, match=r"There is no compiled model .*model.nlc.* neutone-like compile"):
        played(overdrive, backend="compiled")


def test_the_compiled_form_plays_where_it_is_there(overdrive: Path) -> None:
    write_late_model(overdrive)
    assert played(overdrive)[0] == "compiled"
    assert played(load_artifact(overdrive), backend="compiled")[0] == "compiled"
    for other in ({"backend": "torchscript"}, {"adaptation": "embedded"}):
        name, heard = played(overdrive, **other)
        assert name == "torchscript"
        assert np.abs(heard).max() > 0.9


def test_a_compiled_model_plays_without_its_artifact(overdrive: Path) -> None:
    path = write_late_model(overdrive)
    overdrive.unlink()
    assert played(path)[0] == "compiled"
    with Engine(realtime_priority=False) as engine, engine.open(str(path), HOST, mode="async") as session:
        assert [each.name for each in session.parameters] == ["drive"]
        session.set_parameter("drive", 24.0)
        assert repr(session).startswith("Session('Overdrive', compiled, ")
    with pytest.raises(RuntimeEngineError, match=r'adaptation="embedded" plays the wrapper'):
        played(path, adaptation="embedded")


def test_the_compiled_form_of_another_model_is_never_played(overdrive: Path) -> None:
    path = write_late_model(overdrive)
    shutil.copy(PROJECT / "exported" / "stereo_widener" / "model.nm", overdrive)
    with pytest.raises(ArtifactError, match=r"compiled from another model than .*model.nm, which has changed"):
        played(overdrive, backend="compiled")
    with pytest.warns(RuntimeWarning, match=r"TorchScript plays .*model.nm: .*compiled from another model"):
        assert played(overdrive)[0] == "torchscript"
    path.write_bytes(late_model("{}", parameters=0))
    with pytest.raises(ArtifactError, match="compiled from another model"):
        played(overdrive, backend="compiled")


def test_a_compiled_form_for_one_rate_plays_at_that_one(overdrive: Path) -> None:
    write_late_model(overdrive, rates=[44100])
    assert played(overdrive)[0] == "torchscript"  # which takes any, and so the host's
    with (
        Engine(realtime_priority=False) as engine,
        engine.open(overdrive, HOST, mode="inline", backend="compiled") as session,
    ):
        assert session.model_sample_rate == 44100
    write_late_model(overdrive, rates=[44100, 48000])
    assert played(overdrive)[0] == "compiled"


def test_a_damaged_compiled_form_is_said_to_be_so(overdrive: Path) -> None:
    path = write_late_model(overdrive)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ArtifactError, match=r"model.nlc is no compiled model that can be played: it should have"):
        played(overdrive, backend="compiled")
    with pytest.warns(RuntimeWarning, match="Copy it again, or compile the model again"):
        assert played(overdrive)[0] == "torchscript"


def test_a_plan_that_is_not_as_its_metadata_says_is_refused(overdrive: Path) -> None:
    write_late_model(overdrive, channels=1)
    with pytest.raises(RuntimeEngineError, match="in_channels: the compiled model has 1, it is prepared for 2"):
        played(overdrive)


def test_another_backend_plays_in_the_place_of_the_module(overdrive: Path) -> None:
    def louder(x: Any, parameters: Any) -> Any:
        return x * parameters["drive"]

    name, heard = played(overdrive, backend=PythonBackend(louder, parameters=(DRIVE,)))
    assert name == "python"
    assert np.abs(heard).max() > 5
    with pytest.raises(RuntimeEngineError, match=r"has parameters=\('drive',\), and the backend .*parameters=\(\)"):
        played(overdrive, backend=PythonBackend(louder))


def test_wishes_that_can_not_be_are_refused(overdrive: Path) -> None:
    with pytest.raises(RuntimeEngineError, match=r"backend must be one of .*got 'tensorflow'"):
        played(overdrive, backend="tensorflow")
    with pytest.raises(RuntimeEngineError, match="is played by python"):
        played(PythonBackend(lambda x, parameters: x), backend="torchscript")
