"""A LiteRT file made of its own tables, for states of types that LiteRT's converter keeps as others."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

SAMPLES = 4
_TENSORS = ("audio", "count", "wide", "one", "more", "count_out", "axes", "both", "sum", "audio_out")


def counting(dtype: str) -> bytes:
    """Two states ``count`` of a type, which grow by one with each block; their sum is added to ``audio``."""
    table: Any = schema
    types, ops, options = table.TensorType, table.BuiltinOperator, table.BuiltinOptions
    kind, whole, real = getattr(types, dtype.upper()), types.INT32, types.FLOAT32
    kinds = (real, kind, whole, whole, whole, kind, whole, whole, real, real)
    shapes = ([1, SAMPLES], [2], [2], [2], [2], [2], [1], [1], [1], [1, SAMPLES])
    constants = {"one": np.array([1, 1], np.int32), "axes": np.array([0], np.int32)}
    buffers = [_made(table.BufferT(), data=None)]
    tensors: list[Any] = []
    for name, type_, shape in zip(_TENSORS, kinds, shapes, strict=True):
        if name in constants:
            buffers.append(_made(table.BufferT(), data=np.frombuffer(constants[name].tobytes(), np.uint8)))
        place = len(buffers) - 1 if name in constants else 0
        tensors.append(_made(table.TensorT(), name=name.encode(), shape=shape, type=type_, buffer=place))
    cast = (0, options.CastOptions, table.CastOptionsT())
    add = (1, options.AddOptions, table.AddOptionsT())
    reduce_sum = (2, options.ReducerOptions, _made(table.ReducerOptionsT(), keepDims=True))
    steps = (
        (cast, ["count"], "wide"),
        (add, ["wide", "one"], "more"),
        (cast, ["more"], "count_out"),
        (reduce_sum, ["wide", "axes"], "both"),
        (cast, ["both"], "sum"),
        (add, ["audio", "sum"], "audio_out"),
    )
    operators = [
        _made(
            table.OperatorT(),
            opcodeIndex=code,
            builtinOptionsType=number,
            builtinOptions=option,
            inputs=[_TENSORS.index(name) for name in given],
            outputs=[_TENSORS.index(made)],
        )
        for (code, number, option), given, made in steps
    ]
    inputs, outputs = ("audio", "count"), ("audio_out", "count_out")
    graph = _made(
        table.SubGraphT(),
        name=b"main",
        tensors=tensors,
        operators=operators,
        inputs=[_TENSORS.index(name) for name in inputs],
        outputs=[_TENSORS.index(name) for name in outputs],
    )
    named = [
        [_made(table.TensorMapT(), name=name.encode(), tensorIndex=_TENSORS.index(name)) for name in names]
        for names in (inputs, outputs)
    ]
    signature = _made(
        table.SignatureDefT(), inputs=named[0], outputs=named[1], signatureKey=b"serving_default", subgraphIndex=0
    )
    codes = [
        _made(table.OperatorCodeT(), builtinCode=code, deprecatedBuiltinCode=code, version=1)
        for code in (ops.CAST, ops.ADD, ops.SUM)
    ]
    model = _made(
        table.ModelT(), version=3, operatorCodes=codes, subgraphs=[graph], buffers=buffers, signatureDefs=[signature]
    )
    builder: Any = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _made(item: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(item, name, value)
    return item
