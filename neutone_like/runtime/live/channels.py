"""Which channels of a device a model hears and plays on."""

from collections.abc import Sequence
from dataclasses import dataclass

from neutone_like.arguments import is_iterable
from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import as_whole_number
from neutone_like.runtime.backends import ModelFacts
from neutone_like.runtime.live.device import Device

_STEREO = 2


@dataclass(frozen=True)
class Channels:
    """Channels of the devices, counted from 0, and how many the session is told of and gives."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    session: int
    session_outputs: int


def choose_channels(
    facts: ModelFacts,
    heard: Device,
    played_on: Device,
    inputs: Sequence[int] | None,
    outputs: Sequence[int] | None,
) -> Channels:
    """The user's choice, or the first ones.

    Mono and stereo become each other: one input feeds both channels of a stereo model, one output plays it in mono. A
    model of more channels needs as many of the device.

    Args:
        facts: The model's.
        heard, played_on: The devices.
        inputs, outputs: Numbers as people count, from 1; None for the first.

    Raises:
        RuntimeEngineError: The device has no such channel, or too few.
    """
    wide = facts.in_channels > _STEREO or facts.out_channels > _STEREO
    most_inputs = facts.in_channels if wide else _STEREO
    most_outputs = facts.out_channels if wide else _STEREO
    chosen_in = _numbers("inputs", inputs, heard, heard.max_input_channels, most_inputs)
    chosen_out = _numbers("outputs", outputs, played_on, played_on.max_output_channels, most_outputs)
    if wide:
        _require("inputs", heard, chosen_in, facts.in_channels)
        _require("outputs", played_on, chosen_out, facts.out_channels)
        return Channels(chosen_in, chosen_out, facts.in_channels, facts.out_channels)
    session = min(len(chosen_out), _STEREO)
    if inputs is not None and len(chosen_in) > session:
        raise RuntimeEngineError(
            f"inputs: {len(chosen_in)} are chosen, but with {session} output of {played_on} the model hears one input. "
            "Choose one input, or two outputs."
        )
    return Channels(chosen_in[:session], chosen_out, session, session)


def _numbers(what: str, given: Sequence[int] | None, device: Device, has: int, most: int) -> tuple[int, ...]:
    if given is None:
        return tuple(range(min(has, most)))
    if not is_iterable(given):
        raise RuntimeEngineError(f"{what}: expected a list of channels, counted from 1, got {given!r:.200}.")
    numbers = [as_whole_number(each) for each in given]
    channels = tuple(number - 1 for number in numbers if number is not None and 1 <= number <= has)
    if not channels or len(channels) != len(numbers) or len(set(channels)) != len(channels) or len(channels) > most:
        raise RuntimeEngineError(
            f"{what}: expected at most {most} different channels in 1..{has}, which {device} has, got {list(given)!r}."
        )
    return channels


def _require(what: str, device: Device, chosen: tuple[int, ...], needed: int) -> None:
    if len(chosen) != needed:
        raise RuntimeEngineError(
            f"The model has {needed} {what}, and of {device} {len(chosen)} are used. Choose a device with as many."
        )
