"""The numbers of a ``model.nlc`` that its writer and whoever reads its head share; ``format.hpp`` has all of them."""

from enum import IntEnum

MAGIC = b"NLCOMP\r\n"
VERSION = 1
VERSION_OF_PLANS = 2
"""Of a file with a plan for each of several rates."""
VERSION_OF_PACKED = 3
"""Of a file whose constants are packed."""
VERSION_OF_FOLDED = 4
"""Of a file whose tables are folded, packed constants or not; and of each with recurrent weights in 8 or 16 bits."""
LEAST_SAVED = 1024
"""Bytes: for less, no file becomes one that older readers don't know."""
HEADER_BYTES = 32
SECTION_BYTES = 24
STEP_BYTES = 20
MOST_OPERANDS = 128
"""Of a step."""


class Section(IntEnum):
    """What a part of the file holds."""

    METADATA = 1
    FACTS = 2
    BUFFERS = 3
    VIEWS = 4
    STEPS = 5
    INTEGERS = 6
    CONSTANTS = 7
    TEST_VECTOR = 8
    RATES = 9
    PACKINGS = 10
    PACKED = 11
