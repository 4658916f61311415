"""Requests before their operation is executed: media types, messages, origins, signatures."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr, ValidationError

from services.api.graphql_http import GRAPHQL_RESPONSE, JSON, negotiated
from services.api.guard import presents_token
from services.api.server import is_message
from services.api.signed_addresses import AddressSigner, address_signer
from shared.runtime.settings import Settings

COVER = "/covers/" + "ab" * 32
HOUR_S = 3600


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html", JSON),
        ("application/json", JSON),
        ("application/graphql-response+json", GRAPHQL_RESPONSE),
        ("Application/GraphQL-Response+JSON ; charset=utf-8", GRAPHQL_RESPONSE),
        ("application/graphql-response+json,application/json;q=0.9", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json;q=0.5", JSON),
        ("application/graphql-response+json;q=0", JSON),
        ("application/graphql-response+json;q=x, */*", JSON),
        (";;,,q=", JSON),
    ],
)
def test_the_answer_has_the_media_type_that_the_client_prefers(
    accept: str, media_type: str
) -> None:
    assert negotiated(accept) == media_type


SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": "{ a }"}}


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ({"type": "ping"}, True),
        ({"type": "connection_init", "payload": {}}, True),
        (SUBSCRIBE, True),
        ({**SUBSCRIBE, "payload": {"query": "", "variables": None, "operationName": None}}, True),
        (None, False),
        ([], False),
        ("ping", False),
        ({}, False),
        ({"type": None}, False),
        ({"type": "complete", "id": []}, False),
        ({"type": "subscribe", "id": "1"}, False),
        ({**SUBSCRIBE, "id": 1}, False),
        ({**SUBSCRIBE, "payload": None}, False),
        ({**SUBSCRIBE, "payload": {"query": None}}, False),
        ({**SUBSCRIBE, "payload": {"query": "{ a }", "variables": []}}, False),
        ({**SUBSCRIBE, "payload": {"query": "{ a }", "operationName": 1}}, False),
    ],
)
def test_a_message_has_the_types_of_the_protocol(message: object, is_one: bool) -> None:
    assert is_message(message) is is_one


@pytest.mark.parametrize(
    ("header", "is_presented"),
    [
        ("Bearer sésame", True),
        ("bearer sésame", True),
        ("BEARER  sésame", True),
        ("Bearer sésame ", True),
        ("Bearer Sésame", False),
        ("Bearersésame", False),
        ("Basic sésame", False),
        ("sésame", False),
        ("Bearer", False),
        ("", False),
        (None, False),
        (["Bearer sésame"], False),
    ],
)
def test_the_name_of_the_scheme_has_any_case(header: object, is_presented: bool) -> None:
    settings = Settings(token=SecretStr("sésame"))
    assert presents_token(header, settings) is is_presented
    if isinstance(header, str):
        assert presents_token(header.encode(), settings) is is_presented


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://music.example", ("https://music.example",)),
        ("HTTPS://Music.Example:443/, http://localhost:3000", ("https://music.example", "http://localhost:3000")),
        ("http://[::1]:80", ("http://[::1]",)),
    ],
)  # fmt: skip
def test_origins_are_read_as_browsers_send_them(text: str, origins: tuple[str, ...]) -> None:
    assert Settings.model_validate({"origins": text}).origins == origins


@pytest.mark.parametrize(
    "text", ["*", "music.example", "https://*.example", "null", "https://a.example/page", "ftp://a"]
)
def test_what_is_no_origin_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Settings.model_validate({"origins": text})


def test_a_signature_holds_for_its_path_and_some_hours() -> None:
    now = [1_000_000.0]
    signer = AddressSigner(b"key", lambda: now[0])
    parameters = signer.parameters(COVER)
    assert signer.is_signed(COVER, parameters)
    assert signer.is_signed(COVER, "size=300&" + parameters)
    assert not signer.is_signed("/covers/" + "cd" * 32, parameters)
    assert not signer.is_signed(COVER, "a=1&" * 20 + parameters), "too many fields are no error"
    assert not AddressSigner(b"another", lambda: now[0]).is_signed(COVER, parameters)
    now[0] += 6 * HOUR_S
    assert signer.is_signed(COVER, parameters)
    now[0] += 6 * HOUR_S
    assert not signer.is_signed(COVER, parameters)


def test_an_address_stays_the_same_for_hours_so_that_it_is_cached() -> None:
    now = [6 * HOUR_S * 100.0]
    signer = AddressSigner(b"key", lambda: now[0])
    first = signer.parameters(COVER)
    now[0] += 6 * HOUR_S - 1
    assert signer.parameters(COVER) == first
    now[0] += 1
    assert signer.parameters(COVER) != first


@pytest.mark.parametrize(
    "changed",
    [
        "expires={later}&signature={signature}",
        "expires={expires}&signature=",
        "expires={expires}",
        "expires=&signature={signature}",
        "expires=-1&signature={signature}",
        "expires=٣&signature={signature}",
        "expires=9999999999999999999999&signature={signature}",
        "expires={expires}&signature={signature}0",
        "expires={expires}&signature=é",
        "",
    ],
)
def test_a_changed_address_is_not_signed(changed: str) -> None:
    signer = AddressSigner(b"key")
    found = {name: values[0] for name, values in parse_qs(signer.parameters(COVER)).items()}
    query = changed.format(later=int(found["expires"]) + HOUR_S, **found)
    assert not signer.is_signed(COVER, query)


def test_the_key_is_kept_in_the_data_folder_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", token=SecretStr("sesame"))
    first, second = address_signer(settings), address_signer(settings)
    assert first is not None
    assert second is not None
    assert second.is_signed(COVER, first.parameters(COVER))
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_gateways_with_one_key_accept_each_others_addresses(tmp_path: Path) -> None:
    signers = [
        address_signer(
            Settings(data_dir=tmp_path / name, token=SecretStr("t"), url_key=SecretStr(key))
        )
        for name, key in (("a", "one"), ("b", "one"), ("c", "two"))
    ]
    assert signers[0] is not None
    parameters = signers[0].parameters(COVER)
    accepted = [signer is not None and signer.is_signed(COVER, parameters) for signer in signers]
    assert accepted == [True, True, False]
    assert list(tmp_path.iterdir()) == []


def test_without_a_token_addresses_are_not_signed(tmp_path: Path) -> None:
    assert address_signer(Settings(data_dir=tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    signer = address_signer(Settings(data_dir=tmp_path / "file", token=SecretStr("t")))
    assert signer is not None
    assert signer.is_signed(COVER, signer.parameters(COVER))
