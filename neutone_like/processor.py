"""What the processor calls itself."""

import platform
from pathlib import Path


def processor_name() -> str:
    """Such as ``"AMD EPYC 7763"``."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
