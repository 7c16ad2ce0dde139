"""A model as C++ source: a folder that any C++20 compiler builds."""

import shutil
from pathlib import Path

from neutone_like.targets.model_files import ModelFiles
from neutone_like.targets.native_code import HEADERS, code_folder, copy_headers, copy_sources

EXAMPLE = "compiled.c"

_README = """# {name}

The model as C++20 source that needs no other library. `include/neutone_like/compiled.h` says how it is played,
`{name}.h` has its facts and parameters, `{example}` plays it.

For the processor at hand, with GCC or Clang:

    c++ -std=c++20 -O3 -march=native {kernel_flags} \\
        {macros} \\
        -Iinclude -Isrc -I. -shared -fPIC \\
        src/*/*.cpp src/kernels/isa/table.cpp {name}.cpp -o lib{name}.so

With CMake, which on x86-64 builds the kernels for three generations of processors and chooses when a model is opened:

    cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build

It plays the model in `{name}.cpp`. Kernels that this one doesn't need are left out; without
`NEUTONE_LIKE_USED_KERNELS` all of them are there, and `nl_compiled_open` plays any `model.nlc`.
"""
_KERNEL_FLAGS = "-ffp-contract=fast -fno-math-errno -fno-trapping-math"

_CMAKE = """cmake_minimum_required(VERSION 3.20)
project({name} LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

file(GLOB sources src/*/*.cpp)
add_library({name} ${{sources}} {name}.cpp)
target_include_directories({name} PUBLIC include . PRIVATE src)
if(BUILD_SHARED_LIBS)
  target_compile_definitions({name} PRIVATE NL_SHARED_LIBRARY)
endif()

function(add_kernels set)
  add_library({name}_kernels_${{set}} OBJECT src/kernels/isa/table.cpp)
  target_include_directories({name}_kernels_${{set}} PRIVATE src)
  target_compile_definitions({name}_kernels_${{set}} PRIVATE
    NEUTONE_LIKE_KERNELS=${{set}} NEUTONE_LIKE_USED_KERNELS={kernels:#x})
  target_compile_options({name}_kernels_${{set}} PRIVATE -O3 {kernel_flags} ${{ARGN}})
  target_sources({name} PRIVATE $<TARGET_OBJECTS:{name}_kernels_${{set}}>)
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  add_kernels(baseline -march=x86-64-v2)
  add_kernels(v3 -march=x86-64-v3)
  add_kernels(v4 -march=x86-64-v4)
else()
  add_kernels(baseline)
endif()

add_executable(example {example})
target_link_libraries(example PRIVATE {name})
"""


def write_source(files: ModelFiles, folder: Path) -> None:
    """Write the folder, which must not be there.

    Raises:
        OSError: It can't be written.
    """
    folder.mkdir(parents=True)
    copy_headers(folder / "include", HEADERS)
    copy_sources(folder / "src")
    shutil.copyfile(code_folder() / "examples" / EXAMPLE, folder / EXAMPLE)
    texts = {"name": files.name, "example": EXAMPLE, "kernels": files.kernels, "kernel_flags": _KERNEL_FLAGS}
    macros = (
        "-DNEUTONE_LIKE_KERNELS=baseline -DNEUTONE_LIKE_ONE_KERNEL_SET "
        f"-DNEUTONE_LIKE_USED_KERNELS={files.kernels:#x} -DNL_SHARED_LIBRARY"
    )
    (folder / "README.md").write_text(_README.format(macros=macros, **texts), "utf-8")
    (folder / "CMakeLists.txt").write_text(_CMAKE.format(**texts), "utf-8")
    write_model(files, folder)


def write_model(files: ModelFiles, folder: Path) -> None:
    """The model's own two files."""
    (folder / f"{files.name}.h").write_text(files.header, "utf-8")
    (folder / f"{files.name}.cpp").write_text(files.source, "utf-8")
