"""The operations of the extractor: stores what it read from files, and marks missing ones."""

from collections.abc import Iterator, Sequence

import msgspec

from shared.contracts.upserts import UpsertStatus
from shared.gateway.client import Gateway, in_portions, operation
from shared.gateway.inputs import AlbumInput, ArtistInput, TrackInput
from shared.gateway.results import TrackResult, TrackResults, UserError

PORTION = 1_000
"""Items a call: the gateway takes at most 2,000."""
MOST_LONG_TEXT = 2_000_000
"""Characters of lyrics, other tags and cues a call: requests stay small, whatever tags hold."""


_LETTERS_A_MARKER = 100
"""About the length of a cue, or of a marker of a beat grid, in a request."""


class Candidate(msgspec.Struct, frozen=True, rename="camel"):
    """A track that an UNDECIDED item may continue, and where its file was last.

    Attributes:
        is_same_content: the contents agree; else only the tags do.
    """

    track_id: str
    library_id: str
    path: str
    is_same_content: bool


class UpsertResult(msgspec.Struct, rename="camel"):
    """The result of one item: an id and a status, or an error."""

    id: str | None
    status: UpsertStatus | None
    error: UserError | None = None


class TrackUpsertResult(TrackResult, rename="camel"):
    """The result of one track. An UNDECIDED one was not stored, and has candidates."""

    candidates: Sequence[Candidate] = ()


class ItemError(msgspec.Struct):
    """The error of the item at position `item`, from 0."""

    item: int
    error: UserError


class UndecidedItem(msgspec.Struct):
    """The candidates of the item at position `item`, from 0."""

    item: int
    candidates: list[Candidate]


class UpsertColumns(msgspec.Struct):
    """The results of a batch in columns of equal length, and the errors among them."""

    ids: list[str | None]
    statuses: list[UpsertStatus | None]
    errors: list[ItemError]

    def rows(self) -> list[UpsertResult]:
        """The results item by item."""
        results = [
            UpsertResult(id_, status) for id_, status in zip(self.ids, self.statuses, strict=True)
        ]
        for each in self.errors:
            results[each.item].error = each.error
        return results


class TrackUpsertColumns(msgspec.Struct, rename="camel"):
    """The results of a batch of tracks in columns, the errors and the undecided items."""

    ids: list[str | None]
    statuses: list[UpsertStatus | None]
    revisions: list[int | None]
    content_revisions: list[int | None]
    errors: list[ItemError]
    undecided: list[UndecidedItem]

    def rows(self) -> list[TrackUpsertResult]:
        """The results item by item."""
        columns = (self.ids, self.statuses, self.revisions, self.content_revisions)
        results = [TrackUpsertResult(*row, None) for row in zip(*columns, strict=True)]
        for each in self.errors:
            results[each.item].error = each.error
        for undecided in self.undecided:
            results[undecided.item].candidates = undecided.candidates
        return results


class UpsertPayload(msgspec.Struct):
    """The results of artists or albums."""

    columns: UpsertColumns


class TrackUpsertPayload(msgspec.Struct):
    """The results of tracks."""

    columns: TrackUpsertColumns


MISSING_COVERS = operation("missing_covers", list[str], sha256s=list[str])
MARK_MISSING = operation("mark_missing", TrackResults, library_id=str, paths=list[str])
CREATE_ARTISTS = operation("create_artists", UpsertPayload, input=list[ArtistInput])
CREATE_ALBUMS = operation("create_albums", UpsertPayload, input=list[AlbumInput])
CREATE_TRACKS = operation(
    "create_tracks",
    TrackUpsertPayload,
    library_id=str,
    scan_id=str | None,
    input=list[TrackInput],
)


async def missing_covers(gateway: Gateway, sha256s: Sequence[str]) -> set[str]:
    """The hashes among these whose image the gateway does not have."""
    missing: set[str] = set()
    for portion in in_portions(sha256s, PORTION):
        found = await gateway.execute(MISSING_COVERS, sha256s=portion)
        missing.update(found)
    return missing


async def mark_missing(
    gateway: Gateway, library_id: str, paths: Sequence[str]
) -> list[TrackResult]:
    """Mark files missing; one result a path, in order."""
    results: list[TrackResult] = []
    for portion in in_portions(paths, PORTION):
        payload = await gateway.execute(MARK_MISSING, library_id=library_id, paths=portion)
        results += payload.results
    return results


async def create_artists(gateway: Gateway, items: Sequence[ArtistInput]) -> list[UpsertResult]:
    """Upsert artists; one result an item, in order."""
    results: list[UpsertResult] = []
    for portion in in_portions(items, PORTION):
        results += (await gateway.execute(CREATE_ARTISTS, input=portion)).columns.rows()
    return results


async def create_albums(gateway: Gateway, items: Sequence[AlbumInput]) -> list[UpsertResult]:
    """Upsert albums; one result an item, in order."""
    results: list[UpsertResult] = []
    for portion in in_portions(items, PORTION):
        results += (await gateway.execute(CREATE_ALBUMS, input=portion)).columns.rows()
    return results


async def create_tracks(
    gateway: Gateway, library_id: str, scan_id: str | None, items: Sequence[TrackInput]
) -> list[TrackUpsertResult]:
    """Upsert tracks by their path; one result an item, in order."""
    results: list[TrackUpsertResult] = []
    for portion in _track_portions(items):
        payload = await gateway.execute(
            CREATE_TRACKS, library_id=library_id, scan_id=scan_id, input=portion
        )
        results += payload.columns.rows()
    return results


def _track_portions(items: Sequence[TrackInput]) -> Iterator[list[TrackInput]]:
    """Portions of at most `PORTION` items and about `MOST_LONG_TEXT` characters of long texts."""
    portion: list[TrackInput] = []
    length = 0
    for item in items:
        long = _long_text(item)
        if portion and (len(portion) == PORTION or length + long > MOST_LONG_TEXT):
            yield portion
            portion, length = [], 0
        portion.append(item)
        length += long
    if portion:
        yield portion


def _long_text(item: TrackInput) -> int:
    texts = (item.lyrics_plain, item.lyrics_synced, item.comment)
    length = sum(len(text) for text in texts if text)
    if item.other_tags:
        length += sum(len(value) for values in item.other_tags.values() for value in values)
    for fact in item.imported_facts or ():
        length += _LETTERS_A_MARKER * (len(fact.cues or ()) + len(fact.beat_grid or ()))
    return length
