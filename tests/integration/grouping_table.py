"""Libraries whose albums are kept apart, or held together, by what the tracks say together."""

from tests.integration.albums_table import (
    ANN_AND_BEN,
    OTHER_RELEASE,
    PATHS,
    RELEASE,
    VARIOUS,
    Case,
    song,
)

ARTIST, OTHER_ARTIST = ("dddddddd-0000-4000-8000-00000000000" + digit for digit in "45")
DISCS = {
    "X/Foo/1.flac": song(1, discnumber="1", albumartist="A"),
    "X/Foo/2.flac": song(2, discnumber="1", albumartist="A"),
    "X/Bar/1.flac": song(1, discnumber="2", albumartist="A"),
    "X/Bar/2.flac": song(2, discnumber="2", albumartist="A"),
}
BOTH_DISCS = [("X", "A", list(DISCS))]
TWO_YEARS = {
    f"all/{year}-{number}.flac": song(number, album="A", albumartist="A", date=year)
    for year in ("1968", "1971")
    for number in (1, 2)
}
EARLIER, LATER = list(TWO_YEARS)[:2], list(TWO_YEARS)[2:]
BY_YEAR = [("A", "A", EARLIER), ("A", "A", LATER)]
HITS = {
    f"Hits/{number}.flac": song(number, "Ann", "Hits", date=str(1960 + number))
    for number in range(1, 7)
}


def of(artist: str, musicbrainz_id: str) -> dict[str, str]:
    """The tags of an album artist with an id."""
    return {"albumartist": artist, "musicbrainz_albumartistid": musicbrainz_id}


CASES = (
    Case("Disc folders of any name", DISCS, BOTH_DISCS, shows={"discTotal": 2}),
    Case("Disc folders of any name, without an album artist", {
        path: {name: value for name, value in tags.items() if name != "albumartist"}
        for path, tags in DISCS.items()
    }, BOTH_DISCS),
    Case("Disc folders of a compilation, without an album artist", {
        "X/Foo/1.flac": song(1, "Ann", discnumber="1"),
        "X/Foo/2.flac": song(2, "Ben", discnumber="1"),
        "X/Bar/1.flac": song(1, "Cy", discnumber="2"),
        "X/Bar/2.flac": song(2, "Di", discnumber="2"),
    }, [("X", VARIOUS, list(DISCS))]),
    Case("Disc folders in the root", {
        "Foo/1.flac": song(1, discnumber="1"), "Bar/1.flac": song(1, discnumber="2"),
    }, [("X", "A", ["Foo/1.flac", "Bar/1.flac"])]),
    Case("The first disc in the album's folder, another one below", {
        "X/1.flac": song(1), "X/2.flac": song(2), "X/Extra/1.flac": song(1, discnumber="2"),
    }, [("X", "A", ["X/1.flac", "X/2.flac", "X/Extra/1.flac"])]),
    Case("Folders with numbers that go on", {
        "X/One/1.flac": song(1), "X/One/2.flac": song(2), "X/Two/3.flac": song(3),
    }, [("X", "A", ["X/One/1.flac", "X/One/2.flac", "X/Two/3.flac"])]),
    Case("Folders with the same numbers and no discs", {
        "X/One/1.flac": song(1), "X/Two/1.flac": song(1),
    }, [("X", "A", ["X/One/1.flac"]), ("X", "A", ["X/Two/1.flac"])]),
    Case("Folders of other years", {
        "A/1968/1.flac": song(1, date="1968"), "A/1971/2.flac": song(2, date="1971"),
    }, [("X", "A", ["A/1968/1.flac"]), ("X", "A", ["A/1971/2.flac"])]),
    Case("Discs of a box that have years of their own", {
        "X/Foo/1.flac": song(1, date="1968", discnumber="1"),
        "X/Bar/1.flac": song(1, date="1971", discnumber="2"),
    }, [("X", "A", ["X/Foo/1.flac", "X/Bar/1.flac"])]),
    Case("Discs of two releases", {
        "X/Foo/1.flac": song(1, discnumber="1", musicbrainz_albumid=RELEASE),
        "X/Bar/1.flac": song(1, discnumber="2", musicbrainz_albumid=OTHER_RELEASE),
    }, [("X", "A", ["X/Bar/1.flac"]), ("X", "A", ["X/Foo/1.flac"])]),
    Case("Only one disc has MusicBrainz' id", {
        "X/Foo/1.flac": song(1, discnumber="1", musicbrainz_albumid=RELEASE),
        "X/Bar/1.flac": song(1, discnumber="2"),
    }, [("X", "A", ["X/Foo/1.flac", "X/Bar/1.flac"])]),
    Case("Folders of two artists", {
        "X/Ann/1.flac": song(1, "Ann"), "X/Ben/2.flac": song(2, "Ben"),
    }, [("X", "Ann", ["X/Ann/1.flac"]), ("X", "Ben", ["X/Ben/2.flac"])]),
    Case("One title far apart", {
        "a/X/1.flac": song(1, discnumber="1"), "b/X/1.flac": song(1, discnumber="2"),
    }, [("X", "A", ["a/X/1.flac"]), ("X", "A", ["b/X/1.flac"])]),
    Case("A disc comes to an album", {
        **DISCS, **{path: {**DISCS[path], "album": "Y"} for path in list(DISCS)[2:]},
    }, [("X", "A", list(DISCS)[:2]), ("Y", "A", list(DISCS)[2:])], DISCS, BOTH_DISCS),
    Case("A disc leaves an album", DISCS, BOTH_DISCS,
         {path: {**DISCS[path], "album": "Y"} for path in list(DISCS)[2:]},
         [("X", "A", list(DISCS)[:2]), ("Y", "A", list(DISCS)[2:])]),
    Case("A disc is tagged as another release", DISCS, BOTH_DISCS,
         {path: {**DISCS[path], "discnumber": "1"} for path in list(DISCS)[2:]},
         [("X", "A", list(DISCS)[2:]), ("X", "A", list(DISCS)[:2])]),
    Case("Two albums of one title from two years, in one folder", TWO_YEARS, BY_YEAR),
    Case("The same without an album artist", {
        path: {name: value for name, value in tags.items() if name != "albumartist"}
        for path, tags in TWO_YEARS.items()
    }, BY_YEAR),
    Case("The same in the root", {
        path.removeprefix("all/"): tags for path, tags in TWO_YEARS.items()
    }, [("A", "A", [path.removeprefix("all/") for path in paths]) for paths in (EARLIER, LATER)]),
    Case("The same, and the bonus track of a third year", {
        **TWO_YEARS, "all/1999-3.flac": song(3, album="A", albumartist="A", date="1999"),
    }, [("A", "A", [*EARLIER, "all/1999-3.flac"]), ("A", "A", LATER)]),
    Case("The second of two albums is gone", TWO_YEARS, BY_YEAR, dict.fromkeys(LATER),
         [("A", "A", EARLIER)], shows={"year": 1968}),
    Case("The years of two albums become one, and the numbers go on", TWO_YEARS, BY_YEAR, {
        path: {**TWO_YEARS[path], "date": "1968", "tracknumber": str(number)}
        for number, path in enumerate(LATER, 3)
    }, [("A", "A", [*EARLIER, *LATER])]),
    Case("Songs of many years, one number twice", {
        **HITS, "Hits/again.flac": song(6, "Ann", "Hits", date="1999"),
    }, [("Hits", "Ann", [*HITS, "Hits/again.flac"])]),
    Case("One album artist by MusicBrainz' id under two names", {
        "X/1.flac": song(1, **of("Rhapsode", ARTIST)),
        "X/2.flac": song(2, **of("Rhapsode of Ice", ARTIST)),
        "X/3.flac": song(3, **of("Rhapsode of Ice", ARTIST)),
    }, [("X", "Rhapsode of Ice", PATHS)]),
    Case("Two album artists of one name by MusicBrainz' id", {
        "X/1.flac": song(1, **of("Nix", ARTIST)), "X/2.flac": song(2, **of("Nix", OTHER_ARTIST)),
    }, [("X", "Nix", ["X/1.flac"]), ("X", "Nix", ["X/2.flac"])]),
    Case("A compilation flag beside album artists", {
        "X/1.flac": song(1, albumartist="Ann", compilation="1"),
        "X/2.flac": song(2, albumartist="Ben", compilation="1"),
    }, [("X", "Ann", ["X/1.flac"]), ("X", "Ben", ["X/2.flac"])]),
    Case("A compilation flag beside one album artist, who is not tagged everywhere", {
        "X/1.flac": song(1, albumartist="A", compilation="1"),
        "X/2.flac": song(2, "C", compilation="1"), "X/3.flac": song(3),
    }, [("X", "A", PATHS)], shows={"isCompilation": True}),
    Case("A compilation flag on some tracks", {
        **ANN_AND_BEN, "X/1.flac": song(1, "Ann", compilation="1"), "X/3.flac": song(3, "Ann"),
    }, [("X", VARIOUS, PATHS)], shows={"isCompilation": True}),
)  # fmt: skip
