"""The plugin's binary for another platform, compiled by ``ziglang`` and kept in the user's cache folder."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from neutone_like.plugin.platforms import Platform
from neutone_like.runtime.torch_backend import user_folder
from neutone_like.scratch_folder import scratch_folder
from neutone_like.targets.library import KERNEL_FLAGS, LANGUAGE
from neutone_like.targets.native_code import KERNEL_TABLE, code_files, code_folder, library_sources
from neutone_like.targets.zig import compile_with_zig, require_zig
from neutone_like.whole_file import write_whole


def cross_binary(platform: Platform) -> bytes:
    """Compile it, which takes minutes, unless the same sources were compiled before.

    Raises:
        CompileError: The compiler failed.
        MissingExtraError: It is not installed.
        OSError: The cache folder can't be written.
    """
    require_zig("neutone-like plugin --target")
    kept = user_folder() / f"plugin-{platform.name}-{_digest()[:16]}.bin"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, _compiled(platform))
    return kept.read_bytes()


def _compiled(platform: Platform) -> bytes:
    target, code = platform.target, code_folder()
    language = [*LANGUAGE, *target.flags, f"-I{code / 'include'}", f"-I{code / 'src'}"]
    with scratch_folder() as folder:
        objects: list[str] = []
        for kernels in target.kernel_sets:
            objects.append(f"kernels_{kernels.name}.o")
            flags = [*KERNEL_FLAGS, f"-mcpu={kernels.cpu}", "-fPIC", f"-DNEUTONE_LIKE_KERNELS={kernels.name}"]
            source = str(code / "src" / KERNEL_TABLE)
            compile_with_zig(target.triple, [*language, *flags, "-c", source, "-o", objects[-1]], folder)
        linking = ["-shared", "-s", *_linking(platform, code)]
        if len(objects) == 1:
            linking.append("-DNEUTONE_LIKE_ONE_KERNEL_SET")
        sources = [*library_sources(code / "src"), *sorted((code / "plugin").rglob("*.cpp"))]
        compile_with_zig(target.triple, [*language, *linking, *map(str, sources), *objects, "-o", "plugin"], folder)
        return (folder / "plugin").read_bytes()


def _linking(platform: Platform, code: Path) -> list[str]:
    if platform.is_mac or platform.lv2_ending == ".dll":
        return []
    versions = code / "plugin" / "exports.map"
    return ["-fPIC", "-Wl,-Bsymbolic", f"-Wl,--version-script={versions}", "-lpthread", "-ldl"]


def _digest() -> str:
    """SHA-256 of all that it is made from."""
    code = code_folder()
    digest = hashlib.sha256(version("ziglang").encode())
    own = (each for room in ("plugin", "src/digest") for each in (code / room).rglob("*") if each.is_file())
    for path in (*code_files(code), *sorted(own)):
        digest.update(path.relative_to(code).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
