"""Where and how something was measured: printed under every table."""

import os
import platform

import torch

from neutone_like.processor import processor_name
from neutone_like.version import __version__


def machine_conditions() -> dict[str, str]:
    """The machine, the software, and how busy the machine was when asked."""
    conditions = {
        "processor": processor_name(),
        "logical processors": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "neutone-like": __version__,
        "threads": "1",
    }
    if hasattr(os, "getloadavg"):
        conditions["load of the last minute"] = f"{os.getloadavg()[0]:.1f}"
    return conditions


def conditions_line(conditions: dict[str, str]) -> str:
    """The same in one line."""
    return "; ".join(f"{name} {value}" for name, value in conditions.items())
