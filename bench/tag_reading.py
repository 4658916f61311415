"""What the fast parsers save: generated files read by them, and the same files with mutagen alone.

    python -m bench.tag_reading --files 2000

Each format is read in turn by both, in one process; the CPU time a file includes opening it. The
last line compares the difference with all that a reader does for a file.
"""

import argparse
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.generated_library import generate
from bench.markdown import table
from bench.measurement import Samples, cpu_s, measure_in_turn
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.jobs import read_chunk
from services.extractor.read.mutagen_files import read_with_mutagen
from services.extractor.read.tag_reader import read_fast


def _read_all_fast(paths: Sequence[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        file = FileBytes(descriptor, os.fstat(descriptor).st_size)
        if read_fast(file, path.suffix) is None:
            raise ValueError(f"{path} is not read by a fast parser")
        os.close(descriptor)


def _read_all_with_mutagen(paths: Sequence[Path]) -> None:
    for path in paths:
        with path.open("rb") as file:
            read_with_mutagen(file, path.suffix)


def _by_format(paths: Sequence[Path]) -> Mapping[str, Sequence[Path]]:
    formats: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        formats[path.suffix].append(path)
    return dict(sorted(formats.items()))


def _measure(formats: Mapping[str, Sequence[Path]], root: Path, rounds: int) -> Samples:
    """CPU seconds of each round, by format and side, and of the readers' whole work."""
    contenders = {}
    for suffix, paths in formats.items():
        contenders[f"fast{suffix}"] = partial(cpu_s, partial(_read_all_fast, paths))
        contenders[f"mutagen{suffix}"] = partial(cpu_s, partial(_read_all_with_mutagen, paths))
    names = [str(path.relative_to(root)) for paths in formats.values() for path in paths]
    contenders["reader"] = partial(cpu_s, partial(read_chunk, str(root), names))
    measure_in_turn(contenders, 1)  # the disk's cache, and the caches of names
    return measure_in_turn(contenders, rounds)


def main() -> None:
    """Print the table of all formats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        formats = _by_format(generate(root, options.files))
        samples = _measure(formats, root, options.rounds)
    rows = []
    totals_us = {"fast": 0.0, "mutagen": 0.0}
    for suffix, paths in formats.items():
        taken_s = {side: statistics.median(samples[side + suffix]) for side in totals_us}
        for side in totals_us:
            totals_us[side] += taken_s[side] * 1e6 / options.files
        each_us = [f"{taken_s[side] * 1e6 / len(paths):.0f}" for side in totals_us]
        rows.append([suffix[1:], *each_us, f"{taken_s['mutagen'] / taken_s['fast']:.1f}"])
    saved_us = totals_us["mutagen"] - totals_us["fast"]
    rows.append([
        "all", *(f"{taken_us:.0f}" for taken_us in totals_us.values()),
        f"{totals_us['mutagen'] / totals_us['fast']:.1f}",
    ])  # fmt: skip
    print(table(["format", "fast parser, µs", "mutagen, µs", "mutagen / fast"], rows))
    reader_us = statistics.median(samples["reader"]) * 1e6 / options.files
    print(
        f"\nA reader takes {reader_us:.0f} µs a file, all included;"
        f" with mutagen alone it would take {saved_us:.0f} µs more."
    )


if __name__ == "__main__":
    main()
