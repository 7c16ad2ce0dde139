"""The format chunk of WAV and Wave64: how many samples its bytes hold."""

from fractions import Fraction
from typing import Literal

from neutone_like.audio.extent import per_sample

Order = Literal["little", "big"]

_PLAIN = (1, 3, 6, 7)  # PCM, floating point, A-law, mu-law
_PCM, _EXTENSIBLE = 1, 0xFFFE
_IN_BLOCKS = (0x0002, 0x0011, 0x0031)  # MS ADPCM, IMA ADPCM, GSM 6.10: their header tells the samples of a block


def coding(form: bytes, order: Order) -> tuple[int, Fraction]:
    """The bytes that belong together, and the samples of each channel in a byte, 0 where the chunk does not tell."""
    tag, block = int.from_bytes(form[:2], order), max(1, int.from_bytes(form[12:14], order))
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(form[24:26], order)
    if tag in _PLAIN:
        return block, per_sample(block)
    if tag in _IN_BLOCKS:
        return block, Fraction(int.from_bytes(form[18:20], order), block)
    return 1, Fraction(0)


def with_true_width(form: bytes, order: Order) -> bytes:
    """The chunk with as many bits of a sample as fill its place; libsndfile takes 24 bits in 4 bytes for 3 bytes."""
    tag, channels, block, bits = (int.from_bytes(form[at : at + 2], order) for at in (0, 2, 12, 14))
    if tag not in (_PCM, _EXTENSIBLE) or channels == 0 or block % channels:
        return form
    place = block // channels
    if not 1 <= place <= 4 or -(-bits // 8) == place:
        return form
    return form[:14] + (8 * place).to_bytes(2, order) + form[16:]
