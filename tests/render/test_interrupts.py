"""Ctrl-C between any two steps: what was held is given back, and settings are as they were."""

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import SampleQueueWrapper, torch_settings, torch_threads
from neutone_like.render import Board, sharing
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from support.render_models import PureDelay

WATCHED = {each.__file__ for each in (torch_settings, torch_threads, sharing, contextlib)}
X = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 3000)).astype(np.float32)


def interrupted_after(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, and right behind it Ctrl-C."""

    def run(*arguments: Any, **named: Any) -> Any:
        call(*arguments, **named)
        raise KeyboardInterrupt

    return run


def test_a_wrapper_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = SampleQueueWrapper(PureDelay())
    x = torch.from_numpy(X)
    alone = wrapper.forward_offline(x)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "no_grad", interrupted_after(torch.no_grad))
        with pytest.raises(KeyboardInterrupt):
            wrapper.forward(x)
    assert torch.equal(wrapper.forward_offline(x), alone)


class Part:
    pass


PART = Part()


@pytest.mark.parametrize("held", [plain_settings, one_thread, lambda: sharing.using([PART], "It")])
def test_on_the_threshold_of_any_call(held: Callable[[], Any]) -> None:
    """Where Python looks whether Ctrl-C was pressed."""

    def now() -> tuple[Any, ...]:
        return torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(), dict(sharing.users.threads)

    before, dtype, threads, calls = sys.gettrace(), torch.get_default_dtype(), torch.get_num_threads(), 0
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)
    expected = now()
    try:
        for wanted in range(1, 100):
            calls = 0

            def interrupt(frame: Any, event: str, _: Any, wanted: int = wanted) -> None:
                nonlocal calls
                # What __del__ raises, Python itself puts aside.
                if frame.f_code.co_filename in WATCHED and frame.f_code.co_name != "__del__":
                    calls += 1
                    if calls == wanted:
                        raise KeyboardInterrupt

            sys.settrace(interrupt)
            try:  # and no suppress(), which is watched
                with held():
                    pass
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(before)
            assert now() == expected, f"after call {wanted}"
            if calls < wanted:
                break
        assert 2 <= calls < 99
    finally:
        sys.settrace(before)
        sharing.users.threads.clear()
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)


class InterruptedTable(dict[int, int]):
    def update(self, *given: Any, **named: Any) -> None:
        super().update(*given, **named)
        raise KeyboardInterrupt


def test_an_effect_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board([PureDelay()])
    alone = board(X, 48000)
    monkeypatch.setattr(sharing.users, "threads", InterruptedTable())
    with pytest.raises(KeyboardInterrupt):
        board(X, 48000)
    assert sharing.users.threads == {}
    monkeypatch.setattr(sharing.users, "threads", {})
    heard: list[Any] = []
    thread = threading.Thread(target=lambda: heard.append(board(X, 48000)))
    thread.start()
    thread.join(600)
    np.testing.assert_array_equal(heard[0], alone)


@pytest.mark.parametrize(
    ("settings", "name", "now", "other"),
    [
        (plain_settings, "set_default_dtype", torch.get_default_dtype, torch.float64),
        (one_thread, "set_num_threads", torch.get_num_threads, 2),
    ],
)
def test_settings_are_put_back(
    settings: Any, name: str, now: Callable[[], Any], other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, before = getattr(torch, name), now()
    change(other)
    try:
        called: list[Any] = []

        def once(value: Any) -> None:
            change(value)
            called.append(value)
            if len(called) == 1:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(torch, name, once)
            with pytest.raises(KeyboardInterrupt), settings():
                pass
        assert now() == other
        with settings():
            assert now() != other
    finally:
        change(before)
