"""The gateway against graphql-http's audit of GraphQL over HTTP."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest

from shared.runtime.settings import Settings
from tests.engines import graphql_audit
from tests.fetch_debian import NotFetched
from tests.integration.gateways import running_gateway


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return graphql_audit.fetch()
    except NotFetched as error:
        pytest.skip(f"the audit of GraphQL over HTTP is not available here: {error}")


async def test_every_must_and_should_is_met(
    folder: Path, pool: asyncpg.Pool, database_settings: Settings
) -> None:
    async with running_gateway(database_settings) as client:
        command, environment = graphql_audit.command(folder, f"{client.base_url}/graphql")
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=subprocess.PIPE
        )
        output, _ = await process.communicate()
    audits = graphql_audit.results(output.decode())
    failed = [audit for audit in audits if not audit.is_passed]
    assert len(audits) > 50
    assert [audit for audit in failed if not audit.name.startswith("MAY")] == []
    # By design: a link on any page can send a GET.
    assert all("GET requests" in audit.name or "in GETs" in audit.name for audit in failed), failed
