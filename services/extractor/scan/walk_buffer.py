"""What a walk has seen and nobody has dealt with yet, in columns, laid beside what is known."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.extractor.scan.catalogue_cursor import KnownStretches, Stretch
from services.extractor.scan.walk import Run, WalkedFile
from shared.contracts.range_digests import digest_of

MOST_AHEAD = 5_000
"""Files that are looked at before it is known what they are to be compared with."""


@dataclass(slots=True)
class Walked:
    """Files of a walk in the order of their paths, pulled as they are needed.

    All of it blocks on the disk: not for the event loop.
    """

    runs: Iterator[Run]
    _paths: list[str] = field(default_factory=list)
    _sizes_bytes: list[int] = field(default_factory=list)
    _mtimes_ns: list[int] = field(default_factory=list)
    _images_digests: list[int] = field(default_factory=list)
    _is_over: bool = False

    def look_ahead(self, is_enough: Callable[[], bool]) -> None:
        """Walk until it is enough, but no further than some thousand files."""
        while not is_enough() and len(self._paths) < MOST_AHEAD and self._pull():
            pass

    def as_known(self, known: KnownStretches, until_s: float) -> tuple[int, bool]:
        """Take files as long as all of the next stretch are as they were.

        Ends with the stretches that are ahead, or at `until_s` (`time.monotonic`). Returns how
        many files were taken, and whether the next stretch differs.
        """
        taken = 0
        while known.ahead and time.monotonic() < until_s:
            if not self._is(known.ahead[0]):
                return taken, True
            taken += known.take().files
        return taken, False

    def take(self, end: str | None, most: int) -> list[WalkedFile]:
        """The next files up to and with the path `end`, at most so many; None has no end."""
        here = slice(min(self._up_to(end, most), most))
        columns = (self._paths, self._sizes_bytes, self._mtimes_ns, self._images_digests)
        told = zip(*(column[here] for column in columns), strict=True)
        files = [WalkedFile(*row) for row in told]
        self._drop(len(files))
        return files

    def _is(self, stretch: Stretch) -> bool:
        """Whether the next files are just these, as they were; then they are taken."""
        files = stretch.files
        if self._up_to(stretch.end, files) != files:
            return False
        images = self._images_digests[:files]
        for place in stretch.unknown_images:
            images[place] = 0
        here = slice(files)
        digest = digest_of(
            self._paths[here], self._sizes_bytes[here], self._mtimes_ns[here], images
        )
        if digest != stretch.digest:
            return False
        self._drop(files)
        return True

    def _up_to(self, end: str | None, most: int) -> int:
        """How many files there are up to a path; where more than `most`, not all are counted."""
        while len(self._paths) <= most and not (end and self._paths and self._paths[-1] > end):
            if not self._pull():
                break
        return len(self._paths) if end is None else bisect_right(self._paths, end)

    def _pull(self) -> bool:
        run = None if self._is_over else next(self.runs, None)
        if run is None:
            self._is_over = True
            return False
        files, images_digest = run
        self._paths += [file[0] for file in files]
        self._sizes_bytes += [file[1] for file in files]
        self._mtimes_ns += [file[2] for file in files]
        self._images_digests += [images_digest] * len(files)
        return True

    def _drop(self, files: int) -> None:
        del self._paths[:files], self._sizes_bytes[:files]
        del self._mtimes_ns[:files], self._images_digests[:files]
