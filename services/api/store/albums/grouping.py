"""Which claims are of one album: by title, album artist, release, folder, year and track numbers.

Pure, and independent of any order. docs/scan.md states the rules for people.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

Position = tuple[int, int | str]
"""Disc (1 where none is tagged) and track number; the folded title where there is no number."""
VARIOUS = "various"
"""The identity of Various Artists."""
Years = tuple[int, int]
"""Of the release, and the original one."""
_UNKNOWN = -1
_MOST_NEAR = 100
"""How many albums of one title and artist are looked at to find one that a part fits."""
Key = TypeVar("Key", str, int, tuple[int, int])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the present tracks of one claim say about the album that they belong to.

    Attributes:
        claim: the name of the claim; unique with its folder.
        folder: of the album, below the library's root, without what is known to be a disc's.
        artist: the identity of the album artist, or else of the track's artist; '' if unknown.
        is_artist_told: the album artist is tagged.
        is_compilation: flagged, or by Various Artists.
        year: of the release.
        original_year: of the first release of this music.
        release_id: MusicBrainz'.
        release_group_id: MusicBrainz'.
        positions: where the tracks are in the album.
        discs: the numbers of discs as tagged; None where a track has none.
        tracks: how many there are.
    """

    claim: str
    folder: str
    artist: str
    is_artist_told: bool
    is_compilation: bool
    year: int | None
    original_year: int | None
    release_id: str | None
    release_group_id: str | None
    positions: frozenset[Position]
    discs: frozenset[int | None]
    tracks: int


@dataclass(slots=True)
class Album:
    """Claims that are of one album so far.

    Attributes:
        artist: the identity of its artist.
        claims: what its tracks say.
    """

    artist: str
    claims: list[Evidence] = field(default_factory=list)
    positions: set[Position] = field(default_factory=set)
    discs: set[int | None] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    original_years: set[int] = field(default_factory=set)
    releases: set[str] = field(default_factory=set)
    release_groups: set[str] = field(default_factory=set)

    def add(self, claims: Iterable[Evidence]) -> None:
        """Make these claims part of the album."""
        for claim in claims:
            self.claims.append(claim)
            self.positions |= claim.positions
            self.discs |= claim.discs
            self.years.update(filter(None, [claim.year]))
            self.original_years.update(filter(None, [claim.original_year]))
            self.releases.update(filter(None, [claim.release_id]))
            self.release_groups.update(filter(None, [claim.release_group_id]))


def group(evidence: Sequence[Evidence]) -> list[Album]:
    """The albums that the claims of one title in one library are of, in a fixed order."""
    parts: list[Album] = []
    for _, here in _sorted_by(evidence, lambda each: each.folder):
        for artist, claims in _by_owner(here).items():
            for release, of_release in _sorted_by(claims, lambda each: each.release_id or ""):
                wholes = [of_release] if release else _by_year(of_release)
                parts += [_album(artist, whole) for whole in wholes]
    return _joined(parts)


def _album(artist: str, claims: Iterable[Evidence]) -> Album:
    album = Album(artist)
    album.add(claims)
    return album


def _by_owner(here: Sequence[Evidence]) -> dict[str, list[Evidence]]:
    """The claims of one folder by the identity of their album artist.

    Tracks without a tagged album artist belong to the one who is tagged in the folder, if there is
    only one. In the library's root, which may hold files of all kinds, their own artist counts.
    """
    in_root = not here[0].folder
    owned: defaultdict[str, list[Evidence]] = defaultdict(list)
    untold: list[Evidence] = []
    for each in here:
        if each.is_artist_told:
            owned[each.artist].append(each)
        elif in_root:
            owned[VARIOUS if each.is_compilation else each.artist].append(each)
        else:
            untold.append(each)
    if untold:
        owner = next(iter(owned)) if len(owned) == 1 else _main_artist(untold)
        owned[owner] += untold
    return dict(sorted(owned.items()))


def _main_artist(untold: Sequence[Evidence]) -> str:
    """The artist of more than half of the tracks that have one; of a mixture Various Artists."""
    tracks: Counter[str] = Counter()
    for each in untold:
        tracks[each.artist] += each.tracks if each.artist else 0
    artist, most = max(tracks.items(), key=lambda item: (item[1], item[0]))
    is_mixed = most and 2 * most <= tracks.total()
    return VARIOUS if is_mixed or any(each.is_compilation for each in untold) else artist


def _by_year(claims: Sequence[Evidence]) -> list[list[Evidence]]:
    """The claims of one folder and artist, parted where years have the same track numbers.

    Two years are contested if half of the numbers of the one with fewer are in both. If most tracks
    are of contested years, each of these is an album. Otherwise the years differ for other reasons
    (songs of a compilation, a mistake), and say nothing.
    """
    by_years = {years: _album("", part) for years, part in _sorted_by(claims, _years)}
    contested = {
        years
        for pair in combinations(by_years, 2)
        if _differ(*pair) and _is_contested(*(by_years[years] for years in pair))
        for years in pair
    }
    in_contested = sum(_tracks(by_years[years]) for years in contested)
    if 2 * in_contested <= sum(each.tracks for each in claims):
        return [list(claims)]
    albums: list[Album] = []
    for years, part in by_years.items():
        if years in contested:
            same = (a for a in albums if not _is_contested(a, part) and _are_of(a, years))
            _add(albums, next(same, None), part)
    certain = list(albums)
    for years, part in by_years.items():
        if years not in contested:
            fitting = [a for a in certain if not _is_contested(a, part)]
            _add(albums, max(fitting, key=_tracks, default=None), part)
    return [album.claims for album in albums]


def _years(claim: Evidence) -> Years:
    # In the root, which may hold files of all kinds, no year is not any year.
    unknown = _UNKNOWN if claim.folder else 0
    return claim.year or unknown, claim.original_year or _UNKNOWN


def _differ(one: Years, other: Years) -> bool:
    pairs = zip(one, other, strict=True)
    return any(_UNKNOWN not in pair and pair[0] != pair[1] for pair in pairs)


def _are_of(album: Album, years: Years) -> bool:
    return not any(_differ(_years(claim), years) for claim in album.claims)


def _add(albums: list[Album], album: Album | None, part: Album) -> None:
    if album is None:
        albums.append(_album("", part.claims))
    else:
        album.add(part.claims)


def _is_contested(one: Album, other: Album) -> bool:
    common = len(one.positions & other.positions)
    return common > 0 and 2 * common >= min(len(one.positions), len(other.positions))


def _tracks(album: Album) -> int:
    return sum(each.tracks for each in album.claims)


def _joined(parts: Sequence[Album]) -> list[Album]:
    """Join the parts, each of one folder, that are of one album."""
    releases: dict[str, Album] = {}
    albums: list[Album] = []
    near: defaultdict[tuple[str, str, str], list[Album]] = defaultdict(list)

    def place(album: Album, folder: str) -> None:
        near[album.artist, "in", folder].append(album)
        if folder:
            near[album.artist, "below", _parent(folder)].append(album)

    for part in (part for part in parts if part.releases):
        release = min(part.releases)
        if release in releases:
            releases[release].add(part.claims)
        else:
            releases[release] = part
            albums.append(part)
        place(releases[release], part.claims[0].folder)
    for part in (part for part in parts if not part.releases):
        folder = part.claims[0].folder
        candidates = [
            *near[part.artist, "in", folder],
            *near[part.artist, "below", folder],
            *(near[part.artist, "in", _parent(folder)] if folder else ()),
            *(near[part.artist, "below", _parent(folder)] if folder else ()),
        ]
        album = next((a for a in candidates[:_MOST_NEAR] if part.artist and _fit(a, part)), None)
        if album is None:
            albums.append(album := part)
        else:
            album.add(part.claims)
        place(album, folder)
    return albums


def _parent(folder: str) -> str:
    return folder.rpartition("/")[0]


def _fit(album: Album, part: Album) -> bool:
    """Whether a part may be of an album of the same title and artist, in the same place or near."""
    if album.positions & part.positions:
        return False
    if _are_disjoint(album.releases, part.releases):
        return False
    if _are_disjoint(album.release_groups, part.release_groups):
        return False
    are_other_years = _are_disjoint(album.years, part.years) or _are_disjoint(
        album.original_years, part.original_years
    )
    # Discs of a box may have years of their own.
    are_discs = None not in album.discs | part.discs and not album.discs & part.discs
    return are_discs or not are_other_years


def _are_disjoint(one: set[Key], other: set[Key]) -> bool:
    """Whether both are known and differ."""
    return bool(one and other) and not one & other


def _sorted_by(
    items: Iterable[Evidence], key: Callable[[Evidence], Key]
) -> list[tuple[Key, list[Evidence]]]:
    """The items by key, both in order."""
    found: defaultdict[Key, list[Evidence]] = defaultdict(list)
    for item in sorted(items, key=lambda each: (each.folder, each.claim)):
        found[key(item)].append(item)
    return sorted(found.items(), key=lambda each: each[0])
