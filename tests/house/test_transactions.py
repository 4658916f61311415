"""Nothing is published inside a transaction: with a full topic it would wait with locks held."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "services" / "api").rglob("*.py"))
_PUBLISHES = {"publish", "publish_records", "emit"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def published_in_transactions(source: str) -> list[str]:
    """The functions that have a connection as a parameter, and publish.

    In the api such a function runs inside a transaction: `in_transaction` passes the connection.
    """
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, _Function):
            continue
        parameters = [*function.args.args, *function.args.kwonlyargs]
        kinds = {ast.unparse(each.annotation) for each in parameters if each.annotation}
        calls = {
            call.func.attr
            for call in ast.walk(function)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        }
        if any("Connection" in kind for kind in kinds) and calls & _PUBLISHES:
            found.append(function.name)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_published_inside_a_transaction(path: Path) -> None:
    assert published_in_transactions(path.read_text(encoding="utf-8")) == []


def test_publishing_with_a_connection_is_noticed() -> None:
    source = (
        "async def work(connection: asyncpg.Connection) -> None:\n"
        "    await self.bus.publish_records([])\n"
        "async def fine(pool: asyncpg.Pool) -> None:\n"
        "    await self.bus.publish([])\n"
    )
    assert published_in_transactions(source) == ["work"]
