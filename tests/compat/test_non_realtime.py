"""Offline wrappers, written for the Neutone SDK: they play what their do_forward_pass computes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ArtifactError, ExportError, ModelError, export_model, load_artifact
from neutone_like.artifact import write_artifact
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.compat import neutone_sdk
from neutone_like.compat.neutone_sdk import NonRealtimeSampleQueueWrapper, NonRealtimeTokenizerBase
from neutone_like.compat.neutone_sdk.utils import load_neutone_model, save_neutone_model
from support import compat_whole_wrappers
from support.compat_whole_wrappers import Echoes, Everything, Spoken, Stretched
from support.lighter_exports import without_pictures, without_times


def sounds(*channels: int, samples: int = 3000) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(count, samples, generator=generator) - 0.5 for count in channels]


@pytest.mark.parametrize("module", ["", ".non_realtime_wrapper"])
@pytest.mark.parametrize("name", ["NonRealtimeBase", "NonRealtimeTokenizerBase", "TokenizerType"])
def test_names_are_where_wrappers_import_them_from(module: str, name: str) -> None:
    found: dict[str, Any] = {}
    exec(f"from neutone_like.compat.neutone_sdk{module} import {name}", found)
    assert found[name] is getattr(neutone_sdk, name)


@pytest.mark.parametrize("scripted", [False, True])
def test_everything_is_what_it_computes(scripted: bool) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Everything(nn.Identity()), 44100, 512)
    module = script_wrapper(wrapper) if scripted else wrapper
    stereo, mono = sounds(2, 1)
    knobs = torch.stack((torch.linspace(0.0, 1.0, 3000), torch.full((3000,), 0.8)))
    total, difference = module.forward([stereo, mono], knobs, ["four"], [[7]])
    # The mean of the first knob is the middle of -30..6 dB; 0.8 of two steps is nearest to the choice 2.
    gain = 10.0 ** (-12.0 / 20.0) * 3.0
    torch.testing.assert_close(total, (stereo.mean(0, keepdim=True) + mono) * gain, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(difference, (stereo - mono) * 0.47)
    total, difference = module.forward([stereo, mono])
    torch.testing.assert_close(total, (stereo.mean(0, keepdim=True) + mono) * 10.0 ** (-6.0 / 20.0) * 2.0)
    torch.testing.assert_close(difference, (stereo - mono) * 0.96)


def test_blocks_are_aggregated_one_by_one_and_the_delay_is_taken_out() -> None:
    module = NonRealtimeSampleQueueWrapper(Echoes(nn.Identity()), 44100, 512)
    (x,) = sounds(2, samples=1500)
    knobs = torch.zeros(1, 1500)
    knobs[0, 600] = 1.0
    (y,) = module.forward([x], knobs)
    # The second block (512..1023 at the model's input) holds the greatest value, and is heard 64 samples earlier.
    expected = x.clone()
    expected[:, 512 - 64 : 1024 - 64] *= 2.0
    torch.testing.assert_close(y, expected)


def test_another_length_is_found_by_trying() -> None:
    model = Stretched(nn.Identity()).non_realtime_model()
    assert model.declaration().keeps_length is False
    (x,) = sounds(2, samples=1000)
    module = NonRealtimeSampleQueueWrapper(Stretched(nn.Identity()), 44100, 512)
    torch.testing.assert_close(module.forward([x])[0], torch.repeat_interleave(x, 2, dim=1))
    assert Everything(nn.Identity()).non_realtime_model().declaration().keeps_length is True


def test_progress_and_cancelling_reach_the_wrapper() -> None:
    everything = Everything(nn.Identity())
    module = NonRealtimeSampleQueueWrapper(everything, 44100, 512)
    assert module.has_progress_percentage() is True
    assert NonRealtimeSampleQueueWrapper(Stretched(nn.Identity())).has_progress_percentage() is False, "it never says"
    heard: list[float] = []
    say = everything.set_progress_percentage

    def note(progress_percentage: float) -> None:
        say(progress_percentage)
        heard.append(module.get_progress_percentage())

    everything.set_progress_percentage = note
    module.forward(sounds(2, 1))
    assert heard[:2] == [0.0, 50.0]
    assert heard == sorted(heard), "never backwards"
    assert module.get_progress_percentage() == 100.0

    module.request_cancel_forward_pass()
    assert everything.should_cancel_forward_pass() is True
    assert module.forward(sounds(2, 1)) == []
    assert everything.should_cancel_forward_pass() is False
    assert len(module.forward(sounds(2, 1))) == 2


def test_saved_validated_and_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_times(monkeypatch)
    without_pictures(monkeypatch)
    wrapper = Everything(nn.Identity())
    result = save_neutone_model(wrapper, tmp_path, dump_samples=True, submission=True)
    assert result.validation is not None
    assert result.validation.passed
    assert wrapper.use_debug_mode is True, "it is copied"
    module, metadata = load_neutone_model(result.model_path)
    assert module.realtime is False
    assert (module.get_model_bpm(), metadata["model_bpm"]) == (120, 120)
    assert metadata["audio_out_labels"] == ["sum", "difference"]
    types = [(slot, each["type"], each["used"]) for slot, each in metadata["neutone_parameters"].items()]
    assert types[0] == ("p1", "continuous", True)
    assert types[1] == ("p2", "categorical", True)
    assert types[4:] == [("p5", "text", True), ("p6", "tokens", True)]
    assert metadata["neutone_parameters"]["p1"]["min_value"] == -30.0, "ranges count in offline models"
    assert {path.name for path in result.sample_paths} >= {"guitar_riff_in_1.wav", "guitar_riff_out_2.wav"}


def test_three_channels_are_refused_by_name() -> None:
    class Surround(Stretched):
        def get_audio_in_channels(self) -> list[int]:
            return [3]

    with pytest.raises(ModelError, match="Surround has 3 channels in, where the format knows mono and stereo. Leave"):
        Surround(nn.Identity()).non_realtime_model()


def test_a_tokenizer_comes_along(tmp_path: Path) -> None:
    written = write_artifact(Spoken(nn.Identity()).non_realtime_model(), tmp_path, render_samples=False)
    module = load_artifact(written.model_path, verify_test_vector=True).module
    assert (module.get_tokenizer_type(), module.get_tokenizer_str()) == ("JSON", compat_whole_wrappers.TOKENIZER)
    module.set_daw_sample_rate_and_buffer_size(44100, 512)
    (clicks,) = module.forward([], None, None, [[5, 3999]])
    assert clicks.nonzero()[:, 1].tolist() == [5, 3999, 5, 3999]


def test_an_unknown_tokenizer_is_refused() -> None:
    class Wrong(Spoken):
        def __init__(self) -> None:
            kind: Any = "JSON"
            NonRealtimeTokenizerBase.__init__(self, nn.Identity(), "", kind)

    with pytest.raises(ModelError, match="tokenizer_type must be one of .*got 'JSON'"):
        Wrong()


def test_forward_in_a_notebook() -> None:
    stereo, mono = sounds(2, 1)
    total, _ = Everything(nn.Identity())(0, [stereo, mono])
    torch.testing.assert_close(total, (stereo.mean(0, keepdim=True) + mono) * 10.0 ** (-6.0 / 20.0) * 2.0)


def test_export_model_says_how(tmp_path: Path) -> None:
    wrapper: Any = Everything(nn.Identity())
    with pytest.raises(ExportError, match=r"Export what its non_realtime_model\(\) returns"):
        export_model(wrapper, tmp_path)
    foreign = type("Base", (), {"__module__": "neutone_sdk.non_realtime_wrapper"})
    late: Any = type("Late", (foreign,), {})()
    with pytest.raises(ExportError, match="Late still has its base class from neutone_sdk. .*NonRealtimeBase"):
        save_neutone_model(late, tmp_path)


def test_an_artifact_of_the_neutone_sdk_itself_loads(tmp_path: Path) -> None:
    """Its files have our keys at the top level, no section of ours, and knobs only as many as there are."""
    written = write_artifact(Everything(nn.Identity()).non_realtime_model(), tmp_path, render_samples=False)
    metadata = json.loads(written.metadata.to_json())
    del metadata["neutone_like"]
    slots = [slot for slot in metadata["neutone_parameters"].values() if slot["used"]]
    metadata["neutone_parameters"] = {f"p{index + 1}": slot for index, slot in enumerate(slots)}
    module = torch.jit.load(str(written.model_path))
    torch.jit.save(module, str(tmp_path / "other.nm"), _extra_files={"metadata.json": json.dumps(metadata)})
    artifact = load_artifact(tmp_path / "other.nm")
    assert artifact.is_realtime is False
    assert [parameter.name for parameter in artifact.parameters] == ["gain", "mode", "prompt", "tokens"]
    assert artifact.text_parameters[0].max_characters == 20
    assert artifact.tokens_parameters[0].default == (4, 2)
    with pytest.raises(ArtifactError, match="was not made by neutone_like and carries no test vector"):
        artifact.verify_test_vector()
