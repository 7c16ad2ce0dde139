"""Seeded damage to real artifacts: what a bad disk, a half download, a careless tool or an ill-meaning person makes.

Every attack is a function of a random number generator and an artifact, and returns the bytes of a file. Which one a
seed chooses, and everything it draws, follows from the seed: ``python -m support.attack_worker SEED`` repeats it.
"""

import base64
import hashlib
import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.metadata_attacks import hostile_metadata
from support.places import EXPORTED

NAMES = ("overdrive", "echo", "tone_control", "lstm_amp")
METADATA = "model/extra/metadata.json"
Members = dict[str, bytes]


@dataclass(frozen=True)
class Original:
    """A good artifact. Members are in the order of the file."""

    name: str
    content: bytes
    members: Members
    directory_start: int


@dataclass(frozen=True)
class Attack:
    """A file to load. ``verify``: whether the loader is asked to play the test vector."""

    name: str
    original: str
    content: bytes
    verify: bool


def read_originals() -> dict[str, Original]:
    """The artifacts that are attacked; a fixed choice, so that a seed keeps its meaning."""
    originals: dict[str, Original] = {}
    for name in NAMES:
        content = (EXPORTED / name / "model.nm").read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename: archive.read(member) for member in archive.infolist()}
            originals[name] = Original(name, content, members, archive.start_dir)
    return originals


def attack_name(seed: int) -> str:
    """What a seed does."""
    return ATTACKS[seed % len(ATTACKS)].__name__


def make_attack(seed: int, originals: dict[str, Original]) -> Attack:
    """The attack that a seed stands for."""
    rng = random.Random(seed)
    attack = ATTACKS[seed % len(ATTACKS)]
    original = originals[rng.choice(NAMES)]
    return Attack(attack.__name__, original.name, attack(rng, original, originals), attack in VERIFIED)


def pack(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file with right checksums; names may repeat."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # of duplicate names
        for name, content in members:
            # Of one date, so that the same seed gives the same bytes whatever the clock says.
            entry = zipfile.ZipInfo(name)
            entry.compress_type = archive.compression
            archive.writestr(entry, content)
    return buffer.getvalue()


def with_change(original: Original, name: str, content: bytes) -> list[tuple[str, bytes]]:
    return [(key, content if key == name else value) for key, value in original.members.items()]


# ---------------------------------------------------------------- bytes of the file


def flip_bits(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    content = bytearray(original.content)
    for _index in range(rng.choice((1, 1, 2, 20))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def flip_bits_of_directory(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    content = bytearray(original.content)
    for _index in range(rng.choice((1, 1, 3))):
        content[rng.randrange(original.directory_start, len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def truncate(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    return original.content[: rng.choice((rng.randrange(64), rng.randrange(len(original.content))))]


def overwrite(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """A lost sector: zeros, or those of another file."""
    start = rng.randrange(len(original.content))
    length = min(rng.choice((16, 512, 4096)), len(original.content) - start)
    filler = bytes(length) if rng.random() < 0.5 else rng.randbytes(length)
    return original.content[:start] + filler + original.content[start + length :]


def cut_out_or_put_in(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    start, length = rng.randrange(len(original.content)), rng.choice((1, 7, 512))
    if rng.random() < 0.5:
        return original.content[:start] + original.content[start + length :]
    return original.content[:start] + rng.randbytes(length) + original.content[start:]


def add_at_the_ends(rng: random.Random, original: Original, originals: dict[str, Original]) -> bytes:
    other = originals[rng.choice(NAMES)].content
    extra = rng.choice((rng.randbytes(rng.choice((1, 22, 5000))), other, b"PK\x05\x06" + bytes(18)))
    return original.content + extra if rng.random() < 0.5 else extra + original.content


def splice(rng: random.Random, original: Original, originals: dict[str, Original]) -> bytes:
    """The start of one file and the end of another."""
    other = originals[rng.choice([name for name in NAMES if name != original.name])].content
    at = rng.randrange(64, len(original.content))  # beyond what all of them begin with
    return original.content[:at] + other[min(at, len(other) - 22) :]


# ---------------------------------------------------------------- members, with right checksums


def swap_members(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    first, second = rng.sample(list(original.members), 2)
    swapped = {**original.members, first: original.members[second], second: original.members[first]}
    return pack(list(swapped.items()))


def duplicate_member(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Twice in one archive, the same or not, in another case or not: readers differ in which one they take."""
    name = rng.choice(list(original.members))
    content = original.members[name]
    again = rng.choice((name, name, name.upper(), name.replace("model", "Model", 1)))
    twin = (again, rng.choice((content, rng.randbytes(len(content)), b"")))
    members = list(original.members.items())
    members.insert(rng.choice((0, len(members), rng.randrange(len(members)))), twin)
    return pack(members)


def drop_or_add_member(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    members = list(original.members.items())
    if rng.random() < 0.6:
        members.pop(rng.randrange(len(members)))
    else:
        name = rng.choice(("model/code/__torch__/more.py", "model/data/999", "else/where", "x", "model/", "model/a/"))
        members.insert(rng.randrange(len(members) + 1), (name, b"" if name.endswith("/") else rng.randbytes(40)))
    return pack(members)


def rename_member(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Names that lead out of the archive, that nobody can print, that are endless."""
    victim = rng.choice(list(original.members))
    outside = ("../../evil.py", "/etc/passwd", "model/../../evil", "C:/evil", "model/\\evil", "\\\\server\\share")
    strange = (".", "..", "model//version", "model/\x1b[31mred", "model/" + "n" * 60_000, "model/\u202eevil", "m\x00a")
    new = rng.choice(outside + strange)
    if rng.random() < 0.5:
        return pack([(new if name == victim else name, content) for name, content in original.members.items()])
    return pack([*original.members.items(), (new, b"x")])


def claim_sizes(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Headers that lie: of a member's size, its checksum, its place, its packing; of the directory's size and place."""
    content = bytearray(original.content)
    entries = [at for at in _find_all(content, b"PK\x01\x02") if at >= original.directory_start]
    big = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, rng.randrange(1 << 32)))
    if rng.random() < 0.6:
        entry = rng.choice(entries)
        field = rng.choice((16, 20, 24, 42))  # checksum, packed, unpacked, place
        content[entry + field : entry + field + 4] = struct.pack("<I", big)
        if field in (20, 24) and rng.random() < 0.5:
            content[entry + 20 : entry + 28] = struct.pack("<II", big, big)
    elif rng.random() < 0.5:
        entry = rng.choice(entries)
        content[entry + 8 : entry + 12] = struct.pack(
            "<HH", rng.choice((0, 1, 8)), rng.choice((0, 1, 8, 9, 12, 14, 99))
        )
    else:
        field = rng.choice((8, 10, 12, 16, 20))  # of the end record: counts, size, place, comment
        width = 4 if field in (12, 16) else 2
        at = len(content) - 22 + field
        content[at : at + width] = struct.pack("<I", big)[:width]
    return bytes(content)


def _find_all(content: bytearray, pattern: bytes) -> list[int]:
    found, at = [], content.find(pattern)
    while at >= 0:
        found.append(at)
        at = content.find(pattern, at + 1)
    return found


def zip_bomb(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Little that unpacks to much: one member, many, or one part of the file claimed by many members."""
    kind = rng.randrange(4)
    if kind == 0:
        bombs = [("model/code/__torch__/bomb.py", bytes(rng.choice((2, 8, 40)) << 20))]
    elif kind == 1:
        bombs = [(f"model/code/__torch__/bomb{index}.py", bytes(1 << 20)) for index in range(rng.choice((5, 60)))]
    elif kind == 2:
        spaces = b" " * (rng.choice((2, 8, 40)) << 20)
        return pack(with_change(original, METADATA, spaces + original.members[METADATA]), zipfile.ZIP_DEFLATED)
    else:
        return _overlapping(rng, original)
    return pack([*original.members.items(), *bombs], zipfile.ZIP_DEFLATED)


def _overlapping(rng: random.Random, original: Original) -> bytes:
    """Many entries of the directory that point to the first member's data."""
    content = pack(list(original.members.items()))
    end = len(content) - 22
    start = struct.unpack("<I", content[end + 16 : end + 20])[0]
    directory = content[start:end]
    length = 46 + sum(struct.unpack("<HHH", directory[28:34]))
    count = rng.choice((3, 3000, 60_000))
    more = b"".join(directory[: length - 8] + f"{index:08x}".encode() for index in range(count))
    counts = struct.pack("<HH", *(2 * [(len(original.members) + count) & 0xFFFF]))
    sizes = struct.pack("<II", len(directory) + len(more), start)
    return content[:start] + directory + more + b"PK\x05\x06" + bytes(4) + counts + sizes + bytes(2)


def change_member(rng: random.Random, original: Original, originals: dict[str, Original]) -> bytes:
    """Code, pickles, tensors and stamps with other bytes and a right checksum, so that zip notices nothing."""
    name = rng.choice([name for name in original.members if name != METADATA and original.members[name]])
    content = bytearray(original.members[name])
    kind = rng.randrange(4)
    if kind == 0:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        content = content[: rng.randrange(len(content))]
    elif kind == 2:
        content += rng.randbytes(rng.choice((1, 64)))
    else:
        other = originals[rng.choice([other for other in NAMES if other != original.name])]
        content = bytearray(other.members.get(name, b""))
    return pack(with_change(original, name, bytes(content)))


def second_root(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """A changed member in the folder that PyTorch reads, and the good one in another, which fingerprints then fit."""
    name = rng.choice([name for name in original.members if name != METADATA and original.members[name]])
    good = original.members[name]
    changed = rng.choice((bytes(len(good)), rng.randbytes(len(good)), good[: len(good) // 2]))
    twin = (rng.choice(("evil/", "model2/", "/", "mode/")) + name.partition("/")[2], good)
    members = with_change(original, name, changed)
    members.insert(rng.choice((len(members), len(members), rng.randrange(len(members)))), twin)
    return pack(members)


def long_metadata(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Megabytes of text in metadata, which pack to little or not; one wide character makes all of it wide in memory."""
    length = int(rng.choice((0.9, 1.5, 4.0, 7.9, 7.9, 60.0)) * (1 << 20))
    if rng.random() < 0.5:
        text = base64.b64encode(rng.randbytes(length * 3 // 4)).decode()
    else:  # just less than is refused as a bomb
        text = "".join("A" * 900 + rng.randbytes(5).hex() for _ in range(length // 910))
    text += rng.choice(("", "\U0001f600"))
    metadata: dict[str, Any] = json.loads(original.members[METADATA])
    kind = rng.randrange(4)
    if kind == 0:
        metadata["more"] = text
    elif kind == 1:
        metadata[text] = 1
    elif kind == 2:
        metadata["sample_sound_files"] = [{"in": text, "out": "x"}]
    else:
        metadata["technical_description"] = text
    content = json.dumps(metadata, ensure_ascii=False).encode()
    return pack(with_change(original, METADATA, content), zipfile.ZIP_DEFLATED)


def change_metadata(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    return pack(
        with_change(original, METADATA, hostile_metadata(rng, original.members[METADATA])), zipfile.ZIP_DEFLATED
    )


# ---------------------------------------------------------------- by somebody who knows how: fingerprints fit too


def reseal_tensors(rng: random.Random, original: Original, _: dict[str, Original]) -> bytes:
    """Tensors of other numbers or another length."""
    names = [name for name, content in original.members.items() if "/data/" in name and content]
    weights = max(names, key=lambda name: len(original.members[name]))
    name = weights if rng.random() < 0.7 else rng.choice(names)
    content = original.members[name]
    changed = rng.choice(
        (
            struct.pack("<f", float("nan")) * (len(content) // 4),
            struct.pack("<f", 1e30) * (len(content) // 4),
            bytes(len(content)),
            rng.randbytes(len(content)),
            content[: len(content) // 2],
            b"",
            content * 2,
        )
    )
    return _reseal(rng, {**original.members, name: changed})


def reseal_code(rng: random.Random, original: Original, originals: dict[str, Original]) -> bytes:
    """The code of one model with the tensors and the metadata of another."""
    other = originals[rng.choice([name for name in NAMES if name != original.name])]
    code = {name: content for name, content in other.members.items() if "/code/" in name}
    rest = {name: content for name, content in original.members.items() if "/code/" not in name}
    if rng.random() < 0.5:
        rest["model/data.pkl"] = other.members["model/data.pkl"]
    return _reseal(rng, {**rest, **code})


def reseal_model(rng: random.Random, original: Original, originals: dict[str, Original]) -> bytes:
    """All of another model but the metadata."""
    other = originals[rng.choice([name for name in NAMES if name != original.name])]
    return _reseal(rng, {**other.members, METADATA: original.members[METADATA]})


def _reseal(rng: random.Random, members: Members) -> bytes:
    metadata: dict[str, Any] = json.loads(members[METADATA])
    if rng.random() < 0.5:
        del metadata["neutone_like"]["members_sha256"]
    else:
        metadata["neutone_like"]["members_sha256"] = {
            name.partition("/")[2]: hashlib.sha256(content).hexdigest()
            for name, content in members.items()
            if name != METADATA
        }
    return pack(list({**members, METADATA: json.dumps(metadata).encode()}.items()))


ATTACKS: tuple[Callable[[random.Random, Original, dict[str, Original]], bytes], ...] = (
    flip_bits,
    change_metadata,
    flip_bits_of_directory,
    truncate,
    change_metadata,
    overwrite,
    cut_out_or_put_in,
    claim_sizes,
    add_at_the_ends,
    change_metadata,
    splice,
    swap_members,
    duplicate_member,
    drop_or_add_member,
    change_metadata,
    rename_member,
    zip_bomb,
    change_member,
    reseal_tensors,
    reseal_code,
    reseal_model,
    change_metadata,
    flip_bits,
    second_root,
    long_metadata,
)
VERIFIED = (reseal_tensors, reseal_code, reseal_model)
