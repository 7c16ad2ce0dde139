"""Audio files: read to their true end or refused, written whole or not at all."""

from neutone_like.audio.reader import AudioReader as AudioReader
from neutone_like.audio.writer import AudioWriter as AudioWriter
from neutone_like.audio.writer import EncodingError as EncodingError
from neutone_like.audio.writer import require_writable as require_writable
from neutone_like.audio.writer import writing as writing
