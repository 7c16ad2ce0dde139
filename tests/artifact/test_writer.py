"""What an export writes, what it refuses, and that it leaves the user's model alone."""

import base64
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, ExportError, ModelError, WaveformToWaveformBase
from neutone_like.artifact import WrittenArtifact, load_artifact, write_artifact
from neutone_like.artifact.writing.sample_audio import guitar_riff
from support.artifact_models import Accumulator, Drive, Encumbered, Identity, Mono, metadata_of

RAW_FORMAT = torch.jit.load  # as a host without this package loads it


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> WrittenArtifact:
    return write_artifact(Drive(), tmp_path_factory.mktemp("exported") / "drive", mp3_samples=True)


def write(model: Any, folder: Path, **options: Any) -> WrittenArtifact:
    defaults: dict[str, Any] = {"render_samples": False}
    return write_artifact(model, folder, **{**defaults, **options})


def test_files(drive: WrittenArtifact) -> None:
    files = {str(path.relative_to(drive.directory)) for path in drive.directory.rglob("*") if path.is_file()}
    samples = {str(path.relative_to(drive.directory)) for path in drive.sample_paths}
    assert files == {"model.nm", "metadata.json"} | samples
    assert samples == {f"samples/{name}_{side}.wav" for name in ("guitar_riff", "drum_loop") for side in ("in", "out")}
    assert all(path.is_file() for path in (drive.model_path, drive.metadata_path, *drive.sample_paths))
    assert os.listdir(drive.directory.parent) == ["drive"], "nothing temporary is left"


def test_torch_alone_loads_the_model_and_its_metadata(drive: WrittenArtifact) -> None:
    extra = {"metadata.json": ""}
    module = RAW_FORMAT(str(drive.model_path), _extra_files=extra)
    inside = json.loads(extra["metadata.json"])
    assert inside == json.loads(drive.metadata_path.read_text())
    assert (module.realtime, module.use_debug_mode) == (True, False)
    assert not module.training
    assert not any(weight.requires_grad for weight in module.parameters())
    assert hasattr(module, "w2w_base")


def test_metadata_says_what_was_declared(drive: WrittenArtifact) -> None:
    metadata = json.loads(drive.metadata_path.read_text())
    assert metadata["model_name"] == "Drive"
    assert metadata["model_authors"] == ["Ada", "Grace"]
    assert metadata["technical_links"] == {"Code": "https://example.org"}
    assert (metadata["wet_default_value"], metadata["dry_default_value"]) == (0.75, 0.25)
    assert metadata["input_gain_default_value"] == pytest.approx(0.6)  # 0..1 is -30..30 dB
    assert metadata["output_gain_default_value"] == pytest.approx(0.4)
    assert metadata["model_type"] == "stereo-stereo"
    assert (metadata["native_sample_rates"], metadata["native_buffer_sizes"]) == ([44100], [128])
    ours = metadata["neutone_like"]
    assert ours["schema_version"] == 1
    assert ours["torch_version"] == torch.__version__
    assert (ours["quality"], ours["in_channels"], ours["out_channels"]) == ("high", 2, 2)
    assert ours["parameters"][0]["unit"] == "dB"
    assert ours["parameters"][1]["labels"] == ["soft", "hard"]
    assert ours["model_delay_samples"] == 5
    # M - gcd(H, M) = 0 at the model's own rate and block, so the delay of the model is all there is.
    assert ours["reported_latency"] == {"sample_rate": 44100, "block_size": 128, "latency_samples": 5}


def read_wav(path: Path) -> Tensor:
    return torch.from_numpy(soundfile.read(path, dtype="float32", always_2d=True)[0]).T


STEP = 1 / 32768  # rounding costs half; the other half is that writers scale by 32767 and readers by 32768


def test_samples_are_the_riff_through_the_model_at_the_default_mix(drive: WrittenArtifact) -> None:
    before, after = read_wav(drive.sample_paths[0]), read_wav(drive.sample_paths[1])
    riff = guitar_riff(48000, 4.0)
    assert soundfile.info(drive.sample_paths[0]).samplerate == 48000
    torch.testing.assert_close(before, riff, atol=1.01 * STEP, rtol=0)
    artifact = load_artifact(drive.model_path)
    artifact.module.set_daw_sample_rate_and_buffer_size(48000, 2048)
    artifact.module.set_mix(0.75, 0.25)
    artifact.module.set_gains(0.6, 0.4)
    expected = artifact.module.forward_offline(riff.expand(2, -1).contiguous())
    assert float(expected.abs().max()) < 1.0
    torch.testing.assert_close(after, expected[:1], atol=1.6 * STEP, rtol=0)


def test_samples_of_equal_channels_are_written_as_one(drive: WrittenArtifact) -> None:
    assert [soundfile.info(path).channels for path in drive.sample_paths] == [1, 1, 2, 2]  # the riff, the drums
    assert sum(path.stat().st_size for path in drive.sample_paths) < 2_400_000


class Loud(Identity):
    """Leaves one channel as it is and lifts the other far above full scale."""

    metadata = metadata_of("Loud")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.stack((x[0], 7.0 * x[1]))


def test_what_is_above_full_scale_is_made_quieter_and_says_so(tmp_path: Path) -> None:
    paths = write(Loud(), tmp_path / "loud", render_samples=True).sample_paths
    riff = guitar_riff(48000, 4.0)
    share = 0.95 / (7.0 * float(riff.max()))
    before, after = read_wav(paths[0]), read_wav(paths[1])
    torch.testing.assert_close(after, share * torch.cat((riff, 7.0 * riff)), atol=1.6 * STEP, rtol=0)
    torch.testing.assert_close(before, riff, atol=1.01 * STEP, rtol=0)
    with soundfile.SoundFile(paths[0]) as file_in, soundfile.SoundFile(paths[1]) as file_out:
        assert file_in.comment == ""
        assert file_out.comment == f"Made {-20 * np.log10(share):.1f} dB quieter to fit below full scale"


def test_mp3_samples_inside(drive: WrittenArtifact) -> None:
    pairs = json.loads(drive.metadata_path.read_text())["sample_sound_files"]
    assert [sorted(pair) for pair in pairs] == [["in", "out"]] * 2
    for text in (pairs[0]["in"], pairs[0]["out"]):
        file = soundfile.SoundFile(io.BytesIO(base64.b64decode(text, validate=True)))
        assert (file.format, file.samplerate, file.channels) == ("MP3", 48000, 2)
        assert file.frames / 48000 == pytest.approx(4.0, abs=0.1)  # an encoder pads


def test_identity_without_samples_is_small(tmp_path: Path) -> None:
    written = write(Identity(), tmp_path / "identity")
    assert written.model_path.stat().st_size <= 100_000
    assert not (written.directory / "samples").exists()
    assert written.metadata.sample_sound_files == ()


def test_archive_tells_nothing_about_the_machine(drive: WrittenArtifact) -> None:
    with zipfile.ZipFile(drive.model_path) as archive:
        assert archive.testzip() is None
        content = b"".join(archive.read(name) for name in archive.namelist())
        assert not [name for name in archive.namelist() if name.endswith(".debug_pkl")]
    for secret in (str(Path(__file__).parent), str(drive.directory), os.path.expanduser("~") + "/"):
        assert secret.encode() not in content


def test_tensors_are_stored_plain_and_aligned(tmp_path: Path) -> None:
    path = write(Drive(), tmp_path / "drive").model_path
    reader: Any = torch._C.PyTorchFileReader(str(path))  # pyright: ignore[reportPrivateUsage]
    with zipfile.ZipFile(path) as archive:
        tensors = [member for member in archive.infolist() if "/data/" in member.filename and member.file_size]
    assert len(tensors) >= 1
    for member in tensors:
        assert member.compress_type == zipfile.ZIP_STORED
        assert reader.get_record_offset(member.filename.split("/", 1)[1]) % 64 == 0


def test_mono_samples(tmp_path: Path) -> None:
    written = write(Mono(), tmp_path / "mono", render_samples=True)
    assert {soundfile.info(path).channels for path in written.sample_paths} == {1}


def test_state_is_reset_before_saving(tmp_path: Path) -> None:
    model = Accumulator()
    model.do_forward_pass(torch.ones(2, 1000), {})
    artifact = load_artifact(write(model, tmp_path / "accumulator").model_path)
    torch.testing.assert_close(artifact.module.forward(torch.ones(2, 4)), torch.arange(1.0, 5.0).expand(2, 4))
    assert model.blocks == 1, "the user's own model still knows what it heard"


@pytest.mark.parametrize("make", [Drive, Accumulator, Encumbered])
def test_the_users_model_is_left_as_it_was(make: Callable[[], WaveformToWaveformBase], tmp_path: Path) -> None:
    model = make().train()
    model.model.eval()

    def describe() -> dict[str, Any]:
        return {
            "weights": {name: value.clone() for name, value in model.state_dict().items()},
            "identities": {name: id(value) for name, value in model.state_dict(keep_vars=True).items()},
            "training": [module.training for module in model.modules()],
            "gradients": [weight.requires_grad for weight in model.parameters()],  # pyright: ignore[reportCallIssue]
            "attributes": {name: id(value) for name, value in vars(model).items()},
            "generator": torch.get_rng_state(),
        }

    before = describe()
    write(model, tmp_path / "out", render_samples=True)
    torch.testing.assert_close(describe(), before, rtol=0, atol=0)


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    class Uncopyable(Identity):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("attribute 'socket' says no")

    with pytest.raises(ExportError, match=r"Uncopyable can't be copied.*TypeError: attribute 'socket' says no"):
        write(Uncopyable(), tmp_path / "out")


def test_old_weight_norm_is_folded(tmp_path: Path) -> None:
    # Its computed weight is what deepcopy refuses, and what TorchScript can't read.
    with pytest.warns(FutureWarning, match="weight_norm"):
        layer = nn.utils.weight_norm(nn.Conv1d(2, 2, 1))  # pyright: ignore[reportDeprecated]

    class Normed(Identity):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return self.model(x)

    model = Normed()
    model.model = layer
    write(model, tmp_path / "out")
    x = torch.randn(2, 64)
    module = load_artifact(tmp_path / "out").fresh_module()
    module.set_daw_sample_rate_and_buffer_size(48000, 64)
    with torch.no_grad():
        torch.testing.assert_close(module.forward(x), layer(x), atol=1e-6, rtol=0)


def test_progress_is_told(tmp_path: Path) -> None:
    steps: list[str] = []
    write(Identity(), tmp_path / "out", progress=steps.append)
    assert steps == ["Trying the model", "Compiling to TorchScript", "Writing"]


def test_attributes_set_on_the_instance_count(tmp_path: Path) -> None:
    model = Identity()
    model.metadata = metadata_of("Renamed")
    model.sample_rates = (22050,)
    model.parameters = (ContinuousParameter("mix"),)
    written = write(model, tmp_path / "out")
    assert written.metadata.model_name == "Renamed"
    assert written.metadata.native_sample_rates == (22050,)
    assert [parameter.name for parameter in load_artifact(written.model_path).parameters] == ["mix"]


# ---------------------------------------------------------------- what the format can't hold


def refused(model: Any, folder: Path, match: str, error: type[Exception] = ExportError, **options: Any) -> None:
    with pytest.raises(error, match=match):
        write(model, folder / "refused", **options)
    assert os.listdir(folder) == [], "nothing is left of a refused export"


def test_more_parameters_than_anybody_turns(tmp_path: Path) -> None:
    model = Identity()
    model.parameters = tuple(ContinuousParameter(f"knob {number}") for number in range(1025))
    refused(model, tmp_path, r"does not fit into a \.nm:\nparameters: an artifact takes up to 1024, got 1025\.")


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ("soxr", r"quality: a \.nm takes 'high' or 'fast', got 'soxr'\. It is for offline use"),
        ("best", r"quality: a \.nm takes 'high' or 'fast', got 'best'\.$"),
    ],
)
def test_quality(quality: str, message: str, tmp_path: Path) -> None:
    refused(Identity(), tmp_path, message, quality=quality)


def test_fast_quality_is_written_down(tmp_path: Path) -> None:
    ours = write(Identity(), tmp_path / "out", quality="fast").metadata.neutone_like
    assert ours is not None
    assert ours.quality == "fast"


def test_not_a_model(tmp_path: Path) -> None:
    refused(
        nn.Tanh(),
        tmp_path,
        r"Expected an instance of a subclass of neutone_like.WaveformToWaveformBase or neutone_like.NonRealtimeBase, "
        r"got Tanh\(\)",
    )
    refused(Identity, tmp_path, "export an instance of it")


def test_no_metadata(tmp_path: Path) -> None:
    model = Identity()
    model.metadata = None  # pyright: ignore[reportAttributeAccessIssue]
    refused(model, tmp_path, "metadata: expected a ModelMetadata, got None", ModelError)


# ---------------------------------------------------------------- models that do wrong


class Wrong(Identity):
    metadata = metadata_of("Wrong")


class Shorter(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:, 2:]


class OneChannel(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:1]


class Batched(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.unsqueeze(0)


class Flat(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[0]


class Double(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x.double()


class Nothing(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:  # pyright: ignore[reportReturnType]
        x.abs_()


class LooksBehind(Wrong):
    look_behind_samples = 7

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x


class EvenBlocksOnly(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x[:, ::2].repeat_interleave(2, 1)


class Raises(Wrong):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.cat((x, torch.zeros(3, 3)))


class SecondBlock(Accumulator):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.blocks += 1
        return x if self.blocks == 1 else x[:, 1:]


class WrongDelay(Wrong):
    def model_delay_samples(self) -> int:
        return -3


class RaisesInReset(Wrong):
    def reset_model(self) -> None:
        raise KeyError("state")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            Shorter,
            r"= \[2, 512\], got a float32 tensor of shape \(2, 510\).*return x\[:, 2:\]\n.*as many samples as came",
        ),
        (OneChannel, r"got a float32 tensor of shape \(1, 512\).*return x\[:1\]\nSet out_channels = 1, or return 2"),
        (Batched, r"got a float32 tensor of shape \(1, 2, 512\).*There is no batch dimension"),
        (Flat, r"got a float32 tensor of shape \(512,\).*Return two dimensions, channels first"),
        (Double, r"got a float64 tensor of shape \(2, 512\).*return x.double\(\)\nConvert with \.float\(\)"),
        (Nothing, r"got None\..*Return one Tensor"),
        (LooksBehind, r"got a float32 tensor of shape \(2, 519\).*new samples only: y\[:, 7:\]"),
        (EvenBlocksOnly, r"= \[2, 331\], got .*\(2, 332\).*Blocks of 512 samples work.*block_sizes = \(512,\)"),
        (
            Raises,
            r"do_forward_pass raised RuntimeError: Sizes of tensors must match.*torch.cat.*float32 tensor of shape",
        ),
        (SecondBlock, r"got a float32 tensor of shape \(2, 511\)"),
        (WrongDelay, r"model_delay_samples must return an integer of at least 0, got -3.*return -3"),
        (RaisesInReset, r"reset_model raised KeyError: 'state'.*raise KeyError"),
    ],
)
def test_model_that_does_wrong(make: type[Wrong], message: str, tmp_path: Path) -> None:
    refused(make(), tmp_path, rf"(?s){make.__name__}\..*{message}")
    with pytest.raises(ExportError, match=rf"{__file__}:\d+\n    \S"):
        write(make(), tmp_path / "refused")


def test_model_that_cannot_be_scripted(tmp_path: Path) -> None:
    class Unscriptable(Wrong):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            double = lambda y: y * 2  # noqa: E731
            return double(x)

    message = "(?s)Unscriptable can't be turned into TorchScript.*TorchScript has no lambda"
    refused(Unscriptable(), tmp_path, message, capture="script")
    assert write(Unscriptable(), tmp_path / "captured").way_in == "captured: all of do_forward_pass"
