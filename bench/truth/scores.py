"""How right a tempo or a key is, as MIREX counts (the MIR Evaluation eXchange). Pure.

Sources: Gouyon, Klapuri, Dixon, Alonso, Tzanetakis, Uhle and Cano, "An experimental comparison of
audio tempo induction algorithms" (IEEE Transactions on Audio, Speech, and Language Processing 14,
2006) for the two accuracies; MIREX's task "Audio Key Detection" (since 2005) for the weights of
near misses.
"""

from shared.contracts.analysis import PITCH_CLASSES

TOLERANCE = 0.04
_OCTAVES = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)


def is_accurate(found_bpm: float, true_bpm: float) -> bool:
    """Accuracy 1: within 4% of the true tempo (Gouyon et al. 2006)."""
    return abs(found_bpm - true_bpm) <= TOLERANCE * true_bpm


def is_accurate_but_octave(found_bpm: float, true_bpm: float) -> bool:
    """Accuracy 2: within 4% of the tempo, its double, triple, half or third (the same source)."""
    return any(is_accurate(found_bpm, factor * true_bpm) for factor in _OCTAVES)


def key_score(found_key: str, found_mode: str, true_key: str, true_mode: str) -> float:
    """MIREX's weighted score: 1, or 0.5, 0.3, 0.2 for near misses.

    A perfect fifth off in either direction and the same mode 0.5 (as MIREX's own program counts;
    `mir_eval` counts the fifth above only); the relative key 0.3; the parallel key 0.2; else 0.
    """
    off = (PITCH_CLASSES.index(found_key) - PITCH_CLASSES.index(true_key)) % 12
    if found_mode == true_mode:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(off, 0.0)
    if off == 0:
        return 0.2
    # The relative minor is three semitones below its major.
    return 0.3 if off == (9 if true_mode == "major" else 3) else 0.0
