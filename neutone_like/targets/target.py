"""The platforms that libraries are made for."""

from collections.abc import Iterable
from dataclasses import dataclass

from neutone_like.errors import CompileError


@dataclass(frozen=True)
class KernelSet:
    """Kernels for one instruction set: their name in C++, and the processor as the compiler calls it."""

    name: str
    cpu: str


@dataclass(frozen=True)
class Target:
    """A platform.

    Attributes:
        name: As the command line has it.
        triple: As the compiler has it. Linux: with the oldest glibc that the library still runs on.
        library: The library's file name, with ``{}`` for the model's.
        kernel_sets: The first one for every processor of the platform; a better one is chosen when a model is opened.
        flags: For everything that is compiled.
        link_flags: With ``{}`` for the model's name.
    """

    name: str
    triple: str
    library: str
    kernel_sets: tuple[KernelSet, ...]
    flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()


_X86_64 = (KernelSet("baseline", "x86_64_v2"), KernelSet("v3", "x86_64_v3"), KernelSet("v4", "x86_64_v4"))
_LINUX = ("-shared", "-fPIC", "-Wl,-Bsymbolic")

TARGETS = {
    target.name: target
    for target in (
        Target("x86_64-linux", "x86_64-linux-gnu.2.17", "lib{}.so", _X86_64, link_flags=_LINUX),
        Target("aarch64-linux", "aarch64-linux-gnu.2.17", "lib{}.so", (KernelSet("baseline", "generic"),), (), _LINUX),
        Target("x86_64-windows", "x86_64-windows-gnu", "{}.dll", _X86_64, (), ("-shared", "-Wl,--out-implib,{}.lib")),
        Target(
            "aarch64-macos",
            "aarch64-macos",
            "lib{}.dylib",
            (KernelSet("baseline", "apple_m1"),),
            (),
            ("-shared", "-Wl,-install_name,@rpath/lib{}.dylib"),
        ),
        Target(
            "wasm32",
            "wasm32-wasi",
            "{}.wasm",
            (KernelSet("baseline", "generic+simd128"),),
            ("-fno-exceptions",),
            ("-mexec-model=reactor",),
        ),
    )
}


def targets_named(names: Iterable[str]) -> tuple[Target, ...]:
    """The platforms of these names, each once.

    Raises:
        CompileError: There is no such platform.
    """
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        raise CompileError(f"There is no target {unknown[0]!r}; there are {', '.join(TARGETS)}.")
    return tuple(TARGETS[name] for name in dict.fromkeys(names))
