"""Where the compiled parts are, and what to say when they are not there.

They are installed into this folder: the engine as the module ``_native``, the rest below ``native/``.
"""

from pathlib import Path

from neutone_like.errors import RuntimeEngineError

RUNTIME_FOLDER = Path(__file__).resolve().parent
NATIVE_FOLDER = RUNTIME_FOLDER / "native"
REINSTALL = (
    "Install a C++20 compiler (Debian and Ubuntu: apt-get install g++; macOS: xcode-select --install) and install "
    "neutone-like again: pip install --force-reinstall --no-deps --no-cache-dir neutone-like, or make native in a "
    "checkout."
)


def native_file(name: str) -> Path:
    """A compiled file other than the engine itself, by its name below ``native/``.

    Raises:
        RuntimeEngineError: It was not built.
    """
    path = NATIVE_FOLDER / name
    if not path.is_file():
        raise RuntimeEngineError(
            f"{name} is not in {NATIVE_FOLDER}: there was no working C++ compiler when neutone-like was installed. "
            f"{REINSTALL}"
        )
    return path


def native_sources() -> Path:
    """The folder with ``include/`` and ``backends/``: in the package once installed, beside it in a checkout.

    Raises:
        RuntimeEngineError: There is neither.
    """
    folders = (NATIVE_FOLDER, RUNTIME_FOLDER.parents[1] / "native")
    for folder in folders:
        if (folder / "include" / "neutone_like" / "backend.h").is_file():
            return folder
    raise RuntimeEngineError(f"The C++ sources of the backends are neither in {folders[0]} nor in {folders[1]}.")
