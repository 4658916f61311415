"""Fast parsers for the five common formats: MP3, FLAC, Ogg Vorbis, Opus and MP4.

They take a fraction of mutagen's CPU time (docs/performance.md) and return objects of mutagen's
shape, so that everything after them is shared. They read plain files only: for flags,
unsynchronisation, several tags, odd frames, chained streams or damage they raise `Unsupported`, and
mutagen reads the file instead. A test compares both over tens of thousands of damaged files.
"""
