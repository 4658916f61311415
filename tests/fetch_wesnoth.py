"""Fetch real music for the tests: Debian's wesnoth-1.16-music, some 40 Ogg Vorbis files.

`make music` runs it; it needs apt and no root. The music is licensed under the GPL 2 or later and
Creative Commons BY-SA 4.0 and is never part of this project.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.fetch_debian import NotFetched, unpack

PACKAGE = "wesnoth-1.16-music"
FOLDER = Path(__file__).parents[1] / ".music" / "wesnoth"


def fetch() -> Path:
    """The folder with the music, fetched if it is missing."""
    if next(FOLDER.rglob("*.ogg"), None) is None:
        FOLDER.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as work:
            staged = Path(work) / "tree"
            unpack(PACKAGE, staged)
            shutil.rmtree(FOLDER, ignore_errors=True)
            next(staged.rglob("music")).rename(FOLDER)
    return FOLDER


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{fetch()}\n")
    except NotFetched as error:
        sys.exit(f"{PACKAGE} could not be fetched: {error}")
