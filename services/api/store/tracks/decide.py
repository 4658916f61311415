"""Decides what becomes of each track of a batch. Pure, but for the ids of new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.api.store.tracks.match import Moves, is_same_content, is_same_stat
from services.api.store.tracks.parts import COLUMNS
from services.api.store.tracks.validate_item import TrackRow
from shared.contracts.upserts import UpsertStatus


@dataclass(slots=True)  # frozen, making one takes three times as long
class Decision:
    """What becomes of one row."""

    row: TrackRow
    track_id: UUID
    status: UpsertStatus
    revision: int
    content_revision: int
    is_new_content: bool
    is_retagged: bool
    """The tags changed, the content did not."""
    replaced_hash: bytes | None
    is_written: bool
    """The row of the file is written: something changed, or this scan has not counted it yet."""
    is_first_read: bool
    """This scan reads the file for the first time."""


def decide(
    row: TrackRow, moves: Moves, tracks: Mapping[UUID, asyncpg.Record], scan_id: UUID | None
) -> Decision:
    """Compare a row with its file, as it is after all moves, and its track, if any.

    Equal items change nothing; `tracks` are the locked ones by id.
    """
    file = moves.files.get(row.key)
    is_first_read = scan_id is not None and (file is None or file["read_by_scan_id"] != scan_id)
    track = None if file is None else tracks.get(file["track_id"])
    if file is None or track is None:
        return Decision(
            row, uuid4(), UpsertStatus.CREATED, 1, 1, False, False, None, True, is_first_read
        )
    is_new_content = not is_same_content(row, file) or (
        track["is_damaged"] and not is_same_stat(row, file)  # it may have been repaired
    )
    is_retagged = not is_new_content and (
        track["tags_digest"] != row.digest or track["album_id"] != row.album_id
    )
    is_moved = track["id"] in moves.moved
    status = (
        UpsertStatus.UPDATED
        if is_new_content or is_retagged or is_moved
        else UpsertStatus.UNCHANGED
    )
    if track["is_missing"] and not is_new_content:
        status = UpsertStatus.RETURNED
    is_changed = status is not UpsertStatus.UNCHANGED
    return Decision(
        row=row,
        track_id=track["id"],
        status=status,
        revision=track["revision"] + is_changed,
        content_revision=track["content_revision"] + is_new_content,
        is_new_content=is_new_content,
        is_retagged=is_retagged,
        replaced_hash=_replaced_hash(file, scan_id, is_new_content=is_new_content),
        is_written=is_changed or is_first_read or _is_file_changed(row, file),
        is_first_read=is_first_read,
    )


def _replaced_hash(
    file: Mapping[str, Any], scan_id: UUID | None, *, is_new_content: bool
) -> bytes | None:
    """The hash of the content before this scan, where it was another one."""
    if is_new_content:
        content_hash: bytes | None = file["content_hash"]
        return content_hash
    return file["replaced_hash"] if file["read_by_scan_id"] == scan_id else None


def _is_file_changed(row: TrackRow, file: Mapping[str, Any]) -> bool:
    values = (row.size_bytes, row.mtime_ns, row.images_digest, row.content_hash, "present")
    names = ("size_bytes", "mtime_ns", "images_digest", "content_hash", "state", *COLUMNS)
    return (*values, *row.part.columns) != tuple(file[name] for name in names)
