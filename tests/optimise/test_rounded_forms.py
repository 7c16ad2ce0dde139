"""What plays layers that round what they are given: programs, streams, compiled models, ONNX, and how each is held."""

import copy
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neutone_like.artifact import load_artifact
from neutone_like.artifact.reading.reference_vector import check_test_vector
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.compiler.proof import accuracy_of, without_rounding
from neutone_like.errors import ArtifactError
from neutone_like.formats.writing import write_formats
from neutone_like.graph import Graph, GraphPlayer, capture
from neutone_like.optimise import prune, quantise
from neutone_like.runtime.compiling import compile_artifact, plan_artifact
from neutone_like.streaming import to_streaming
from neutone_like.validate import validate_artifact
from support.rounding_networks import RATE, SOUND, Live, live, quantised, seeded


def test_copies_pickles_programs_and_streams_round_alike() -> None:
    model = quantised(seeded(lambda: nn.Sequential(nn.Conv1d(1, 16, 5), nn.Tanh(), nn.Conv1d(16, 4, 5)))).model
    x = torch.from_numpy(SOUND)[None]
    with torch.no_grad():
        wanted = model(x)
        kept = io.BytesIO()
        torch.save(model, kept)
        kept.seek(0)
        for other in (copy.deepcopy(model), torch.load(kept, weights_only=False), torch.jit.script(model)):
            assert torch.equal(other(x), wanted)


def test_a_rounded_network_streams() -> None:
    plain = seeded(
        lambda: nn.Sequential(
            nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(1, 16, 5), nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(16, 4, 5)
        )
    )
    model = quantised(plain).model
    x = torch.from_numpy(SOUND)[None]
    streamed: Any = to_streaming(model, x[..., :64])
    with torch.no_grad():
        wanted = model(x)
        made = torch.cat([streamed(block) for block in x.split(64, 2)], 2)
        far = (plain(x) - wanted).abs().max()
    assert float((made - wanted).abs().max()) < 0.1 * float(far)


def test_a_rounded_network_is_pruned() -> None:
    model = quantised(seeded(lambda: nn.Sequential(nn.Conv1d(1, 16, 5), nn.Tanh(), nn.Conv1d(16, 4, 5)))).model
    pruned: Any = prune(model, torch.randn(1, 1, 64), ratio=0.5).model
    assert pruned[0].out_channels == 8
    assert pruned[2].input_scale == model[2].input_scale


def far_from_ties() -> tuple[Live, Tensor]:
    """A model, and sound of which nothing lies within float rounding of the middle between two levels."""
    model = quantised(live()).model
    for seed in range(200):
        x = 0.2 * torch.randn(1, 256, generator=torch.Generator().manual_seed(seed))
        near: list[float] = []

        def look(layer: Any, given: Any, near: list[float] = near) -> None:
            whole = given[0].double() / layer.input_scale
            near.append(float((whole - whole.floor() - 0.5).abs().min()))

        rounded = copy.deepcopy(model)
        for each in rounded.modules():
            if hasattr(each, "input_scale"):
                each.register_forward_pre_hook(look)
        with torch.no_grad():
            rounded.do_forward_pass(x, {})
        if min(near) > 1e-4:
            return model, x
    raise AssertionError("everything is near a tie")


def test_compiled_models_and_onnx_runtime_round_as_pytorch_does(tmp_path: Path) -> None:
    model, x = far_from_ties()
    with torch.no_grad():
        wanted = copy.deepcopy(model).do_forward_pass(x, {}).numpy()
        unrounded = live().do_forward_pass(x, {}).numpy()
    artifact = load_artifact(write_artifact(model, tmp_path, render_samples=False).model_path)
    assert "round" in str(plan_artifact(artifact)).lower()
    compiled = compile_artifact(artifact, model=model)
    made = np.concatenate([compiled.process(x[:, at : at + 64].numpy()) for at in range(0, 256, 64)], 1)
    peak = np.abs(wanted).max()
    assert np.abs(made - wanted).max() <= 2e-6 * peak
    assert np.abs(made - unrounded).max() > 1e-3 * peak
    assert compiled.report is not None
    assert compiled.report.accuracy.rounded
    (written,) = write_formats(artifact, ["onnx"], tmp_path, model=model)
    assert written.accuracy.is_good
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    operations = [node.op_type for node in onnx.load(written.path).graph.node]
    assert operations.count("Round") == 2
    session = runtime.InferenceSession(str(written.path), providers=["CPUExecutionProvider"])
    feeds = {each.name: initial(each) for each in session.get_inputs()}
    sound = next(each.name for each in session.get_inputs() if "past" not in each.name)
    played = session.run(None, {**feeds, sound: x.numpy().reshape(1, 256)})[0]
    assert np.abs(played.reshape(1, -1) - wanted).max() <= 2e-6 * peak


def initial(given: Any) -> NDArray[np.float32]:
    return np.zeros([each if isinstance(each, int) else 256 for each in given.shape], np.float32)


def graph_of(model: Live) -> Graph:
    return capture(model.model, torch.randn(1, 1, 64))


def test_the_proof_finds_what_rounds_otherwise_and_what_rounding_would_hide() -> None:
    graph = graph_of(quantised(live(16, 3)).model)
    plain = without_rounding(graph)
    assert plain is not None
    assert without_rounding(plain) is None

    def held(player: GraphPlayer, against: Graph) -> bool:
        played = lambda inputs: player(*inputs).reshape(1, -1)  # noqa: E731
        return accuracy_of(played, against, [], 0, [64, 17, 64, 256, 64]).is_good

    assert held(GraphPlayer(graph), graph)
    assert held(GraphPlayer(plain), plain)
    assert not held(GraphPlayer(plain), graph)  # what does not round at all
    for factor in (0.5, 1.5):
        otherwise = copy.deepcopy(graph)
        for node in otherwise.nodes:
            if "fake_quantize" in node.op:
                object.__setattr__(node, "args", (node.args[0], factor * node.args[1], *node.args[2:]))
        assert not held(GraphPlayer(otherwise), graph)
    louder = copy.deepcopy(graph)
    for value in louder.parameters.values():
        value.mul_(1.001)
    assert not held(GraphPlayer(louder), graph)
    off = copy.deepcopy(plain)
    next(value for value in off.parameters.values() if value.dim() == 3 and value.numel() > 64).mul_(1.0 + 3e-5)
    assert not held(GraphPlayer(off), plain)


def test_another_processor_may_put_numbers_at_other_levels(tmp_path: Path) -> None:
    """Sums in another order, here weights of which the last bit is another, are no damage; what is heard to be is."""
    model = quantised(live(64, 8)).model
    artifact = load_artifact(write_artifact(model, tmp_path, render_samples=False).model_path)
    ours = artifact.metadata.neutone_like
    assert ours is not None
    vector: Any = ours.test_vector
    plain = load_artifact(write_artifact(live(64, 8), tmp_path / "plain", render_samples=False).model_path)
    other: Any = plain.metadata.neutone_like
    assert other.test_vector.tolerance < 2e-4
    assert vector.tolerance > 1e-3

    def changed(by: float) -> Any:
        module = artifact.fresh_module()
        for name, value in module.named_parameters():
            if name.endswith("weight"):
                value.data.mul_(1.0 + by * torch.rand(value.shape, generator=torch.Generator().manual_seed(0)))
        return module

    assert check_test_vector(changed(2.0**-20), vector, "here") > 1e-4
    with pytest.raises(ArtifactError, match="does not play as it did"):
        check_test_vector(changed(0.5), vector, "here")


@pytest.mark.slow
@pytest.mark.compiles
def test_a_model_whose_last_bit_is_heard_is_validated_as_it_is(tmp_path: Path) -> None:
    result = quantise(live(64, 8), "int8", SOUND, sample_rate=RATE, activations="int8")
    assert result.played_before is not None
    assert result.played_after is not None
    written = write_artifact(result.model, tmp_path, render_samples=False)
    compile_artifact(load_artifact(written.model_path), model=result.model).write(tmp_path / "model.nlc")
    report = validate_artifact(written.model_path, quick=True)
    assert report.passed, str(report)
