"""torchaudio beside any torch: what the bridge does with packages made for the purpose, and with the real one."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import MissingExtraError
from neutone_like.signal.resampler import FirResampler
from support.places import EXAMPLES

needs_torchaudio = pytest.mark.skipif(
    find_spec("torchaudio") is None, reason='torchaudio is not installed: pip install "neutone-like[torchaudio]"'
)

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

PACKAGE = "from . import _extension\nfrom . import functional\n__version__ = '0.0.1'\n"
FUNCTIONAL = "from torchaudio._extension import _IS_TORCHAUDIO_EXT_AVAILABLE\n"
EXTENSION = "from .utils import _load_lib\n_IS_TORCHAUDIO_EXT_AVAILABLE = _load_lib('native')\n"
LOADER = """
from pathlib import Path
_LIB_DIR = Path(__file__).parent.parent / "lib"

def _load_lib(name):
    if not (_LIB_DIR / f"{name}.so").exists():
        return False
    WHEN_THERE
    return True
"""
WORKS = "pass"
DOES_NOT_FIT = "raise OSError('Could not load this library') from OSError('libc10_other.so: cannot open')"


@pytest.fixture
def no_torchaudio_yet() -> Iterator[None]:
    """Nothing of torchaudio is imported, and afterwards everything is as it was."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torchaudio"}
    bridge = sys.modules.pop("neutone_like.torchaudio_bridge", None)
    finders = list(sys.meta_path)
    for name in before:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
        del sys.modules[name]
    sys.modules.update(before)
    sys.modules.pop("neutone_like.torchaudio_bridge", None)
    if bridge is not None:
        sys.modules["neutone_like.torchaudio_bridge"] = bridge
    assert sys.meta_path == finders


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_torchaudio_yet: None) -> Path:
    """A package called torchaudio, whose native library works."""
    folder = tmp_path / "torchaudio"
    for name, text in {
        "__init__.py": PACKAGE,
        "functional.py": FUNCTIONAL,
        "_extension/__init__.py": EXTENSION,
        "_extension/utils.py": LOADER.replace("WHEN_THERE", WORKS),
        "lib/native.so": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return folder


def bridge() -> Any:
    """The module, imported anew."""
    return importlib.import_module("neutone_like.torchaudio_bridge")


def modules_of_torchaudio() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "torchaudio"]


@pytest.mark.usefixtures("package")
def test_a_torchaudio_that_fits_is_imported_whole() -> None:
    module = bridge()
    assert module.native_extension
    assert module.describe() == "torchaudio 0.0.1, complete"
    assert module.torchaudio is sys.modules["torchaudio"]


def test_one_that_does_not_fit_works_without_its_libraries(package: Path) -> None:
    (package / "_extension" / "utils.py").write_text(LOADER.replace("WHEN_THERE", DOES_NOT_FIT), encoding="utf-8")
    with pytest.raises(OSError, match="Could not load this library"):
        importlib.import_module("torchaudio")  # Positive control; it also leaves half an import behind.
    assert modules_of_torchaudio()
    module = bridge()
    assert not module.native_extension
    assert "torchaudio 0.0.1 without its native libraries" in module.describe()
    assert "libc10_other.so: cannot open" in module.describe()
    assert module.torchaudio.functional._IS_TORCHAUDIO_EXT_AVAILABLE is False


def test_afterwards_every_import_gets_the_same_module(package: Path) -> None:
    (package / "_extension" / "utils.py").write_text(LOADER.replace("WHEN_THERE", DOES_NOT_FIT), encoding="utf-8")
    module = bridge()
    assert importlib.import_module("torchaudio") is module.torchaudio
    for name in modules_of_torchaudio():
        found: Any = module.torchaudio
        for part in name.split(".")[1:]:
            found = getattr(found, part)
        assert found is sys.modules[name], name
    loader = sys.modules["torchaudio._extension.utils"]
    assert package / "lib" == loader._LIB_DIR
    with pytest.raises(OSError, match="Could not load this library"):
        loader._load_lib("native")


@pytest.mark.parametrize("error", [RuntimeError, ImportError, ValueError])
def test_other_errors_of_the_extension_are_passed_on(package: Path, error: type[Exception]) -> None:
    text = LOADER.replace("WHEN_THERE", f"raise {error.__name__}('another thing')")
    (package / "_extension" / "utils.py").write_text(text, encoding="utf-8")
    with pytest.raises(error, match="another thing"):
        bridge()
    assert modules_of_torchaudio() == []


def test_an_os_error_from_elsewhere_is_passed_on(package: Path) -> None:
    with (package / "functional.py").open("a", encoding="utf-8") as file:
        file.write("open('/no such file')\n")
    with pytest.raises(FileNotFoundError, match="no such file"):
        bridge()
    assert modules_of_torchaudio() == []


def test_an_error_in_the_second_attempt_leaves_nothing_behind(package: Path) -> None:
    (package / "_extension" / "utils.py").write_text(LOADER.replace("WHEN_THERE", DOES_NOT_FIT), encoding="utf-8")
    with (package / "functional.py").open("a", encoding="utf-8") as file:
        file.write("assert _IS_TORCHAUDIO_EXT_AVAILABLE, 'needs the library'\n")
    with pytest.raises(AssertionError, match="needs the library"):
        bridge()
    assert modules_of_torchaudio() == []


@pytest.mark.usefixtures("no_torchaudio_yet")
def test_a_missing_torchaudio_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    with pytest.raises(MissingExtraError, match=r'pip install "neutone-like\[torchaudio\]"'):
        bridge()


@needs_torchaudio
def test_the_real_one_in_a_new_process_after_any_plain_import(subprocess_environment: dict[str, Any]) -> None:
    program = (
        "import sys\n"
        "finders = list(sys.meta_path)\n"
        "try:\n    import torchaudio as plain\n"
        "except OSError:\n    plain = None\n"
        "from neutone_like.torchaudio_bridge import describe, native_extension, torchaudio\n"
        "assert plain in (None, torchaudio) and native_extension == (plain is not None)\n"
        "import torchaudio.functional\n"
        "assert sys.modules['torchaudio'] is torchaudio\n"
        "assert [f for f in sys.meta_path if f not in finders and 'neutone' in type(f).__module__] == []\n"
        "print(describe())\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=subprocess_environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("torchaudio ")


# Our resampler beside torchaudio's


def tones(rate: int, highest_hz: float) -> Tensor:
    """60 tones from 100 Hz up for half a second: float32 ``[1, N]``."""
    hertz = torch.linspace(100.0, highest_hz, 60, dtype=torch.float64)
    phase = torch.rand(60, dtype=torch.float64)
    time = torch.arange(rate // 2, dtype=torch.float64) / rate
    return torch.sin(2 * torch.pi * (hertz[:, None] * time + phase[:, None])).sum(0, keepdim=True).float() / 10


def aligned(x: Tensor, in_rate: int, out_rate: int, quality: str) -> Tensor:
    """Our conversion of a whole signal, without delay."""
    resampler = FirResampler(x.size(0))
    resampler.prepare(in_rate, out_rate, quality)
    resampler.start(resampler.half_width * resampler.up)
    resampler.push(torch.nn.functional.pad(x, (0, 2 * resampler.taps)))
    return resampler.pull(-(-x.size(1) * out_rate // in_rate))


@needs_torchaudio
@pytest.mark.parametrize(("quality", "most_db", "share"), [("high", -120.0, 0.43), ("fast", -90.0, 0.4)])
@pytest.mark.parametrize(
    ("in_rate", "out_rate"), [(48000, 44100), (44100, 48000), (48000, 16000), (16000, 48000), (96000, 44100)]
)
def test_our_resampler_is_torchaudios_in_the_pass_band(
    in_rate: int, out_rate: int, quality: str, most_db: float, share: float
) -> None:
    """torchaudio computes in double precision here; in single its own phases cost it 20 dB."""
    from neutone_like.torchaudio_bridge import torchaudio

    x = tones(in_rate, share * min(in_rate, out_rate))
    expected = torchaudio.functional.resample(
        x.double(), in_rate, out_rate,
        lowpass_filter_width=128, rolloff=0.95, resampling_method="sinc_interp_kaiser", beta=14.77,
    )  # fmt: skip
    y = aligned(x, in_rate, out_rate, quality)
    assert y.shape == expected.shape
    inside = slice(1000, y.size(1) - 1000)  # the filters differ in how far they see past the ends
    error_db = 10 * torch.log10((y - expected)[:, inside].square().mean() / expected[:, inside].square().mean())
    assert float(error_db) < most_db


# The example


@needs_torchaudio
def test_conv_tasnet_holds_torchaudios_network_and_transforms() -> None:
    model = importlib.import_module("conv_tasnet").build_model()
    kinds = {type(module).__module__ + "." + type(module).__name__ for module in model.modules()}
    assert "torchaudio.models.conv_tasnet.ConvTasNet" in kinds
    assert {"torchaudio.transforms._transforms.Spectrogram", "torchaudio.transforms._transforms.AmplitudeToDB"} <= kinds


@needs_torchaudio
def test_conv_tasnet_with_masks_that_add_up_to_one_gives_the_input_back_at_its_delay() -> None:
    from neutone_like import SampleQueueWrapper

    model = importlib.import_module("conv_tasnet").build_model()
    x = 0.1 * torch.randn(1, 8000)
    assert float((SampleQueueWrapper(model).forward_offline(x.repeat(2, 1)).sum(0) - x[0]).abs().max()) > 1e-3
    for weight in model.model.mask_generator.output_conv.parameters():
        torch.nn.init.zeros_(weight)  # both masks are a half everywhere
    y = SampleQueueWrapper(model).forward_offline(x.repeat(2, 1))
    torch.testing.assert_close(y.sum(0), x[0], atol=1e-5, rtol=0)


@needs_torchaudio
def test_conv_tasnet_passes_half_of_the_mix_on_while_nothing_is_above_the_threshold() -> None:
    from neutone_like import SampleQueueWrapper

    wrapper = SampleQueueWrapper(importlib.import_module("conv_tasnet").build_model())
    x = 0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(8000) / 16000).unsqueeze(0)

    def host_value(decibels: float) -> Tensor:
        return torch.full((1, 8000), (decibels + 100.0) / 100.0)

    # A tone of amplitude 0.5 is 6 dB below full scale.
    closed = wrapper.forward_offline(x.repeat(2, 1), host_value(-5.8))
    torch.testing.assert_close(closed, 0.5 * x.expand(2, -1), atol=1e-5, rtol=0)
    split = wrapper.forward_offline(x.repeat(2, 1), host_value(-13.0))
    wide_open = wrapper.forward_offline(x.repeat(2, 1), host_value(-60.0))
    torch.testing.assert_close(split[:, 2048:], wide_open[:, 2048:], atol=1e-6, rtol=0)
    assert float((split[0] - split[1]).abs().max()) > 0.01
