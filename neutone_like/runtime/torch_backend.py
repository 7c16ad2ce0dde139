"""The libtorch backend that fits the installed torch.

TorchScript has no stable C interface, so each torch needs a backend that was built for it. Its file name says which:
``neutone_like_torch-2.13.0+cpu-abi1.so`` is for ``torch.__version__ == "2.13.0+cpu"``, built with the C++11 ABI.
"""

import os
import re
from pathlib import Path

import torch

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.native_files import NATIVE_FOLDER
from neutone_like.version import __version__

BUILD_COMMAND = "python -m neutone_like.runtime.build_torch_backend"
FILE_PATTERN = re.compile(r"neutone_like_torch-(?P<torch>.+)-abi(?P<abi>[01])\.so")


def torch_backend_path() -> Path:
    """The shared object to give to the engine; ``torch`` is imported by then, so that it finds libtorch loaded.

    Raises:
        RuntimeEngineError: None was built for the installed torch. The message says what was found, and the command
            that builds it.
    """
    built = built_torch_backend()
    if built is not None:
        return built
    folders = (NATIVE_FOLDER, user_folder())
    found = [match for folder in folders for match in map(FILE_PATTERN.fullmatch, _names(folder)) if match]
    built_for = ", ".join(_describe(match["torch"], match["abi"]) for match in found)
    state = f"was built for {built_for}" if found else "has not been built"
    raise RuntimeEngineError(
        f"The libtorch backend {state}, and the installed torch is {_describe(torch.__version__, _abi())}. Build it "
        f"for this torch, which takes a minute and needs a C++ compiler: {BUILD_COMMAND}"
    )


def built_torch_backend() -> Path | None:
    """The same, or None where none was built."""
    paths = (folder / backend_file_name() for folder in (NATIVE_FOLDER, user_folder()))
    return next((path for path in paths if path.is_file()), None)


def ensure_torch_backend() -> Path:
    """The same, built now where there is none, which takes a while; a line on stderr says so.

    Raises:
        RuntimeEngineError: There is none, and it can't be built: no compiler, or it failed.
    """
    built = built_torch_backend()
    if built is not None:
        return built
    # Here, because `python -m` would complain of a module that the package has imported already.
    from neutone_like.runtime.build_torch_backend import build_missing_torch_backend

    return build_missing_torch_backend()


def backend_file_name() -> str:
    """What the backend for the installed torch is called."""
    return f"neutone_like_torch-{torch.__version__}-abi{_abi()}.so"


def user_folder() -> Path:
    """Where a user who may not write into the package keeps backends for this version of it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "neutone-like" / __version__


def _abi() -> str:
    return str(int(torch.compiled_with_cxx11_abi()))


def _describe(version: str, abi: str) -> str:
    return f"torch {version}" if abi == "1" else f"torch {version} (with the C++ ABI from before C++11)"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.so"))
