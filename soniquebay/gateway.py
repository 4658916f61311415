"""The command line's client of the gateway.

It is made of the standard library alone, and reads the few settings it needs itself: a command that
asks one question takes a third of the CPU time that importing httpx and all settings would.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import click

JSON = dict[str, Any]
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8707
"""As in `shared.runtime.settings`; a test compares them."""
_TIMEOUT_S = 60


class Gateway:
    """GraphQL over HTTP. Every error ends the command with one line and exit code 1.

    Args:
        environment: where the settings SONIQUEBAY_GATEWAY_URL, _HOST, _PORT and _TOKEN are.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        host = environment.get("SONIQUEBAY_HOST", DEFAULT_HOST)
        port = environment.get("SONIQUEBAY_PORT", str(DEFAULT_PORT))
        if not port.isdecimal():
            raise click.UsageError(f"SONIQUEBAY_PORT: {port!r} is no port")
        url = environment.get("SONIQUEBAY_GATEWAY_URL") or f"http://{host}:{port}"
        self._address = url.rstrip("/")
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if token := environment.get("SONIQUEBAY_TOKEN", "").strip():
            self._headers["authorization"] = f"Bearer {token}"
        # The HTTP proxies of the environment are not for the gateway.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def execute(self, document: str, variables: Mapping[str, object] | None = None) -> JSON:
        """Run a document and return its `data`.

        Raises:
            click.ClickException: the gateway cannot be reached, or answered with errors.
        """
        content = json.dumps({"query": document, "variables": variables or {}}).encode()
        try:
            body = json.loads(self._post(content))
            errors = body.get("errors") if isinstance(body, dict) else None
            data: JSON = {} if errors else dict(body["data"])
        except ConnectionRefusedError:
            raise click.ClickException(
                f"there is no gateway at {self._address}. Start one with `make run` or"
                " `soniquebay up` (it is ready when it prints its address), or set"
                " SONIQUEBAY_GATEWAY_URL or SONIQUEBAY_PORT to where it is"
            ) from None
        except (
            OSError,
            http.client.HTTPException,
            ValueError,
            LookupError,
            AttributeError,
        ) as error:
            raise click.ClickException(
                f"the gateway at {self._address} gave no valid response: {error}"
            ) from None
        if errors:
            raise click.ClickException("; ".join(error["message"] for error in errors))
        return data

    def _post(self, content: bytes) -> bytes:
        request = urllib.request.Request(f"{self._address}/graphql", content, self._headers)  # noqa: S310 - the user names the address
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            with error:  # its body says what is wrong
                return error.read() or str(error).encode()
        except urllib.error.URLError as error:
            raise error.reason if isinstance(error.reason, OSError) else error from None


def raise_user_error(payload: JSON) -> None:
    """End the command if a mutation's payload has an error."""
    if payload["error"]:
        raise click.ClickException(payload["error"]["message"])
