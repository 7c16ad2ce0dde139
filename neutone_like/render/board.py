"""Pedalboard plugins and our models in one chain."""

from collections.abc import Iterable, MutableSequence
from contextlib import AbstractContextManager
from os import PathLike
from typing import Any, overload

import torch

from neutone_like.arguments import as_flag, is_iterable
from neutone_like.artifact import Artifact
from neutone_like.audio.samples import require_finite
from neutone_like.errors import AudioError, ModelError
from neutone_like.extras import import_extra
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import WaveformToWaveformBase
from neutone_like.numbers import as_number
from neutone_like.printing import InNotebooks
from neutone_like.render.audio_arrays import Audio, Given, read_audio
from neutone_like.render.model_plugin import ModelPlugin
from neutone_like.render.model_stage import ModelStage
from neutone_like.render.plugin_stage import PluginStage, WholeSignalStage, can_stream
from neutone_like.render.sharing import acting_thread, states_of_effect, using
from neutone_like.render.stage import Stage, Stream
from neutone_like.render.torch_settings import inference_settings

DEFAULT_BUFFER_SIZE = 8192


class Board(InNotebooks, MutableSequence[Any]):
    """A list of effects that is called like a ``pedalboard.Pedalboard``.

    ``Board([pedalboard.Compressor(), "amp.nm", pedalboard.Reverb()])(x, sample_rate)`` returns audio as long as ``x``
    and aligned with it. A model on the board is a :class:`ModelPlugin`, whose knobs are turned with
    ``board[1].params["drive"] = 24.0``; ``Board([ModelPlugin("amp.nm", {"drive": 24.0})])`` sets them from the start.

    Threads may share a board: a call waits until that of another thread has ended. A stream (``reset=False``) belongs
    to the thread that began it.

    Args:
        plugins: Pedalboard plugins (containers too), ``ModelPlugin``, or whatever that takes, in any order. Each may
            stand in one place only, since it keeps state.

    Raises:
        ModelError: Something else, or one thing twice.
        MissingExtraError: Something that is none of our models, while pedalboard is not installed.
    """

    def __init__(self, plugins: Iterable[Any] = ()) -> None:
        self._plugins: list[Any] = []
        self._stream: Stream | None = None
        self._stream_key: tuple[Any, ...] = ()
        self._taken = 0  # samples of the stream so far
        self._thread: int | None = None  # whose stream it is
        self._given = Given(2, None)
        if not is_iterable(plugins):
            raise ModelError(f"A Board takes a list of plugins and models, got {plugins!r:.200}.")
        self.extend(plugins)

    # ------------------------------------------------------------------ a list

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...  # type: ignore[override]
    def __getitem__(self, index: int | slice) -> Any:
        return self._plugins[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            self._replace(index, [as_plugin(each) for each in value])
        else:
            index = range(len(self))[index]  # an IndexError where there is nothing
            self._replace(slice(index, index + 1), [as_plugin(value)])

    def __delitem__(self, index: int | slice) -> None:
        del self._plugins[index]

    def __len__(self) -> int:
        return len(self._plugins)

    def insert(self, index: int, value: Any) -> None:
        self._replace(slice(index, index), [as_plugin(value)])

    def __reduce__(self) -> Any:
        """A copy, and a pickled one, has models of its own.

        Raises:
            ModelError: There is a pedalboard plugin on it, which can't be copied.
        """
        for plugin in flat(self._plugins):
            if not isinstance(plugin, ModelPlugin):
                raise ModelError(
                    f"This board can't be copied or pickled, since pedalboard's {type(plugin).__name__} on it can't. "
                    "Make the board anew where it is needed."
                )
        return Board, (self._plugins,)

    def __repr__(self) -> str:
        return f"Board({self._plugins!r})"

    def _replace(self, place: slice, values: list[Any]) -> None:
        changed = self._plugins.copy()
        changed[place] = values
        kept = [id(each) for each in changed] + [id(each.module) for each in changed if isinstance(each, ModelPlugin)]
        if len(set(kept)) != len(kept):
            raise ModelError(
                f"An effect keeps state, so it can stand in one place of a board only, got {values[0]!r} twice. "
                "Make a second one, such as ModelPlugin(artifact)."
            )
        self._plugins = changed

    def __contains__(self, value: object) -> bool:
        return any(_is_same(plugin, value) for plugin in self._plugins)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where an effect stands; a model is found by its :class:`ModelPlugin` and by what that was made from.

        Raises:
            ValueError: It is not on the board.
        """
        for position in range(*slice(start, stop).indices(len(self))):
            if _is_same(self._plugins[position], value):
                return position
        raise ValueError(f"{value!r} is not on this board.")

    # ------------------------------------------------------------------ audio

    def __call__(
        self, input_array: Any, sample_rate: float, buffer_size: int = DEFAULT_BUFFER_SIZE, reset: bool = True
    ) -> Any:
        """Process audio.

        With ``reset=True`` the call is complete in itself: every effect starts afresh, and the result is as long as
        ``input_array`` and aligned with it.

        With ``reset=False`` the call goes on with a stream, and state is kept from the call before. Effects that lag
        return fewer samples than they were given at first, and never silence in their place: what all calls return,
        joined, and with :meth:`flush` at the end, is what one call with the whole signal returns. Keep
        ``sample_rate``, ``buffer_size``, the channels and the effects as they are within a stream.

        Args:
            input_array: ``(channels, samples)`` or ``(samples,)``; a NumPy array or a tensor, of a floating-point type.
            sample_rate: In Hz, a whole number.
            buffer_size: The longest block that an effect is handed.
            reset: See above.

        Returns:
            float32, an array or a tensor as ``input_array`` is.

        Raises:
            AudioError: Audio that is empty, not finite, of the wrong type or shape, or that an effect does not take.
            ParameterError: An automation array is not as long as ``input_array``.
            ModelError: A model failed.
        """
        audio, given = read_audio(input_array)
        rate = whole_number("sample_rate", sample_rate, "Hz")
        block = whole_number("buffer_size", buffer_size, "samples")
        reset = as_flag(reset, "reset", AudioError)
        if reset and audio.shape[1] == 0:
            raise AudioError(f"Expected at least one sample of audio, got shape {tuple(input_array.shape)}.")
        key = (tuple(id(plugin) for plugin in self._plugins), rate, block, audio.shape[0])
        with self.in_use(), inference_settings(self.modules):
            y = self._process_all(audio, key) if reset else self._process_next(audio, key)
            self._given = given
        return given.give_back(y)

    process = __call__

    def flush(self) -> Any:
        """End a stream of calls with ``reset=False``: return what the effects hold back, in the kind of the last call.

        Raises:
            AudioError: Nothing was processed since the board was made or reset.
        """
        with self.in_use(), inference_settings(self.modules):
            self._require_own_stream()
            stream = self._stream  # which reset() may take away at any time
            if stream is None:
                raise AudioError("There is no stream to end. Process audio with reset=False first.")
            return self._given.give_back(stream.finish())

    def reset(self) -> None:
        """Forget the stream: the next call starts afresh, whatever its ``reset`` says."""
        self._stream = None
        self._taken = 0
        self._thread = None

    @property
    def states(self) -> list[Any]:
        """What keeps state: the board itself, and all on it."""
        effects = flat(self._plugins)
        parts = [each.states if isinstance(each, ModelPlugin) else states_of_effect(each) for each in effects]
        return [self, *boards_in(self._plugins), *(state for states in parts for state in states)]

    def in_use(self) -> AbstractContextManager[None]:
        """Keep other threads waiting while this one plays.

        Raises:
            ModelError: This one plays something of it already.
        """
        return using(self.states, "This board" if len(self) != 1 else repr(self))

    @property
    def modules(self) -> list[torch.nn.Module]:
        """The wrappers of the models on the board."""
        return [plugin.module for plugin in flat(self._plugins) if isinstance(plugin, ModelPlugin)]

    def open_stream(self, sample_rate: int, channels: int, block_size: int) -> Stream:
        """Reset all effects and return the stream through them. The board's own stream is forgotten."""
        rate, block = whole_number("sample_rate", sample_rate, "Hz"), whole_number("block_size", block_size, "samples")
        count = whole_number("channels", channels, "channels")
        self.reset()
        self._thread = acting_thread()
        return open_stream(self._plugins, rate, count, block)

    def _process_all(self, audio: Audio, key: tuple[Any, ...]) -> Audio:
        _, rate, block, channels = key
        require_finite(audio, 0, rate, "The audio", "Remove it before processing.")
        require_lengths(self._plugins, audio.shape[1])
        self._stream = None  # should an effect fail, there is none to go on with
        self._thread = acting_thread()
        stream = open_stream(self._plugins, rate, channels, block)
        y = stream.process_all(audio)
        self._stream, self._stream_key, self._taken = stream, key, audio.shape[1]
        return y

    def _process_next(self, audio: Audio, key: tuple[Any, ...]) -> Audio:
        _, rate, block, channels = key
        self._require_own_stream()
        stream = self._stream  # which reset() may take away at any time
        if stream is None:
            if audio.shape[1] == 0:
                return audio
            _require_streamable(self._plugins)
            # A host block no longer than what comes: whatever comes in goes out at once.
            stream = self._stream = open_stream(self._plugins, rate, channels, min(block, audio.shape[1]))
            self._stream_key, self._taken, self._thread = key, 0, acting_thread()
        elif key != self._stream_key:
            raise AudioError(
                "Effects, sample_rate, buffer_size and channels must stay as they are in a stream (reset=False): "
                f"it began with {_describe(self._stream_key)}, got {_describe(key)}. Call flush() and reset() first."
            )
        _require_streamable(self._plugins)
        require_finite(audio, self._taken, rate, "The audio", "Remove it before processing.")
        self._taken += audio.shape[1]
        return stream.push(audio)

    def _require_own_stream(self) -> None:
        if self._thread not in (None, acting_thread()):
            raise AudioError(
                "Another thread has begun a stream (reset=False) on this board, or used it since, and calls of two "
                "threads would mix two signals. Call reset() first, or use a Board for each thread."
            )


def as_plugin(value: Any) -> Any:
    """What stands on a board for ``value``.

    Raises:
        ModelError: Nothing that a board takes.
    """
    if isinstance(value, (ModelPlugin, Board)):
        return value
    if isinstance(value, (Artifact, SampleQueueWrapper, WaveformToWaveformBase, str, PathLike)):
        return ModelPlugin(value)
    pedalboard = import_extra("pedalboard", extra="render", purpose=f"{type(value).__name__} on a Board")
    if isinstance(value, pedalboard.Plugin):
        return value
    raise ModelError(
        "A Board takes pedalboard plugins, ModelPlugin, and what that takes (an artifact, the path of a .nm file, a "
        f"WaveformToWaveformBase, a SampleQueueWrapper), got {value!r}."
    )


def flat(plugins: Iterable[Any]) -> list[Any]:
    """The effects in order, those of boards on boards included."""
    return [each for plugin in plugins for each in (flat(plugin) if isinstance(plugin, Board) else (plugin,))]


def boards_in(plugins: Iterable[Any]) -> list[Any]:
    """The boards on a board, and those on them."""
    boards = [plugin for plugin in plugins if isinstance(plugin, Board)]
    return [each for board in boards for each in (board, *boards_in(board))]


def open_stream(plugins: Iterable[Any], sample_rate: int, channels: int, block_size: int) -> Stream:
    """Reset effects and join them to a stream; one that pedalboard can't stream gets the signal whole.

    Raises:
        AudioError: An effect does not take the channels that come to it, or the rate.
    """
    stages: list[Stage] = []
    coming = channels
    for plugin in flat(plugins):
        if isinstance(plugin, ModelPlugin):
            stage: Stage = ModelStage(plugin, sample_rate, coming, block_size)
        else:
            kind = PluginStage if can_stream(plugin) else WholeSignalStage
            stage = kind(plugin, sample_rate, coming, block_size)
        stages.append(stage)
        coming = stage.out_channels
    return Stream(stages, channels)


def require_lengths(plugins: Iterable[Any], samples: int) -> None:
    """Check that automation arrays are as long as the audio.

    Raises:
        ParameterError: One is not.
    """
    for plugin in flat(plugins):
        if isinstance(plugin, ModelPlugin):
            plugin.params.require_length(samples)


def whole_number(name: str, value: float, unit: str) -> int:
    """``value`` as an integer above 0.

    Raises:
        AudioError: It is none.
    """
    number = as_number(value)
    if number is None or not 1 <= number < 1e9 or number != int(number):
        raise AudioError(f"{name} must be a whole number of {unit} above 0, got {value!r}.")
    return int(number)


def _require_streamable(plugins: Iterable[Any]) -> None:
    for plugin in flat(plugins):
        if not isinstance(plugin, ModelPlugin) and not can_stream(plugin):
            raise AudioError(
                f"pedalboard's {type(plugin).__name__} gives wrong audio when it is called block by block "
                "(PitchShift gives silence, parallel branches that lag come apart). "
                "Process the whole signal with reset=True."
            )


def _is_same(plugin: Any, value: object) -> bool:
    return plugin is value or (isinstance(plugin, ModelPlugin) and plugin.source is value)


def _describe(key: tuple[Any, ...]) -> str:
    plugins, rate, block, channels = key
    return f"{len(plugins)} effects, {rate} Hz, buffer_size={block}, {channels} channels"
