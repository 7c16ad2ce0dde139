"""Effects that several threads, streams or processes share: the samples of one that plays alone, or a refusal."""

import copy
import os
import pickle
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import (
    ArtifactError,
    AudioError,
    ModelError,
    NonRealtimeSampleQueueWrapper,
    SampleQueueWrapper,
    WaveformToWaveformBase,
    load_artifact,
)
from neutone_like.artifact import write_artifact
from neutone_like.render import Board, ModelPlugin, OfflinePlugin, render_file
from support.offline_models import WholeDelay
from support.render_models import Echo, PureDelay, Volume, metadata

Audio = npt.NDArray[np.float32]
SOUNDS = [np.random.default_rng(seed).uniform(-0.5, 0.5, (2, 60_000)).astype(np.float32) for seed in range(3)]


class OneLate(WaveformToWaveformBase):
    """Gives the last sample of the block before first: a mixture of two signals shows at once."""

    metadata = metadata("One late")

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.last = torch.zeros(2, 1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.last, x), 1)
        self.last = x[:, -1:].clone()
        return joined[:, :-1]

    @torch.jit.export
    def reset_model(self) -> None:
        self.last = torch.zeros(2, 1)


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """All at the same time, each in a thread of its own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_a_control_mixes_what_is_not_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without holding the effects, two calls in each other's midst give other samples, or are noticed."""
    board = Board([OneLate()])
    alone = board(SOUNDS[0], 48000)
    stage = board.open_stream(48000, 2, 512)
    first = stage.push(SOUNDS[0][:, :30_000])
    board.open_stream(48000, 2, 512).push(SOUNDS[1])
    monkeypatch.setattr("neutone_like.render.model_stage.require_stream", lambda *given: None)
    mixed = np.concatenate((first, stage.push(SOUNDS[0][:, 30_000:]), stage.finish()), axis=1)
    assert float(np.abs(mixed - alone).max()) > 0.01


@pytest.mark.parametrize("inside", [lambda: [OneLate()], lambda: [pedalboard.Reverb(), PureDelay((44100,))]])
def test_threads_that_share_a_board(inside: Callable[[], list[Any]]) -> None:
    board = Board(inside())
    alone = [board(x, 48000, buffer_size=512) for x in SOUNDS]
    shared = together([lambda x=x: board(x, 48000, buffer_size=512) for x in SOUNDS])
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


def test_boards_that_share_an_effect() -> None:
    effect, plugin = pedalboard.Delay(0.01), ModelPlugin(OneLate())
    boards = [Board([effect, plugin]), Board([pedalboard.Chain([effect])]), Board([plugin])]
    alone = [board(x, 48000, buffer_size=512) for board, x in zip(boards, SOUNDS, strict=True)]
    calls = [lambda b=b, x=x: b(x, 48000, buffer_size=512) for b, x in zip(boards, SOUNDS, strict=True)]
    for one, other in zip(alone, together(calls), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "model",
    [
        SampleQueueWrapper(OneLate()),
        ModelPlugin(OneLate()),
        Board([OneLate()]),
        NonRealtimeSampleQueueWrapper(WholeDelay(delay=37, block_sizes=(480,))),
        OfflinePlugin(WholeDelay(delay=37)),
    ],
)
def test_files_rendered_with_one_model_at_the_same_time(tmp_path: Path, model: Any) -> None:
    for index, x in enumerate(SOUNDS):
        soundfile.write(tmp_path / f"{index}.wav", x.T, 48000, subtype="FLOAT")

    def render(index: int, name: str) -> bytes:
        render_file(model, tmp_path / f"{index}.wav", tmp_path / name, progress=False)
        return (tmp_path / name).read_bytes()

    alone = [render(index, f"alone{index}.wav") for index in range(3)]
    assert together([lambda i=i: render(i, f"shared{i}.wav") for i in range(3)]) == alone


def test_two_wrappers_of_one_model(tmp_path: Path) -> None:
    model = OneLate()
    boards = [Board([SampleQueueWrapper(model)]) for _ in range(3)]
    alone = [boards[0](x, 48000, buffer_size=512) for x in SOUNDS]
    shared = together([lambda b=b, x=x: b(x, 48000, buffer_size=512) for b, x in zip(boards, SOUNDS, strict=True)])
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


def in_a_thread(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda board: board(SOUNDS[1], 48000),
        lambda board: board.open_stream(48000, 2, 512),
    ],
)
def test_a_stream_belongs_to_its_thread(meanwhile: Callable[[Board], Any]) -> None:
    board = Board([OneLate()])
    board(SOUNDS[0], 48000, reset=False)
    with pytest.raises(AudioError, match=r"Another thread has begun a stream .* Call reset\(\) first, or use a Board"):
        in_a_thread(lambda: board(SOUNDS[1], 48000, reset=False))
    in_a_thread(lambda: meanwhile(board))
    for call in (lambda: board(SOUNDS[0], 48000, reset=False), board.flush):
        with pytest.raises(AudioError, match="Another thread"):
            call()
    board.reset()
    begun = board(SOUNDS[0], 48000, reset=False)
    np.testing.assert_array_equal(begun, board(SOUNDS[0], 48000)[:, : begun.shape[1]])


def test_a_board_is_reset_in_the_midst_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """That call ends as it would have, and the next one begins anew."""
    board = Board([OneLate()])
    alone = board(SOUNDS[0][:, :3000], 48000, buffer_size=500)
    board.reset()
    first = board(SOUNDS[0][:, :1500], 48000, buffer_size=500, reset=False)
    with monkeypatch.context() as patch:
        patch.setattr("neutone_like.render.board.require_finite", lambda *given: board.reset())
        second = board(SOUNDS[0][:, 1500:3000], 48000, buffer_size=500, reset=False)
    np.testing.assert_array_equal(np.concatenate((first, second), 1), alone[:, : first.shape[1] + second.shape[1]])
    again = board(SOUNDS[0][:, :1500], 48000, buffer_size=500, reset=False)
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("effect", [ModelPlugin(Echo()), pedalboard.Delay(0.01)])
def test_a_stream_whose_effect_another_board_used_is_over(effect: Any) -> None:
    board, other = Board([effect]), Board([effect])
    board(SOUNDS[0], 48000, buffer_size=512, reset=False)
    other(SOUNDS[1], 48000)
    with pytest.raises(ModelError, match=r"keeps state, and another render or stream has used it"):
        board(SOUNDS[0], 48000, buffer_size=512, reset=False)
    board.reset()
    board(SOUNDS[0], 48000, buffer_size=512, reset=False)


@pytest.mark.parametrize("model", [Board([OneLate()]), OfflinePlugin(WholeDelay())])
def test_a_progress_function_can_t_render_with_what_reports_to_it(tmp_path: Path, model: Any) -> None:
    soundfile.write(tmp_path / "in.wav", SOUNDS[0].T, 48000)

    def again(done: int, total: int) -> None:
        render_file(model, tmp_path / "in.wav", tmp_path / "inner.wav", progress=False)

    with pytest.raises(ModelError, match="is at work in this thread already"):
        render_file(model, tmp_path / "in.wav", tmp_path / "out.wav", progress=again)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav"]
    render_file(model, tmp_path / "in.wav", tmp_path / "out.wav", progress=False)  # nothing is held any more


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_it_has_not(tmp_path: Path) -> None:
    board = Board([PureDelay()])
    alone = board(SOUNDS[0], 48000)
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with board.in_use():
            inside.set()
            go_on.wait(600)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(600)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if np.array_equal(board(SOUNDS[0], 48000), alone) else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    go_on.set()
    holder.join()
    assert status == 0


@pytest.fixture(scope="module")
def artifact_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artifact(Volume(nn.Identity()), tmp_path_factory.mktemp("volume"), render_samples=False).model_path


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_play_the_same_with_a_state_of_their_own(artifact_path: Path, again: Callable[[Any], Any]) -> None:
    artifact = load_artifact(artifact_path)
    assert again(artifact).metadata == artifact.metadata
    assert again(artifact).module is not artifact.module
    plugin = again(ModelPlugin(artifact, {"gain": 2.0}, output_gain_db=6.0))
    expected = Board([ModelPlugin(artifact, {"gain": 2.0}, output_gain_db=6.0)])(SOUNDS[0], 48000)
    np.testing.assert_array_equal(Board([plugin])(SOUNDS[0], 48000), expected)
    board = Board([ModelPlugin(OneLate()), Board([ModelPlugin(artifact_path)])])
    np.testing.assert_array_equal(again(board)(SOUNDS[0], 48000), board(SOUNDS[0], 48000))
    offline = again(OfflinePlugin(WholeDelay(delay=3)))
    assert (offline.name, offline.out_labels) == ("Whole delay", ("output",))


def test_what_can_t_be_copied_says_so(artifact_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=re.escape("pedalboard's Reverb on it can't. Make the board anew")):
        pickle.dumps(Board([pedalboard.Reverb(), Board([artifact_path])]))
    moved = tmp_path / "model.nm"
    moved.write_bytes(artifact_path.read_bytes())
    content = pickle.dumps(load_artifact(moved))
    moved.unlink()
    with pytest.raises(ArtifactError, match=re.escape(str(moved))):
        pickle.loads(content)
