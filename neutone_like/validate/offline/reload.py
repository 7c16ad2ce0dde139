"""The file plays in a new process that has torch and nothing of this package."""

from neutone_like.validate.checks.reload import PlayingProcess
from neutone_like.validate.offline.context import HOST_BLOCK, OfflineContext, loudest

PLAYER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
model_path, case_path = sys.argv[1:]
extra = {"metadata.json": ""}
module = torch.jit.load(model_path, map_location="cpu", _extra_files=extra)
json.loads(extra["metadata.json"])
case = torch.load(case_path, weights_only=True)
module.set_daw_sample_rate_and_buffer_size(case["sample_rate"], case["block_size"])
module.reset()
with torch.no_grad():
    outputs = module.forward(case["inputs"], case["knobs"], case["texts"], case["tokens"])
same_shape = [output.shape for output in outputs] == [output.shape for output in case["outputs"]]
difference = 1e9
if same_shape:
    difference = max(float((y - expected).abs().max()) for y, expected in zip(outputs, case["outputs"]))
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("neutone_like", "pedalboard", "soxr"))
print(json.dumps({"difference": difference, "foreign": foreign}))
"""


class OfflineFreshProcess(PlayingProcess):
    """A process of its own that plays the file; started early, asked late."""

    def __init__(self, context: OfflineContext) -> None:
        rate = context.native_rate
        samples = context.samples(rate)
        sounds, values = context.sounds(samples), context.defaults
        outputs = context.play(context.fresh(rate), sounds, values, samples)
        case = {
            "sample_rate": rate,
            "block_size": HOST_BLOCK,
            "inputs": sounds,
            "knobs": values.knobs.expand(-1, samples).contiguous(),
            "texts": list(values.texts),
            "tokens": [list(tokens) for tokens in values.tokens],
            "outputs": outputs,
        }
        super().__init__(PLAYER, context.artifact.path, case, max(1.0, loudest(outputs)))
