"""The numbers of kernels and operations, as in ``native/src/kernels/kernel_ids.hpp`` and ``operations.hpp``."""

from enum import IntEnum


class KernelId(IntEnum):
    """What a step computes."""

    COPY = 0
    POINTWISE = 1
    AFFINE = 2
    DEPTHWISE = 3
    MATMUL = 4
    REDUCE = 5
    LSTM = 6
    GRU = 7
    RNN = 8
    FOURIER = 9
    GATHER = 10
    CUMULATIVE = 11
    OVERLAP_ADD = 12
    RECURRENCE = 13
    ARGUMENT = 14


FLOAT32_ONLY = frozenset(
    (
        KernelId.AFFINE,
        KernelId.DEPTHWISE,
        KernelId.MATMUL,
        KernelId.LSTM,
        KernelId.GRU,
        KernelId.RNN,
        KernelId.FOURIER,
        KernelId.OVERLAP_ADD,
    )
)
"""Kernels whose operands are all float32."""


class Activation(IntEnum):
    """What follows a product."""

    NONE = 0
    TANH = 1
    SIGMOID = 2
    RELU = 3


class Reduction(IntEnum):
    """How a dimension becomes one number."""

    SUM = 0
    MEAN = 1
    LARGEST = 2
    SMALLEST = 3
    PRODUCT = 4


class Operation(IntEnum):
    """One instruction of a program for each element."""

    LOAD = 0
    STORE = 1
    NUMBER = 2
    ADD = 3
    SUBTRACT = 4
    MULTIPLY = 5
    DIVIDE = 6
    MINIMUM = 7
    MAXIMUM = 8
    POWER = 9
    ARCTANGENT2 = 10
    REMAINDER = 11
    FMOD = 12
    LESS = 13
    LESS_EQUAL = 14
    EQUAL = 15
    NOT_EQUAL = 16
    GREATER = 17
    GREATER_EQUAL = 18
    AND = 19
    OR = 20
    SELECT = 21
    MULTIPLY_ADD = 22
    NEGATE = 23
    ABSOLUTE = 24
    SQUARE_ROOT = 25
    RECIPROCAL = 26
    EXP = 27
    EXPM1 = 28
    LOG = 29
    LOG1P = 30
    SINE = 31
    COSINE = 32
    TANGENT = 33
    HYPERBOLIC_TANGENT = 34
    SIGMOID_OF = 35
    ERROR_FUNCTION = 36
    FLOOR = 37
    CEILING = 38
    ROUND = 39
    TRUNCATE = 40
    SIGN = 41
    ARCTANGENT = 42
    NOT = 43
    IS_NAN = 44
    LOG2 = 45
    LOG10 = 46
    EXP2 = 47
    ARCSINE = 48
    ARCCOSINE = 49
    SINH = 50
    COSH = 51
