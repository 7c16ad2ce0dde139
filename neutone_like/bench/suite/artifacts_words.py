"""Tables of whole artifacts, and of the emulated processor."""

from typing import Any

from neutone_like.bench.suite.written import Written


def live_matrix(frame: Any, value: str) -> Written | None:
    """Artifact by block and rate: ``"latency"`` or ``"cpu"``."""
    if not len(frame):
        return None
    settings = sorted({(int(rate), int(block)) for rate, block in zip(frame["host_rate"], frame["block"], strict=True)})
    rows: list[tuple[str, ...]] = []
    for (model, engine), group in frame.groupby(["model", "engine"]):
        by_setting = {(int(row["host_rate"]), int(row["block"])): row for _, row in group.iterrows()}
        cells = [_cell(by_setting.get(setting), value) for setting in settings]
        rows.append((str(model), str(engine), *cells))
    head = ("artifact", "played by", *(f"{rate / 1000:g} k / {block}" for rate, block in settings))
    if value == "latency":
        words = (
            "Milliseconds from a sample that goes in to what it causes: on a worker, in brackets in the callback, "
            "by host rate and block. Rate conversion, buffering to the model's block, the model's own delay and the "
            "block that a worker has are in it. The reported latency is the measured one: validation holds it to 0.05 "
            "samples."
        )
        return Written("Latency of whole artifacts", words, head, tuple(rows))
    words = (
        "Processor time of the worker and of the callback together, in per cent of one processor, at real deadlines; "
        "behind it what was missing of all samples, where something was. Waking up is in it, which costs short blocks "
        "as much as their models do."
    )
    return Written("Processor time of whole artifacts", words, head, tuple(rows))


def _cell(row: Any, value: str) -> str:
    if row is None:
        return ""
    if value == "latency":
        worker, inline = (
            1000.0 * row[name] / row["host_rate"] for name in ("latency_samples", "inline_latency_samples")
        )
        return f"{worker:.1f} ({inline:.1f})"
    missing = f", {row['missing_samples'] / row['samples']:.1%} missing" if row["missing_samples"] else ""
    return f"{100.0 * row['cpu_share']:.1f}{missing}"


def offline_table(frame: Any) -> Written | None:
    """Models of whole files."""
    if not len(frame):
        return None
    rows = tuple(
        (
            row["model"], row["played_by"], str(row["host_rate"]), f"{row['audio_seconds']:.1f}",
            f"{row['first_seconds']:.2f}", f"{row['compute_seconds']:.2f}", f"{100.0 * row['cpu_share']:.0f} %",
        )
        for _, row in frame.sort_values(["model", "host_rate"]).iterrows()
    )  # fmt: skip
    words = (
        "They take or make whole files, so that blocks and latency mean nothing: time for a file of noise, on one "
        "thread. TorchScript compiles in its first two files, of which the second is the later one here."
    )
    head = ("artifact", "played by", "file Hz", "seconds of audio", "first file s", "later ones s", "of real time")
    return Written("Offline artifacts", words, head, rows)


def aarch64_table(frame: Any) -> Written | None:
    """Correctness and safety under emulation."""
    if not len(frame):
        return None
    counts = ("allocations", "frees", "system calls")
    rows = tuple(
        (
            row["model"], row["kernels"], f"{row['largest_difference']:.1e}", "yes" if row["same_latency"] else "no",
            str(row["blocks"]), *(str(row["in_all"][name]) for name in counts),
            "; ".join(f"{row['control'][name]} {name}" for name in counts),
        )
        for _, row in frame.sort_values("model").iterrows()
    )  # fmt: skip
    words = (
        "The compiled library for aarch64 under qemu-user: correctness and safety only. An emulator's times say "
        "nothing of a processor, and none were taken. Only compiled models run there. The control "
        "allocates, frees and calls the system once in every block, so that a count that can't rise would show."
    )
    head = ("network", "kernels", "largest difference, of the peak", "same latency", "blocks", *counts, "control")
    return Written("Another processor: aarch64", words, head, rows)
