"""Artifacts in other engines' formats: proven, described, and kept only when they are right."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from neutone_like import ModelMetadata, WaveformToWaveformBase, export_model, load_artifact
from neutone_like.artifact.writing.staging import OUR_FILES
from neutone_like.errors import ArtifactError, ExportError, MissingExtraError
from neutone_like.formats import FORMATS, read_sidecar, sidecar_path, write_formats
from neutone_like.formats.format import Draft, Player
from neutone_like.formats.onnx_format import OnnxFormat
from support.absent_package import Absent
from support.compiled_live_models import Amp, Ringing
from support.compiled_networks import Function, captured
from support.exported_folders import LIVE_FOLDERS
from support.onnx_networks import OnnxNetwork
from support.places import EXPORTED

WRITTEN = ("nm", "onnx", "pt2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("amp") / "amp"
    export_model(Amp(), made, validate=False, render_samples=False, formats=WRITTEN)
    return made


def test_an_export_writes_every_format_that_is_asked_for(folder: Path) -> None:
    names = {each.name for each in folder.iterdir()}
    assert {"model.nm", "model.onnx", "model.onnx.json", "model.pt2", "model.pt2.json"} <= names
    assert "model.nlc" not in names
    assert names <= set(OUR_FILES)


def test_a_later_export_without_them_takes_them_away(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "amp"
    export_model(Amp(), target, validate=False, render_samples=False, formats=("nm", "onnx"))
    (target / "mine.txt").write_text("stays")
    export_model(Amp(), target, validate=False, render_samples=False, formats=("nm",))
    assert {each.name for each in target.iterdir()} == {"model.nm", "metadata.json", "mine.txt"}


def test_the_sidecar_says_what_a_host_must_know(folder: Path) -> None:
    sidecar = read_sidecar(folder / "model.onnx")
    assert (sidecar.format, sidecar.sample_rate, sidecar.block_samples, sidecar.delay_samples) == (
        "onnx",
        48000,
        None,
        0,
    )
    assert (sidecar.in_channels, sidecar.out_channels) == (1, 1)
    assert [(each.name, each.rate, each.default) for each in sidecar.parameters] == [
        ("drive", "block", 1.0),
        ("level", "sample", 0.5),
        ("curve", "block", 0.0),
    ]
    assert [(each.name, list(each.shape), each.initial) for each in sidecar.states] == [("past", [1, 4], None)]
    assert sidecar.notes["tensorrt"]["operations_not_listed"] == []
    assert read_sidecar(folder / "model.pt2").block_samples == 64


HOST = """
import base64, json, sys
import numpy as np
folder, kind = sys.argv[1:]
sidecar = json.load(open(f"{folder}/model.{kind}.json"))
states = [
    np.zeros(each["shape"], each["dtype"]) if each["initial"] is None
    else np.frombuffer(base64.b64decode(each["initial"]), each["dtype"]).reshape(each["shape"])
    for each in sidecar["states"]
]
rng = np.random.default_rng(5)
blocks = [64, 64, 64] if sidecar["block_samples"] else [64, 1, 63, 17, 47]
sound = rng.standard_normal((1, 192), dtype=np.float32)
if kind == "onnx":
    import onnxruntime
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
else:
    import torch
    program = torch.export.load(f"{folder}/model.pt2").module()
out, start = [], 0
for samples in blocks:
    audio = sound[:, start : start + samples]
    start += samples
    knobs = [
        np.full(1 if each["rate"] == "block" else samples, each["default"], np.float32)
        for each in sidecar["parameters"]
    ]
    if kind == "onnx":
        names = [sidecar["audio_input"], *(each["input"] for each in sidecar["parameters"] + sidecar["states"])]
        wanted = [sidecar["audio_output"], *(each["output"] for each in sidecar["states"])]
        y, *states = session.run(wanted, dict(zip(names, [audio, *knobs, *states])))
    else:
        found = program(*(torch.from_numpy(each.copy()) for each in [audio, *knobs, *states]))
        y, *states = (each.detach().numpy() for each in found)
    out.append(y)
assert "neutone_like" not in sys.modules
np.save(f"{folder}/heard.npy", np.concatenate(out, 1))
"""


@pytest.mark.parametrize("kind", ["onnx", "pt2"])
def test_a_process_that_knows_only_the_sidecar_plays_it(kind: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", HOST, str(folder), kind], check=True, cwd=folder)
    heard = np.load(folder / "heard.npy")
    sound = torch.from_numpy(np.random.default_rng(5).standard_normal((1, 192), dtype=np.float32))
    model = Amp()
    knobs = {"drive": torch.tensor([1.0]), "level": torch.full((192,), 0.5), "curve": torch.tensor([0.0])}
    with torch.no_grad():
        wanted = model.do_forward_pass(sound, knobs)
    np.testing.assert_allclose(heard[:, : wanted.size(1)], wanted, atol=2e-6)


def test_states_that_are_not_zero_at_first_are_in_the_sidecar(tmp_path: Path) -> None:
    class Offset(Amp):
        def __init__(self) -> None:
            super().__init__()
            self.past = torch.full((1, 4), 0.25)

        @torch.jit.export
        def reset_model(self) -> None:
            self.past = torch.full_like(self.past, 0.25)

    export_model(Offset(), tmp_path / "offset", validate=False, render_samples=False, formats=("nm", "onnx"))
    (state,) = read_sidecar(tmp_path / "offset" / "model.onnx").states
    assert state.initial == "AACAPgAAgD4AAIA+AACAPg=="  # four times 0.25


class _Forgetful(OnnxFormat):
    """As if what was written gave its states back as they were at first."""

    def open(self, draft: Draft, path: Path) -> Player:
        player = super().open(draft, path)
        call, first = player.call, list(player.states)
        player.call = lambda tensors: [call(tensors)[0], *first]  # type: ignore[method-assign]
        return player


def test_a_state_that_is_dropped_is_noticed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "onnx", _Forgetful())
    with pytest.raises(ExportError, match="does not give what the network does"):
        write_formats(load_artifact(folder / "model.nm"), ["onnx"], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_prepared_for_each_rate_is_written_for_its_first(tmp_path: Path) -> None:
    export_model(Ringing(), tmp_path / "ringing", validate=False, render_samples=False, formats=("nm", "onnx"))
    assert read_sidecar(tmp_path / "ringing" / "model.onnx").sample_rate == 44100


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (("nm", "tflite"), "no format 'tflite'; there are onnx, litert"),
        (("onnx",), "must hold 'nm'"),
        ("nm", "must hold 'nm'"),
        (None, "must hold 'nm'"),
        (("nm", "coreml"), "only macOS plays"),
        (("nm", "tensorrt"), "ask for 'onnx'"),
    ],
)
def test_formats_that_there_are_not(formats: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=message):
        export_model(Amp(), tmp_path / "amp", validate=False, render_samples=False, formats=formats)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("package", "format", "extra"),
    [
        ("onnx", "onnx", "onnx"),
        ("onnxruntime", "onnx", "onnx"),
        ("litert_torch", "litert", "litert-convert"),
        ("executorch", "executorch", "executorch"),
        ("openvino", "openvino", "openvino"),
    ],
)
def test_a_missing_package_is_named_with_what_brings_it(
    package: str, format: str, extra: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(package), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=rf'pip install "neutone-like\[{extra}\]"'):
        write_formats(load_artifact(folder / "model.nm"), [format], tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_executorch_warns_of_while_it_is_imported_stops_nobody(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 1.5.1 does so, where Python's resources.read_text is deprecated. Here its other half is missing."""
    package = tmp_path / "executorch"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "exir.py").write_text("import warnings\nwarnings.warn('read_text is old', DeprecationWarning)\n")
    for name in [each for each in sys.modules if each.split(".")[0] == "executorch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with pytest.raises(MissingExtraError, match=r"neutone-like\[executorch\]"):
            FORMATS["executorch"].write(load_artifact(folder / "model.nm"), None, tmp_path / "model.pte")
        assert "executorch.exir" in sys.modules
    finally:
        for name in ("executorch", "executorch.exir"):
            sys.modules.pop(name, None)


def test_a_file_without_its_sidecar_or_with_another_is_refused(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes((folder / "model.onnx").read_bytes())
    with pytest.raises(ArtifactError, match="has no model.onnx.json beside it"):
        read_sidecar(model)
    beside = sidecar_path(model)
    original = (folder / "model.onnx.json").read_text()
    for text, message in (
        (original[:40], "damaged"),
        ("[]", "damaged"),
        ("{}", "damaged"),
        (original.replace('"neutone_like_sidecar": 1', '"neutone_like_sidecar": 2'), "version 2"),
        (original.replace('"delay_samples"', '"delay"'), "damaged"),
    ):
        beside.write_text(text)
        with pytest.raises(ArtifactError, match=message):
            read_sidecar(model)
    beside.write_text(original)
    assert read_sidecar(model).file == "model.onnx"
    beside.write_text(original.replace('"block_samples": null', '"block_samples": "many"'))
    with pytest.raises(ArtifactError, match=r"damaged.*\n.*block_samples"):
        read_sidecar(model)
    beside.write_text(original)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ArtifactError, match="not the file that"):
        read_sidecar(model)


def test_a_model_file_that_is_not_there_and_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no file .*model.tflite.*--formats nm,nlc,litert"):
        read_sidecar(tmp_path / "model.tflite")


def test_several_formats_appear_together_or_not_at_all(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "onnx", _Forgetful())
    with pytest.raises(ExportError, match="does not give what the network does"):
        write_formats(load_artifact(folder / "model.nm"), ["pt2", "onnx"], tmp_path)
    assert not list(tmp_path.iterdir())
    artifact = load_artifact(folder / "model.nm")
    for formats, place, message in (
        ("onnx", tmp_path, "list of formats"),
        (["onnx"], tmp_path / "absent", "There is no folder"),
        (["nlc"], tmp_path, "write by themselves"),
    ):
        with pytest.raises(ExportError, match=message):
            write_formats(artifact, formats, place)


class _Mono(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Odd", authors=("Ada",), version="1.0.0")
    in_channels: Any = 1
    out_channels: Any = 1
    sample_rates: Any = (44100, 48000)


class Endless(_Mono):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.log(x)


class Noisy(_Mono):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + torch.rand_like(x)


@pytest.mark.parametrize(("model", "message"), [(Endless, "NaN or infinite"), (Noisy, "random numbers")])
def test_what_nothing_can_be_held_against_is_refused(model: Any, message: str, tmp_path: Path) -> None:
    for format in ("onnx", "pt2"):
        with pytest.raises(ExportError, match=message if format == "pt2" or model is Endless else "rand"):
            export_model(model(), tmp_path / "odd", validate=False, render_samples=False, formats=("nm", format))
    assert not list(tmp_path.iterdir())


class Sizes(_Mono):
    """Looks behind, in blocks of two lengths, neither of them the example's."""

    block_sizes = (28, 60)
    look_behind_samples = 4

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.reshape(1, -1, 8).cumsum(2).reshape(1, -1)[:, 4:]


def test_a_model_of_several_block_sizes_is_written_for_its_shortest(tmp_path: Path) -> None:
    export_model(Sizes(), tmp_path / "odd", validate=False, render_samples=False, formats=("nm", "onnx", "pt2"))
    for name in ("model.onnx", "model.pt2"):
        sidecar = read_sidecar(tmp_path / "odd" / name)
        assert (sidecar.block_samples, sidecar.look_behind_samples, sidecar.sample_rate) == (28, 4, 48000)


class Clash(_Mono):
    """Buffers whose names could be taken for each other."""

    b: Tensor
    b_out: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("b", torch.zeros(1))
        self.register_buffer("b_out", torch.ones(1))

    @torch.jit.export
    def reset_model(self) -> None:
        self.b, self.b_out = torch.zeros(1), torch.ones(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = x + self.b + 0.5 * self.b_out
        self.b, self.b_out = x[0, -1:], self.b
        return y


def test_states_of_names_like_outputs_stay_apart(tmp_path: Path) -> None:
    export_model(Clash(), tmp_path / "odd", validate=False, render_samples=False, formats=("nm", "onnx"))
    states = {each.name: each for each in read_sidecar(tmp_path / "odd" / "model.onnx").states}
    assert set(states) == {"b", "b_out"}
    assert len({each.input for each in states.values()} | {each.output for each in states.values()}) == 4


SLOW_BY_SAMPLES = ("equaliser", "tone_control")
"""Without their Python models they are captured sample by sample, which takes ten seconds each."""


@pytest.mark.slow
@pytest.mark.parametrize("example", [each.name for each in LIVE_FOLDERS if each.name not in SLOW_BY_SAMPLES])
def test_every_live_example_is_as_exact_in_onnx(example: str, tmp_path: Path) -> None:
    (written,) = write_formats(load_artifact(EXPORTED / example / "model.nm"), ["onnx"], tmp_path)
    assert written.accuracy.error <= max(2.0 * written.accuracy.eager_error, 1e-6 * written.accuracy.peak)
    assert len(written.accuracy.blocks) == 8


ENGINES = {"litert": "litert_torch", "executorch": "executorch", "openvino": "openvino"}


@pytest.mark.slow
@pytest.mark.parametrize("format", ENGINES)
@pytest.mark.parametrize("example", ["overdrive", "lstm_amp", "tcn_amp"])
def test_other_engines_are_as_exact(format: str, example: str, tmp_path: Path) -> None:
    pytest.importorskip(ENGINES[format], reason=f"{ENGINES[format]} is not installed; `make formats` brings it")
    (written,) = write_formats(load_artifact(EXPORTED / example / "model.nm"), [format], tmp_path)
    assert written.accuracy.is_good
    assert read_sidecar(written.path).block_samples == written.block_samples


@pytest.mark.slow
def test_other_engines_know_a_softplus_above_zero() -> None:
    openvino = pytest.importorskip("openvino", reason="openvino is not installed; `make formats` brings it")
    core = openvino.Core()
    x = -torch.arange(10.0, 40.0).reshape(1, 1, -1)
    for body in (F.softplus, lambda y: torch.logaddexp(y, torch.zeros_like(y))):
        network = OnnxNetwork(captured(Function(body), channels=1))
        found = core.compile_model(core.read_model(network.data), "CPU")([x.numpy()])[0]
        np.testing.assert_allclose(found, body(x.double()), rtol=1e-5)


def test_a_full_disk_is_the_systems_error(tmp_path: Path) -> None:
    """PyTorch's own writer of archives raises another, or ends the process: what it makes is written by Python."""
    artifact = load_artifact(EXPORTED / "overdrive")
    with pytest.raises(FileNotFoundError):
        FORMATS["pt2"].write(artifact, None, tmp_path / "no folder" / "model.pt2")
