"""Calls of an offline model that may take long: they can be watched, and stopped at any time."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from neutone_like import errors
from neutone_like.errors import ModelError, NeutoneLikeError
from neutone_like.render.model_stage import last_line
from neutone_like.render.offline_plugin import OfflinePlugin
from neutone_like.render.sharing import act_for, acting_thread
from neutone_like.render.torch_settings import evaluating

LOOK_SECONDS = 0.1

_OUR_ERROR = re.compile(r"neutone_like\.errors\.(?P<kind>\w+): (?P<message>.*)")


class Calls:
    """A model in a thread of its own, so that this one sees progress and Ctrl-C while the model computes.

    Attributes:
        compute_seconds: Time spent in the model.
    """

    def __init__(self, plugin: OfflinePlugin, executor: ThreadPoolExecutor, watch: Callable[[float], None]) -> None:
        self._plugin = plugin
        self._executor = executor
        self._watch = watch
        self.compute_seconds = 0.0

    def begin(self, samples: int) -> None:
        """Start a signal of so many samples."""
        plugin = self._plugin
        self._wait(lambda: plugin.player.begin(samples, plugin.texts, plugin.tokens), 0.0)

    def push(self, audio: Sequence[Tensor], params: Tensor | None, seconds: float) -> list[Tensor]:
        """See the wrapper; ``seconds`` is where in the audio this is."""
        return self._wait(lambda: self._plugin.player.push(list(audio), params), seconds)

    def finish(self, seconds: float) -> list[Tensor]:
        """See the wrapper."""
        return self._wait(self._plugin.player.finish, seconds)

    def _wait(self, call: Callable[[], Any], seconds: float) -> Any:
        start = time.perf_counter()
        future: Future[Any] = self._executor.submit(call)
        try:
            return self._result(future)
        except NeutoneLikeError:
            raise
        except Exception as error:  # whatever the user's model raises
            if future.done() and future.exception() is error:
                raise _translated(error, self._plugin.name, seconds) from error
            raise
        finally:
            self.compute_seconds += time.perf_counter() - start

    def _result(self, future: Future[Any]) -> Any:
        try:
            while True:
                try:
                    result = future.result(timeout=LOOK_SECONDS)
                except NotYet:
                    if future.done():
                        raise  # the model's own
                else:
                    self._watch(float(self._plugin.player.get_progress_percentage()))
                    return result
                self._watch(float(self._plugin.player.get_progress_percentage()))
        except BaseException:  # Ctrl-C, or a watcher that has seen enough: the model stops after its block
            if not future.done():
                self._plugin.player.request_cancel_forward_pass()
            raise


@contextmanager
def calling(plugin: OfflinePlugin, watch: Callable[[float], None]) -> Iterator[Calls]:
    """Open the thread; when the block ends the model computes no more and is reset.

    Args:
        plugin: The model.
        watch: Called in this thread now and then, with the progress in per cent.
    """
    threads = torch.get_num_threads()
    script_settings: Any = torch._C  # pyright: ignore[reportPrivateUsage]
    optimises = script_settings._get_graph_executor_optimize()

    thread = acting_thread()

    def prepare() -> None:  # these belong to a thread
        act_for(thread)
        torch.set_num_threads(threads)
        script_settings._set_graph_executor_optimize(optimises)
        torch.set_flush_denormal(True)
        torch.set_grad_enabled(False)

    try:
        with (
            evaluating(each for each in (plugin.player,) if isinstance(each, torch.nn.Module)),
            ThreadPoolExecutor(1, thread_name_prefix="neutone-like-render", initializer=prepare) as executor,
        ):
            yield Calls(plugin, executor, watch)
    finally:
        plugin.player.reset()


def _translated(error: Exception, name: str, seconds: float) -> NeutoneLikeError:
    """Scripted code raises TorchScript's own class; ours is in the text."""
    found = _OUR_ERROR.search(str(error))
    kind = getattr(errors, found["kind"], None) if found is not None else None
    if found is not None and isinstance(kind, type) and issubclass(kind, NeutoneLikeError):
        return kind(found["message"])
    return ModelError(f"{name} failed at {seconds:.3f} s of the audio: {last_line(error)}")
