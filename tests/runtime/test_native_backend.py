"""A backend of a user's own in C, compiled here against the package's header; shared objects that do not fit."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neutone_like import ContinuousParameter, RuntimeEngineError, load_artifact
from neutone_like.runtime import Engine, HostConfig, NativeBackend
from neutone_like.runtime.native_files import native_sources
from neutone_like.runtime.torch_backend import torch_backend_path
from support.runtime_models import noise, play, regular

HOST = HostConfig(48000, 128)

# Adds the parameter "offset", the option "plus", and up its input: the running sum is a state that the engine keeps.
SOURCE = r"""
#include <neutone_like/backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { double plus; int channels; float initial[8]; nl_state_spec state; } model;

static nl_status create(const char* source, const char* options, void** instance, nl_error error) {
    if (strcmp(source, "adder") != 0) {
        snprintf(error.message, error.size, "there is no model '%s'", source);
        return NL_ERROR;
    }
    model* made = calloc(1, sizeof(model));
    sscanf(options, "plus=%lf", &made->plus);
    for (int i = 0; i < 8; ++i) made->initial[i] = 0.25f;
    *instance = made;
    return NL_OK;
}
static nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
    model* self = instance;
    self->channels = setup->in_channels;
    if (setup->sample_rate != 44100 && setup->sample_rate != 48000) {
        snprintf(error.message, error.size, "no such rate: %d", (int)setup->sample_rate);
        return NL_ERROR;
    }
    self->state.name = "sum";
    self->state.elements = self->channels;
    self->state.initial = self->initial;
    facts->delay_samples = 0;
    facts->state_count = 1;
    facts->states = &self->state;
    return NL_OK;
}
static nl_status process(void* instance, const nl_block* block, nl_error error) {
    model* self = instance;
    for (int c = 0; c < self->channels; ++c) {
        float sum = block->states_in[0][c];
        for (int i = 0; i < block->samples; ++i) {
            sum += block->audio_in[c * block->samples + i];
            block->audio_out[c * block->samples + i] = sum + block->parameters[0][0] + (float)self->plus;
        }
        block->states_out[0][c] = sum;
    }
    return NL_OK;
}
static nl_status reset(void* instance, nl_error error) { return NL_OK; }
static void destroy(void* instance) { free(instance); }
static const nl_backend table = {ABI, "adder", create, NULL, prepare, process, reset, destroy, NULL};

const nl_backend* neutone_like_backend(nl_error error) {
    if (REFUSES) {
        snprintf(error.message, error.size, "the stars are wrong");
        return NULL;
    }
    return &table;
}
"""


def compiled(folder: Path, name: str, **macros: object) -> Path:
    """The shared object; the test is skipped where there is no compiler, as the engine itself could not be there."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    source, made = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(SOURCE)
    defined = {"ABI": "NL_BACKEND_ABI", "REFUSES": 0, **macros}
    flags = [f"-D{key}={value}" for key, value in defined.items()]
    include = native_sources() / "include"
    command = [compiler, "-std=c99", "-shared", "-fPIC", "-O1", *flags, f"-I{include}", str(source), "-o", str(made)]
    subprocess.run(command, check=True, timeout=600)
    return made


@pytest.fixture(scope="module")
def adder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("backend"), "adder")


def test_a_backend_in_c_plays(adder: Path) -> None:
    parameters = (ContinuousParameter("offset", default=0.5, maximum=2.0, smoothing_seconds=0.0),)
    x = noise(1280)
    with Engine() as engine:
        backend = NativeBackend(adder, "adder", options={"plus": 1.0}, parameters=parameters)
        session = engine.open(backend, HOST, mode="inline")
        assert session.name == "adder"
        session.set_parameter("offset", 2.0)
        expected = np.cumsum(x, 1, dtype=np.float64) + 0.25 + 1.0 + 2.0
        for _ in range(2):
            np.testing.assert_allclose(play(session, x, regular(1280, 128)), expected, rtol=0.0, atol=1e-4)
            session.reset()


def test_the_libtorch_backend_is_one_like_any_other(project_folder: Path) -> None:
    artifact = load_artifact(project_folder / "exported" / "overdrive")
    x = noise(1280)
    with Engine() as engine:
        backend = NativeBackend(
            torch_backend_path(),
            artifact.path,
            options={"part": "model"},
            in_channels=artifact.in_channels,
            out_channels=artifact.out_channels,
            sample_rate=48000,
            parameters=artifact.numerical_parameters,
        )
        by_hand = engine.open(backend, HOST, mode="inline")
        session = engine.open(artifact, HOST, mode="inline", backend="torchscript")
        np.testing.assert_array_equal(play(by_hand, x, regular(1280, 128)), play(session, x, regular(1280, 128)))


def test_what_does_not_fit_is_refused_with_its_own_words(adder: Path, tmp_path: Path) -> None:
    refusing = compiled(tmp_path, "refusing", REFUSES=1)
    other_abi = compiled(tmp_path, "other", ABI=99)
    cases = [
        (NativeBackend(refusing, "adder"), "refusing.so refuses .*: the stars are wrong"),
        (NativeBackend(other_abi, "adder"), "version 99|interface 99"),
        (NativeBackend(adder, "divider"), "'adder' could not open the model: there is no model 'divider'"),
        (NativeBackend(adder, "adder", sample_rate=32000), "'adder' could not prepare the model: no such rate: 32000"),
        (
            NativeBackend(torch_backend_path(), "x.nm", options={"speed": 2}),
            "part, model_rate and model_block.*'speed'",
        ),
        (NativeBackend(torch_backend_path(), tmp_path / "x.nm"), "x.nm"),
    ]
    with Engine() as engine:
        for backend, message in cases:
            with pytest.raises(RuntimeEngineError, match=message):
                engine.open(backend, HOST)
