"""Compiled models written by hand, from the format's description alone."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.runtime.compiled_model import COMPILED_KEY, COMPILED_NAME, digest_of_file

Extent = tuple[int, int, int]
SAMPLES: Extent = (0, 1, 1)
_RING, _ARENA, _COPY = 0, 2, 0


def fixed(value: int) -> Extent:
    return value, 0, 1


def view(buffer: int, offset: int, dims: list[Extent], strides: list[int]) -> bytes:
    """A strided tensor within a buffer."""
    missing = 6 - len(dims)
    extents = [fixed(offset), *dims, *[fixed(0)] * missing]
    return struct.pack(
        "<3I21i6i", buffer, len(dims), 0, *(n for each in extents for n in each), *strides, *[0] * missing
    )


def file_of(sections: dict[int, bytes], version: int = 1) -> bytes:
    """A file of these sections, with the right checksum."""
    start = 32 + 24 * len(sections)
    table, body = b"", b""
    for kind, data in sections.items():
        body += bytes(-(start + len(body)) % 64)
        table += struct.pack("<2I2Q", kind, 0, start + len(body), len(data))
        body += data
    checked = struct.pack("<Q2I", start + len(body), len(sections), 0) + table + body
    return b"NLCOMP\r\n" + struct.pack("<2I", version, zlib.crc32(checked)) + checked


def resealed(data: bytes, offset: int, value: bytes) -> bytes:
    """A file with other content at one place, and the checksum made to fit."""
    changed = bytearray(data)
    changed[offset : offset + len(value)] = value
    changed[12:16] = struct.pack("<I", zlib.crc32(bytes(changed[16:])))
    return bytes(changed)


def section(data: bytes, kind: int) -> tuple[int, int]:
    """Where a section lies, and how many bytes it has."""
    for index in range(struct.unpack_from("<I", data, 24)[0]):
        number, _, start, length = struct.unpack_from("<2I2Q", data, 32 + 24 * index)
        if number == kind:
            return start, length
    raise LookupError(kind)


def late_model(
    metadata: str, *, channels: int = 2, parameters: int = 1, late: int = 3, granule: int = 64, version: int = 1
) -> bytes:
    """A plan that gives its input back, so many samples late, and does nothing with its parameters."""
    front = 16
    pitch = front + granule
    ring = struct.pack("<2IQ2q5i3i", *(_RING, 0, 0, channels * pitch, -1), *(channels, pitch, late, 0, front), *SAMPLES)
    arena_bytes = channels * granule * 4 + 64 * max(1, parameters)
    nothing = (0, 0, 0, 0, 0, *fixed(0))
    out = struct.pack("<2IQ2q5i3i", _ARENA, 0, 0, channels * granule, -1, *nothing)
    values = struct.pack("<2IQ2q5i3i", _ARENA, 0, channels * granule * 4, 16 * max(1, parameters), -1, *nothing)
    sound = [fixed(channels), SAMPLES]
    views = [view(0, 0, sound, [pitch, 1]), *[view(2, index, [fixed(1)], [1]) for index in range(parameters)]]
    views += [view(1, 0, sound, [granule, 1]), view(0, -late, sound, [pitch, 1])]
    facts = (1, 1, granule, 0, channels, channels, parameters, late, 1, 1 + parameters, 1 + parameters, 5)
    test = np.arange(1, 1 + 5 * channels, dtype=np.float32).reshape(channels, 5)
    expected = np.pad(test, ((0, 0), (late, 0)))[:, :5]
    return file_of(
        {
            1: metadata.encode(),
            2: struct.pack("<12i2Q", *facts, arena_bytes, channels * pitch * 4),
            3: ring + out + values,
            4: b"".join(views),
            5: struct.pack("<5I", _COPY, 1 + parameters, 2, 0, 0),
            6: b"",
            7: bytes(64),
            8: b"".join(each.astype("<f4").tobytes() for each in (test, np.zeros(parameters), expected)),
        },
        version,
    )


def write_late_model(model: Path, *, rates: list[int] | None = None, **facts: Any) -> Path:
    """Such a plan as the compiled form of an artifact, which it isn't: so it can be told apart from TorchScript."""
    metadata = json.loads((model.parent / "metadata.json").read_text())
    metadata[COMPILED_KEY] = {"model_sha256": digest_of_file(model), "defaults": [12.0]}
    if rates is not None:
        metadata["native_sample_rates"] = rates
    path = model.with_name(COMPILED_NAME)
    path.write_bytes(late_model(json.dumps(metadata), **facts))
    return path


def delayed(audio: npt.NDArray[np.float32], late: int = 3) -> npt.NDArray[np.float32]:
    """What such a plan makes of a signal."""
    return np.pad(audio, ((0, 0), (late, 0)))[:, : audio.shape[1]]
