"""What a library has of its model: a header with its facts, and its bytes as C++."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neutone_like.artifact.format.compiled_file import kernels_of
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.version import __version__

_WORDS_A_LINE = 6


@dataclass(frozen=True)
class ModelFiles:
    """The files that are written for one model.

    Attributes:
        name: The model's, as C takes it: ``overdrive``.
        header: Of ``NAME.h``.
        source: Of ``NAME.cpp``.
        kernels: A bit for each kernel that the plan names.
    """

    name: str
    header: str
    source: str
    kernels: int


def model_files(model: CompiledModel) -> ModelFiles:
    """The files for a compiled model."""
    name = identifier(str(model.metadata["model_name"])).lower()
    return ModelFiles(
        name, _header(name, model), _source(name, model.data), sum(1 << kernel for kernel in kernels_of(model.data))
    )


def identifier(text: str) -> str:
    """A name that C takes, close to a text: ``Big Amp!`` becomes ``Big_Amp``."""
    word = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_") or "model"
    return f"model_{word}" if word[0].isdigit() else word


def _comment(text: str) -> str:
    """Text that can't end a comment."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")


def _quoted(text: str) -> str:
    """A string of C. Bytes beyond ASCII are octal, of three digits, so that what follows can't be taken for a digit."""
    escaped = (
        f"\\{byte:03o}" if byte < 32 or byte > 126 or chr(byte) in '"\\?' else chr(byte) for byte in text.encode()
    )
    return '"' + "".join(escaped) + '"'


def _header(name: str, model: CompiledModel) -> str:
    metadata, big = model.metadata, name.upper()
    lines = [
        f"/* {_comment(str(metadata['model_name']))} {_comment(str(metadata['model_version']))}: "
        f"{_comment(str(metadata['model_short_description']))}",
        f" * Made by neutone-like {__version__}. neutone_like/compiled.h says how it is played. */",
        f"#ifndef NL_{big}_H",
        f"#define NL_{big}_H",
        "",
        '#include "neutone_like/compiled.h"',
        "",
        f"#define {big}_NAME {_quoted(str(metadata['model_name']))}",
        f"#define {big}_VERSION {_quoted(str(metadata['model_version']))}",
        f"#define {big}_IN_CHANNELS {model.in_channels}",
        f"#define {big}_OUT_CHANNELS {model.out_channels}",
        f"#define {big}_PARAMETERS {len(model.parameters)}",
        *_parameter_lines(big, metadata["neutone_like"]["parameters"]),
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        "/* [control] The model inside this library, as nl_compiled_open_builtin, which has one name for all. */",
        f"NL_API nl_result {name}_open(nl_compiled** model);",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _parameter_lines(prefix: str, records: list[dict[str, Any]]) -> Iterator[str]:
    """Indices and ranges, in the parameters' own units."""
    taken: set[str] = set()
    for index, record in enumerate(records):
        word = identifier(str(record["name"])).upper()
        while word in taken or word in ("NAME", "VERSION", "IN_CHANNELS", "OUT_CHANNELS", "PARAMETERS", "H"):
            word += "_"
        taken.add(word)
        labels = record.get("labels")
        lowest, highest = (0, len(labels) - 1) if labels else (record["minimum"], record["maximum"])
        about = ", ".join(map(str, labels)) if labels else str(record.get("unit", ""))
        yield ""
        yield f"/* {_comment(str(record['name']))}: {_comment(str(record['description']))} ({_comment(about)}) */"
        yield f"#define {prefix}_{word} {index}"
        yield f"#define {prefix}_{word}_MINIMUM {float(lowest)!r}"
        yield f"#define {prefix}_{word}_MAXIMUM {float(highest)!r}"
        yield f"#define {prefix}_{word}_DEFAULT {float(record['default'])!r}"


def _source(name: str, data: bytes) -> str:
    padded = data + bytes(-len(data) % 8)
    words = [f"0x{word:016x}," for (word,) in struct.iter_unpack("<Q", padded)]
    rows = [" ".join(words[at : at + _WORDS_A_LINE]) for at in range(0, len(words), _WORDS_A_LINE)]
    return "\n".join(
        [
            f"// model.nlc, {len(data)} bytes, as numbers of a little-endian processor.",
            f'#include "{name}.h"',
            "",
            "namespace {",
            "",
            "alignas(64) const uint64_t kModel[] = {",
            *(f"    {row}" for row in rows),
            "};",
            f"constexpr size_t kBytes = {len(data)};",
            "",
            "}  // namespace",
            "",
            'extern "C" {',
            "",
            "nl_result nl_compiled_open_builtin(nl_compiled** model) {",
            "    return nl_compiled_open_in_place(kModel, kBytes, model);",
            "}",
            "",
            f"nl_result {name}_open(nl_compiled** model) {{ return nl_compiled_open_builtin(model); }}",
            "",
            "}  // extern C",
            "",
        ]
    )
