"""Libraries, and the albums that a scan must form from them. docs/scan.md has the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.integration.tagged_noise import Tags

Albums = Sequence[tuple[str, str, Sequence[str]]]
"""Title, artist as credited, paths of the tracks in disc and track order."""
RELEASE, OTHER_RELEASE = ("01234567-89ab-4def-8123-45678900000" + digit for digit in "12")


@dataclass(frozen=True, slots=True)
class Case:
    """One library.

    Attributes:
        what: its description.
        files: tags by path.
        albums: the albums after the first scan.
        changed: new tags by path; None deletes the file.
        after: the albums after the second scan; no other album or artist may remain.
        shows: further fields of the first album at the end.
    """

    what: str
    files: Mapping[str, Tags]
    albums: Albums
    changed: Mapping[str, Tags | None] = field(default_factory=dict)
    after: Albums = ()
    shows: Mapping[str, Any] = field(default_factory=dict)


def song(number: int | None = None, artist: str | None = "A", album: str | None = "X",
         **more: str) -> Tags:  # fmt: skip
    tags = {"artist": artist, "album": album, "tracknumber": number and str(number), **more}
    return {name: value for name, value in tags.items() if value}


VARIOUS = "Various Artists"
PATHS = ("X/1.flac", "X/2.flac", "X/3.flac")
SAME = {path: song(number, date="1999") for number, path in enumerate(PATHS, 1)}
X = [("X", "A", PATHS)]
ANN_AND_BEN = {"X/1.flac": song(1, "Ann"), "X/2.flac": song(2, "Ben"), "X/3.flac": song(3, "Cy")}

CASES = (
    Case("A compilation by its flag", {
        path: {**tags, "compilation": "1"} for path, tags in ANN_AND_BEN.items()
    }, [("X", VARIOUS, PATHS)], shows={"isCompilation": True}),
    Case("A compilation by its album artist", {
        path: {**tags, "albumartist": "various artists"} for path, tags in ANN_AND_BEN.items()
    }, [("X", "various artists", PATHS)], shows={"isCompilation": True}),
    Case("A compilation that is not tagged as one", ANN_AND_BEN, [("X", VARIOUS, PATHS)],
         shows={"isCompilation": True}),
    Case("Half a compilation: the rest is one artist's", ANN_AND_BEN, [("X", VARIOUS, PATHS)],
         {"X/2.flac": song(2, "Ann")}, [("X", "Ann", PATHS)], shows={"isCompilation": False}),
    Case("Guests on an album without album artist", {
        "X/1.flac": song(1), "X/2.flac": song(2, "A feat. B"), "X/3.flac": song(3, "C"),
    }, X),
    Case("The album artist is missing on some tracks", {
        "X/1.flac": song(1, albumartist="A"), "X/2.flac": song(2, "A & B"),
        "X/3.flac": song(3, "C"),
    }, X),
    Case("The only tagged album artist goes", {
        "X/1.flac": song(1, "B", albumartist="A"), "X/2.flac": song(2, "B"),
        "X/3.flac": song(3, "B"),
    }, X, {"X/1.flac": song(1, "B")}, [("X", "B", PATHS)]),
    Case("Many discs, by tags", {
        "X/1-1.flac": song(1, discnumber="1/2"), "X/2-1.flac": song(1, discnumber="2/2"),
        "X/1-2.flac": song(2, discnumber="1"),
    }, [("X", "A", ("X/1-1.flac", "X/1-2.flac", "X/2-1.flac"))], shows={"discTotal": 2}),
    Case("Many discs, by folders", {
        "X/CD1/1.flac": song(1), "X/CD1/2.flac": song(2), "X/CD2 - Live/1.flac": song(1),
    }, [("X", "A", ("X/CD1/1.flac", "X/CD1/2.flac", "X/CD2 - Live/1.flac"))],
         shows={"discTotal": 2}),
    Case("Many discs, by titles and folders of their own", {
        "X (Disc 1)/1.flac": song(1, album="X (Disc 1)"),
        "X (Disc 2)/1.flac": song(1, album="X [Disc 2]"),
    }, [("X", "A", ("X (Disc 1)/1.flac", "X (Disc 2)/1.flac"))], shows={"discTotal": 2}),
    Case("A box: albums of their own in a folder", {
        "Box/CD1/1.flac": song(1, album="X"), "Box/CD2/1.flac": song(1, album="Y"),
    }, [("X", "A", ["Box/CD1/1.flac"]), ("Y", "A", ["Box/CD2/1.flac"])]),
    Case("A box that MusicBrainz knows as one release", {
        "Box/First/1.flac": song(1, discnumber="1", musicbrainz_albumid=RELEASE),
        "Box/Second/1.flac": song(1, discnumber="2", musicbrainz_albumid=RELEASE),
    }, [("X", "A", ("Box/First/1.flac", "Box/Second/1.flac"))]),
    Case("One title by two artists in two folders", {
        "A/X/1.flac": song(1), "B/X/1.flac": song(1, "B"),
    }, [("X", "A", ["A/X/1.flac"]), ("X", "B", ["B/X/1.flac"])]),
    Case("One title by two album artists in one folder", {
        "all/1.flac": song(1, albumartist="A"), "all/2.flac": song(1, "C", albumartist="B"),
    }, [("X", "A", ["all/1.flac"]), ("X", "B", ["all/2.flac"])]),
    Case("All kinds of files in the root", {
        "1.flac": song(1), "2.flac": song(1, "B"), "3.flac": song(1, date="1999"),
    }, [("X", "A", ["1.flac"]), ("X", "A", ["3.flac"]), ("X", "B", ["2.flac"])]),
    Case("One album in two formats, in two folders", {
        "X (lossless)/1.flac": song(1), "X (lossy)/1.ogg": song(1),
    }, [("X", "A", ["X (lossless)/1.flac"]), ("X", "A", ["X (lossy)/1.ogg"])]),
    Case("Two editions that MusicBrainz knows, in one folder", {
        "X/1.flac": song(1, musicbrainz_albumid=RELEASE),
        "X/2.flac": song(1, musicbrainz_albumid=OTHER_RELEASE),
    }, [("X", "A", ["X/1.flac"]), ("X", "A", ["X/2.flac"])]),
    Case("Singles without an album", {
        "1.flac": song(album=None), "S/2.flac": song(album=None),
    }, []),
    Case("An album is renamed", SAME, X,
         {path: {**tags, "album": "Y"} for path, tags in SAME.items()}, [("Y", "A", PATHS)]),
    Case("One track goes to another album", SAME, X, {"X/2.flac": song(2, "B", "Y")},
         [("X", "A", PATHS[::2]), ("Y", "B", ["X/2.flac"])]),
    Case("An album's artist is renamed", SAME, X,
         {path: {**tags, "artist": "B"} for path, tags in SAME.items()}, [("X", "B", PATHS)]),
    Case("An album artist is renamed", {
        path: {**tags, "albumartist": "A"} for path, tags in SAME.items()
    }, X, {path: {**tags, "albumartist": "B"} for path, tags in SAME.items()}, [("X", "B", PATHS)]),
    Case("The artist of one track is renamed", SAME, X, {"X/2.flac": song(2, "B", date="1999")}, X),
    Case("The year of one track is another", SAME, X, {"X/2.flac": song(2, date="2005")}, X,
         shows={"year": 1999}),
    Case("The year of all tracks is another", SAME, X,
         {path: {**tags, "date": "2005-05"} for path, tags in SAME.items()}, X,
         shows={"year": 2005, "releaseDate": "2005-05"}),
    Case("A label is taken away", {path: {**tags, "label": "L"} for path, tags in SAME.items()}, X,
         SAME, X, shows={"label": None}),
    Case("A title is spelled otherwise on most tracks", SAME, X,
         {path: {**tags, "album": "x"} for path, tags in list(SAME.items())[1:]},
         [("x", "A", PATHS)]),
    Case("A file is gone", {**SAME, "X/3.flac": song(3, "B", date="2005", label="L")}, X,
         {"X/3.flac": None}, [("X", "A", PATHS[:2])], shows={"label": None}),
    Case("All files are gone", SAME, X, dict.fromkeys(PATHS), []),
)  # fmt: skip
