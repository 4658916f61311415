"""The Camelot wheel: keys numbered so that neighbours mix well. Pure."""

from shared.contracts.analysis import PITCH_CLASSES


def camelot(key: str, mode: str) -> str:
    """The wheel's code of a key, 1A..12B: C major is 8B, a fifth up is one on, minor is A.

    Args:
        key: the tonic, one of `PITCH_CLASSES`.
        mode: major or minor.
    """
    tonic = PITCH_CLASSES.index(key)
    major_tonic = tonic if mode == "major" else (tonic + 3) % 12
    fifths = major_tonic * 7 % 12
    return f"{(fifths + 7) % 12 + 1}{'B' if mode == 'major' else 'A'}"
