"""The gateway's inputs: tracks, albums, artists, and their images."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from services.extractor.covers.images import Image, embedded_cover, folder_images, mime_type
from services.extractor.paths import wanted_folders
from services.extractor.read.jobs import FileRead
from services.extractor.store.inputs import (
    Batch,
    album_inputs,
    artist_inputs,
    claim_of,
    folder_cover,
    track_input,
)
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import AudioProperties, CreditedName, Picture, Release
from services.extractor.tags.raw_tags import RawTags
from services.extractor.tags.track_fields import track_fields

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
LIBRARY = "lib_" + "0" * 32
AUDIO = AudioProperties("flac", "flac", 1.0)


def test_the_claim_of_a_release_stays_as_libraries_store_it() -> None:
    release = Release("X", artists=(CreditedName("Ann", " & "), CreditedName("Bob")), date="1999")
    claim = claim_of(LIBRARY, "X/CD1/1.flac", release)
    assert claim == "07b50748ff99dd9251b2"
    assert claim == claim_of(LIBRARY, "X/CD2/1.flac", release)
    assert claim != claim_of(LIBRARY, "Y/CD1/1.flac", release)
    assert claim != claim_of("lib_" + "1" * 32, "X/CD1/1.flac", release)


def batch(root: Path, files: dict[str, RawTags]) -> Batch:
    read = [_read(path, raw) for path, raw in files.items()]
    folders = {folder: folder_images(str(root), folder) for folder in wanted_folders(files)}
    return Batch(LIBRARY, read, folders)


def _read(path: str, raw: RawTags) -> FileRead:
    tags = map_tags(raw, AUDIO, file_name="x.flac")
    return FileRead(
        path, 1, 1, track_fields(tags, path, None), artists=tags.artists,
        contributors=tags.contributors, release=tags.release,
    )  # fmt: skip


def put(root: Path, name: str, content: bytes) -> str:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    found, _ = embedded_cover([Picture(3, content)])
    return found.sha256 if found else ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG + b"...", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF1234WEBP", "image/webp"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "image/avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0miafavif", "image/avif"),
        (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", None),
        (b"RIFF1234WAVE", None),
        (b"<svg>", None),
        (b"", None),
    ],
)
def test_the_type_of_an_image_is_detected_by_its_first_bytes(
    content: bytes, kind: str | None
) -> None:
    assert mime_type(content) == kind


def test_the_front_cover_is_preferred_and_icons_and_invalid_images_are_left_out() -> None:
    back, front, icon = (Picture(kind, JPEG + bytes([kind])) for kind in (4, 3, 1))
    assert embedded_cover([icon, back, front]) == (_image(front), None)
    assert embedded_cover([icon, back]) == (_image(back), None)
    cover, problem = embedded_cover([Picture(3, b"rubbish"), back])
    assert cover == _image(back)
    assert problem == "the embedded image is no JPEG, PNG, GIF, BMP, WebP or AVIF image"
    assert embedded_cover([icon]) == (None, None)


def _image(picture: Picture) -> Image:
    return Image(hashlib.sha256(picture.content).hexdigest(), "image/jpeg", picture.content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (JPEG + bytes(20_000_000), "has more than 20,000,000 bytes"),
        (b"<svg>", "is no JPEG, PNG, GIF, BMP, WebP or AVIF image"),
    ],
)
def test_an_unusable_cover_is_named_with_the_problem(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert embedded_cover([Picture(3, content)]) == (None, f"the embedded image {problem}")
    put(tmp_path, "a/Cover.jpg", content)
    read = batch(tmp_path, {"a/1.flac": {"album": ["X"]}})
    file = read.files[0]
    assert track_input(read, file, artists={}, album_id="alb_1").cover_problem == (
        f"Cover.jpg {problem}"
    )
    front = put(tmp_path, "a/front.png", PNG)
    read = batch(tmp_path, {"a/1.flac": {"album": ["X"]}})
    track = track_input(read, file, artists={}, album_id="alb_1")
    assert (track.folder_cover_sha256, track.cover_problem) == (front, f"Cover.jpg {problem}")


def test_the_next_best_image_is_used_if_the_gateway_refuses_one(tmp_path: Path) -> None:
    folder_image = put(tmp_path, "a/cover.jpg", JPEG + b"folder_image")
    read = batch(tmp_path, {"a/1.flac": {"album": ["X"]}})
    file = read.files[0]._replace(cover_sha256="ab")

    def covers() -> tuple[str | None, ...]:
        track = track_input(read, file, artists={}, album_id="alb_1")
        return track.folder_cover_sha256, track.cover_sha256, track.cover_problem

    assert covers() == (folder_image, "ab", None)
    read.refused = {folder_image: "it is broken"}
    assert covers() == (None, "ab", "the image in the folder: it is broken")
    read.refused = {"ab": "it is a bomb"}
    assert covers() == (folder_image, None, "the embedded image: it is a bomb")


def test_only_a_track_of_an_album_has_the_cover_of_its_folder(tmp_path: Path) -> None:
    put(tmp_path, "a/cover.jpg", JPEG)
    read = batch(tmp_path, {"a/1.flac": {}})
    file = read.files[0]
    track = track_input(read, file, artists={}, album_id=None)
    assert track.folder_cover_sha256 is None


def test_an_image_is_a_cover_or_an_artist_image_by_its_folder(tmp_path: Path) -> None:
    cover = put(tmp_path, "Björk/Post/Folder.JPG", JPEG + b"post")
    portrait = put(tmp_path, "Björk/folder.jpg", JPEG + b"portrait")
    post: RawTags = {"artist": ["Björk"], "album": ["Post"]}
    read = batch(tmp_path, {"Björk/Post/CD1/01.flac": post, "Björk/Post/CD2/01.flac": post})
    artists = artist_inputs(read)
    (album,) = album_inputs(read, dict.fromkeys(artists, "art_1")).values()
    assert (album.folder, album.artist_image_sha256) == ("Björk/Post", portrait)
    assert {folder_cover(read.folders, {}, file.path) for file in read.files} == {cover}


def test_an_image_in_a_folder_of_another_name_is_no_artist_image(tmp_path: Path) -> None:
    put(tmp_path, "Rock/folder.jpg", JPEG + b"rock")
    named = put(tmp_path, "Pop/Post/artist.png", b"\x89PNG\r\n\x1a\n")
    post: RawTags = {"artist": ["Björk"], "album": ["Post"]}
    read = batch(tmp_path, {"Rock/Post/01.flac": post, "Pop/Post/01.flac": post})
    rock, pop = album_inputs(read, dict.fromkeys(artist_inputs(read), "art_1")).values()
    assert rock.artist_image_sha256 is None
    assert pop.artist_image_sha256 == named


def test_each_claim_about_an_album_is_one_input(tmp_path: Path) -> None:
    read = batch(tmp_path, {
        "a/1.flac": {"artist": ["A"], "album": ["X"], "discnumber": ["1/2"]},
        "a/2.flac": {"artist": ["A feat. B"], "album": ["X"], "label": ["L"]},
        "a/3.flac": {"artist": ["A feat. B"], "album": ["X"]},
        "b/1.flac": {"artist": ["A"], "album": ["X"]},
        "c/1.flac": {"artist": ["A"]},
    })  # fmt: skip
    artists = artist_inputs(read)
    assert [artist.name for artist in artists.values()] == ["A", "B"]
    albums = album_inputs(read, dict.fromkeys(artists, "art_1"))
    assert [(album.folder, album.label) for album in albums.values()] == [
        ("a", None),
        ("a", "L"),
        ("b", None),
    ]
    assert [album.claim for album in albums.values()] == list(albums)
    assert not any(album.is_artist_told for album in albums.values())


def test_a_track_input_has_no_empty_fields(tmp_path: Path) -> None:
    read = batch(tmp_path, {"a.flac": {"artist": ["A feat. B"], "composer": ["C"]}})
    file = read.files[0]
    ids = {key: f"art_{key[0]}" for key in artist_inputs(read)}
    track = track_input(read, file, artists=ids, album_id=None)
    assert [(c.artist_id, c.role, c.join_phrase) for c in track.credits] == [
        ("art_A", "ARTIST", " feat. "),
        ("art_B", "ARTIST", ""),
        ("art_C", "COMPOSER", ""),
    ]
    encoded = msgspec.json.decode(msgspec.json.encode(track))
    assert None not in encoded.values()
    assert set(encoded) >= {"path", "sizeBytes", "artistCredit", "credits"}


def test_the_disc_number_comes_from_the_folder_if_no_tag_has_it(tmp_path: Path) -> None:
    read = batch(tmp_path, {
        "a/CD2/1.flac": {"artist": ["A"], "album": ["X"]},
        "a/CD2/2.flac": {"artist": ["A"], "album": ["X"], "discnumber": ["1"]},
        "a/3.flac": {"artist": ["A"], "album": ["X (Disc 3)"]},
    })  # fmt: skip
    ids = dict.fromkeys(artist_inputs(read), "art_1")
    tracks = [track_input(read, file, artists=ids, album_id="alb_1") for file in read.files]
    assert [track.disc_number for track in tracks] == [2, 1, 3]
