"""`make bench-truth`: how right the analysis is, for generated sound whose truth is known.

`ARGS=--write` puts the tables into docs/analysis.md, between two marker lines.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench.markdown import write_between_markers
from bench.truth import tables
from bench.truth.evaluation import (
    LENGTH_S,
    LONGER_S,
    MUSIC_CODECS,
    PieceResult,
    evaluate_piece,
    evaluate_variants,
    measure_signal,
)
from bench.truth.pieces import pieces
from bench.truth.scores import is_accurate
from bench.truth.signals import signals
from bench.truth.variants import CODECS

_DOCUMENT = Path(__file__).parents[2] / "docs" / "analysis.md"
_DEFAULT_SEED = 2_026
"""The analysis was tuned with other seeds."""


def main() -> None:
    """Run the suite from the command line."""
    parser = argparse.ArgumentParser(
        description="Analyses sound whose tempo, key and levels are known."
    )
    parser.add_argument(
        "--pieces",
        type=int,
        default=120,
        help="number of pieces, each in five codecs (%(default)s)",
    )
    parser.add_argument(
        "--moved", type=int, default=40, help="so many of these in all variants, too (%(default)s)"
    )
    parser.add_argument(
        "--peer", type=int, default=24, help="so many of these by librosa, too (%(default)s)"
    )
    parser.add_argument("--signals", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seed", type=int, default=_DEFAULT_SEED)
    parser.add_argument(
        "--write", action="store_true", help="write the tables into docs/analysis.md"
    )
    parser.add_argument("--misses", action="store_true", help="list each wrong tempo and key")
    options = parser.parse_args()
    # There is a process for each core, so each computes with one thread.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with tempfile.TemporaryDirectory() as work:
        text = _run(Path(work), options)
    if options.write:
        write_between_markers(_DOCUMENT, "truth", text)
        print(f"written to {_DOCUMENT}")


def _run(work: Path, options: argparse.Namespace) -> str:
    chosen = pieces(options.pieces, options.seed)
    levels = signals() if options.signals else []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        keys = [(signal, codec) for signal in levels for codec in CODECS]
        values = pool.map(partial(measure_signal, work), keys)
        measured = {(s.name, codec): v for (s, codec), v in zip(keys, values, strict=True)}
        evaluate = partial(evaluate_piece, work, options.peer)
        # The first piece alone: two processes that compile librosa's functions into numba's cache
        # at the same time have crashed.
        results = [*pool.map(evaluate, chosen[:1]), *pool.map(evaluate, chosen[1:])]
        varied = list(pool.map(partial(evaluate_variants, work), chosen[: options.moved]))
    if options.misses:
        _print_misses(results)
    parts = []
    if results:
        parts += [
            f"{len(chosen)} pieces of {LENGTH_S:g} s (seed {options.seed}) in {len(MUSIC_CODECS)}"
            f" codecs ({', '.join(MUSIC_CODECS)}). A score counts each file.",
            tables.tempo_table(results),
            tables.key_table(results),
            tables.confidence_notes(results),
            tables.music_level_notes(results),
        ]
    if levels:
        parts += [tables.level_table(measured, levels), tables.level_notes(measured, levels)]
    if varied:
        parts += [
            f"{len(varied)} pieces of {LONGER_S:g} s, changed in six ways:",
            tables.closest_table(varied),
            "How far each field moves: the median, in percent of the field's standard deviation"
            " over these tracks (their level included in +6 and -6 dB):",
            tables.moves_table(varied),
        ]
    text = "\n\n".join(parts)
    print(text)
    return text


def _print_misses(results: Iterable[PieceResult]) -> None:
    """Print each piece whose tempo or key is wrong in FLAC."""
    for result in results:
        piece, analysis = result.piece, result.by_codec["flac"]
        name = f"{piece.number:3d} {piece.group:12s} {piece.style.name:12s}"
        if not is_accurate(analysis.tempo_bpm, piece.tempo_bpm):
            print(f"{name} {piece.tempo_bpm:6.1f} BPM, found {analysis.tempo_bpm:6.1f}")
        if piece.key and (piece.key, piece.third) != (analysis.key, analysis.mode):
            print(f"{name} {piece.key} {piece.mode}, found {analysis.key} {analysis.mode}")


if __name__ == "__main__":
    main()
