"""The content hash: it identifies a file's sound, wherever the file lies and whatever its tags say.

Where the sound is compressed, a sample decides: three blocks of 4 KB, and the length. What a codec
made of music is like random bytes, so no other music has the same. Where that is not so, the whole
sound decides: uncompressed files of one length are often alike at three places (silence, loops),
and so is what a codec makes of silence. FLAC's checksum of all samples saves reading there.

Nothing is decoded. A long sound is hashed in segments, so that other files are read in between and
a disk that hangs is noticed.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound import ogg_content
from services.extractor.read.sound.bounds import after_id3v2
from services.extractor.read.sound.parts import Part, Sound, sound_of

_BLOCK_BYTES = 4_096
_DIGEST_BYTES = 16
_WHOLE = b"whole"
"""Makes other hashes than samples do, also than those of versions that sampled every file."""
SEGMENT_BYTES = 2**23
"""Read within 30 s also by a share of 0.3 MB/s a reader."""
_AT_ONCE_BYTES = 2**18
"""Hashed while the tags are read: so 200 files stay within their time limit."""
_READ_BYTES = 2**20
_VALUES, _RICH_VALUES = 256, 96
"""Of 256 bytes of compressed music, some 160 are different (measured: 121 to 175)."""
_GRAM_BYTES = 4
_FEWEST_GRAMS = 256


class LongSound(NamedTuple):
    """A sound that is hashed as a whole, and is too long for doing that while the tags are read.

    Attributes:
        parts: of the file, in bytes from its beginning.
        encoding: what its headers say of it.
    """

    parts: tuple[Part, ...]
    encoding: bytes


NO_SOUND = LongSound((), b"")


def content_hash(descriptor: int, size_bytes: int) -> str | None:
    """The content hash of an open file: 32 hex digits; None where it has no sound to read.

    Two files of one hash hold the same sound, whatever their tags. The same music encoded
    differently has another hash.
    """
    try:
        file = FileBytes(descriptor, size_bytes)
        found = hash_content(file)
        if not isinstance(found, LongSound):
            return found
        return join_segments(found, [hash_segment(descriptor, one) for one in segments(found)])
    except OSError:
        return None


def hash_content(file: FileBytes) -> str | LongSound | None:
    """The same of a file whose ends have been read; a long sound that is to be read whole, itself.

    `hash_segment` and `join_segments` make its hash.
    """
    try:
        start = after_id3v2(file)
        if file.read(start, 4) == b"OggS":
            return _hash_ogg(file, start)
        sound = sound_of(file, start)
        if not sound.parts:
            return None
        return _hash_sound(file, sound)
    except (OSError, struct.error, ValueError, LookupError, OverflowError):
        return None  # damaged in its headers


def _hash_sound(file: FileBytes, sound: Sound) -> str | LongSound:
    if sound.is_varying or sound.checksum:
        blocks = [file.read(*place) for place in _sampled(sound)]
        if sound.is_varying and is_rich(blocks[len(blocks) // 2]):
            return _sample_digest(sound.length_bytes, blocks)
        if sound.checksum:  # it stands in the encoding
            return _whole_digest(sound.length_bytes, sound.encoding, map(_digest, blocks))
    long = LongSound(sound.parts, sound.encoding)
    if sound.length_bytes > _AT_ONCE_BYTES:
        return long
    return join_segments(long, [hash_segment(file.descriptor, one) for one in segments(long)])


def _sampled(sound: Sound) -> list[tuple[int, int]]:
    """Offset and length of the first, the middle and the last block, which lie in one part each."""
    last = max(0, sound.length_bytes - _BLOCK_BYTES)
    return [_block(sound.parts, place) for place in sorted({0, last // 2, last})]


def _block(parts: Sequence[Part], place: int) -> tuple[int, int]:
    """Offset and length of the block at a place of the sound, moved to lie in one part."""
    for start, end in parts:
        size = end - start
        if place < size:
            return start + min(place, max(0, size - _BLOCK_BYTES)), min(_BLOCK_BYTES, size)
        place -= size
    raise ValueError("the place is behind the sound")


def is_rich(block: bytes) -> bool:
    """Whether a block is like random bytes, as compressed music is: no other music has the same.

    A codec's silence is not: its frames are all alike, and mostly filled up.
    """
    values = set(block[:: max(1, len(block) // _VALUES)])
    if len(values) >= _RICH_VALUES and block.find(block[-16:]) == len(block) - 16:
        return True  # nearly always, and a hundred times as fast
    grams = {block[at : at + _GRAM_BYTES] for at in range(len(block) - _GRAM_BYTES + 1)}
    return len(grams) >= max(_FEWEST_GRAMS, len(block) // 2)


def _hash_ogg(file: FileBytes, start: int) -> str | None:
    begin = ogg_content.first_page_of_sound(file, start)
    length = file.size - begin
    if length <= 0:
        return None
    pages, is_varying = ogg_content.sample(file, begin)
    if is_varying and is_rich(pages[1][8:] or pages[0][8:]):  # behind the page's position
        return _sample_digest(length, pages)
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for content in ogg_content.contents(file, begin):
        digest.update(content)
    return _whole_digest(0, ogg_content.encoding(file, start), [digest.digest()])


def segments(sound: LongSound) -> Iterator[list[Part]]:
    """The sound in segments of 8 MB; each is a list of parts of the file."""
    segment: list[Part] = []
    left = SEGMENT_BYTES
    for part in sound.parts:
        start = part.start
        while start < part.end:
            end = min(part.end, start + left)
            segment.append(Part(start, end))
            left -= end - start
            start = end
            if not left:
                yield segment
                segment, left = [], SEGMENT_BYTES
    if segment:
        yield segment


def hash_segment(descriptor: int, parts: Sequence[Part]) -> bytes:
    """The digest of a segment of an open file.

    Raises:
        OSError: it cannot be read, or ends before.
    """
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for start, end in parts:
        offset = start
        while offset < end:
            content = os.pread(descriptor, min(_READ_BYTES, end - offset), offset)
            if not content:
                raise OSError("the file was cut while it was read")
            digest.update(content)
            offset += len(content)
    return digest.digest()


def join_segments(sound: LongSound, digests: Iterable[bytes]) -> str:
    """The content hash of a sound, from the digests of its segments in order."""
    return _whole_digest(sum(end - start for start, end in sound.parts), sound.encoding, digests)


def _whole_digest(length: int, encoding: bytes, digests: Iterable[bytes]) -> str:
    digest = blake2b(struct.pack(">QI", length, len(encoding)) + encoding,
                     digest_size=_DIGEST_BYTES, person=_WHOLE)  # fmt: skip
    for each in digests:
        digest.update(each)
    return digest.hexdigest()


def _sample_digest(length: int, blocks: Sequence[bytes]) -> str:
    digest = blake2b(length.to_bytes(8, "big"), digest_size=_DIGEST_BYTES)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _digest(block: bytes) -> bytes:
    return blake2b(block, digest_size=_DIGEST_BYTES).digest()
