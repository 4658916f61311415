"""Mishaps of libraries, and what a scan must do about each. docs/scan.md shows this table."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.library_changes import (
    FILES,
    Change,
    better_copy,
    both,
    corrupt,
    linked_folder,
    linked_root,
    lock,
    many_files,
    mount,
    move,
    other_disk,
    overwrite_unnoticed,
    put_aside,
    put_back,
    repair,
    retag,
    rewrite,
    shorten,
    stash,
    swap,
    touch,
    unlock,
    unmount,
    write,
)

SAME = {path: path for path in FILES}


@dataclass(frozen=True, slots=True)
class Mishap:
    """One row of the table.

    Attributes:
        what: the mishap, for people.
        expected: what the scan does, for people.
        change: makes the mishap happen below the library's root.
        tracks: each path after the next scan -> the track's old path; None: a new track; "": gone.
        renewed: new paths with new content, to be analysed again.
        missing: old paths whose tracks are missing after the scan.
        state: the state of the scan.
        says: a part of the scan's message.
        scan: arguments of the scan.
        setup: a change before the first scan.
        undo: reverts the mishap; after one more scan, all is as in the beginning.
    """

    what: str
    expected: str
    change: Change
    tracks: Mapping[str, str | None] = field(default_factory=lambda: SAME)
    renewed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    state: str = "FINISHED"
    says: str = ""
    scan: Mapping[str, Any] = field(default_factory=dict)
    setup: Change | None = None
    undo: Change | None = None


MANY = {f"{folder}/{name}.flac" for folder in "cd" for name in "5678"}
ALL = SAME | {path: path for path in MANY}

MISHAPS = (
    Mishap("A file is moved to another folder", "the same track",
           move(FILES[0], "c/One.flac"), {**SAME, "c/One.flac": FILES[0], FILES[0]: ""}),
    Mishap("A file is renamed", "the same track",
           move(FILES[0], "a/Uno.flac"), {**SAME, "a/Uno.flac": FILES[0], FILES[0]: ""}),
    Mishap("A name changes its case", "the same track",
           move(FILES[0], "a/ONE.flac"), {**SAME, "a/ONE.flac": FILES[0], FILES[0]: ""}),
    Mishap("A name that is no UTF-8 becomes one", "the same track",
           move(FILES[0], os.fsdecode(b"\xe9.flac")),
           {**SAME, "\uf7e9.flac": FILES[0], FILES[0]: ""},
           undo=move(os.fsdecode(b"\xe9.flac"), FILES[0])),
    Mishap("A folder is moved with all its tracks", "the same tracks",
           move("a", "c/d/a"),
           {**SAME, "c/d/a/One.flac": FILES[0], "c/d/a/Two.flac": FILES[1],
            FILES[0]: "", FILES[1]: ""}),
    Mishap("A file is retagged", "the same track; its analysis stands",
           lambda root: retag(root / FILES[0], title="Another title")),
    Mishap("A file is moved and retagged", "the same track; its analysis stands",
           both(move(FILES[0], "b/Uno.flac"),
                lambda root: retag(root / "b/Uno.flac", title="Uno", album="Another")),
           {**SAME, "b/Uno.flac": FILES[0], FILES[0]: ""}),
    Mishap("Two files swap their names", "each track follows its content",
           swap, {**SAME, FILES[0]: FILES[1], FILES[1]: FILES[0]}),
    Mishap("A file is moved, another one gets its name", "the track follows its content; a new one",
           both(move(FILES[0], "c/One.flac"), lambda root: write(root / FILES[0], 5)),
           {**SAME, "c/One.flac": FILES[0], FILES[0]: None}),
    Mishap("A file is replaced by a better copy in another format",
           "the same track; analysed again", better_copy,
           {**SAME, "a/One.ogg": FILES[0], FILES[0]: ""}, renewed=("a/One.ogg",)),
    Mishap("A file is re-encoded in place", "the same track; analysed again",
           rewrite(FILES[0], keep_time=False), renewed=(FILES[0],)),
    Mishap("Another content with the same time of change, but another size",
           "noticed; the same track, analysed again",
           rewrite(FILES[0], keep_time=True), renewed=(FILES[0],)),
    Mishap("Another content with the same time and size",
           "not noticed: that is what `--full` is for", overwrite_unnoticed),
    Mishap("The same, and `--full`", "noticed; the same track, analysed again",
           overwrite_unnoticed, renewed=(FILES[0],), scan={"mode": "FULL"}),
    Mishap("A file is copied", "two tracks, listed as duplicates",
           lambda root: shutil.copy2(root / FILES[0], root / "b/copy.flac"),
           {**SAME, "b/copy.flac": None}),
    Mishap("A file gets a second name (hard link)", "two tracks",
           lambda root: os.link(root / FILES[0], root / "b/link.flac"),
           {**SAME, "b/link.flac": None}),
    Mishap("Files are deleted, and restored", "missing; then whole again, nothing analysed",
           put_aside(FILES[0], FILES[2]), {FILES[1]: FILES[1], FILES[3]: FILES[3]},
           missing=(FILES[0], FILES[2]), undo=put_back),
    Mishap("The disk is not mounted: the root is empty", "held; nothing is missing",
           unmount, state="HELD", says="is empty, but 4 files are known in it", undo=mount),
    Mishap("The disk is mounted again", "all unchanged, nothing is read",
           both(unmount, mount)),
    Mishap("The root is gone or renamed", "refused; nothing is missing",
           lambda root: root.rename(stash(root)), state="REFUSED",
           says="does not exist: nothing was marked missing",
           undo=lambda root: stash(root).rename(root)),
    Mishap("The root is empty, and a person accepts it", "all are missing; they return whole",
           unmount, {}, missing=FILES, scan={"accept": True}, undo=mount),
    Mishap("All files are deleted, the folders stay", "held; nothing is missing",
           put_aside(*FILES), state="HELD", says="none of the 4 files known", undo=put_back),
    Mishap("More than half of the files are gone", "held; nothing is missing",
           put_aside(*FILES[:3]), state="HELD", says="only 1 of 4 files were seen", undo=put_back),
    Mishap("A disk that is mounted below the root is not mounted", "held below that folder",
           both(lambda root: (root / "c").rename(stash(root)), lambda root: (root / "c").mkdir()),
           ALL, state="HELD", says="nothing is left in", setup=many_files,
           undo=both(lambda root: (root / "c").rmdir(),
                     lambda root: stash(root).rename(root / "c"))),
    Mishap("A folder may not be read any longer", "what is known below it stays, all else is done",
           both(lock, move(FILES[0], "a/Uno.flac")),
           {**SAME, "a/Uno.flac": FILES[0], FILES[0]: ""}, says="could not look at b: Permission",
           undo=both(unlock, move("a/Uno.flac", FILES[0]))),
    Mishap("A linked folder's disk is not mounted", "what is known below it stays",
           lambda root: stash(root).rename(stash(stash(root))), setup=linked_folder,
           says="could not look at b: is a link to nothing",
           undo=lambda root: stash(stash(root)).rename(stash(root))),
    Mishap("The root is a link, and its target moves to another disk", "all unchanged",
           other_disk, setup=linked_root),
    Mishap("The clock jumps: a file's time is 1971", "read again; the same track, not analysed",
           touch(FILES[0], 1971)),
    Mishap("The clock jumps: a file's time is 2099", "read again; the same track, not analysed",
           touch(FILES[0], 2099)),
    Mishap("A file is still being copied", "a track; whole, the same one, analysed again",
           shorten(FILES[0]), renewed=(FILES[0],)),
    Mishap("A file becomes unreadable, then it is repaired",
           "listed as failed; then the same track, its analysis stands",
           corrupt, {**SAME, FILES[0]: ""}, undo=repair),
    Mishap("A link leads to nothing", "listed as failed, all else is done",
           lambda root: (root / "a/link.flac").symlink_to(root / "nothing.flac")),
    Mishap("A link leads back to the root", "it is not followed",
           lambda root: (root / "a/loop").symlink_to(root)),
    Mishap("A folder is passed over by a `.soniqueignore`, and no longer",
           "missing; then whole again",
           lambda root: (root / ".soniqueignore").write_text("b/\n"),
           {path: path for path in FILES[:2]}, missing=FILES[2:],
           undo=lambda root: (root / ".soniqueignore").unlink()),
    Mishap("A moved file is looked for in one folder alone", "the same track",
           move(FILES[0], "b/One.flac"), {**SAME, "b/One.flac": FILES[0], FILES[0]: ""},
           scan={"folder": "b"}),
)  # fmt: skip
