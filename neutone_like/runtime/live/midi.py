"""Knobs of a MIDI controller, while a model plays."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from neutone_like.arguments import as_path, require_kind
from neutone_like.errors import RuntimeEngineError
from neutone_like.extras import import_extra
from neutone_like.numbers import as_whole_number
from neutone_like.printing import InNotebooks
from neutone_like.runtime.live.midi_map import MidiControl, MidiMap, read_controls, usual_file, write_controls
from neutone_like.runtime.live.stream import LiveStream

VIRTUAL = "virtual"
_OWN_PORT = "neutone-like"
_JACK = "mido.backends.rtmidi/UNIX_JACK"


def midi_inputs() -> tuple[str, ...]:
    """The names of the MIDI inputs there are.

    Raises:
        MissingExtraError: ``mido`` or ``python-rtmidi`` is not installed.
        RuntimeEngineError: The system has no MIDI; the message says what it answers.
    """
    return tuple(_backend().get_input_names())


class MidiKnobs(InNotebooks):
    """A MIDI input that moves the parameters of a stream, for as long as that plays.

    Messages are fetched by the thread that watches the device, so that none of them meets the audio thread. What is
    learnt is kept in ``file``, by the name of the model.

    Args:
        live: What plays.
        port: The input: a part of its name, or its number in :func:`midi_inputs`; ``"virtual"`` opens one of our own,
            which other programs see as ``neutone-like``. Anything with a method ``iter_pending`` that gives ``mido``'s
            messages is taken as it is.
        file: Where controls are kept; None for ``neutone-like/midi.json`` below ``$XDG_CONFIG_HOME`` or ``~/.config``.

    Raises:
        MissingExtraError: ``mido`` or ``python-rtmidi`` is not installed.
        RuntimeEngineError: No such input, no MIDI at all, or a damaged file.
    """

    def __init__(self, live: LiveStream, port: Any, *, file: str | os.PathLike[str] | None = None) -> None:
        require_kind(live, LiveStream, RuntimeEngineError)
        self.file = usual_file() if file is None else as_path(file, "learnt controls", RuntimeEngineError)
        self._live = live
        self._model = live.session.name
        names = [parameter.name for parameter in live.session.parameters]
        known = read_controls(self.file, self._model)
        self._others = [each for each in known if each.parameter not in names]  # of another version of the model
        self._map = MidiMap(names, [each for each in known if each.parameter in names])
        self._indices = {name: index for index, name in enumerate(names)}
        self._lock = threading.Lock()
        self._news: list[str] = []
        self._port = port if hasattr(port, "iter_pending") else open_port(port)
        self.name = str(getattr(self._port, "name", port))
        live.every_tick(self._fetch)

    def __enter__(self) -> "MidiKnobs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MidiKnobs({self.name!r}, {self._map!r})"

    @property
    def controls(self) -> tuple[MidiControl, ...]:
        """What moves what."""
        with self._lock:
            return self._map.controls

    def learn(self, parameter: str) -> None:
        """The next control that is moved is this parameter's.

        Raises:
            ParameterError: No such parameter.
        """
        with self._lock:
            self._map.learn(parameter)

    def forget(self, parameter: str) -> None:
        """No control moves it any more.

        Raises:
            ParameterError: No such parameter.
            RuntimeEngineError: The file can't be written.
        """
        with self._lock:
            self._map.forget(parameter)
            self._keep()

    def news(self) -> list[str]:
        """What happened since this was asked last, for a person: controls that were learnt, a port that is gone."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def close(self) -> None:
        """Give the port back. Twice does nothing."""
        with self._lock:
            port, self._port = self._port, None
            if port is not None and hasattr(port, "close"):
                port.close()

    def _fetch(self) -> None:
        with self._lock:
            if self._port is None:
                return
            values: dict[str, float] = {}
            before = self._map.controls
            try:
                for message in self._port.iter_pending():
                    values.update(self._map.handle(message))
            except OSError as error:
                self._port = None
                self._news.append(f"The MIDI input {self.name} is gone: {error}")
            if self._map.controls != before:
                self._tell(set(self._map.controls) - set(before))
            for name, value in values.items():
                self._live.session.native.set_parameter_0to1(self._indices[name], value)

    def _tell(self, learnt: set[MidiControl]) -> None:
        self._news += [f"{each.parameter} is moved by {each}" for each in sorted(learnt, key=str)]
        try:
            self._keep()
        except RuntimeEngineError as error:
            self._news.append(f"It is not kept: {error}")

    def _keep(self) -> None:
        write_controls(self.file, self._model, [*self._map.controls, *self._others])


def _backend() -> Any:
    """ALSA, Core Audio or Windows; on Linux without ALSA's sequencer, JACK."""
    mido = import_extra("mido", extra="live", purpose="MIDI")
    import_extra("rtmidi", extra="live", purpose="MIDI")
    names = [None] if sys.platform != "linux" or "MIDO_BACKEND" in os.environ else [None, _JACK]
    problems: list[str] = []
    for name in names:
        backend = mido.Backend(name)
        try:
            with _quiet_errors():
                backend.get_input_names()
            return backend
        except OSError as error:
            problems.append(str(error))
    raise RuntimeEngineError(
        f"There is no MIDI here: {'; '.join(problems)}. It needs ALSA's sequencer (modprobe snd-seq), or a JACK server."
    )


@contextmanager
def _quiet_errors() -> Iterator[None]:
    """ALSA's library tells the terminal itself that it has no sequencer."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def open_port(wanted: object) -> Any:
    """What :class:`MidiKnobs` takes as it is, for those who must know that it is there before anything plays.

    Raises:
        MissingExtraError, RuntimeEngineError: As :class:`MidiKnobs`.
    """
    backend = _backend()
    try:
        if wanted == VIRTUAL:
            return backend.open_input(_OWN_PORT, virtual=True)
        return backend.open_input(_choose(backend.get_input_names(), wanted))
    except OSError as error:
        raise RuntimeEngineError(f"The MIDI input {wanted!r} can't be opened: {error}.") from error


def _choose(names: Sequence[str], wanted: object) -> str:
    number = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() else as_whole_number(wanted)
    if number is not None:
        chosen = [names[number]] if 0 <= number < len(names) else []
    else:
        text = str(wanted).lower()
        chosen = [name for name in names if name.lower() == text] or [name for name in names if text in name.lower()]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(f"{index}: {name}" for index, name in enumerate(names)) or "none"
    fits = "fits several MIDI inputs" if chosen else "is no MIDI input"
    raise RuntimeEngineError(
        f"{wanted!r} {fits}. There is {listed}. Name one by its number, or 'virtual' for one of ours."
    )
