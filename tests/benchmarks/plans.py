"""The plans of the statements that a request runs, as the store's engine tells them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import Engine, event

from customergraph.settings import Settings
from customergraph.store.database import Database
from customergraph.web.app import create_app

Statement = tuple[str, Any]


async def of_request(url: str, token: str, query: str, variables: Mapping[str, Any]) -> list[str]:
    """Run the request in this process; gives each of its statements with its parameters and its plan."""
    app = create_app(Settings(database_url=url))
    headers = {"Authorization": f"Bearer {token}"}
    gateway = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", headers=headers)
    with _statements() as found:
        async with app.router.lifespan_context(app), gateway:
            answer = await gateway.post("/graphql", json={"query": query, "variables": variables})
    answer.raise_for_status()
    return await _explained(url, found)


@contextmanager
def _statements() -> Iterator[list[Statement]]:
    found: list[Statement] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001
        if statement.startswith("SELECT") and "FROM token" not in statement:
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def _explained(url: str, statements: list[Statement]) -> list[str]:
    database = Database(url)
    explain = "EXPLAIN QUERY PLAN" if database.backend.path else "EXPLAIN (ANALYZE, BUFFERS)"
    plans = []
    async with database.unbound() as connection:
        for statement, parameters in statements:
            lines = (await connection.exec_driver_sql(f"{explain} {statement}", parameters)).all()
            plans.append("\n".join([statement, repr(parameters), *(str(line[-1]) for line in lines)]))
    await database.close()
    return plans
