"""The track of a file does not depend on the order in which a scan's events are handled."""

import asyncio
import itertools
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest

from services.api.store.database.pool import in_transaction
from shared.contracts.events import Event, FileFound, FileMissing
from tests.integration import tagged_noise
from tests.integration.extractor_handlers import ExtractorHandlers, events, handlers

__all__ = ["handlers"]

Change = Callable[[Path], object]


def write(path: Path, sound: int, **tags: str) -> None:
    """Write a music file. The same number gives the same sound."""
    song = {"title": f"Song {sound}", "album": "Album", "artist": "Somebody"}
    tagged_noise.write(path, sound, song | tags)


def rename(*names: str) -> Change:
    """Rename files in a ring: each gets the next one's name, and the last one the first's."""

    def change(root: Path) -> None:
        for name in names:
            (root / name).rename(root / f"{name}.aside")
        for name, to in zip(names, (*names[1:], names[0]), strict=True):
            (root / f"{name}.aside").rename(root / to)

    return change


def move_and_replace(root: Path) -> None:
    (root / "1.flac").rename(root / "old.flac")
    write(root / "1.flac", root.stat().st_ino + 900, title="Another song")


def move_onto_another(root: Path) -> None:
    (root / "1.flac").rename(root / "2.flac")


def replace_by_better_copy(root: Path) -> None:
    (root / "1.flac").unlink()
    write(
        root / "1.ogg", root.stat().st_ino + 900, title=f"Song {seed_of(root) + 1}", tracknumber="1"
    )


def add_better_copy(root: Path) -> None:
    """Replace a file by a better copy, and keep the old one elsewhere: it stays the track."""
    (root / "old").mkdir()
    (root / "1.flac").rename(root / "old" / "1.flac")
    write(
        root / "1.ogg", root.stat().st_ino + 900, title=f"Song {seed_of(root) + 1}", tracknumber="1"
    )


def copy(root: Path) -> None:
    shutil.copy2(root / "1.flac", root / "copy.flac")


def move_and_retag(root: Path) -> None:
    (root / "1.flac").rename(root / "new name.flac")
    file: Any = mutagen.File(root / "new name.flac", easy=True)
    file.update({"title": "Another title", "album": "Another album"})
    file.save()


CHANGES: dict[str, tuple[Change, dict[str, str | None]]] = {
    "moved": (
        lambda root: (root / "1.flac").rename(root / "b.flac"),
        {"b.flac": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
    "moved and retagged": (
        move_and_retag,
        {"new name.flac": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
    "swapped": (
        rename("1.flac", "2.flac"),
        {"1.flac": "2.flac", "2.flac": "1.flac", "3.flac": "3.flac"},
    ),
    "three in a ring": (
        rename("1.flac", "2.flac", "3.flac"),
        {"1.flac": "3.flac", "2.flac": "1.flac", "3.flac": "2.flac"},
    ),
    "moved, its name used again": (
        move_and_replace,
        {"1.flac": None, "old.flac": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
    "moved onto another": (move_onto_another, {"2.flac": "1.flac", "3.flac": "3.flac"}),
    "another format": (
        replace_by_better_copy,
        {"1.ogg": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
    "another format, the old one kept": (
        add_better_copy,
        {"1.ogg": None, "old/1.flac": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
    "copied": (
        copy,
        {"copy.flac": None, "1.flac": "1.flac", "2.flac": "2.flac", "3.flac": "3.flac"},
    ),
}


def seed_of(root: Path) -> int:
    return int(root.name) * 10


def orders(emitted: list[Event], rng: random.Random) -> list[list[list[Event]]]:
    """Orders of events: in batches, one by one in several orders, and all of them twice."""
    found: list[Event] = [event for event in emitted if isinstance(event, FileFound)]
    missing: list[Event] = [event for event in emitted if isinstance(event, FileMissing)]
    whole = [batch for batch in (found, missing) if batch]
    singles = [[list(order)] for order in itertools.permutations(emitted)]
    some = rng.sample(singles, min(4, len(singles)))
    apart = [[[event] for event in order[0]] for order in some]
    twice = [[*apart[0], *apart[0]]]
    return [whole, whole[::-1], *apart, *twice]


@pytest.mark.parametrize("name", CHANGES)
async def test_a_track_follows_its_content_in_every_order_of_events(
    handlers: ExtractorHandlers, tmp_path: Path, name: str
) -> None:
    change, expected = CHANGES[name]
    rng = random.Random(name)
    base = list(CHANGES).index(name) * 20 + 1
    count, number = 1, 0
    while number < count:
        root = tmp_path / str(base + number)
        for sound in (1, 2, 3):
            write(root / f"{sound}.flac", seed_of(root) + sound, tracknumber=str(sound))
        library, first = await handlers.library(root), await handlers.scan()
        await handlers.handle([events(root, library, first, {})])
        before = await handlers.tracks(root)
        known = {
            path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in root.iterdir()
        }
        await asyncio.to_thread(change, root)
        walked = events(root, library, await handlers.scan(), known)
        all_orders = orders(sorted(walked, key=str), rng)
        count = len(all_orders)
        order = all_orders[number]
        await handlers.handle(order)
        after = await handlers.tracks(root)
        names = {id_: path for path, (id_, _) in before.items()}
        assert {path: names.get(id_) for path, (id_, _) in after.items()} == expected, order
        assert len({id_ for id_, _ in after.values()}) == len(after)
        number += 1


async def test_a_move_needs_no_second_analysis(handlers: ExtractorHandlers, tmp_path: Path) -> None:
    root = tmp_path / "1"
    write(root / "1.flac", 1)
    library = await handlers.library(root)
    await handlers.handle([events(root, library, await handlers.scan(), {})])
    before = await handlers.tracks(root)
    known = {"1.flac": (0, 0)}
    (root / "1.flac").rename(root / "2.flac")
    for batch in (events(root, library, await handlers.scan(), known), []):
        await handlers.handle([[event] for event in batch])
    after = await handlers.tracks(root)
    assert after == {"2.flac": before["1.flac"]}
    rows = await in_transaction(handlers.pool, lambda c: c.fetch("SELECT path, state FROM files"))
    assert [tuple(row) for row in rows] == [("2.flac", "present")]
