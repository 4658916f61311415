"""The gateway as the command line sees it."""

from collections.abc import Mapping
from typing import Any

import click
import httpx

from shared.runtime.settings import Settings

JSON = dict[str, Any]
_TIMEOUT_S = 60


class Gateway:
    """GraphQL over HTTP; what goes wrong ends the command with one line and exit code 1."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.gateway_address
        headers = {}
        if settings.token is not None:
            headers["authorization"] = f"Bearer {settings.token.get_secret_value()}"
        self._client = httpx.Client(
            base_url=self._address, headers=headers, timeout=_TIMEOUT_S, trust_env=False
        )

    def execute(self, document: str, variables: Mapping[str, object] | None = None) -> JSON:
        """Run a document; its `data`."""
        try:
            response = self._client.post(
                "/graphql", json={"query": document, "variables": variables or {}}
            )
            answer = response.json()
        except httpx.ConnectError:
            raise click.ClickException(
                f"no gateway at {self._address}: start one with `soniquebay up`, or name another"
                " with SONIQUEBAY_GATEWAY_URL"
            ) from None
        except (httpx.HTTPError, ValueError) as error:
            raise click.ClickException(
                f"the gateway at {self._address} broke off: {error}"
            ) from None
        if answer.get("errors"):
            raise click.ClickException("; ".join(each["message"] for each in answer["errors"]))
        data: JSON = answer["data"]
        return data


def raise_user_error(payload: JSON) -> None:
    """End the command where a mutation's payload has an error."""
    if payload["error"]:
        raise click.ClickException(payload["error"]["message"])
