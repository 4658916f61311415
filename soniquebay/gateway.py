"""The command line's client of the gateway."""

from collections.abc import Mapping
from typing import Any

import click
import httpx

from shared.runtime.settings import Settings

JSON = dict[str, Any]
_TIMEOUT_S = 60


class Gateway:
    """GraphQL over HTTP. Every error ends the command with one line and exit code 1."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.gateway_address
        headers = {}
        if settings.token is not None:
            headers["authorization"] = f"Bearer {settings.token.get_secret_value()}"
        # trust_env=False: the HTTP proxies of the environment are not for the gateway.
        self._client = httpx.Client(
            base_url=self._address, headers=headers, timeout=_TIMEOUT_S, trust_env=False
        )

    def execute(self, document: str, variables: Mapping[str, object] | None = None) -> JSON:
        """Run a document and return its `data`.

        Raises:
            click.ClickException: the gateway cannot be reached, or answered with errors.
        """
        try:
            response = self._client.post(
                "/graphql", json={"query": document, "variables": variables or {}}
            )
            body = response.json()
        except httpx.ConnectError:
            raise click.ClickException(
                f"there is no gateway at {self._address}. Start one with `make run` or"
                " `soniquebay up` (it is ready when it prints its address), or set"
                " SONIQUEBAY_GATEWAY_URL or SONIQUEBAY_PORT to where it is"
            ) from None
        except (httpx.HTTPError, ValueError) as error:
            raise click.ClickException(
                f"the gateway at {self._address} gave no valid response: {error}"
            ) from None
        if body.get("errors"):
            raise click.ClickException("; ".join(error["message"] for error in body["errors"]))
        data: JSON = body["data"]
        return data


def raise_user_error(payload: JSON) -> None:
    """End the command if a mutation's payload has an error."""
    if payload["error"]:
        raise click.ClickException(payload["error"]["message"])
