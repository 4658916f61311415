"""Settings from environment variables."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.runtime.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SONIQUEBAY_{name.upper()}", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.data_dir == tmp_path / "soniquebay"
    assert settings.search_dir.parent == settings.data_dir
    assert settings.gateway_address == "http://127.0.0.1:8707"
    assert settings.workers >= 1


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONIQUEBAY_IGNORE", "*.tmp, Podcasts ,")
    monkeypatch.setenv("SONIQUEBAY_MOUNTS", '{"home": "/mnt/music"}')
    monkeypatch.setenv("SONIQUEBAY_GATEWAY_URL", "https://music.example/")
    settings = Settings()
    assert settings.ignore == ("*.tmp", "Podcasts")
    assert settings.mounts == {"home": "/mnt/music"}
    assert settings.gateway_address == "https://music.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("EMBEDDER", "gpt"),
        ("MOUNTS", "[1]"),
        ("ROOTS", "/music,more"),
        ("UNUSED_COVERS_KEPT_DAYS", "0"),
    ],
)
def test_an_invalid_value_is_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SONIQUEBAY_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("host", "roots", "allowed"),
    [
        (None, None, None),
        ("::1", None, None),
        ("192.168.1.5", None, ()),
        ("0.0.0.0", "/music, /mnt//more/", ("/music", "/mnt/more")),
        (None, "/music", ("/music",)),
    ],
)
def test_new_libraries_may_be_anywhere_only_where_nobody_else_reaches_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
    host: str | None,
    roots: str | None,
    allowed: tuple[str, ...] | None,
) -> None:
    for name, value in (("HOST", host), ("ROOTS", roots)):
        if value is not None:
            monkeypatch.setenv(f"SONIQUEBAY_{name}", value)
    assert Settings().allowed_roots == allowed


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONIQUEBAY_TOKEN", "s3cret")
    monkeypatch.setenv("SONIQUEBAY_DATABASE_URL", "postgresql://me:s3cret@db/x")
    assert "s3cret" not in repr(Settings())
