"""What an artifact's program may call: read before PyTorch gets to see it, refused by name, not run by loading."""

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ArtifactError,
    ContinuousParameter,
    ExportError,
    ModelMetadata,
    WaveformToWaveformBase,
    export_model,
    load_artifact,
)
from neutone_like.artifact.reading.code_scan import refused_operators
from neutone_like.artifact.reading.operators import listed_operators
from support import attacks, operator_registry

OVERDRIVE = "model/code/__torch__/overdrive.py"
WRAPPER = "model/code/__torch__/neutone_like/host/wrapper.py"
BODY = b'    _0 = torch.pow(10., torch.div(params["drive"], 20.))\n'


# ---------------------------------------------------------------- the list


def test_the_list_is_what_the_registry_and_the_reasons_give() -> None:
    if torch.__version__.startswith("2.13."):
        assert listed_operators() == set(operator_registry.allowed())
    assert not {name: reason for name in listed_operators() if (reason := operator_registry.reason_to_refuse(name))}


def test_no_listed_operator_takes_the_name_of_a_file_an_address_or_a_function() -> None:
    suspicious = re.compile(r"file|path|url|host|port|addr|group|rank|world|callback|func|storage$|source$|process|pid")
    harmless = {  # of tensors and numbers
        "groups",
        "n_groups",
        "num_groups",
        "group_size",
        "qGroupSize",
        "storage_offset",
        "source",
    }
    found: set[str] = set()
    for schema in torch._C._jit_get_all_schemas():  # pyright: ignore[reportPrivateUsage]
        for argument in schema.arguments:
            is_tensor = str(argument.type) in ("Tensor", "Optional[Tensor]", "List[Tensor]")
            if suspicious.search(argument.name) and not is_tensor and argument.name not in harmless:
                found.add(schema.name)
    assert {"aten::from_file", "aten::save"} <= found, "the search finds what it is for"
    computing = {
        "aten::einsum",
        "aten::native_group_norm",
        "aten::native_group_norm_backward",
    }  # paths, groups: numbers
    assert found & listed_operators() <= computing


class Zoo(nn.Module):
    """Much of what models are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(4, 4, 3, padding=1), nn.BatchNorm1d(4), nn.GELU(), nn.GroupNorm(2, 4))
        self.up = nn.ConvTranspose1d(4, 4, 2, stride=2)
        self.lstm, self.gru = nn.LSTM(4, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)
        self.attention = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1)
        self.embedding, self.norm = nn.Embedding(8, 4), nn.LayerNorm(4)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.interpolate(self.up(self.conv(x)), scale_factor=0.5, mode="linear")
        y = self.norm(self.attention(self.gru(self.lstm(y.transpose(1, 2))[0])[0]))
        window = torch.hann_window(8)
        spectrum = torch.stft(y.flatten(), 8, 4, window=window, return_complex=True)
        y = torch.istft(spectrum * torch.exp(1j * torch.angle(spectrum)), 8, 4, window=window)
        return torch.fft.irfft(torch.fft.rfft(y)).sort().values + self.embedding(torch.zeros(1, dtype=torch.long)).sum()


def code_of(module: torch.jit.ScriptModule) -> Iterator[bytes]:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    with zipfile.ZipFile(buffer) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                yield archive.read(name)


def test_models_of_usual_layers_are_not_refused() -> None:
    zoo = Zoo().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(zoo, torch.randn(1, 4, 16), check_trace=False)
        scripted = torch.jit.script(zoo)
    for module in (traced, scripted):
        for code in code_of(module):  # pyright: ignore[reportArgumentType]
            assert refused_operators(code) == set()


def test_code_that_was_read_before_vouches_for_no_other() -> None:
    clean, changed = b"def f(x):\n  return torch.add(x, 1)\n", b"def f(x):\n  return torch.save(x, 1)\n"
    for _ in range(2):
        assert refused_operators(clean) == set()
        assert refused_operators(changed) == {"aten::save"}


# ---------------------------------------------------------------- programs that were changed by hand


def program(tmp_path: Path, member: str, old: bytes, new: bytes) -> Path:
    """The overdrive with other code, and with fingerprints that fit."""
    members = dict(attacks.read_originals()["overdrive"].members)
    assert old in members[member]
    members[member] = members[member].replace(old, new)
    metadata = json.loads(members[attacks.METADATA])
    del metadata["neutone_like"]["members_sha256"]
    members[attacks.METADATA] = json.dumps(metadata).encode()
    path = tmp_path / "a.nm"
    path.write_bytes(attacks.pack(list(members.items())))
    return path


SAVING = {
    "as PyTorch writes it": b'torch.save(x, "mark")',
    "by its namespace": b'ops.aten.save(x, "mark")',
    "with spaces": b'torch . save (x, "mark")',
    "over two lines": b'(torch\n  .  # a comment\n  save)(x, "mark")',
    "under another name": b'save\n    save(x, "mark")',
    "in autograd": b'torch.autograd.save(x, "mark")',
}


@pytest.mark.parametrize("how", SAVING)
def test_a_program_that_writes_files_is_refused(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    statement = b"_9 = torch.save\n    _8 = _9(x, 'mark')" if how == "under another name" else b"_9 = " + SAVING[how]
    path = program(tmp_path, OVERDRIVE, BODY, b"    " + statement + b"\n" + BODY)
    with pytest.raises(ArtifactError, match=r"a\.nm uses aten::save, which an artifact may not.*None of the code was"):
        load_artifact(path)
    assert not Path("mark").exists()
    module = load_artifact(path, allow_operators=["aten::save"]).module
    module.forward(torch.zeros(2, 64))
    assert Path("mark").exists(), "the attack works"


def test_loading_runs_no_code_of_the_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what tells the metadata: it is read from the attributes that were saved."""
    monkeypatch.chdir(tmp_path)
    for method, value in (
        (b"get_metadata_json", b"metadata_json"),
        (b"get_default_param_values", b"default_param_values"),
    ):
        old = b"    return self." + value + b"\n"
        path = program(tmp_path, WRAPPER, old, b'    _9 = torch.save(1, "mark")\n' + old)
        module = load_artifact(path, allow_operators=["aten::save"]).module
        assert not Path("mark").exists()
        getattr(module, method.decode())()
        Path("mark").unlink()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (b'_9 = torch.from_file("/etc/hostname", False, 4)', "aten::from_file"),
        (b"print(x)", "prim::Print"),
        (b"_9 = fork(self.reset_model)", "prim::fork"),
        (b"_9 = torch.set_(x, x)", "aten::set_"),
        (b"_9 = (x).set_(x)", "aten::set_"),
        (b'_9 = getattr(x, "set_")(x)', "aten::set_"),
        (b"_9 = ops.c10d.barrier(x)", "c10d::barrier"),
        (b"_9 = ops.nobody.knows(x)", "nobody::knows"),
        (b"_9 = torch.invented_later(x)", "aten::invented_later"),
        (b"_9 = __torch__.torch.classes.dist_rpc.WorkerInfo(x)", "classes::dist_rpc.WorkerInfo"),
    ],
)
def test_other_ways_out_are_refused_by_name(statement: bytes, name: str, tmp_path: Path) -> None:
    path = program(tmp_path, OVERDRIVE, BODY, b"    " + statement + b"\n" + BODY)
    with pytest.raises(ArtifactError, match=rf"a\.nm uses {name}, which an artifact may not"):
        load_artifact(path)


def test_a_method_that_runs_while_loading_is_refused(tmp_path: Path) -> None:
    old = b"  def reset_model("
    hook = (
        b"  def __getstate__(self: __torch__.overdrive.Overdrive) -> int:\n    return 0\n"
        b"  def __setstate__(self: __torch__.overdrive.Overdrive, x: int) -> NoneType:\n    return None\n"
    )
    with pytest.raises(ArtifactError, match=r"uses method::__setstate__, which"):
        load_artifact(program(tmp_path, OVERDRIVE, old, hook + old))


@pytest.mark.parametrize(
    "code",
    [
        b'# type: torch.save(1, "mark")',
        b'"""x""".save("mark")',
        b"_9 = torch.\\\nsave",
        b"_9 = t\xc3\xb6rch",
        b"_9 = ops",
        b'_9 = getattr(torch, "save")(x, "mark")',
        b"_9 = __torch__.torch",
        b'_9 = getattr(torch, "sa\\166e")',
        b'_9 = getattr(torch, "sa" "ve")',
        b"_9 = getattr",
        b"_9 = 'never ended",
    ],
)
def test_code_that_pytorch_does_not_write_is_refused(code: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"overdrive\.py' is not as PyTorch writes it: .*Export the model again"):
        load_artifact(program(tmp_path, OVERDRIVE, BODY, b"    " + code + b"\n" + BODY))


def test_pickles_make_nothing_but_data(tmp_path: Path) -> None:
    old, new = b"ctorch.jit._pickle\nrestore_type_tag\n", b"ctorch.distributed.rpc\nrref\n"
    with pytest.raises(ArtifactError, match=r"data\.pkl' is not as .*: it names torch\.distributed\.rpc\.rref"):
        load_artifact(program(tmp_path, "model/data.pkl", old, new))


def test_members_that_are_no_part_of_an_artifact(tmp_path: Path) -> None:
    members = dict(attacks.read_originals()["overdrive"].members)
    metadata = json.loads(members[attacks.METADATA])
    del metadata["neutone_like"]["members_sha256"]
    members[attacks.METADATA] = json.dumps(metadata).encode()
    for name in ("model/bytecode.pkl", "model/model.json", "model/code/x.so", "model/attributes.pkl"):
        (tmp_path / "a.nm").write_bytes(attacks.pack([*members.items(), (name, b"x")]))
        with pytest.raises(ArtifactError, match=rf"has the member '{name}', which is no part of a \.nm"):
            load_artifact(tmp_path / "a.nm")


# ---------------------------------------------------------------- export


class Gain(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Gain", authors=("A",), version="1")
    parameters = (ContinuousParameter("gain", default=0.5),)
    sample_rates = (48000,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())


class Saves(Gain):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        torch.save(x, "mark")  # the line
        return x * params["gain"]


def test_export_points_at_the_line_and_can_be_told_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick: dict[str, Any] = {"validate": False, "report": False, "render_samples": False}
    with pytest.raises(ExportError, match=r"Saves uses aten::save, (.|\n)*\.py:\d+\n.*# the line\nWhat to do: "):
        export_model(Saves(), tmp_path / "out", **quick)
    assert not (tmp_path / "out").exists()
    result = export_model(Saves(), tmp_path / "out", **quick, allow_operators=["aten::save"])
    with pytest.raises(ArtifactError, match="uses aten::save"):
        load_artifact(result.directory)
    load_artifact(result.directory, allow_operators=["aten::save"]).fresh_module()
    for wrong in ("aten::save", ["save"], [3]):
        with pytest.raises(ArtifactError, match="allow_operators must"):
            load_artifact(result.directory, allow_operators=wrong)  # pyright: ignore[reportArgumentType]
