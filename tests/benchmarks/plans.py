"""The plans of the statements that a request runs, as the store's engine explains them."""

from collections.abc import Mapping
from typing import Any

import httpx

from customergraph.settings import Settings
from customergraph.store.database import Database
from customergraph.web.app import create_app
from statements import recorded_with_arguments

Statement = tuple[str, Any]


async def of_request(url: str, token: str, query: str, variables: Mapping[str, Any]) -> list[str]:
    """Run the request in this process; returns each of its statements with its parameters and its plan."""
    app = create_app(Settings(database_url=url))
    headers = {"Authorization": f"Bearer {token}"}
    gateway = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost", headers=headers)
    with recorded_with_arguments() as statements:
        async with app.app.router.lifespan_context(app.app), gateway:
            answer = await gateway.post("/graphql", json={"query": query, "variables": variables})
    answer.raise_for_status()
    return await _explained(url, [one for one in statements if _is_read(one[0])])


def _is_read(statement: str) -> bool:
    return statement.startswith(("SELECT", "WITH")) and "FROM token" not in statement


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
