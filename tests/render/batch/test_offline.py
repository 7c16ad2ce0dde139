"""Jobs of offline models: several outputs, texts, random numbers, a device, and a call that is long."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    ModelError,
    ModelMetadata,
    NonRealtimeBase,
    ParameterError,
    TextParameter,
    render_file,
    render_files,
)
from neutone_like.render import RenderInterrupted
from neutone_like.render.batch import PlanError
from support.batch_tools import TREE, artifact_of, contents, here, lines, make_tree
from support.cli_runner import FELL_SHORT, GOOD, Run, runner


class Splitter(NonRealtimeBase):
    """The input times ``gain`` with noise of its own, and what is left; the text decides which of the two is louder."""

    metadata = ModelMetadata(name="Splitter", authors=("Ada",), version="1.0.0", short_description="For tests")
    audio_in_channels = (2,)
    audio_out_channels = (2, 1)
    audio_out_labels = ("voice", "the rest")
    parameters = (
        ContinuousParameter("gain", default=1.0, minimum=0.0, maximum=4.0, smoothing_seconds=0.0),
        TextParameter("louder", default="voice", max_characters=10),
    )

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        x = audio_in[0] * numerical_params["gain"] + 0.01 * torch.randn(2, audio_in[0].size(1))
        if text_params[0] == "voice":
            x = 2.0 * x
        return [x, x.mean(0, keepdim=True)]


class Endless(NonRealtimeBase):
    """Computes until it is told not to, if so told."""

    metadata = ModelMetadata(name="Endless", authors=("Ada",), version="1.0.0", short_description="For tests")
    block_sizes = (1000,)
    parameters = (ContinuousParameter("endless", default=0.0),)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        x = audio_in[0]
        while float(numerical_params["endless"]) > 0.5 and not self.should_cancel_forward_pass():
            x = torch.sin(x)
        return [x]


class Mixer(NonRealtimeBase):
    """Two inputs."""

    metadata = ModelMetadata(name="Mixer", authors=("Ada",), version="1.0.0", short_description="For tests")
    audio_in_channels = (2, 2)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0] + audio_in[1]]


OUTPUTS = {f"{name[:-4]}.{label}.wav" for name in TREE for label in ("voice", "the-rest")}


@pytest.fixture(scope="module")
def splitter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Splitter(), tmp_path_factory.mktemp("splitter") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


def test_every_output_of_every_file(splitter: Path, tree: Path, tmp_path: Path) -> None:
    result = here(splitter, tree, tmp_path / "out", params={"gain": 0.5, "louder": "rest"})
    assert len(result.done) == 5
    assert set(contents(tmp_path / "out")) == OUTPUTS
    for name in TREE:
        x = soundfile.read(tree / name)[0]
        voice = soundfile.read(tmp_path / "out" / f"{name[:-4]}.voice.wav")[0]
        rest = soundfile.read(tmp_path / "out" / f"{name[:-4]}.the-rest.wav")[0]
        np.testing.assert_allclose(voice, 0.5 * x, atol=0.06)
        np.testing.assert_allclose(rest, voice.mean(1), atol=1e-6)
    (line,) = [line for line in lines(tmp_path / "out" / "manifest.jsonl") if line.get("input", "").endswith("one.wav")]
    assert [os.path.basename(each["location"]) for each in line["written"]] == ["one.voice.wav", "one.the-rest.wav"]


def test_the_same_bits_in_any_order_and_process(splitter: Path, tree: Path, tmp_path: Path) -> None:
    here(splitter, tree, tmp_path / "here")
    here(splitter, [tree / name for name in reversed(TREE)], tmp_path / "backwards")
    render_files(splitter, tree, tmp_path / "pool", workers=2, progress=False)
    assert contents(tmp_path / "here") == contents(tmp_path / "backwards") == contents(tmp_path / "pool")


def test_resume_wants_all_outputs_and_the_same_text(splitter: Path, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    here(splitter, tree, out)
    (out / "one.the-rest.wav").unlink()
    result = here(splitter, tree, out, resume=True)
    assert (len(result.done), len(result.skipped)) == (1, 4)
    result = here(splitter, tree, out, resume=True, params={"louder": "rest"})
    assert len(result.done) == 5


def test_leftovers_of_every_output_are_removed(splitter: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in (".one.voice.wav.0123abcd.part", ".one.the-rest.wav.0123abcd.part", ".one.wav.0123abcd.part"):
        (tmp_path / "out" / name).write_text("half")
    here(splitter, tree, tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {*OUTPUTS, ".one.wav.0123abcd.part"}


def test_an_output_may_not_be_another_input(splitter: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, ["x.wav", "x.voice.flac"], samples=100)
    with pytest.raises(PlanError, match=r"An output may not be one of the inputs: .*/x\.voice\.flac"):
        here(splitter, [tmp_path / "x.wav", tmp_path / "x.voice.flac"], tmp_path, file_format="flac")


def test_in_a_store(splitter: Path, tree: Path, tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.store.clear()
    here(splitter, tree, "memory://out")
    here(splitter, tree, tmp_path / "out")
    for name in OUTPUTS:
        assert store.cat_file(f"/out/{name}") == (tmp_path / "out" / name).read_bytes()
    store.store.clear()


def test_one_file_gives_what_render_file_gives(splitter: Path, tree: Path, tmp_path: Path) -> None:
    """Up to the noise, which a job seeds by the file."""
    here(splitter, tree / "one.wav", tmp_path / "job.wav", params={"gain": 2.0})
    render_file(splitter, tree / "one.wav", tmp_path / "alone.wav", params={"gain": 2.0}, progress=False)
    job, alone = (soundfile.read(tmp_path / f"{name}.voice.wav")[0] for name in ("job", "alone"))
    np.testing.assert_allclose(job, alone, atol=0.2)
    assert job.shape == alone.shape


def test_what_such_models_do_not_take(splitter: Path, tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="wet is a knob of live models, and this model is offline."):
        here(splitter, tree, tmp_path / "out", wet=0.5)
    with pytest.raises(ParameterError, match="allowed are up to 10 characters, got 11"):
        here(splitter, tree, tmp_path / "out", params={"louder": "a" * 11})
    mixer = artifact_of(Mixer(), tmp_path / "mixer")
    with pytest.raises(ModelError, match="Mixer has 2 inputs, and a job gives every file alone to a model of one"):
        here(mixer, tree, tmp_path / "out")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(run: Run, splitter: Path, tree: Path, tmp_path: Path) -> None:
    code, out, err = run("render", splitter, tree, tmp_path / "out", "--device", "cuda")
    assert (code, out) == (FELL_SHORT, "")
    assert err.startswith("Error: device: the model can't be moved to 'cuda': ")
    code, _, err = run("render", splitter, tree, tmp_path / "out", "--device", "toaster")
    assert "device: the model can't be moved to 'toaster'" in err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu(run: Run, splitter: Path, tree: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("render", splitter, tree, tmp_path / name, "--device", "cuda")[0] == GOOD
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.skipif(sys.platform == "win32", reason="counts on how POSIX ends processes")
def test_an_interruption_reaches_a_model_that_computes(tree: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        deadline = time.monotonic() + 600
        while not list((tmp_path / "out").glob(".*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        raise KeyboardInterrupt

    endless = artifact_of(Endless(), tmp_path / "endless")
    files = [tree / "none.wav", tree / "one.wav"]  # the first fails at once
    with pytest.raises(RenderInterrupted, match="0 of 2 files rendered, 1 failed, 1 are left"):
        render_files(endless, files, tmp_path / "out", params={"endless": 1.0}, workers=1, progress=interrupt)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.jsonl"]
