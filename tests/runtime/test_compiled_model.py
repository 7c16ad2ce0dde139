"""Compiled models by themselves, as the native module plays them."""

import copy
import pickle
import struct
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from neutone_like import CompiledModel, load_compiled
from neutone_like.errors import ArtifactError, RuntimeEngineError
from neutone_like.runtime import compiled_model
from neutone_like.runtime.native_module import native_module
from support.compiled_files import delayed, late_model, resealed
from support.places import EXPORTED

VALUE = [np.ones(1, np.float32)]


def noise(samples: int, channels: int = 2, seed: int = 1) -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, (channels, samples)).astype(np.float32)


def model(**facts: Any) -> Any:
    return native_module().CompiledModel(late_model("{}", **facts))


def test_it_says_what_it_is() -> None:
    compiled = native_module().CompiledModel(late_model('{"name": "Lärm"}', granule=32))
    facts = compiled.facts()
    assert (facts["granule"], facts["in_channels"], facts["parameters"], facts["delay_samples"]) == (32, 2, 1, 3)
    assert compiled.metadata().decode() == '{"name": "Lärm"}'
    assert compiled.instance_bytes > facts["state_bytes"] + facts["arena_bytes"] > 0
    assert compiled.kernels == native_module().compiled_kernels()[-1]


def test_its_test_vector_is_what_it_plays() -> None:
    compiled = model()
    vector = compiled.test_vector()
    assert vector is not None
    audio, parameters, expected = vector
    assert (audio.shape, parameters.shape, expected.shape) == ((2, 5), (1, 1), (2, 5))
    np.testing.assert_array_equal(compiled.play(audio, list(parameters)), expected)


@pytest.mark.parametrize("kernels", native_module().compiled_kernels())
def test_any_number_of_samples_in_any_pieces(kernels: str) -> None:
    compiled = native_module().CompiledModel(late_model("{}", granule=48), kernels)
    assert compiled.kernels == kernels
    audio = noise(3000)
    generator = np.random.default_rng(2)
    heard: list[Any] = []
    while (at := sum(each.shape[1] for each in heard)) < 3000:
        piece = np.ascontiguousarray(audio[:, at : at + int(generator.integers(0, 200))])
        values = [np.ones(piece.shape[1] if generator.integers(2) else 1, np.float32)]
        heard.append(compiled.play(piece, values))
    np.testing.assert_array_equal(np.concatenate(heard, axis=1), delayed(audio))
    compiled.reset()
    np.testing.assert_array_equal(compiled.play(audio, VALUE), delayed(audio))


@pytest.mark.parametrize(
    ("audio", "values", "message"),
    [
        (noise(8, 1), VALUE, "channels in: expected 2, got 1"),
        (noise(8), [], "parameters: expected 1, got 0"),
        (noise(8), [np.ones(7, np.float32)], r"one a sample\): expected 8, got 7"),
    ],
)
def test_other_shapes_are_refused(audio: Any, values: Sequence[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model().play(audio, values)


def facts_at(data: bytes) -> int:
    return struct.unpack_from("<Q", data, 32 + 24 + 8)[0]


def test_what_can_not_be_played_is_named() -> None:
    native, good = native_module(), late_model("{}")
    refusals = [
        (b"", "does not begin as a compiled model does"),
        (b"PK\3\4" + bytes(100), "Expected a model.nlc"),
        (good[:-1], r"should have \d+ bytes, and has \d+\. Copy it again"),
        (good[:-1] + b"\1", "checksum does not fit"),
        (
            late_model("{}", version=5),
            "version 5 of the format, this library reads versions 1 to 4. Use a newer version",
        ),
        (
            resealed(good, facts_at(good) + 4 * 4, struct.pack("<i", 3)),
            "its test vector should have 26 numbers, and has 21",
        ),
        (
            resealed(good, facts_at(good) + 2 * 4, struct.pack("<i", 65)),
            "buffer 0: its rows don.t fit. Compile the model again",
        ),
    ]
    for data, message in refusals:
        with pytest.raises(ArtifactError, match=message):
            native.CompiledModel(data)
    with pytest.raises(ArtifactError, match="^amp.nlc is no compiled model"):
        native.CompiledModel(b"", name="amp.nlc")
    with pytest.raises(RuntimeEngineError, match="no kernels 'abacus'"):
        native.CompiledModel(good, "abacus")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_has_a_state_of_its_own(again: Callable[[CompiledModel], CompiledModel]) -> None:
    model = load_compiled(EXPORTED / "lstm_amp")
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (model.in_channels, 480)).astype(np.float32)
    first = model.process(x)
    other = again(model)
    assert (other.path, other.metadata) == (model.path, model.metadata)
    second = model.process(x)
    assert not np.array_equal(first, second), "it keeps state"
    np.testing.assert_array_equal(other.process(x), first)


def test_a_second_thread_in_the_midst_of_a_block_is_refused() -> None:
    model = load_compiled(EXPORTED / "lstm_amp")
    x, short = noise(200_000, model.in_channels), noise(64, model.in_channels)
    alone = copy.copy(model).process(x)
    refused: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        while not refused:  # the other one may be done before this thread gets to run
            model.reset()
            playing = pool.submit(model.process, x)
            while not playing.done() and not refused:
                try:
                    model.process(short)
                except RuntimeEngineError as error:
                    refused.append(str(error))
            if refused and playing.exception() is None and np.array_equal(playing.result(), alone):
                break
            refused.clear()  # this thread came first, with a sound of its own
    assert refused[0].startswith("Another thread is inside process() of this compiled model")


def test_an_interrupt_leaves_nobody_inside() -> None:
    """Ctrl-C at every line, call and return of a block's Python: the next block is played."""
    model = load_compiled(EXPORTED / "lstm_amp")
    x = noise(64, model.in_channels)
    moments = 0

    def interrupt(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename == compiled_model.__file__:
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return interrupt

    while True:
        moments += 1
        left = moments
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            model.process(x)
            break
        except KeyboardInterrupt:
            continue
        finally:
            sys.settrace(before)
    assert moments > 15
    assert model.process(x).shape == (model.out_channels, 64)


def test_a_path_where_content_is_meant_is_told_how_to_open_it() -> None:
    for wrong in (Path("model.nlc"), "model.nlc", None, 3, bytearray(4)):
        with pytest.raises(ArtifactError, match=r"as bytes, got \w+\. To open a file: load_compiled\(path\)"):
            CompiledModel(wrong)  # pyright: ignore[reportArgumentType]
