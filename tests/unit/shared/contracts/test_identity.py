"""Paths and ids: any bytes of a file system, encoded and decoded."""

import os
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contracts.identity import (
    IdKind,
    decode_path,
    display_path,
    encode_path,
    format_id,
    local_path,
    parse_id,
)

# Names as file systems have them, with many hard cases: invalid UTF-8, and the private-use
# characters that represent it.
NAMES = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from([b"/", b"a", b"\xff", b"\xef\x9e\x80", b"\xef\x9f\xbf", "é".encode()])
    ).map(b"".join),
)


@given(NAMES)
@example(b"caf\xe9.mp3")
@example("\uf7e9".encode())
def test_every_name_becomes_valid_text_and_decodes_to_the_same_bytes(name: bytes) -> None:
    text = encode_path(name)
    assert text.encode("utf-8").decode("utf-8") == text  # no lone surrogates
    assert decode_path(text) == name


@given(NAMES, NAMES)
def test_different_names_stay_different(one: bytes, other: bytes) -> None:
    assert (encode_path(one) == encode_path(other)) == (one == other)


@given(st.text().filter(lambda text: not any("\uf780" <= c <= "\uf7ff" for c in text)))
def test_valid_names_stay_unchanged(name: str) -> None:
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return
    assert encode_path(encoded) == name == display_path(name)


def test_the_displayed_path_shows_invalid_bytes() -> None:
    assert display_path(encode_path(b"caf\xe9/\xc3\xa9.mp3")) == "caf\\xe9/é.mp3"


def test_a_local_path_is_below_the_root() -> None:
    path = encode_path(b"caf\xe9.mp3")
    assert local_path("/srv/müsic", path) == os.fsencode("/srv/müsic") + b"/caf\xe9.mp3"


@given(st.sampled_from(IdKind), st.uuids())
def test_an_id_is_parsed_to_its_kind_and_value(kind: IdKind, value: uuid.UUID) -> None:
    assert parse_id(format_id(kind, value)) == (kind, value)


@pytest.mark.parametrize("text", ["", "trk", "trk_", "trk_xyz", "abc_" + "0" * 32, "0" * 32])
def test_an_invalid_id_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not an id"):
        parse_id(text)
