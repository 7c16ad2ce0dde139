"""Which knob of a MIDI controller moves which parameter: learnt by moving it, and kept in a file."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from neutone_like.errors import ParameterError, RuntimeEngineError
from neutone_like.numbers import as_whole_number
from neutone_like.printing import InNotebooks
from neutone_like.whole_file import write_whole

FILE_VERSION = 1
Kind = Literal["cc", "cc14", "pitch_bend"]
_LOWEST_MODE_MESSAGE = 120  # control changes from here on are about the whole device (MIDI 1.0, channel mode)
_PAIRS = 32  # control n has its fine part in n + 32
_MESSAGES_TO_PAIR = 8


@dataclass(frozen=True)
class MidiControl(InNotebooks):
    """One control, and what it moves.

    Attributes:
        parameter: The parameter's name.
        kind: ``"cc"``, a control change of 7 bits; ``"cc14"``, a pair of them, ``control`` and ``control + 32``, of 14
            bits; ``"pitch_bend"``, of 14 bits.
        channel: 1..16.
        control: The number of the control change; 0 for pitch bend.
    """

    parameter: str
    kind: Kind
    channel: int
    control: int

    def __str__(self) -> str:
        what = {"cc": f"control {self.control}", "cc14": f"controls {self.control} and {self.control + _PAIRS}"}
        return f"{what.get(self.kind, 'pitch bend')} of channel {self.channel}"


@dataclass
class _Learning:
    parameter: str
    messages_left: int = _MESSAGES_TO_PAIR
    learnt: MidiControl | None = None


class MidiMap(InNotebooks):
    """Turns messages into values of parameters, 0..1.

    Args:
        parameters: The names that there are.
        controls: What is known already.
    """

    def __init__(self, parameters: Sequence[str], controls: Iterable[MidiControl] = ()) -> None:
        self._parameters = tuple(parameters)
        self._controls = {each.parameter: each for each in controls}
        self._coarse: dict[tuple[int, int], int] = {}
        self._learning: _Learning | None = None

    def __repr__(self) -> str:
        return f"MidiMap({', '.join(f'{each.parameter}: {each}' for each in self.controls)})"

    @property
    def controls(self) -> tuple[MidiControl, ...]:
        """One for each parameter that has one."""
        return tuple(self._controls.values())

    def learn(self, parameter: str) -> None:
        """The next control that moves is this parameter's; one that it had is forgotten.

        Raises:
            ParameterError: No such parameter.
        """
        self._require(parameter)
        self._learning = _Learning(parameter)

    def forget(self, parameter: str) -> None:
        """No control moves it any more.

        Raises:
            ParameterError: No such parameter.
        """
        self._require(parameter)
        self._controls.pop(parameter, None)
        self._learning = None

    def handle(self, message: Any) -> tuple[tuple[str, float], ...]:
        """What a message sets: names and values in 0..1.

        Args:
            message: As ``mido`` gives it: ``type``, ``channel`` from 0, ``control`` and ``value``, or ``pitch``. Others
                than control changes and pitch bend set nothing.
        """
        if message.type == "pitchwheel":
            self._learn(message.channel + 1, 0, "pitch_bend")
            found = self._moved(message.channel + 1, 0, ("pitch_bend",))
            return tuple((each.parameter, (message.pitch + 8192) / 16383) for each in found)
        if message.type != "control_change" or message.control >= _LOWEST_MODE_MESSAGE:
            return ()
        channel, control, value = message.channel + 1, message.control, message.value
        self._learn(channel, control, "cc")
        set_to = [(each.parameter, value / 127) for each in self._moved(channel, control, ("cc",))]
        if control < _PAIRS:
            self._coarse[channel, control] = value  # the fine part begins at 0 again (MIDI 1.0)
            set_to += [(each.parameter, value * 128 / 16383) for each in self._moved(channel, control, ("cc14",))]
        elif (channel, control - _PAIRS) in self._coarse:
            fine = self._coarse[channel, control - _PAIRS] * 128 + value
            set_to += [(each.parameter, fine / 16383) for each in self._moved(channel, control - _PAIRS, ("cc14",))]
        return tuple(set_to)

    def _moved(self, channel: int, control: int, kinds: tuple[Kind, ...]) -> list[MidiControl]:
        return [
            each
            for each in self._controls.values()
            if (each.channel, each.control) == (channel, control) and each.kind in kinds
        ]

    def _learn(self, channel: int, control: int, kind: Kind) -> None:
        """The first control counts; its other half, where that comes soon after it, makes the two a pair."""
        learning = self._learning
        if learning is None:
            return
        if learning.learnt is None:
            learning.learnt = MidiControl(learning.parameter, kind, channel, control)
            self._controls[learning.parameter] = learning.learnt
            if kind == "pitch_bend":
                self._learning = None
            return
        first = learning.learnt
        coarse = min(control, first.control)
        if kind == "cc" and channel == first.channel and abs(control - first.control) == _PAIRS and coarse < _PAIRS:
            self._controls[learning.parameter] = MidiControl(learning.parameter, "cc14", channel, coarse)
            learning.messages_left = 0
        learning.messages_left -= 1
        if learning.messages_left <= 0:
            self._learning = None

    def _require(self, parameter: str) -> None:
        if parameter not in self._parameters:
            raise ParameterError(f"The model has no parameter {parameter!r}; it has {list(self._parameters)}.")


def usual_file() -> Path:
    """Where maps are kept unless told otherwise: below ``$XDG_CONFIG_HOME``, or ``~/.config``."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "neutone-like" / "midi.json"


def read_controls(path: Path, model: str) -> tuple[MidiControl, ...]:
    """What a file has for a model; nothing where there is no file.

    Raises:
        RuntimeEngineError: The file is damaged, or of a later version.
    """
    return tuple(_read(path).get(model, ()))


def write_controls(path: Path, model: str, controls: Sequence[MidiControl]) -> None:
    """Replace what a file has for a model; what it has for others stays.

    Raises:
        RuntimeEngineError: The file is damaged, or can't be written.
    """
    models = {**_read(path), model: list(controls)}
    content = {
        "version": FILE_VERSION,
        "models": {name: [asdict(each) for each in known] for name, known in models.items()},
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False).encode())
    except OSError as error:
        raise RuntimeEngineError(f"{path} can't be written: {error.strerror or error}.") from error


def _read(path: Path) -> dict[str, list[MidiControl]]:
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["version"] != FILE_VERSION:
            raise ValueError(f"its version is {content['version']!r}, expected {FILE_VERSION}")
        return {model: [_control(each) for each in known] for model, known in content["models"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RuntimeEngineError(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RuntimeEngineError(
            f"{path} is no map of MIDI controls ({error}). Correct it, or remove it and learn the controls again."
        ) from error


def _control(entry: Any) -> MidiControl:
    control = MidiControl(**entry)
    channel, number = as_whole_number(control.channel), as_whole_number(control.control)
    fits = channel is not None and number is not None and 1 <= channel <= 16 and 0 <= number < _LOWEST_MODE_MESSAGE
    if not fits or control.kind not in get_args(Kind) or not isinstance(control.parameter, str):
        raise ValueError(f"{entry!r} is no control")
    return control
