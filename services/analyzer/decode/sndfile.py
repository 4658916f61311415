"""libsndfile as a decoder, through soundfile: the faster one for MP3, FLAC and WAV."""

from collections.abc import Iterator

import numpy as np
import soundfile

from services.analyzer.decode.audio import (
    EXACT_TOLERANCE_S,
    MAX_CHANNELS,
    Audio,
    LeftToAnotherDecoder,
    Samples,
    block_size,
    check_sample_rate,
    default_layout,
    measured_rate_hz,
)

_VORBIS_CHANNELS = {
    3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4], 7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}  # fmt: skip
"""By number of channels: where each channel is in Vorbis' order (Vorbis I specification, 4.3.9).
The target order is that of all other formats: left, right, centre, LFE, then the surrounds."""
_EXACT_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"})
"""libsndfile's names of codings of which the header states the exact number of samples."""


_SEEKABLE = frozenset({"FLAC", "WAV", "WAVEX", "RF64", "W64", "AIFF"})
"""libsndfile's names of formats in which a seek leads to the very sample."""


class _SequentialSoundFile(soundfile.SoundFile):  # type: ignore[misc] # soundfile has no types
    """A file that is read from start to end, without seeking.

    After each read of a seekable file, soundfile seeks to the position where it already is. MP3
    frames need the frames before them, so each such seek gives wrong samples, and takes time.
    """

    def seekable(self) -> bool:
        """Answer no, so that soundfile never seeks."""
        return False


def open_sndfile(path: bytes, start_s: float = 0.0) -> Audio:
    """Open a file with libsndfile; where it finds each sample, the blocks begin at `start_s`.

    Raises:
        soundfile.LibsndfileError: libsndfile cannot open it.
        LeftToAnotherDecoder: FFmpeg says which channels there are, or measures at a lower rate.
        ValueError: its sample rate is absurd.
        OSError: it cannot be read.
    """
    file = _SequentialSoundFile(path)
    check_sample_rate(file.samplerate)
    # Python's soundfile does not say which channels there are.
    has_layout = file.channels > 2 and file.format != "OGG"
    if has_layout or measured_rate_hz(file.samplerate) != file.samplerate:
        file.close()
        raise LeftToAnotherDecoder
    expected_s = file.frames / file.samplerate if 0 < file.frames < 2**48 else None
    first = file.seek(int(start_s * file.samplerate)) if file.format in _SEEKABLE else 0
    size = block_size(file.samplerate)
    order = _VORBIS_CHANNELS.get(file.channels) if file.format == "OGG" else None

    def blocks() -> Iterator[Samples]:
        with file:
            try:
                while len(block := file.read(size, dtype="float32", always_2d=True)):
                    channels = block.T if order is None else block.T[order]
                    yield np.ascontiguousarray(channels[:MAX_CHANNELS])
            except soundfile.LibsndfileError:
                # It fails at tags behind the last frame of an MP3. If it stops early, FFmpeg is
                # asked, and it says whether the file is damaged.
                if file.format != "MP3":
                    raise

    return Audio(
        file.samplerate,
        expected_s,
        blocks(),
        layout=default_layout(min(file.channels, MAX_CHANNELS)),
        tolerance_s=EXACT_TOLERANCE_S if file.subtype in _EXACT_SUBTYPES else None,
        first_s=first / file.samplerate,
    )
