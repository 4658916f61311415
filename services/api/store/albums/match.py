"""Matches the albums of a batch to the stored ones of the same place. Pure, but for new ids."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from services.api.store.albums.validate import COLUMNS, AlbumRow
from services.api.store.batch_writes import Problem, Upserted
from shared.contracts.upserts import UpsertStatus

_MERGED = tuple(n for n in COLUMNS if n not in {"place_key", "owner_key", "is_compilation"})


def match(
    rows: Sequence[AlbumRow | Problem], known: dict[str, list[AlbumRow]]
) -> tuple[list[Upserted], list[AlbumRow], dict[UUID, str]]:
    """The results, the albums that have to be written, and owners of those that had none.

    `known` are the stored albums by place, oldest first; new ones are added to it.
    """
    results: list[Upserted] = []
    changed: dict[UUID, AlbumRow] = {}
    owners: dict[UUID, str] = {}
    for row in rows:
        if isinstance(row, Problem):
            results.append(Upserted(problem=row))
            continue
        here = known.setdefault(row.columns["place_key"], [])
        stored = _find(here, row.columns["owner_key"])
        id_ = stored.id if stored and stored.id else uuid4()
        if stored is None:
            album = replace(row, id=id_, claim=None, facts=None)
            here.append(album)
            status = UpsertStatus.CREATED
        else:
            album = _merged(stored, row) if row.claim is None else _owned(stored, row)
            here[here.index(stored)] = album
            status = UpsertStatus.UNCHANGED if album == stored else UpsertStatus.UPDATED
        if status is UpsertStatus.UPDATED and row.claim is not None and id_ not in changed:
            owners[id_] = album.columns["owner_key"]
        elif status is not UpsertStatus.UNCHANGED:
            changed[id_] = album
        results.append(Upserted(id_, status))
    return results, list(changed.values()), owners


def _find(here: Sequence[AlbumRow], owner: str) -> AlbumRow | None:
    """The album of a place that a track of this owner belongs to; None: to a new one.

    A track that does not say whose its album is belongs to the one with an owner, if there is
    only one, whichever came first.
    """
    by_owner = {album.columns["owner_key"]: album for album in reversed(here)}
    owned = [album for key, album in by_owner.items() if key]
    if not owner and len(owned) == 1:
        return owned[0]
    return by_owner.get(owner) or (by_owner.get("") if not owned else None)


def _owned(stored: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album, with an owner if it had none: its tracks decide all else."""
    owner = stored.columns["owner_key"] or new.columns["owner_key"]
    return replace(stored, columns={**stored.columns, "owner_key": owner})


def _merged(stored: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album with the values of the new one; where that has none, they stay."""
    columns = dict(stored.columns)
    for name in _MERGED:
        if new.columns[name] not in (None, ""):
            columns[name] = new.columns[name]
    columns["is_compilation"] = stored.columns["is_compilation"] or new.columns["is_compilation"]
    # Discs of a set may disagree; the largest number is independent of who comes last.
    totals = (stored.columns["disc_total"] or 0, new.columns["disc_total"] or 0)
    columns["disc_total"] = max(totals) or None
    columns["owner_key"] = stored.columns["owner_key"] or new.columns["owner_key"]
    return AlbumRow(columns, new.credits or stored.credits, stored.id)
