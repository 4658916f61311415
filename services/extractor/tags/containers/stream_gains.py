"""Gains that an encoder or mpcgain keeps in the header of the stream: LAME's MP3, Musepack."""

from typing import Any

from services.extractor.tags.raw_tags import RawTags

# LAME writes no album gain, and mutagen 1.48 drops the sign of one in its header.
_PLACES = (
    ("track", "track_gain", "track_peak"),
    ("track", "title_gain", "title_peak"),
    ("album", "album_gain", "album_peak"),
)


def add_gains(raw: RawTags, info: Any) -> None:
    """Add the gains of `info`, which is mutagen's or like it, where no tag has one."""
    for scope, gain_name, peak_name in _PLACES:
        name = f"replaygain_{scope}_gain"
        gain_db, peak = getattr(info, gain_name, None), getattr(info, peak_name, None)
        if gain_db is None or name in raw or (scope == "album" and not hasattr(info, "title_gain")):
            continue
        # Musepack's older header has zeros where nothing was measured.
        if gain_db or peak:
            raw[name] = [f"{gain_db:.2f} dB"]
            if peak:
                raw.setdefault(f"replaygain_{scope}_peak", [f"{peak:.6f}"])
