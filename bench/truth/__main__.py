"""`make bench-truth`: how right an analysis is where the truth is known.

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
from bench.truth import table
from bench.truth.listening import (
    LENGTH_S,
    LONGER_S,
    MUSIC_CODECS,
    Heard,
    hear,
    measure,
    move,
)
from bench.truth.pieces import pieces
from bench.truth.scores import is_accurate
from bench.truth.signals import signals
from bench.truth.variants import CODECS

_DOCUMENT = Path(__file__).parents[2] / "docs" / "analysis.md"
_DEFAULT_SEED = 2_026
"""Rules were made while looking at other seeds."""


def main() -> None:
    """Run the suite from the command line."""
    parser = argparse.ArgumentParser(description="Analyses of what is known to be true.")
    parser.add_argument("--pieces", type=int, default=120, help="how many, in five codecs each")
    parser.add_argument("--moved", type=int, default=40, help="of these, in all variants")
    parser.add_argument("--peer", type=int, default=24, help="of these, librosa is asked, too")
    parser.add_argument("--signals", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seed", type=int, default=_DEFAULT_SEED)
    parser.add_argument("--write", action="store_true", help="into docs/analysis.md")
    parser.add_argument("--misses", action="store_true", help="list each wrong tempo and key")
    told = parser.parse_args()
    # Each process computes with one thread: there are as many of them as processors.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with tempfile.TemporaryDirectory() as work:
        text = _run(Path(work), told)
    if told.write:
        write_between_markers(_DOCUMENT, "truth", text)
        print(f"written to {_DOCUMENT}")


def _run(work: Path, told: argparse.Namespace) -> str:
    made = pieces(told.pieces, told.seed)
    levels = signals() if told.signals else []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        keys = [(signal, codec) for signal in levels for codec in CODECS]
        values = pool.map(partial(measure, work), keys)
        measured = {(s.name, codec): v for (s, codec), v in zip(keys, values, strict=True)}
        heard = list(pool.map(partial(hear, work, told.peer), made))
        moved = list(pool.map(partial(move, work), made[: told.moved]))
    if told.misses:
        _print_misses(heard)
    parts = []
    if heard:
        parts += [
            f"{len(made)} pieces of {LENGTH_S:g} s (seed {told.seed}) in {len(MUSIC_CODECS)} codecs"
            f" ({', '.join(MUSIC_CODECS)}). A score counts each file.",
            table.tempo_table(heard),
            table.key_table(heard),
            table.confidence_notes(heard),
            table.music_level_notes(heard),
        ]
    if levels:
        parts += [table.level_table(measured, levels), table.level_notes(measured, levels)]
    if moved:
        parts += [
            f"{len(moved)} pieces of {LONGER_S:g} s, changed in six ways:",
            table.closest_table(moved),
            "How far each field moves: the median, in percent of the field's standard deviation"
            " over these tracks (their level included in +6 and -6 dB):",
            table.moves_table(moved),
        ]
    text = "\n\n".join(parts)
    print(text)
    return text


def _print_misses(heard: Iterable[Heard]) -> None:
    """Each piece whose tempo or key is wrong in FLAC."""
    for each in heard:
        piece, found = each.piece, each.by_codec["flac"]
        name = f"{piece.number:3d} {piece.group:12s} {piece.style.name:12s}"
        if not is_accurate(found.tempo_bpm, piece.tempo_bpm):
            print(f"{name} {piece.tempo_bpm:6.1f} BPM, found {found.tempo_bpm:6.1f}")
        if piece.key and (piece.key, piece.third) != (found.key, found.mode):
            print(f"{name} {piece.key} {piece.mode}, found {found.key} {found.mode}")


if __name__ == "__main__":
    main()
