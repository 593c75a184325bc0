"""Endpoints written by hand, which the gateway is compared with: one for each request, with the same answer.

On the gateway's own SQLAlchemy engine: plain SQL for only the columns that are asked for, dictionaries,
orjson; one snapshot for each request; the token is looked up like the gateway does. No schema, no
arguments, no tenancy, no errors. `benchmarks.hand_written_bare` has the same endpoints on the driver alone.
"""

from binascii import b2a_base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.hand_written_sql import POSTGRESQL, SQLITE, Rows, Statements
from customergraph.settings import Settings
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database

# Runs a statement and returns its rows; opens a snapshot, and yields its Fetch.
Fetch = Callable[..., Awaitable[Rows]]
Snapshot = Callable[[], AbstractAsyncContextManager[Fetch]]
Lists = dict[int, list[dict[str, Any]]]

JSON_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def _scalars(row: Any) -> dict[str, Any]:
    return {
        "id": b2a_base64(b"Customer:%d" % row[0], newline=False).rstrip(b"=").decode(),
        "name": f"{row[1]} {row[2]}" if row[2] else row[1],
        "email": row[3],
        "phone": row[4],
        "company": row[5],
        "hasSubscription": bool(row[6]),
        "isArchived": bool(row[7]),
        "signedUpAt": row[8],
        "reviewedAt": row[9],
        "createdAt": row[10],
    }


def _location(row: Any) -> dict[str, Any] | None:
    if row[11] is None:
        return None
    return {"name": row[11], "displayName": row[12] or row[11], "city": row[13]}


def _tags(rows: Rows, ids: list[int]) -> Lists:
    by_customer: Lists = {id_: [] for id_ in ids}
    for customer_id, name, color in rows:
        by_customer[customer_id].append({"name": name, "color": color})
    return by_customer


def _messages(rows: Rows, ids: list[int]) -> Lists:
    by_customer: Lists = {id_: [] for id_ in ids}
    for customer_id, id_, channel, template, status, scheduled, sent_at in rows:
        by_customer[customer_id].append(
            {
                "id": b2a_base64(b"Message:%d" % id_, newline=False).rstrip(b"=").decode(),
                "channel": channel,
                "template": template,
                "status": status,
                "scheduledAt": scheduled,
                "sentAt": sent_at,
            }
        )
    return by_customer


def _reviews(rows: Rows, ids: list[int]) -> Lists:
    by_customer: Lists = {id_: [] for id_ in ids}
    for customer_id, id_, score, body, source, created in rows:
        by_customer[customer_id].append(
            {
                "id": b2a_base64(b"Review:%d" % id_, newline=False).rstrip(b"=").decode(),
                "score": score,
                "body": body,
                "source": source,
                "createdAt": created,
            }
        )
    return by_customer


def _charges(rows: Rows, ids: list[int]) -> Lists:
    by_customer: Lists = {id_: [] for id_ in ids}
    for customer_id, id_, amount, currency, charged in rows:
        by_customer[customer_id].append(
            {
                "id": b2a_base64(b"Charge:%d" % id_, newline=False).rstrip(b"=").decode(),
                "amount": amount,
                "currency": currency,
                "chargedAt": charged,
            }
        )
    return by_customer


class Endpoints:
    """The answer to each request, from the rows that `fetch` returns."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql

    async def project(self, fetch: Fetch, request: Request) -> int:
        secret = request.headers["authorization"].removeprefix("Bearer ")
        ((project_id,),) = await fetch(self._sql.project, sha256(secret.encode()).hexdigest())
        return int(project_id)

    async def one(self, fetch: Fetch, project_id: int, request: Request) -> dict[str, Any]:
        (row,) = await fetch(self._sql.one, project_id, int(request.query_params["id"]))
        tags = await fetch(self._sql.tags, project_id, self._sql.ids([row[0]]))
        tag_objects = [{"name": name, "color": color} for _, name, color in tags]
        return {"customer": {**_scalars(row), "location": _location(row), "tags": tag_objects}}

    async def flat(self, fetch: Fetch, project_id: int, _request: Request) -> dict[str, Any]:
        return {"customers": {"nodes": [_scalars(row) for row in await fetch(self._sql.flat, project_id, 50)]}}

    async def all(self, fetch: Fetch, project_id: int, _request: Request) -> dict[str, Any]:
        rows = await fetch(self._sql.located, project_id, 50)
        ids = [row[0] for row in rows]
        tags = _tags(await fetch(self._sql.tags, project_id, self._sql.ids(ids)), ids)
        messages, reviews, charges = await self._lists(fetch, project_id, ids, 10)
        nodes = [
            {
                **_scalars(row),
                "location": _location(row),
                "tags": tags[row[0]],
                "messages": {"nodes": messages[row[0]]},
                "reviews": {"nodes": reviews[row[0]]},
                "charges": {"nodes": charges[row[0]]},
            }
            for row in rows
        ]
        return {"customers": {"nodes": nodes}}

    async def long(self, fetch: Fetch, project_id: int, _request: Request) -> dict[str, Any]:
        rows = await fetch(self._sql.flat, project_id, 100)
        messages, reviews, charges = await self._lists(fetch, project_id, [row[0] for row in rows], 20)
        nodes = [
            {
                **_scalars(row),
                "messages": {"nodes": messages[row[0]]},
                "reviews": {"nodes": reviews[row[0]]},
                "charges": {"nodes": charges[row[0]]},
            }
            for row in rows
        ]
        return {"customers": {"nodes": nodes}}

    async def _lists(self, fetch: Fetch, project_id: int, ids: list[int], messages: int) -> tuple[Lists, Lists, Lists]:
        parents = self._sql.ids(ids)
        return (
            _messages(await fetch(self._sql.messages, parents, project_id, messages), ids),
            _reviews(await fetch(self._sql.reviews, parents, project_id, 5), ids),
            _charges(await fetch(self._sql.charges, parents, project_id, 10), ids),
        )


def application(
    opened: AbstractAsyncContextManager[Snapshot], sql: Statements, *, authenticates: bool = True
) -> Starlette:
    """Make the application whose requests read a snapshot each, of a store that is open meanwhile.

    Without authentication the store has one project, the first.
    """
    endpoints = Endpoints(sql)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened as app.state.snapshot:
            yield

    def route(path: str, answer: Any) -> Route:
        async def endpoint(request: Request) -> Response:
            async with request.app.state.snapshot() as fetch:
                project_id = await endpoints.project(fetch, request) if authenticates else 1
                body = {"data": await answer(fetch, project_id, request)}
            return Response(orjson.dumps(body, option=JSON_OPTIONS), media_type="application/json")

        return Route(path, endpoint)

    answers = {"/Q1": endpoints.one, "/Q2": endpoints.flat, "/Q3": endpoints.all, "/Q4": endpoints.long}
    return Starlette(routes=[route(*item) for item in answers.items()], lifespan=lifespan)


def create_app(settings: Settings) -> Starlette:
    """Make the application over the configured store, on SQLAlchemy's engine."""
    return application(_opened(settings), SQLITE if settings.database_url.startswith("sqlite") else POSTGRESQL)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Snapshot]:
    connecting = ConnectionOptions(settings.pool_size, settings.pool_timeout, settings.statement_timeout)
    database = Database(settings.database_url, connecting)
    if database.backend.path is None:
        event.listen(database.backend.engine.sync_engine, "connect", _with_the_drivers_own_codec)

    @asynccontextmanager
    async def snapshot() -> AsyncIterator[Fetch]:
        async with database.unbound() as connection:

            async def fetch(sql: str, *arguments: Any) -> Rows:
                return (await connection.exec_driver_sql(sql, arguments)).all()

            yield fetch

    yield snapshot
    await database.close()


def _with_the_drivers_own_codec(connection: Any, _entry: object) -> None:
    """Make asyncpg return timestamps in its usual form, not in the gateway's."""
    connection.run_async(lambda driver: driver.reset_type_codec("timestamptz", schema="pg_catalog"))
