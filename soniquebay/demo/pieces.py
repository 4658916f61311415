"""The pieces of the demo library: tags and true tempo, key, loudness. Tests compare analyses."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DemoTrack:
    """A piece: its path, its tags, and the truth about its sound.

    Attributes:
        path: below the library's root; the ending is the format.
        style: `electronic`, `ambient`, `waltz` or `rock`.
        key: the tonic, sharps only. `mode`: `major` or `minor`.
        loudness_lufs: integrated, before encoding; a lossy codec moves it by less than 0.2.
    """

    path: str
    title: str
    artists: tuple[str, ...]
    artist_credit: str
    album: str
    album_artist: str
    genres: tuple[str, ...]
    date: str
    track_number: int
    track_total: int
    style: str
    tempo_bpm: float
    beats_per_bar: int
    key: str
    mode: str
    loudness_lufs: float
    disc_number: int | None = None
    disc_total: int | None = None
    is_compilation: bool = False
    musicbrainz_recording_id: str | None = None
    has_embedded_cover: bool = False
    seed: int = field(default=0)

    @property
    def format(self) -> str:
        """The file name's ending."""
        return self.path.rpartition(".")[2]


# title, tempo, key, mode, loudness, format
_Row = tuple[str, float, str, str, float, str]
_TIDAL: tuple[_Row, ...] = (
    ("Sluice Gate", 124, "A", "minor", -11.0, "flac"),
    ("Night Ferry", 128, "F", "minor", -10.0, "mp3"),
    ("Harbour Lights", 120, "C", "major", -12.0, "flac"),
    ("Signal Buoy", 132, "D#", "minor", -11.5, "mp3"),
    ("Undertow", 118, "G", "minor", -13.0, "ogg"),
    ("Slack Water", 126, "E", "major", -12.5, "mp3"),
)
_HARBOUR: tuple[_Row, ...] = (
    ("First Light on the Quay", 72, "D", "major", -20.0, "opus"),
    ("Fog Horn, Far", 66, "B", "minor", -23.0, "ogg"),
    ("Salt", 80, "G#", "major", -19.0, "opus"),
    ("A Room Above the Water", 76, "F#", "minor", -21.0, "ogg"),
    ("Gulls, Asleep", 70, "A#", "major", -22.0, "opus"),
    ("Ebb", 84, "C", "minor", -18.0, "ogg"),
)
_WALTZES: tuple[_Row, ...] = (
    ("Waltz for a Paper Boat", 138, "G", "major", -16.0, "m4a"),
    ("Carousel in the Rain", 150, "E", "minor", -15.0, "m4a"),
    ("The Clockmaker's Daughter", 129, "A", "major", -17.0, "m4a"),
    ("Three Steps Back", 144, "C#", "minor", -16.5, "m4a"),
    ("Lantern Dance", 156, "F", "major", -15.5, "m4a"),
    ("Last Tram Home", 135, "D", "minor", -18.0, "m4a"),
)
_SAMPLER: tuple[tuple[_Row, tuple[str, ...], str], ...] = (
    (("Rust and Rope", 112, "E", "minor", -9.0, "mp3"), ("Copper Kettle",), "Copper Kettle"),
    (
        ("Breakwater", 140, "B", "major", -9.5, "flac"),
        ("Copper Kettle", "Ines Vale"),
        "Copper Kettle feat. Ines Vale",
    ),
    (("Winch", 96, "G#", "minor", -10.5, "wav"), ("Møller & Søn",), "Møller & Søn"),
    (("海の歌", 104, "D#", "major", -11.0, "mp3"), ("Larkspur Relay",), "Larkspur Relay"),
    (("Dry Dock", 160, "A#", "minor", -8.5, "flac"), ("Copper Kettle",), "Copper Kettle"),
    (("Café del Puerto", 108, "C#", "major", -12.0, "wav"), ("Señor Faro",), "Señor Faro"),
)


def _album(
    rows: tuple[_Row, ...], folder: str, style: str, album: str, artist: str,
    genres: tuple[str, ...], date: str, *, discs: int = 1, embedded: bool = False,
) -> list[DemoTrack]:  # fmt: skip
    tracks = []
    tracks_per_disc = len(rows) // discs
    for index, (title, tempo, key, mode, loudness, ending) in enumerate(rows):
        disc, number = index // tracks_per_disc + 1, index % tracks_per_disc + 1
        parent = f"{folder}/CD{disc}" if discs > 1 else folder
        tracks.append(
            DemoTrack(
                path=f"{parent}/{number:02d} {title}.{ending}", title=title, artists=(artist,),
                artist_credit=artist, album=album, album_artist=artist, genres=genres, date=date,
                track_number=number, track_total=tracks_per_disc, style=style, tempo_bpm=tempo,
                beats_per_bar=3 if style == "waltz" else 4, key=key, mode=mode,
                loudness_lufs=loudness, disc_number=disc if discs > 1 else None,
                disc_total=discs if discs > 1 else None, has_embedded_cover=embedded, seed=index,
            )
        )  # fmt: skip
    return tracks


def _sampler() -> list[DemoTrack]:
    return [
        DemoTrack(
            path=f"Various Artists/Bay Sampler/{number:02d} {row[0]}.{row[5]}", title=row[0],
            artists=artists, artist_credit=credit, album="Bay Sampler",
            album_artist="Various Artists", genres=("Rock", "Indie Rock"), date="2019",
            track_number=number, track_total=len(_SAMPLER), style="rock", tempo_bpm=row[1],
            beats_per_bar=4, key=row[2], mode=row[3], loudness_lufs=row[4], is_compilation=True,
            musicbrainz_recording_id=f"5b11f4ce-a62d-471e-81fc-a69a8278c{number:03d}",
            seed=100 + number,
        )
        for number, (row, artists, credit) in enumerate(_SAMPLER, start=1)
    ]  # fmt: skip


DEMO_TRACKS: tuple[DemoTrack, ...] = (
    *_album(
        _TIDAL, "Larkspur Relay/Tidal Clock", "electronic", "Tidal Clock", "Larkspur Relay",
        ("Electronic", "House"), "2021-03-05", embedded=True,
    ),
    *_album(
        _HARBOUR, "Ines Vale/Slow Harbour", "ambient", "Slow Harbour", "Ines Vale",
        ("Ambient",), "2017-11",
    ),
    *_album(
        _WALTZES, "Ines Vale/Six Small Waltzes", "waltz", "Six Small Waltzes", "Ines Vale",
        ("Folk", "Waltz"), "2014", discs=2, embedded=True,
    ),
    *_sampler(),
)  # fmt: skip
"""All pieces, by album."""
