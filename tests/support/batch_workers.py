"""Worker processes that misbehave: what a pool starts instead of its own, in a fresh interpreter."""

import os
import signal
import time
from multiprocessing.connection import Connection
from typing import Any

from neutone_like.render.batch import pool
from neutone_like.render.batch.player import Job

whole_render_task = pool.render_task


def stillborn(connection: Connection, job: Job) -> None:
    """Ends before it has loaded anything."""
    os._exit(3)


def dying(connection: Connection, job: Job) -> None:
    """Is killed by every file called bomb.wav."""

    def render(player: Any, task: Any, **options: Any) -> Any:
        if task.item.input.endswith("bomb.wav"):
            os.kill(os.getpid(), signal.SIGKILL)
        return whole_render_task(player, task, **options)

    pool.render_task = render
    pool._serve(connection, job)  # pyright: ignore[reportPrivateUsage]


def dying_once(connection: Connection, job: Job) -> None:
    """Is killed by the first file called bomb.wav that it is given, half-way through writing."""

    def render(player: Any, task: Any, **options: Any) -> Any:
        output = task.item.output
        scar = f"{output}.scar"
        if output.endswith("bomb.wav") and not os.path.exists(scar):
            open(scar, "w").close()
            open(f"{os.path.dirname(output)}/.bomb.wav.01234567.part", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return whole_render_task(player, task, **options)

    pool.render_task = render
    pool._serve(connection, job)  # pyright: ignore[reportPrivateUsage]


def stuck(connection: Connection, job: Job) -> None:
    """Hears nothing while it renders stuck.wav."""

    def render(player: Any, task: Any, **options: Any) -> Any:
        if task.item.input.endswith("stuck.wav"):
            open(f"{os.path.dirname(task.item.output)}/.stuck.wav.01234567.part", "w").close()
            time.sleep(600)
        return whole_render_task(player, task, **options)

    pool.render_task = render
    pool._serve(connection, job)  # pyright: ignore[reportPrivateUsage]


def killed_once_at_its_start(connection: Connection, job: Job) -> None:
    """The first worker is killed before it has loaded anything."""
    try:
        (job.scratch / "scar").touch(exist_ok=False)
    except FileExistsError:
        pool._serve(connection, job)  # pyright: ignore[reportPrivateUsage]
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def killed_at_its_start(connection: Connection, job: Job) -> None:
    """As where memory is too small for even one."""
    os.kill(os.getpid(), signal.SIGKILL)
