"""libsndfile's decoder, read from start to end. Imported where a file is read, since most users read none."""

import soundfile


class ForwardFile(soundfile.SoundFile):
    """Never asked to seek: soundfile seeks after every read, which some codecs can't."""

    def seekable(self) -> bool:
        return False
