"""WebAssembly modules that play any compiled model: what web pages have instead of a library for each model.

One is for every browser. The other has relaxed SIMD, where a product and a sum are one instruction if the processor has
one for both; a page takes what its browser can. They are built on a developer's machine and come with the package, so
that nobody who makes a page needs a compiler.
"""

import hashlib
import re
from pathlib import Path

from neutone_like.errors import CompileError
from neutone_like.scratch_folder import scratch_folder
from neutone_like.targets.library import KERNEL_FLAGS, LANGUAGE, MEMORY_OF_WASM
from neutone_like.targets.native_code import KERNEL_TABLE, code_files, code_folder, interface_names, library_sources
from neutone_like.targets.target import TARGETS
from neutone_like.targets.zig import compile_with_zig, require_zig

SECTION = b"neutone_like sources"
_TARGET = TARGETS["wasm32"]
_EVERYWHERE = _TARGET.kernel_sets[0].cpu
PLAYERS = {"player.wasm": _EVERYWHERE, "player_relaxed.wasm": f"{_EVERYWHERE}+relaxed_simd"}
"""Their files, and the processor as the compiler calls it."""
_SMALL = ("-Os", "-fno-rtti", "-mllvm", "-disable-lsr")
"""Browsers compile it once more, and short loops leave them more registers: nothing is slower than with -O3, and some
networks are faster. Without LLVM's loop strength reduction addresses keep their offsets, which it turns into additions
that browsers leave in the loops of products."""
_OF_ONE_MODEL = "nl_compiled_open_builtin"


def build_web_players(folder: Path) -> None:
    """Compile them and write them into a folder, with the digest of their sources.

    Raises:
        CompileError: The compiler failed.
        MissingExtraError: It is not installed.
        OSError: A file can't be written.
    """
    require_zig()
    digest = _section(SECTION, sources_digest().encode())
    for name, cpu in PLAYERS.items():
        (folder / name).write_bytes(_built(cpu) + digest)


def _built(cpu: str) -> bytes:
    code = code_folder()
    language = [*LANGUAGE, *_SMALL, *_TARGET.flags, f"-I{code / 'include'}", f"-I{code / 'src'}", f"-mcpu={cpu}"]
    exports = [name for name in interface_names() if name != _OF_ONE_MODEL]
    with scratch_folder() as folder:
        kernels = [*KERNEL_FLAGS, "-DNEUTONE_LIKE_KERNELS=baseline", "-c", str(code / "src" / KERNEL_TABLE)]
        compile_with_zig(_TARGET.triple, [*language, *kernels, "-o", "kernels.o"], folder)
        linking = ["-DNL_SHARED_LIBRARY", "-DNEUTONE_LIKE_ONE_KERNEL_SET", "-s", *_TARGET.link_flags]
        linking += [f"-Wl,--export={name}" for name in (*exports, *MEMORY_OF_WASM)]
        sources = [*map(str, library_sources(code / "src")), "kernels.o"]
        compile_with_zig(_TARGET.triple, [*language, *linking, *sources, "-o", "player.wasm"], folder)
        return (folder / "player.wasm").read_bytes()


def sources_digest() -> str:
    """SHA-256 of all that it is made from, whatever the line ends."""
    code = code_folder()
    digest = hashlib.sha256()
    for path in code_files(code):
        digest.update(path.relative_to(code).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def digest_inside(player: bytes) -> str:
    """The digest of the sources that a module was made from.

    Raises:
        CompileError: It holds none.
    """
    found = re.search(re.escape(SECTION) + rb"([0-9a-f]{64})\Z", player)
    if found is None:
        raise CompileError("This file is no player that build_web_players made. Make it again: make web-player")
    return found[1].decode()


def _section(name: bytes, content: bytes) -> bytes:
    """A custom section of WebAssembly; both together below 128 bytes, so that a length is one byte."""
    body = bytes([len(name)]) + name + content
    return bytes([0, len(body)]) + body
