"""How much data the tensors of a TorchScript module claim, read from its pickle without unpickling it."""

import pickletools
from collections.abc import Mapping

# A storage is ('storage', type, name of its record, device, number of elements), handed to BINPERSID as one tuple.
_STORAGE_FIELDS = 5
_ELEMENT_BYTES = {
    **dict.fromkeys(("BoolStorage", "ByteStorage", "CharStorage", "QInt8Storage", "QUInt8Storage"), 1),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    **dict.fromkeys(("FloatStorage", "IntStorage", "QInt32Storage"), 4),
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    "ComplexDoubleStorage": 16,
}


def short_storages(pickle: bytes, record_bytes: Mapping[str, int]) -> list[str]:
    """Tensors whose records are shorter than the pickle says. PyTorch believes it, and reads what lies behind.

    Args:
        pickle: ``data.pkl`` or ``constants.pkl``.
        record_bytes: The length of each record, by its name.

    Returns:
        For each, its record's name and what is wrong with it.

    Raises:
        ValueError: Not a pickle, or one that names data in another way than PyTorch does.
    """
    wrong: list[str] = []
    for kind, name, count in _storages(pickle):
        needed = count * _ELEMENT_BYTES.get(kind, 1)
        if name not in record_bytes:
            wrong.append(f"{name!r:.80} has no data")
        elif record_bytes[name] < needed:
            wrong.append(f"{name!r:.80} has {record_bytes[name]} bytes of data, its description says {needed}")
    return wrong


def _storages(pickle: bytes) -> list[tuple[str, str, int]]:
    """Type, record and number of elements of every storage: just enough of a pickle machine to follow flat tuples."""
    found: list[tuple[str, str, int]] = []
    atoms: list[object] = []  # since the last mark
    memo: dict[int, object] = {}
    last: object = None
    before = ""
    for operation, argument, _ in pickletools.genops(pickle):
        name = operation.name
        if name == "MARK":
            atoms = []
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[int(argument or 0)] = last
        elif name == "BINPERSID":
            is_storage = before == "TUPLE" and len(atoms) == _STORAGE_FIELDS and atoms[0] == "storage"
            if not (is_storage and isinstance(atoms[4], int)):
                raise ValueError("it names data in a way that PyTorch does not")
            found.append((str(atoms[1]).rpartition(" ")[2], str(atoms[2]), atoms[4]))
        elif name not in ("TUPLE", "PROTO"):
            last = memo.get(int(argument or 0)) if name in ("BINGET", "LONG_BINGET") else argument
            atoms.append(last)
        before = name
    return found
