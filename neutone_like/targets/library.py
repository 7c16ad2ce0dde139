"""One library of one model for one platform."""

from pathlib import Path

from neutone_like.targets.model_files import ModelFiles
from neutone_like.targets.native_code import KERNEL_TABLE, code_folder, interface_names, library_sources
from neutone_like.targets.target import KernelSet, Target
from neutone_like.targets.zig import compile_with_zig

LANGUAGE = ("-std=c++20", "-O3", "-fvisibility=hidden", "-Wno-psabi")
KERNEL_FLAGS = (
    *("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fno-exceptions", "-fno-rtti", "-fno-builtin"),
    *("-fno-stack-protector", "-fno-asynchronous-unwind-tables"),
)
MEMORY_OF_WASM = ("malloc", "free")


def build_library(target: Target, files: ModelFiles, folder: Path) -> Path:
    """Compile it in ``folder``, which has the model's own files, and return it.

    Raises:
        CompileError: The compiler failed.
    """
    objects = [_kernels(target, kernel_set, files, folder) for kernel_set in target.kernel_sets]
    library = target.library.format(files.name)
    code = code_folder()
    arguments = [*LANGUAGE, *target.flags, *_includes(folder), "-DNL_SHARED_LIBRARY", "-s"]
    if len(target.kernel_sets) == 1:
        arguments.append("-DNEUTONE_LIKE_ONE_KERNEL_SET")
    arguments += [flag.format(files.name) for flag in target.link_flags]
    arguments += _exporting(target, [*interface_names(), f"{files.name}_open"], folder)
    sources = [*library_sources(code / "src"), folder / f"{files.name}.cpp"]
    compile_with_zig(target.triple, [*arguments, *map(str, sources), *objects, "-o", library], folder)
    return folder / library


def _exporting(target: Target, names: list[str], folder: Path) -> list[str]:
    """Flags for a library that shows these functions and no others, where the platform's linker has a way to say so.

    C++'s own, ``operator new`` above all, must stay its own: else a program's may take their place.
    """
    if target.name == "wasm32":
        return [f"-Wl,--export={name}" for name in (*names, *MEMORY_OF_WASM)]
    if target.library.endswith(".so"):
        versions = folder / "exports.map"
        versions.write_text("{ global: " + " ".join(f"{name};" for name in names) + " local: *; };\n", "utf-8")
        return [f"-Wl,--version-script={versions}"]
    return []


def _kernels(target: Target, kernel_set: KernelSet, files: ModelFiles, folder: Path) -> str:
    made = f"kernels_{kernel_set.name}.o"
    macros = [f"-DNEUTONE_LIKE_KERNELS={kernel_set.name}", f"-DNEUTONE_LIKE_USED_KERNELS={files.kernels:#x}"]
    flags = [*LANGUAGE, *KERNEL_FLAGS, *target.flags, f"-mcpu={kernel_set.cpu}", "-fPIC", *macros]
    source = code_folder() / "src" / KERNEL_TABLE
    compile_with_zig(target.triple, [*flags, *_includes(folder), "-c", source, "-o", made], folder)
    return made


def _includes(folder: Path) -> list[str]:
    code = code_folder()
    return [f"-I{code / 'include'}", f"-I{code / 'src'}", f"-I{folder}"]
