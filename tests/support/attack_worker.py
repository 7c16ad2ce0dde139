"""Put attacks to the loader in processes of their own, where a crash, a hang or gigabytes do no harm, and judge.

    cd tests && python -m support.attack_worker 17 --keep attacked.nm   # what attack 17 is, what became of it; the file

A verdict is good where the loader raised an ``ArtifactError`` that a person can read, or gave a model that plays what
the original plays. Anything else is a failure: another exception, another sound, a crash, no answer in
``SECONDS_ALLOWED``, or memory above ``memory_allowed``.
"""

import argparse
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from support.attacks import Attack, attack_name, make_attack, read_originals
from support.places import PROJECT, TESTS

SECONDS_ALLOWED = 20.0
BACKSTOP_BYTES = 4 << 30
LONGEST_MESSAGE = 6000
_TMPFS = Path("/dev/shm")
_CLEAR_REFS = Path("/proc/self/clear_refs")  # Linux
_MIB = 1 << 20


def memory_allowed(file_bytes: int) -> int:
    """Bytes that reading, loading and playing a file may take beyond what the process had before."""
    return 64 * _MIB + 16 * file_bytes


@dataclass(frozen=True)
class Verdict:
    """What became of one attack. ``outcome`` is ``refused`` or ``played``; anything else is a failure."""

    seed: int
    attack: str
    original: str
    outcome: str
    message: str = ""
    seconds: float = 0.0
    memory_bytes: int = 0

    @property
    def good(self) -> bool:
        return self.outcome in ("refused", "played")

    def __str__(self) -> str:
        used = f"{self.seconds:.2f} s, {self.memory_bytes / _MIB:.0f} MiB"
        return (
            f"seed {self.seed}: {self.attack} on {self.original}: {self.outcome} ({used}) {self.message[:300]!r}\n"
            f"    repeat: cd tests && python -m support.attack_worker {self.seed}"
        )


# ---------------------------------------------------------------- in the worker


class Judge:
    """Loads attacked files and compares them with their originals."""

    def __init__(self, folder: Path) -> None:
        import torch

        torch.set_num_threads(1)
        self.folder = folder
        self.originals = read_originals()
        self._heard: dict[str, Any] = {}

    def expected(self, name: str) -> Any:
        """What the original plays, which is found out when it is first asked for."""
        if name not in self._heard:
            path = self.folder / "original.nm"
            path.write_bytes(self.originals[name].content)
            self._heard[name] = self.play(self.load(path), resampled=True)
        return self._heard[name]

    @staticmethod
    def load(path: Path, verify: bool = False) -> Any:
        from neutone_like.artifact import load_artifact

        return load_artifact(path, verify_test_vector=verify).module

    @staticmethod
    def play(module: Any, *, resampled: bool) -> Any:
        """A few blocks at the model's rate and, if asked, at another one."""
        import torch

        x = torch.rand(2, 1024, generator=torch.Generator().manual_seed(1)) - 0.5
        unoptimized: Any = torch.jit.optimized_execution  # pyright: ignore[reportPrivateImportUsage]
        channels = 1 if module.is_input_mono() else 2
        outputs: list[Any] = []
        for rate in (48000, 44100) if resampled else (48000,):
            module.set_daw_sample_rate_and_buffer_size(rate, 256)
            module.reset()
            with torch.no_grad(), unoptimized(False):
                outputs += [module.forward(block.contiguous()) for block in x[:channels].split(256, dim=1)]
        return torch.cat(outputs, dim=1)

    def judge(self, seed: int, attack: Attack) -> Verdict:
        path = self.folder / f"attack-{seed}.nm"
        path.write_bytes(attack.content)
        before = _reset_peak_memory()
        started = time.perf_counter()
        try:
            outcome, message = self._try(attack, path)
        except Exception as error:
            outcome, message = f"raised {type(error).__name__}", str(error)[:500]
        finally:
            path.unlink()
        seconds, memory = time.perf_counter() - started, _peak_memory() - before
        verdict = Verdict(seed, attack.name, attack.original, outcome, message, seconds, memory)
        if verdict.good and memory > memory_allowed(len(attack.content)):
            return replace(verdict, outcome="too much memory")
        return verdict

    def _try(self, attack: Attack, path: Path) -> tuple[str, str]:
        import torch

        from neutone_like import ArtifactError

        described = self._describe(path)
        try:
            module = self.load(path, attack.verify)
        except ArtifactError as error:
            complaint = _complain_about(str(error), path)
            return (complaint or "refused", str(error))
        if not described:
            return ("loaded what has no readable metadata", "")
        expected = self.expected(attack.original)
        heard = self.play(module, resampled=not attack.verify)
        # Of a sealed change only the test vector can know, and it allows for other processors.
        tolerance = 1e-3 if attack.verify else 0.0
        same = torch.allclose(heard, expected[:, : heard.size(1)], rtol=0.0, atol=tolerance)
        return ("played" if same else "silent change", "")

    @staticmethod
    def _describe(path: Path) -> bool:
        """As the command ``inspect`` does."""
        from rich.console import Console

        from neutone_like import ArtifactError
        from neutone_like.artifact import read_metadata
        from neutone_like.cli.metadata_tables import metadata_tables

        try:
            metadata = read_metadata(path)
        except ArtifactError:
            return False
        console = Console(file=StringIO(), width=100)
        console.print(*metadata_tables(metadata))
        json.loads(metadata.to_json(), parse_constant=_no_constant)
        return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} in the JSON that inspect prints")


def _complain_about(message: str, path: Path) -> str:
    """What is wrong with a refusal: it should name the file and fit on a page."""
    if str(path) not in message:
        return "message without the file's name"
    if len(message) > LONGEST_MESSAGE or len(message) < len(str(path)) + 15:
        return f"message of {len(message)} characters"
    if not all(character.isprintable() or character == "\n" for character in message):
        return "message that is not printable"
    return ""


def _reset_peak_memory() -> int:
    if _CLEAR_REFS.exists():
        _CLEAR_REFS.write_text("5")
    return _peak_memory()


def _peak_memory() -> int:
    """Most bytes resident since the last reset; 0 where the system does not tell."""
    if not _CLEAR_REFS.exists():
        return 0
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _sabotage(kind: str) -> None:
    """Loaders that are wrong in one way each: positive controls of the harness."""
    from neutone_like.artifact.reading import module_loading

    # Everything that load_artifact does goes through here.
    real: Callable[..., Any] = module_loading.load_script

    def instead(*given: Any) -> Any:
        if kind == "crashing":
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "hanging":
            time.sleep(600.0)
        if kind == "greedy":
            _ = bytearray(b"x") * (400 * _MIB)
        return real(*given)

    def skip(*_: Any) -> None:
        return None

    def raise_another(*_: Any) -> None:
        raise KeyError("contents")

    wrong: Any = module_loading
    wrong.load_script = instead
    if kind == "unchecked":
        wrong.check_contents = wrong.check_agreement = wrong.check_tensors = skip
    if kind == "raw":
        wrong.check_contents = raise_another


def work(seeds: Sequence[int], loader: str) -> None:
    """Judge these seeds; one line of JSON each, after a line that says which one is next."""
    resource.setrlimit(resource.RLIMIT_DATA, (BACKSTOP_BYTES, BACKSTOP_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from neutone_like.validate.conditions import optimiser

    with optimiser(False), tempfile.TemporaryDirectory(dir=_TMPFS if _TMPFS.is_dir() else None) as folder:
        judge = Judge(Path(folder))
        if loader != "ours":
            for seed in seeds:
                judge.expected(make_attack(seed, judge.originals).original)
            _sabotage(loader)
        for seed in seeds:
            attack = make_attack(seed, judge.originals)  # making it is not the loader's time
            judge.expected(attack.original)  # nor is loading the original
            print(json.dumps({"next": seed}), flush=True)
            print(json.dumps(asdict(judge.judge(seed, attack))), flush=True)


# ---------------------------------------------------------------- in the parent


def run(
    seeds: Sequence[int], *, loader: str = "ours", workers: int = 2, seconds_allowed: float = SECONDS_ALLOWED
) -> list[Verdict]:
    """A verdict for each seed."""
    shares = [seeds[index::workers] for index in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        shared = list(pool.map(lambda share: list(_run_share(list(share), loader, seconds_allowed)), shares))
    return sorted((verdict for verdicts in shared for verdict in verdicts), key=lambda verdict: verdict.seed)


def _run_share(seeds: list[int], loader: str, seconds_allowed: float) -> Iterator[Verdict]:
    while seeds:
        done = 0
        for verdict in _one_worker(seeds, loader, seconds_allowed):
            done += 1
            yield verdict
        if done == 0:
            raise RuntimeError(f"the worker for seeds from {seeds[0]} on ended without a verdict")
        seeds = seeds[done:]


def _one_worker(seeds: list[int], loader: str, seconds_allowed: float) -> Iterator[Verdict]:
    """Verdicts until all is done or the worker is lost; its loss is the last verdict."""
    command = [sys.executable, "-m", "support.attack_worker", "--loader", loader, "--work"]
    path = os.pathsep.join(filter(None, [str(PROJECT), str(TESTS), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(seeds))
    process.stdin.close()
    lines: queue.Queue[str] = queue.Queue()
    pump = threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True)
    pump.start()
    at: int | None = None
    try:
        while True:
            try:
                line = lines.get(timeout=600.0 if at is None else seconds_allowed)
            except queue.Empty:
                if at is not None:
                    yield Verdict(
                        at,
                        attack_name(at),
                        "one of them",
                        "hang",
                        f"no answer in {seconds_allowed:.0f} s",
                        seconds_allowed,
                    )
                return
            if not line:
                if at is not None:
                    yield Verdict(
                        at, attack_name(at), "one of them", "crash", f"the process ended with {process.wait()}"
                    )
                return
            content = json.loads(line)
            if "next" in content:
                at = content["next"]
            else:
                at = None
                yield Verdict(**content)
    finally:
        process.kill()
        process.wait()
        pump.join()
        process.stdout.close()


def _pump(stream: Any, lines: "queue.Queue[str]") -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", type=int, help="which attacks")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first N attacks")
    parser.add_argument("--keep", type=Path, help="write the last attacked file here")
    parser.add_argument(
        "--loader", default="ours", help="or one that is wrong: unchecked, crashing, hanging, greedy, raw"
    )
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(json.load(sys.stdin), options.loader)
        return
    seeds = options.seeds or range(options.first)
    if options.keep and seeds:
        options.keep.write_bytes(make_attack(seeds[-1], read_originals()).content)
    started = time.perf_counter()
    verdicts = run(seeds, loader=options.loader)
    shown = verdicts if options.seeds else [verdict for verdict in verdicts if not verdict.good]
    for verdict in shown:
        print(verdict)
    outcomes: dict[str, int] = {}
    for verdict in verdicts:
        outcomes[verdict.outcome] = outcomes.get(verdict.outcome, 0) + 1
    memory = max((verdict.memory_bytes for verdict in verdicts), default=0) / _MIB
    slowest = max((verdict.seconds for verdict in verdicts), default=0.0)
    total = time.perf_counter() - started
    print(f"{outcomes}; most memory {memory:.0f} MiB; slowest {slowest:.2f} s; {total:.0f} s in all")
    sys.exit(any(not verdict.good for verdict in verdicts))


if __name__ == "__main__":
    main()
