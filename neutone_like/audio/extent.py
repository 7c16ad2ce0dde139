"""What the header of a container says about its samples, held against what the file holds."""

from dataclasses import dataclass
from fractions import Fraction

from neutone_like.audio.source import Source
from neutone_like.errors import AudioError

REMEDY = "Use a whole copy of the file, or save what is left of it under another name with an audio editor."
# What writers put into a length that they do not know lies near one of these, in bytes.
_PLACEHOLDERS = (1 << 31, 1 << 32, 1 << 63, 1 << 64)
_PLACEHOLDER_SLACK = 1 << 16


@dataclass(frozen=True)
class Extent:
    """Where a header says that the samples lie.

    Attributes:
        start: The first byte of them.
        promised: How many bytes there are to be; None where the header does not know.
        block: The bytes that can only be decoded together: a sample of all channels, or a block of a codec.
        samples_per_byte: Of each channel; 0 where the header does not tell.
        rest: How many bytes behind the samples a decoder has to see; None: all.
        counted: How many samples of each channel there are, where they were counted and a decoder only estimates them.
        header: What a decoder is to read instead of all that lies before ``start``; None where that is right as it is.
    """

    start: int
    promised: int | None
    block: int = 1
    samples_per_byte: Fraction = Fraction(0)
    header: bytes | None = None
    counted: int | None = None
    rest: int | None = 0

    def stop(self, source: Source) -> int:
        """The byte after the last one of the samples."""
        return source.size if self.promised is None else self.start + self.promised

    def samples(self, byte_count: int) -> int:
        """How many samples of each channel so many bytes hold."""
        return int(byte_count // self.block * self.block * self.samples_per_byte)

    def require_whole(self, source: Source) -> None:
        """Check that the file holds what its header promises.

        Raises:
            AudioError: Says what was promised and what there is.
        """
        held = max(0, source.size - self.start)
        if self.promised is None or self.promised <= held:
            return
        raise cut_off(source, self.told(self.promised), self.told(held))

    def told(self, byte_count: int | None) -> str:
        """So many bytes, in words: as samples where that is known."""
        if byte_count is None:
            return "sound"
        return f"{self.samples(byte_count)} samples" if self.samples_per_byte else f"{byte_count} bytes of sound"


def cut_off(source: Source, promised: str, held: str) -> AudioError:
    """The error for a file whose end is missing."""
    return AudioError(f"{source.path} is cut off: its header promises {promised}, the file holds {held}. {REMEDY}")


def damaged(source: Source, what: str) -> AudioError:
    """The error for a file that holds something else than it should."""
    return AudioError(f"{source.path} is damaged: {what}. {REMEDY}")


def is_placeholder(size: int) -> bool:
    """Whether a length in bytes is one that writers use for "not known"."""
    return any(abs(size - value) <= _PLACEHOLDER_SLACK for value in _PLACEHOLDERS)


def beyond_32_bits(size: int, held: int) -> int:
    """The length of what holds ``held`` bytes and more, where a header of 32 bits has only the rest of it: as of files
    of more than 4 GiB that writers don't refuse to make.
    """
    lost = (held - size) >> 32
    return size + (lost << 32) if lost > 0 else size


def per_sample(block: int) -> Fraction:
    """``samples_per_byte`` of uncompressed audio."""
    return Fraction(1, block) if block > 0 else Fraction(0)
