"""Whether TensorRT's documentation knows the operations of an ONNX file. Nothing has been played there."""

from typing import Any

from neutone_like.extras import import_extra

SOURCE = "ONNX-TensorRT, docs/operators.md, for TensorRT 8.5; later versions know more"

_LISTED = """
    Abs Acos Add And ArgMax ArgMin Asin Atan Cast Ceil Concat Conv ConvTranspose Cos Cosh CumSum Div Equal Erf Exp
    Expand Floor GRU Gather GatherElements GatherND Greater GreaterOrEqual Identity IsNaN LSTM LeakyRelu Less
    LessOrEqual Log LogSoftmax MatMul Max Min Mod Mul Neg Not Or Pad Pow RNN Range Reciprocal ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum Relu Reshape Round Scan ScatterElements Shape Sigmoid Sign Sin Sinh Slice Softmax
    Sqrt Squeeze Sub Tan Tanh Tile Transpose Unsqueeze Where
"""
_KNOWN = frozenset(_LISTED.split())
"""Without pooling, which it has in two and three dimensions only."""


def facts_for_tensorrt(data: bytes) -> dict[str, Any]:
    """For a sidecar: the source, the operations that it does not list, and whether float64 would be rounded.

    Args:
        data: An ONNX file.
    """
    onnx = import_extra("onnx", extra="onnx", purpose="Reading ONNX files")
    model = onnx.load_model_from_string(data)
    used = {node.op_type for graph in _graphs(model.graph) for node in graph.node}
    double = onnx.TensorProto.DOUBLE
    values = [*model.graph.input, *model.graph.output]
    return {
        "source": SOURCE,
        "operations_not_listed": sorted(used - _KNOWN),
        "rounds_float64": any(each.type.tensor_type.elem_type == double for each in values),
        "played": False,
    }


def _graphs(graph: Any) -> list[Any]:
    """A graph and those inside its loops."""
    inner = [each.g for node in graph.node for each in node.attribute if each.HasField("g")]
    return [graph, *(found for each in inner for found in _graphs(each))]
