"""Times neutone-sdk's wrapper round an identity model. Runs in an environment of its own, never inside this package.

Reads one JSON object a line, such as {"rate": 48000, "model_rate": 44100, "block": 64, "model_block": 0, "calls": 100},
answers with the seconds of those calls, and ends with its input. The first line out says which versions answer.
"""
# pyright: basic, reportMissingImports=false

import importlib
import importlib.metadata
import json
import sys
import time
import types
import warnings

warnings.simplefilter("ignore")

import torch  # noqa: E402


def stub_torchaudio() -> None:
    """The SDK imports torchaudio for sounds it does not play here, and it can't be loaded beside a CPU-only torch."""
    package, transforms = types.ModuleType("torchaudio"), types.ModuleType("torchaudio.transforms")
    for name in ("Resample", "MelSpectrogram"):
        setattr(transforms, name, type(name, (torch.nn.Module,), {}))
    setattr(package, "transforms", transforms)  # noqa: B010
    sys.modules["torchaudio"], sys.modules["torchaudio.transforms"] = package, transforms


try:
    importlib.import_module("torchaudio")
except (ImportError, OSError):
    stub_torchaudio()

from neutone_sdk import SampleQueueWrapper, WaveformToWaveformBase  # noqa: E402


class At48000(WaveformToWaveformBase):
    def get_model_name(self) -> str:
        return "identity"

    def get_model_authors(self) -> list[str]:
        return ["nobody"]

    def get_model_short_description(self) -> str:
        return ""

    def get_model_long_description(self) -> str:
        return ""

    def get_technical_description(self) -> str:
        return ""

    def get_technical_links(self) -> dict[str, str]:
        return {}

    def get_tags(self) -> list[str]:
        return []

    def get_model_version(self) -> str:
        return "1.0.0"

    def is_experimental(self) -> bool:
        return False

    def get_citation(self) -> str:
        return ""

    def get_neutone_parameters(self) -> list:
        return []

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return False

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return False

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return []

    def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
        return x


class At44100(At48000):
    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [44100]


class At48000By512(At48000):
    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [512]


class At44100By512(At44100):
    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [512]


MODELS = {(48000, 0): At48000, (44100, 0): At44100, (48000, 512): At48000By512, (44100, 512): At44100By512}


def prepared(model_rate: int, model_block: int, rate: int, block: int):
    wrapper = SampleQueueWrapper(MODELS[model_rate, model_block](torch.nn.Identity()))
    wrapper.prepare_for_inference()
    script = torch.jit.script(wrapper)
    script.set_daw_sample_rate_and_buffer_size(rate, block)
    return script


def main() -> None:
    torch.set_num_threads(1)
    versions = {"neutone_sdk": importlib.metadata.version("neutone_sdk"), "torch": torch.__version__}
    print(json.dumps(versions), flush=True)
    scripts = {}
    for line in sys.stdin:
        ask = json.loads(line)
        key = (ask["model_rate"], ask["model_block"], ask["rate"], ask["block"])
        x = torch.rand(2, ask["block"]) - 0.5
        with torch.inference_mode():
            if key not in scripts:
                scripts[key] = prepared(*key)
                for _ in range(100):
                    scripts[key].forward(x)
            forward = scripts[key].forward
            times = []
            for _ in range(ask["calls"]):
                start = time.perf_counter()
                forward(x)
                times.append(time.perf_counter() - start)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
