"""Signed addresses of images, for pages: a browser's `<img>` cannot send a token.

Where clients must present a token, `url` of a cover has an expiry and a signature (HMAC-SHA256 of
path and expiry), and whoever has the address may fetch that image until then.
"""

import contextlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from shared.runtime.settings import Settings

_VALID_S = 6 * 3600
_KEY_BYTES = 32


class AddressSigner:
    """Signs paths, and recognises what it signed.

    Args:
        key: the secret.
        now_s: the clock, in seconds since 1970.
    """

    def __init__(self, key: bytes, now_s: Callable[[], float] = time.time) -> None:
        self._key = key
        self._now_s = now_s

    def parameters(self, path: str) -> str:
        """The parameters to add to a path, valid for 6 to 12 hours.

        They are the same for six hours, so that browsers find the image in their cache.
        """
        expires = (int(self._now_s()) // _VALID_S + 2) * _VALID_S
        return f"expires={expires}&signature={self._signature(path, str(expires))}"

    def is_signed(self, path: str, query: str) -> bool:
        """Whether the query has a signature of this path that has not expired."""
        try:
            found = parse_qs(query, max_num_fields=10)
        except ValueError:  # more fields than any address of ours
            return False
        expires, signature = (found.get(name, [""])[-1] for name in ("expires", "signature"))
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        wanted = self._signature(path, expires).encode()
        is_ours = secrets.compare_digest(wanted, signature.encode(errors="replace"))
        return is_ours and int(expires) >= self._now_s()

    def _signature(self, path: str, expires: str) -> str:
        content = f"{path}\n{expires}".encode(errors="replace")
        return hmac.digest(self._key, content, "sha256").hex()


def address_signer(settings: Settings) -> AddressSigner | None:
    """The signer of this gateway; None where no token is needed.

    Its key is `SONIQUEBAY_URL_KEY`, else a random one that is kept in the data folder. If that
    folder cannot be written, the key lasts as long as the process.
    """
    if settings.token is None or not settings.token.get_secret_value().strip():
        return None
    if settings.url_key is not None:
        return AddressSigner(settings.url_key.get_secret_value().encode())
    return AddressSigner(_kept_key(settings.data_dir / "url_key"))


def _kept_key(file: Path) -> bytes:
    new = secrets.token_bytes(_KEY_BYTES)
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_bytes(new)
            # A link is made whole or not at all, and never replaces the key of another process.
            with contextlib.suppress(FileExistsError):
                os.link(part, file)
        kept = file.read_bytes()
    except OSError:
        return new
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return kept if len(kept) == _KEY_BYTES else new
