"""Makes the tables of docs/analysis.md from the evaluation's results. Pure."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.markdown import table
from bench.truth.evaluation import MUSIC_CODECS, PieceResult, VariantResult
from bench.truth.scores import is_accurate, is_accurate_but_octave, key_score
from bench.truth.signals import Signal
from bench.truth.variants import CODECS, GAINS_DB, LOSSLESS, VARIANTS
from shared.contracts.analysis import Analysis


def tempo_table(results: Sequence[PieceResult]) -> str:
    """Accuracy 1 and 2 by group and by codec, and of the peer on its subset."""
    rows = []
    groups = sorted({each.piece.group for each in results})
    for name in [*groups, "all"]:
        chosen = [each for each in results if name in {each.piece.group, "all"}]
        tempos = [
            (each.by_codec[codec].tempo_bpm, each.piece.tempo_bpm)
            for each in chosen
            for codec in MUSIC_CODECS
        ]
        rows.append([name, str(len(chosen)), *_accuracies(tempos)])
    for codec in MUSIC_CODECS:
        tempos = [(each.by_codec[codec].tempo_bpm, each.piece.tempo_bpm) for each in results]
        rows.append([f"all, {codec}", str(len(results)), *_accuracies(tempos)])
    if with_peer := [each for each in results if each.peer]:
        ours = [(each.by_codec["flac"].tempo_bpm, each.piece.tempo_bpm) for each in with_peer]
        peers = [(each.peer[0], each.piece.tempo_bpm) for each in with_peer if each.peer]
        rows.append(["the subset below, ours", str(len(with_peer)), *_accuracies(ours)])
        rows.append(["librosa `beat_track`", str(len(with_peer)), *_accuracies(peers)])
    return table(["tempo", "pieces", "Acc1", "Acc2"], rows)


def _accuracies(tempos: Sequence[tuple[float, float]]) -> tuple[str, str]:
    tests = (is_accurate, is_accurate_but_octave)
    first, second = (np.mean([test(*pair) for pair in tempos]) for test in tests)
    return f"{first:.3f}", f"{second:.3f}"


def key_table(results: Sequence[PieceResult]) -> str:
    """Exact and weighted keys by kind of pitch, by codec, and of the peer on its subset."""
    pitched = [each for each in results if each.piece.key]
    kinds: dict[str, Callable[[PieceResult], bool]] = {
        "major and minor, in tune": lambda h: not h.piece.is_modal and not h.piece.detuned_cents,
        "major and minor, detuned": lambda h: not h.piece.is_modal and bool(h.piece.detuned_cents),
        "major and minor": lambda h: not h.piece.is_modal,
        "modal": lambda h: h.piece.is_modal,
        "all": lambda _: True,
    }
    rows = []
    for name, belongs in kinds.items():
        if not (chosen := [each for each in pitched if belongs(each)]):
            continue
        scores = [_key_score(each, codec) for each in chosen for codec in MUSIC_CODECS]
        rows.append([name, str(len(chosen)), *_exact_and_weighted(scores)])
    for codec in MUSIC_CODECS:
        scores = [_key_score(each, codec) for each in pitched]
        rows.append([f"all, {codec}", str(len(pitched)), *_exact_and_weighted(scores)])
    if with_peer := [each for each in pitched if each.peer]:
        ours = [_key_score(each, "flac") for each in with_peer]
        peers = [
            key_score(each.peer[1], each.peer[2], each.piece.key or "", each.piece.third)
            for each in with_peer
            if each.peer
        ]
        rows.append(["the subset below, ours", str(len(with_peer)), *_exact_and_weighted(ours)])
        rows.append(
            ["librosa `chroma_cqt`, Krumhansl", str(len(with_peer)), *_exact_and_weighted(peers)]
        )
    return table(["key", "pieces", "exact", "weighted"], rows)


def _key_score(result: PieceResult, codec: str) -> float:
    analysis, piece = result.by_codec[codec], result.piece
    return key_score(analysis.key, analysis.mode, piece.key or "", piece.third)


def _exact_and_weighted(scores: Sequence[float]) -> tuple[str, str]:
    return f"{np.mean([score == 1 for score in scores]):.3f}", f"{np.mean(scores):.3f}"


def confidence_notes(results: Sequence[PieceResult]) -> str:
    """Key confidence of right, wrong and absent keys, and the error of the tuning."""
    pitched = [each for each in results if each.piece.key]
    tuned = [
        abs((each.by_codec[c].tuning_cents - each.piece.detuned_cents + 50) % 100 - 50)
        for each in pitched
        for c in MUSIC_CODECS
    ]
    confidences = {
        "pieces whose key is right": [
            h.by_codec["flac"].key_confidence for h in pitched if _key_score(h, "flac") == 1
        ],
        "those where it is wrong": [
            h.by_codec["flac"].key_confidence for h in pitched if _key_score(h, "flac") < 1
        ],
        "percussion only": [h.by_codec["flac"].key_confidence for h in results if not h.piece.key],
    }
    medians = ", ".join(f"{name} {np.median(c):.2f}" for name, c in confidences.items() if c)
    return (
        f"Median key confidence: {medians}.\nTuning: half of all within"
        f" {np.median(tuned):.1f} cents, 95% within {np.percentile(tuned, 95):.1f}."
    )


def level_table(measured: Mapping[tuple[str, str], float | None], signals: Sequence[Signal]) -> str:
    """The largest error over the signals of each field, by codec."""
    rows = []
    for field in dict.fromkeys(signal.field for signal in signals):
        chosen = [signal for signal in signals if signal.field == field]
        cells = []
        for codec in CODECS:
            errors = [
                found - signal.value
                for signal in chosen
                if (found := measured[signal.name, codec]) is not None
            ]
            cells.append(f"{max(errors, key=abs):+.2f} ({len(errors)})" if errors else "-")
        names = f"{chosen[0].name} to {chosen[-1].name}"
        rows.append([f"{field.replace('_', ' ')} ({names})", *cells])
    return table(["largest error, LU or dB (signals)", *CODECS], rows)


def music_level_notes(results: Sequence[PieceResult]) -> str:
    """Loudness and true peak of the music in FLAC against a second measure of the same samples."""
    loudness = [each.by_codec["flac"].loudness_lufs - each.reference_lufs for each in results]
    lufs_off = max(loudness, key=abs)
    peaks = [each.by_codec["flac"].true_peak_dbtp - each.reference_dbtp for each in results]
    peak_off = max(peaks, key=abs)
    return (
        f"Music (FLAC, {len(results)} pieces): loudness at most {lufs_off:+.2f} LU off a second"
        f" measure, true peak {peak_off:+.2f} dB off the peak at 16 times the rate."
    )


def closest_table(results: Sequence[VariantResult]) -> str:
    """For each variant: whether its vector is closest to its own track's, and what changed."""
    originals = np.stack([each.vectors["original"] for each in results])
    rows = []
    for name in VARIANTS:
        own, nearest_other = [], []
        for number, each in enumerate(results):
            cosines = originals @ each.vectors[name]
            own.append(float(cosines[number]))
            nearest_other.append(float(np.delete(cosines, number).max()))
        closest = np.mean([a > b for a, b in zip(own, nearest_other, strict=True)])
        pairs = [(each.analyses["original"], each.analyses[name]) for each in results]
        rows.append(
            [
                name,
                f"{closest:.3f}",
                f"{np.median(own):.3f}, {min(own):.3f}",
                f"{np.mean([is_accurate(b.tempo_bpm, a.tempo_bpm) for a, b in pairs]):.3f}",
                f"{np.mean([(a.key, a.mode) == (b.key, b.mode) for a, b in pairs]):.3f}",
                f"{max(abs(_loudness_move(a, b, name)) for a, b in pairs):.2f}",
            ]
        )
    header = [
        "variant", "closest to its own track", "cosine to it: median, least", "same tempo",
        "same key", "loudness, LU, at most",
    ]  # fmt: skip
    return table(header, rows)


def _loudness_move(a: Analysis, b: Analysis, variant: str) -> float:
    """The change of loudness in LU, without the gain that the variant applied."""
    return b.loudness_lufs - a.loudness_lufs - GAINS_DB.get(variant, 0.0)


def moves_table(results: Sequence[VariantResult]) -> str:
    """The median change of each field, in percent of its spread over the tracks."""
    rows = []
    fields = Analysis.model_fields
    for field in fields:
        originals = [_numbers(each.analyses["original"], field) for each in results]
        if any(values is None for values in originals):
            continue
        known = np.stack([values for values in originals if values is not None])
        spread = float(np.sqrt(((known - known.mean(axis=0)) ** 2).sum(axis=1).mean()))
        if spread < 1e-9:
            continue  # the same in all tracks
        cells = []
        for name in VARIANTS:
            varied = [_numbers(each.analyses[name], field) for each in results]
            moves = [
                np.linalg.norm(changed - original) / spread
                for original, changed in zip(known, varied, strict=True)
                if changed is not None and changed.shape == original.shape
            ]
            cells.append(f"{100 * np.median(moves):.0f}%" if moves else "-")
        rows.append([f"`{field}`", *cells])
    return table(["median move", *VARIANTS], rows)


def _numbers(analysis: Analysis, field: str) -> NDArray[np.float64] | None:
    """A field as an array of numbers; None for texts and for lists of varying length."""
    value = getattr(analysis, field)
    if isinstance(value, bool | str) or value is None:
        return None
    try:
        numbers = np.atleast_1d(np.asarray(value, float))
    except (TypeError, ValueError):
        return None
    info = Analysis.model_fields[field]
    is_fixed = not isinstance(value, list) or any(hasattr(m, "min_length") for m in info.metadata)
    return numbers.ravel() if is_fixed else None


def level_notes(measured: Mapping[tuple[str, str], float | None], signals: Sequence[Signal]) -> str:
    """Signals in lossless codecs that are outside the tolerance of the EBU documents."""
    outside = [
        f"{signal.name} in {codec}: {found:.2f} instead of {signal.value:g}"
        for signal in signals
        for codec in LOSSLESS
        if (found := measured[signal.name, codec]) is not None
        and not signal.value - signal.below - 0.005 <= found <= signal.value + signal.above + 0.005
    ]
    listed = "; ".join(outside) or "none"
    return f"Outside the documents' own tolerance without a codec to blame: {listed}."
