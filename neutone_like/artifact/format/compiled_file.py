"""What a ``model.nlc`` says about itself, read without anything that plays it."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neutone_like.artifact.format.packing import digest_of
from neutone_like.compiler.file_format import (
    HEADER_BYTES,
    MAGIC,
    SECTION_BYTES,
    STEP_BYTES,
    VERSION,
    VERSION_OF_FOLDED,
    Section,
)
from neutone_like.compiler.folding import unfolded
from neutone_like.errors import ArtifactError


@dataclass(frozen=True)
class CompiledFacts:
    """Of a compiled model.

    Attributes:
        granule: Samples of the longest block that its plan works on; of several plans the first.
        steps: How many kernels run for a block, of that plan.
        file_bytes: Of the file.
        sample_rates: Hz: those that it is right for; ``()``: any.
        model_sha256: The digest of the ``model.nm`` that it belongs to.
    """

    granule: int
    steps: int
    file_bytes: int
    sample_rates: tuple[int, ...]
    model_sha256: str


def read_compiled_facts(path: Path) -> CompiledFacts:
    """Read the head of a file. Whether it can be played is for the player to prove.

    Raises:
        ArtifactError: It is damaged, or none.
        OSError: It can't be read.
    """
    data = path.read_bytes()
    if len(data) < HEADER_BYTES or data[: len(MAGIC)] != MAGIC:
        raise ArtifactError(f"{path} is no compiled model. Make one: neutone-like compile {path.with_name('model.nm')}")
    version, checksum = struct.unpack_from("<2I", data, 8)
    if not VERSION <= version <= VERSION_OF_FOLDED:
        raise ArtifactError(
            f"{path} has version {version}, and this version of neutone_like reads {VERSION} to {VERSION_OF_FOLDED}. "
            "Use a newer one, or compile the model again."
        )
    if zlib.crc32(data[16:]) != checksum:
        raise ArtifactError(f"{path} is damaged: its checksum is not that of its content. Compile the model again.")
    try:
        sections = {kind: content for kind, plan, content in _sections(data) if plan == 0}
        content: dict[str, Any] = json.loads(sections[Section.METADATA])
        granule = struct.unpack_from("<3i", sections[Section.FACTS])[2]
        rates = tuple(int(rate) for rate in content.get("native_sample_rates", ()))
        digest = str(content.get("compiled", {}).get("model_sha256", ""))
        steps = len(_steps(data, sections[Section.STEPS])) // STEP_BYTES
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise ArtifactError(f"{path} lacks what a compiled model says about itself: {error!r}.") from error
    return CompiledFacts(granule, steps, len(data), rates, digest)


def kernels_of(data: bytes) -> set[int]:
    """The numbers of the kernels that a file's plans name. The file is one that has been proved."""
    steps = (_steps(data, content) for kind, _, content in _sections(data) if kind == Section.STEPS)
    return {step[0] for plan in steps for step in struct.iter_unpack(f"<I{STEP_BYTES - 4}x", plan)}


def _sections(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """A file's parts: the kind, the number of the plan, the content."""
    count = struct.unpack_from("<I", data, 24)[0]
    for index in range(min(count, 256)):
        kind, plan, offset, size = struct.unpack_from("<2I2Q", data, HEADER_BYTES + SECTION_BYTES * index)
        yield kind, plan, data[offset : offset + size]


def _steps(data: bytes, content: bytes) -> bytes:
    is_folded = struct.unpack_from("<I", data, 8)[0] == VERSION_OF_FOLDED
    return unfolded(Section.STEPS, content) if is_folded else content


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as reader:
        return digest_of(reader)
