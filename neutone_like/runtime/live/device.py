"""Sound cards, and sound servers that look like one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import as_whole_number
from neutone_like.printing import InNotebooks
from neutone_like.runtime.live.portaudio_library import find_portaudio
from neutone_like.runtime.native_module import native_module


@dataclass(frozen=True)
class Device(InNotebooks):
    """A sound card or a sound server, as PortAudio lists it.

    Attributes:
        index: Its number in PortAudio's list.
        name: As the system calls it.
        host_api: What it is reached through, such as ``"JACK Audio Connection Kit"``, ``"ALSA"``, ``"Core Audio"``.
        max_input_channels, max_output_channels: What it has.
        default_sample_rate: In Hz.
        is_default_input, is_default_output: Whether it is taken where none is named.
    """

    index: int
    name: str
    host_api: str
    max_input_channels: int
    max_output_channels: int
    default_sample_rate: float
    is_default_input: bool
    is_default_output: bool

    def __str__(self) -> str:
        return f"{self.name} ({self.host_api})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def devices(*, portaudio: str | os.PathLike[str] | None = None) -> tuple[Device, ...]:
    """Every device that PortAudio finds. A process sees those that were there when it asked first.

    Args:
        portaudio: The file of PortAudio's library; None for that of the package ``sounddevice``, or the system's.

    Raises:
        RuntimeEngineError: There is no PortAudio, or of another version; the message says how to get it.
    """
    names = [field.name for field in fields(Device)]
    found = native_module().live_devices(find_portaudio(portaudio))
    return tuple(Device(**{name: getattr(each, name) for name in names}) for each in found)


def choose_device(found: Sequence[Device], wanted: object, *, inputs: bool) -> Device:
    """The device that a user means.

    Args:
        found: All.
        wanted: None for the default; a number in PortAudio's list; or a part of ``"name (host API)"``, in any case.
        inputs: Whether it is to be heard, or to play.

    Raises:
        RuntimeEngineError: None, or several; the message has those there are.
    """
    kind = "input" if inputs else "output"
    usable = [each for each in found if (each.max_input_channels if inputs else each.max_output_channels) > 0]
    if not usable:
        raise RuntimeEngineError(
            f"No audio device with {kind}s was found. Plug one in, or start a sound server (JACK: jackd, PipeWire) "
            "and run this where it can be reached; --list-devices shows what there is."
        )
    if wanted is None:
        return next(
            (each for each in usable if (each.is_default_input if inputs else each.is_default_output)), usable[0]
        )
    number = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() else as_whole_number(wanted)
    if number is not None:
        chosen = [each for each in usable if each.index == number]
    else:
        text = str(wanted).lower()
        chosen = [each for each in usable if text == each.name.lower()] or [
            each for each in usable if text in str(each).lower()
        ]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(f"{each.index}: {each}" for each in (chosen or usable))
    if chosen:
        raise RuntimeEngineError(f"{wanted!r} fits several devices: {listed}. Name one of them by its number.")
    raise RuntimeEngineError(f"There is no device {wanted!r} with {kind}s. There is {listed}.")
