"""A small library for the tests of search indexes, and the track numbers of search results."""

from dataclasses import replace

from shared.search.port import SearchDocument, SearchFilters, SearchHits, SearchQuery, SearchReader


def track_id(number: int) -> str:
    return f"trk_{number:032x}"


def document(number: int, title: str = "Untitled", **changes: object) -> SearchDocument:
    plain = SearchDocument(track_id(number), 1, title, artists=["Nobody"])
    return replace(plain, **changes)  # type: ignore[arg-type] # fields by name


LIBRARY = [
    document(
        1, "Jóga", artists=["Björk"], album="Homogenic", genres=["Electronic", "Art Pop"],
        year=1997, key="A minor", tempo_bpm=87.0, path="Björk/Homogenic/02 Jóga.flac",
    ),
    document(
        2, "Enter Sandman", artists=["Metallica"], album="Metallica", genres=["Metal"],
        year=1991, key="E minor", tempo_bpm=123.0, path="Metallica/Metallica/01.mp3",
    ),
    document(
        3, "So What", artists=["Miles Davis", "John Coltrane"], album="Kind of Blue",
        genres=["Jazz"], year=1959, key="D minor", tempo_bpm=136.0, path="jazz/kind/so_what.ogg",
    ),
    document(
        4, "Blue in Green", artists=["Miles Davis", "Bill Evans"], album="Kind of Blue",
        genres=["Jazz"], year=1959, key="A# major", tempo_bpm=57.0, path="jazz/kind/03.ogg",
    ),
    document(
        5, "Don't Stop Me Now", artists=["Queen"], album="Jazz", genres=["Rock"], year=1978,
        key="A major", tempo_bpm=156.0, path="Queen/Jazz/12.mp3",
    ),
    document(6, "群青日和", artists=["東京事変"], album="教育", path="東京事変/教育/02.m4a"),
    document(7, "Для Элизы", artists=["Людвиг ван Бетховен"], path="Classics/fuer_elise.wav"),
]  # fmt: skip


def numbers(found: SearchHits) -> list[int]:
    return [int(hit.track_id[4:], 16) for hit in found.hits]


async def found(reader: SearchReader, text: str, **filters: object) -> list[int]:
    wanted = SearchFilters(**filters)  # type: ignore[arg-type] # fields by name
    return numbers(await reader.search(SearchQuery(text, filters=wanted)))
