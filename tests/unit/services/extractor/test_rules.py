"""The rules file of a library."""

import os
import re
from pathlib import Path

import pytest

from services.extractor.read.file_reader import read_file
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import AudioProperties, Tags
from services.extractor.tags.normalise import genres
from services.extractor.tags.raw_tags import RawTags
from services.extractor.tags.rules import DEFAULT_RULES, CreditRules, Rules
from services.extractor.tags.rules_file import RULES_FILE, BadRules, rules_of

DOCUMENT = (Path(__file__).parents[4] / "docs" / "tags.md").read_text()
SETTINGS = Rules(CreditRules.with_names(["Hot & Cold"], ["&"]))


def write(root: Path, content: str | bytes) -> str:
    (root / RULES_FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def tags_of(root: str, **values: list[str]) -> Tags:
    raw: RawTags = values
    audio = AudioProperties("flac", "flac", 1.0)
    return map_tags(raw, audio, file_name="a.flac", rules=rules_of(root, SETTINGS))


def names(tags: Tags) -> list[str]:
    return [artist.name for artist in tags.artists]


def test_without_a_rules_file_the_settings_apply(tmp_path: Path) -> None:
    assert rules_of(str(tmp_path)) == DEFAULT_RULES
    assert rules_of(str(tmp_path), SETTINGS) == SETTINGS
    assert rules_of(write(tmp_path, ""), SETTINGS) == SETTINGS


def test_the_example_in_docs_tags_md_works(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    root = write(tmp_path, example)
    assert names(tags_of(root, artist=["ZEAL & Ardor with Hot & Cold"])) == [
        "ZEAL & Ardor",
        "Hot & Cold",
    ]
    assert names(tags_of(root, artist=["A vs. B"])) == ["A vs. B"]
    genre = ["Rnb; R&B/Soul", "other", "drum & bass; jungle", "RNB"]
    assert tags_of(root, genre=genre).genres == ("R&B", "R&B/Soul", "drum & bass; jungle")


def test_a_podcast_is_recognised_even_if_its_genre_is_left_out(tmp_path: Path) -> None:
    root = write(tmp_path, '[genres.rename]\npodcast = ""')
    tags = tags_of(root, genre=["Podcast"])
    assert (tags.kind, tags.genres) == ("podcast", ())


def test_genres_are_split_at_the_default_separators() -> None:
    assert genres(["A; B/C, D"], rules_of("/nowhere").genres) == ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[credits]\nnames = 'A'", "credits.names: Input should be a valid list"),
        ("[credits]\nnames = [1]", "credits.names.0: Input should be a valid string"),
        ("[credit]\nnames = []", "credit: there is no such field"),
        ("[genres]\nsplit = true", "genres.split: there is no such field"),
        ("[genres.rename]\nRock = 1", "genres.rename.Rock: Input should be a valid string"),
        ("[genres", "is no TOML: Expected ']' at the end of a table declaration"),
        (b"\xff", "is no TOML: it is not encoded in UTF-8"),
    ],
)
def test_a_mistake_is_reported_with_the_file_and_the_field(
    content: str | bytes, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRules) as caught:
        rules_of(write(tmp_path, content))
    assert str(tmp_path / RULES_FILE) in str(caught.value)
    assert words in str(caught.value)


def test_a_folder_named_like_the_rules_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / RULES_FILE).mkdir()
    with pytest.raises(BadRules, match="cannot be read: Is a directory"):
        rules_of(str(tmp_path))


def test_files_are_read_by_the_rules(tmp_path: Path, make_file: object) -> None:
    import mutagen

    path = make_file("a.flac")  # type: ignore[operator] # a fixture
    file = mutagen.File(path)
    file.update(artist="A & B", genre="X+Y")
    file.save()
    rules = rules_of(write(tmp_path, '[credits]\njoins = []\n[genres]\nseparators = ["+"]'))
    tags = read_file(os.fsencode(path), rules).tags
    assert (names(tags), tags.genres) == (["A & B"], ("X", "Y"))


def test_the_rules_of_one_library_do_not_apply_to_another_with_the_same_tags(
    tmp_path: Path,
) -> None:
    raw = {"artist": ["Ann & Bob"], "album": ["X"], "albumartist": ["Ann & Bob"]}
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    write(one, '[credits]\nnames = ["Ann & Bob"]')
    for _ in range(2):
        for root, expected in ((one, ["Ann & Bob"]), (other, ["Ann", "Bob"])):
            tags = tags_of(str(root), **raw)
            assert names(tags) == expected
            assert [artist.name for artist in tags.release.artists] == expected


def test_equal_releases_are_one_object(tmp_path: Path) -> None:
    raw = {"artist": ["Ann"], "album": ["X"], "date": ["1999"]}
    first, again = tags_of(str(tmp_path), **raw), tags_of(str(tmp_path), **raw, title=["Y"])
    assert first.release is again.release
    long = {**raw, "label": ["L" * 10_000]}
    kept = tags_of(str(tmp_path), **long).release, tags_of(str(tmp_path), **long).release
    assert kept[0] == kept[1]
    assert kept[0] is not kept[1], "long texts are not cached"
