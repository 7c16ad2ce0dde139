"""Progress and cancelling, seen from the thread that computes and from another."""

import copy
import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import NonRealtimeBase, NonRealtimeSampleQueueWrapper
from support.host_models import noise
from support.offline_models import AllKinds, WholeDelay, metadata, scripted, three_ways
from support.offline_models import without_the_optimiser as without_the_optimiser


class Worker(NonRealtimeBase):
    """Counts its calls and notes the progress. ``waits_at`` is the block in which it waits to be cancelled."""

    metadata = metadata("Worker")
    seen: list[float]

    def __init__(self, one_shot: bool = False, tells: bool = False, waits_at: int = -1, effort: int = 0) -> None:
        self.block_sizes = () if one_shot else (100,)
        super().__init__(nn.Identity())
        self.one_shot = one_shot
        self.tells = tells
        self.waits_at = waits_at
        self.effort = effort
        self.calls = 0
        self.resets = 0
        self.seen = []
        self.matrix = torch.eye(64)

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def reset_model(self) -> None:
        self.resets += 1

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        self.calls += 1
        self.seen.append(self.get_progress_percentage())
        if self.tells:
            for step in (10.0, 50.0, 30.0, 200.0, -5.0):  # backwards and out of range too
                self.set_progress_percentage(step)
                self.seen.append(self.get_progress_percentage())
        x = self.matrix
        for _ in range(self.effort):
            x = torch.mm(x, self.matrix)
        while curr_block_idx == self.waits_at:
            if self.should_cancel_forward_pass():
                return []
        return [audio_in[0] * x[0, 0]]


def inside(wrapper: NonRealtimeSampleQueueWrapper) -> Any:
    return wrapper.nrb


def in_a_thread(wrapper: NonRealtimeSampleQueueWrapper, x: Tensor) -> tuple[threading.Thread, list[list[Tensor]]]:
    results: list[list[Tensor]] = []
    thread = threading.Thread(target=lambda: results.append(wrapper.forward([x])))
    thread.start()
    return thread, results


@pytest.mark.parametrize("tells", [False, True])
def test_progress_covers_all_blocks(tells: bool) -> None:
    for name, wrapper in three_ways(Worker(tells=tells)).items():
        for _ in range(2):
            start = len(inside(wrapper).seen)
            assert len(wrapper.forward([noise(1000)])) == 1
            assert wrapper.get_progress_percentage() == 100.0, name
            seen = list(inside(wrapper).seen[start:])
            if tells:
                steps = [0.0, 1.0, 5.0, 5.0, 10.0, 10.0]
                expected = [10.0 * block + step for block in range(10) for step in steps]
            else:
                expected = [10.0 * block for block in range(10)]
            assert seen == pytest.approx(expected), name
            assert seen == sorted(seen), name
        assert wrapper.has_progress_percentage()


@pytest.mark.parametrize("tells", [False, True])
def test_progress_of_one_call(tells: bool) -> None:
    wrapper = scripted(Worker(one_shot=True, tells=tells))
    wrapper.forward([noise(1000)])
    assert list(inside(wrapper).seen) == ([0.0, 10.0, 50.0, 50.0, 100.0, 100.0] if tells else [0.0])
    assert wrapper.get_progress_percentage() == 100.0
    assert not wrapper.has_progress_percentage()  # the model says nothing of it


def test_progress_of_pieces() -> None:
    wrapper = scripted(Worker())
    x = noise(40000)
    for total, expected in ((40000, 40.0), (0, 0.0)):
        wrapper.begin(total)
        assert wrapper.get_progress_percentage() == 0.0
        wrapper.push([x[:, :16384]])
        assert wrapper.get_progress_percentage() == pytest.approx(expected, abs=1.0)
        wrapper.push([x[:, 16384:]])
        wrapper.finish()
        assert wrapper.get_progress_percentage() == 100.0


@pytest.mark.parametrize("told", [10, 400000])
def test_a_wrong_total_spoils_nothing(told: int) -> None:
    wrapper = scripted(Worker())
    wrapper.begin(told)
    (first,) = wrapper.push([noise(1000)])
    (rest,) = wrapper.finish()
    assert first.size(1) + rest.size(1) == 1000
    seen = list(inside(wrapper).seen)
    assert seen == sorted(seen)
    assert seen[-1] <= 100.0
    assert wrapper.get_progress_percentage() == 100.0


def test_progress_as_another_thread_sees_it() -> None:
    wrapper = scripted(Worker(tells=True, effort=20))
    thread, results = in_a_thread(wrapper, noise(100_000))
    polled = [wrapper.get_progress_percentage()]
    while thread.is_alive():
        polled.append(wrapper.get_progress_percentage())
    thread.join()
    assert results[0][0].size(1) == 100_000
    during = polled[polled.index(0.0) :] if 0.0 in polled else polled
    assert during == sorted(during)
    assert len(set(polled)) > 5  # it was watched while it moved
    assert wrapper.get_progress_percentage() == 100.0


@pytest.mark.parametrize("one_shot", [False, True])
def test_a_model_that_asks_stops_at_once(one_shot: bool) -> None:
    waits_at = 0 if one_shot else 5
    wrapper = scripted(Worker(one_shot, waits_at=waits_at))
    thread, results = in_a_thread(wrapper, noise(2000))
    wrapper.request_cancel_forward_pass()  # before the block, or while it waits: it would wait for ever
    thread.join()
    assert results == [[]]
    assert inside(wrapper).calls <= waits_at + 1
    assert not wrapper.should_cancel_forward_pass()
    assert wrapper.get_progress_percentage() < 100.0


def test_a_model_that_never_asks_stops_after_its_block() -> None:
    wrapper = scripted(Worker(effort=400))
    blocks = 3000
    thread, results = in_a_thread(wrapper, noise(100 * blocks))
    while wrapper.get_progress_percentage() == 0.0:
        pass
    wrapper.request_cancel_forward_pass()
    at_request = inside(wrapper).calls
    thread.join()
    assert results == [[]]
    assert 0 < inside(wrapper).calls <= at_request + 1 < blocks


def test_after_cancelling_all_begins_anew() -> None:
    for name, wrapper in three_ways(WholeDelay(7, block_sizes=(100,))).items():
        x = noise(1000)
        (expected,) = wrapper.forward([x])
        wrapper.request_cancel_forward_pass()
        assert wrapper.should_cancel_forward_pass()
        assert wrapper.forward([x]) == [], name  # a request made before counts for the next one
        assert torch.equal(wrapper.forward([x])[0], expected), name
        wrapper.request_cancel_forward_pass()
        wrapper.reset()
        assert torch.equal(wrapper.forward([x])[0], expected), name


def test_cancelling_between_pieces() -> None:
    wrapper = scripted(WholeDelay(block_sizes=(100,)))
    x = noise(1000)
    wrapper.begin(3000)
    assert len(wrapper.push([x])) == 1
    wrapper.request_cancel_forward_pass()
    assert wrapper.push([x]) == []
    assert not wrapper.should_cancel_forward_pass()
    assert wrapper.push([x]) == []  # what is cancelled stays so, until something else begins
    assert wrapper.finish() == []
    wrapper.begin(1000)
    wrapper.push([x])
    wrapper.request_cancel_forward_pass()
    assert wrapper.finish() == []
    assert torch.equal(wrapper.forward([x])[0], x)


def test_reset_leaves_nothing() -> None:
    def state(wrapper: NonRealtimeSampleQueueWrapper) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, module in wrapper.named_modules():
            for key, value in vars(module).items():
                if key == "turn":
                    found[f"{name}.{key}"] = value.inside
                elif key not in ("_modules", "_parameters", "_buffers", "about"):
                    found[f"{name}.{key}"] = value.tolist() if isinstance(value, Tensor) else copy.deepcopy(value)
        return found

    wrapper = NonRealtimeSampleQueueWrapper(AllKinds())
    fresh = state(wrapper)
    assert len(fresh) > 100
    wrapper.begin(5000, ["a"], [[1]])
    wrapper.push([noise(30000)], torch.rand(2, 30000))
    wrapper.request_cancel_forward_pass()
    changed = state(wrapper)
    different = {name for name, value in fresh.items() if changed[name] != value}
    assert {
        "nrb.cancel_requested",
        "nrb.progress_percentage",
        "caller.texts",
        "caller.tokens",
        "params.track.position",
    } <= different
    wrapper.reset()
    assert state(wrapper) == fresh
