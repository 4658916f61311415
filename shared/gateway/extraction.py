"""What the extractor asks of the gateway and tells it."""

from collections.abc import Iterator, Sequence

from shared.gateway.client import JSON, Gateway, in_portions

PORTION = 1_000
"""Items a call: the gateway takes at most 2,000."""
MOST_LONG_TEXT = 2_000_000
"""Characters of lyrics and other tags a call, so that requests stay small whatever tags hold."""
KNOWN_FILES_A_PAGE = 20_000

_SCAN = (
    "scan { id state root folder mode acceptMissing filesRead filesFailed"
    " library { id name root } }"
)
BEGIN_SCAN = f"""
mutation BeginScan($input: BeginScanInput!) {{
  beginScan(input: $input) {{ {_SCAN} error {{ code message field }} }}
}}
"""
REPORT_WALK = """
mutation ReportWalk($input: ReportWalkInput!) {
  reportWalk(input: $input) { error { code message field } }
}
"""
KNOWN_FILES = """
query KnownFiles(
  $libraryId: ID!, $folder: String!, $after: String, $until: String, $first: Int!
) {
  knownFiles(
    libraryId: $libraryId, folder: $folder, after: $after, until: $until, first: $first
  ) { paths sizesBytes mtimesNs imagesDigests missing endCursor }
}
"""
KNOWN_STRETCHES = """
query KnownStretches($libraryId: ID!, $folder: String!, $after: String) {
  knownStretches(libraryId: $libraryId, folder: $folder, after: $after) {
    ends counts digests unknownImages endCursor
  }
}
"""
LIBRARIES = "query Libraries { libraries { id name root } }"
MISSING_COVERS = "query MissingCovers($hashes: [String!]!) { missingCovers(sha256s: $hashes) }"
MARK_MISSING = """
mutation MarkMissing($libraryId: ID!, $paths: [String!]!) {
  markMissing(libraryId: $libraryId, paths: $paths) {
    results { id status revision contentRevision error { code message field } }
  }
}
"""
_ERRORS = "errors { item error { code message field } }"
CREATE_ARTISTS = f"""
mutation CreateArtists($input: [ArtistInput!]!) {{
  createArtists(input: $input) {{ columns {{ ids statuses {_ERRORS} }} }}
}}
"""
CREATE_ALBUMS = f"""
mutation CreateAlbums($input: [AlbumInput!]!) {{
  createAlbums(input: $input) {{ columns {{ ids statuses {_ERRORS} }} }}
}}
"""
CREATE_TRACKS = f"""
mutation CreateTracks($libraryId: ID!, $scanId: ID, $input: [TrackInput!]!) {{
  createTracks(libraryId: $libraryId, scanId: $scanId, input: $input) {{
    columns {{
      ids statuses revisions contentRevisions {_ERRORS}
      undecided {{ item candidates {{ trackId libraryId path isSameContent }} }}
    }}
  }}
}}
"""


async def begin_scan(gateway: Gateway, request: JSON) -> JSON:
    """The walk of a scan begins. `request` is a `BeginScanInput`; the answer has scan or error."""
    data = await gateway.execute(BEGIN_SCAN, {"input": request})
    payload: JSON = data["beginScan"]
    return payload


async def report_walk(gateway: Gateway, report: JSON) -> JSON | None:
    """Say how far a walk is (`ReportWalkInput`); None, or the error."""
    data = await gateway.execute(REPORT_WALK, {"input": report})
    error: JSON | None = data["reportWalk"]["error"]
    return error


async def known_files(
    gateway: Gateway, library_id: str, folder: str, after: str | None, until: str | None = None
) -> JSON:
    """One page of the files known below a folder ('' is the root), in columns, by path.

    Those behind the path `after`, up to and with `until`.
    """
    told = {
        "libraryId": library_id, "folder": folder, "after": after, "until": until,
        "first": KNOWN_FILES_A_PAGE,
    }  # fmt: skip
    page: JSON = (await gateway.execute(KNOWN_FILES, told))["knownFiles"]
    return page


async def known_stretches(
    gateway: Gateway, library_id: str, folder: str, after: str | None
) -> JSON:
    """The same files but the missing ones, told by digests, in columns, by path."""
    told = {"libraryId": library_id, "folder": folder, "after": after}
    page: JSON = (await gateway.execute(KNOWN_STRETCHES, told))["knownStretches"]
    return page


async def libraries(gateway: Gateway) -> list[JSON]:
    """All libraries: id, name, root."""
    found: list[JSON] = (await gateway.execute(LIBRARIES, {}))["libraries"]
    return found


async def missing_covers(gateway: Gateway, hashes: Sequence[str]) -> set[str]:
    """Those of the SHA-256 hashes whose image the gateway does not have."""
    missing: set[str] = set()
    for portion in in_portions(hashes, PORTION):
        data = await gateway.execute(MISSING_COVERS, {"hashes": list(portion)})
        missing.update(data["missingCovers"])
    return missing


async def mark_missing(gateway: Gateway, library_id: str, paths: Sequence[str]) -> list[JSON]:
    """Mark files missing; one result a path, in order."""
    results: list[JSON] = []
    for portion in in_portions(paths, PORTION):
        told = {"libraryId": library_id, "paths": list(portion)}
        results += (await gateway.execute(MARK_MISSING, told))["markMissing"]["results"]
    return results


async def create_artists(gateway: Gateway, items: Sequence[JSON]) -> list[JSON]:
    """Upsert artists; one result an item, in order."""
    results: list[JSON] = []
    for portion in in_portions(items, PORTION):
        data = await gateway.execute(CREATE_ARTISTS, {"input": list(portion)})
        results += _rows(data["createArtists"]["columns"])
    return results


async def create_albums(gateway: Gateway, items: Sequence[JSON]) -> list[JSON]:
    """Upsert albums; one result an item, in order."""
    results: list[JSON] = []
    for portion in in_portions(items, PORTION):
        data = await gateway.execute(CREATE_ALBUMS, {"input": list(portion)})
        results += _rows(data["createAlbums"]["columns"])
    return results


async def create_tracks(
    gateway: Gateway, library_id: str, scan_id: str | None, items: Sequence[JSON]
) -> list[JSON]:
    """Upsert tracks by their path; one result an item, in order."""
    results: list[JSON] = []
    for portion in _track_portions(items):
        told = {"libraryId": library_id, "scanId": scan_id, "input": portion}
        results += _rows((await gateway.execute(CREATE_TRACKS, told))["createTracks"]["columns"])
    return results


_FIELDS = {
    "ids": "id",
    "statuses": "status",
    "revisions": "revision",
    "contentRevisions": "contentRevision",
}


def _rows(columns: JSON) -> list[JSON]:
    """The results one by one, as GraphQL would tell them."""
    names = [name for name in _FIELDS if name in columns]
    fields = [_FIELDS[name] for name in names]
    values = zip(*(columns[name] for name in names), strict=True)
    results = [dict(zip(fields, row, strict=True), error=None) for row in values]
    for told in columns["errors"]:
        results[told["item"]]["error"] = told["error"]
    for told in columns.get("undecided", ()):
        results[told["item"]]["candidates"] = told["candidates"]
    return results


def _track_portions(items: Sequence[JSON]) -> Iterator[list[JSON]]:
    """Portions of at most `PORTION` items and about `MOST_LONG_TEXT` characters of long texts."""
    portion: list[JSON] = []
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


def _long_text(item: JSON) -> int:
    texts = (item.get("lyricsPlain"), item.get("lyricsSynced"), item.get("comment"))
    others = item.get("otherTags") or {}
    return sum(len(text) for text in texts if text) + sum(
        len(value) for values in others.values() for value in values
    )
