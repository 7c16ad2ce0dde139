"""What a network returns, in the forms that a graph holds."""

import dataclasses
from collections.abc import Mapping
from typing import Any


def plain(returned: Any) -> Any:
    """Lists, tuples and dictionaries of plain types: of named tuples, of records, and of their kin.

    A record (a dataclass, as Hugging Face's models return) becomes a dictionary of what is in it but for ``None``.
    """
    if isinstance(returned, Mapping):
        return {key: plain(each) for key, each in returned.items()}
    if isinstance(returned, (list, tuple)):
        return (list if isinstance(returned, list) else tuple)(plain(each) for each in returned)
    if dataclasses.is_dataclass(returned) and not isinstance(returned, type):
        held = {each.name: getattr(returned, each.name) for each in dataclasses.fields(returned)}
        return {name: plain(each) for name, each in held.items() if each is not None}
    return returned
