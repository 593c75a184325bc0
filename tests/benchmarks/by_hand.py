"""What the gateway is measured against: the same answers, each by an endpoint that can do nothing else.

Plain SQL for only the columns that are asked for, dictionaries, orjson; the token is
looked up like the gateway does. No schema, no arguments, no tenancy, no errors.
"""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from customergraph.settings import Settings
from customergraph.store.database import Database

Rows = Sequence[Any]
Lists = dict[str, dict[int, list[dict[str, Any]]]]

PROJECT = """
    SELECT t.project_id FROM token t JOIN project p ON p.id = t.project_id
    WHERE t.sha256 = ? AND t.revoked_at IS NULL"""
CUSTOMER = """
    SELECT c.id, c.first_name, c.last_name, c.email, c.phone, c.company, c.has_subscription, c.is_archived,
        c.signed_up_at, c.reviewed_at, c.created_at, l.name, l.display_name, l.city
    FROM customer c LEFT JOIN location l ON l.id = c.location_id"""
ONE = f"{CUSTOMER} WHERE c.project_id = ? AND c.id = ?"
PAGE = f"""{CUSTOMER} WHERE c.project_id = ? AND c.is_archived = 0
    ORDER BY c.created_at DESC, c.id DESC LIMIT ?"""
TAGS = """
    SELECT ct.customer_id, t.name, t.color
    FROM customer_tag ct JOIN tag t ON t.id = ct.tag_id
    WHERE ct.project_id = ? AND ct.customer_id IN (SELECT value FROM json_each(?))
    ORDER BY t.name_key, t.id"""
NESTED = """
    SELECT r.customer_id, r.id, {columns}
    FROM json_each(?) AS parent CROSS JOIN {table} r ON r.id IN (
        SELECT w.id FROM {table} w WHERE w.project_id = ? AND w.customer_id = parent.value
        ORDER BY w.{key} DESC, w.id DESC LIMIT ?)
    ORDER BY r.customer_id, r.{key} DESC, r.id DESC"""
STATUS = """CASE WHEN r.canceled_at IS NOT NULL THEN 'CANCELED' WHEN r.complained_at IS NOT NULL THEN 'COMPLAINED'
    WHEN r.failed_at IS NOT NULL THEN 'FAILED' WHEN r.clicked_at IS NOT NULL THEN 'CLICKED'
    WHEN r.opened_at IS NOT NULL THEN 'OPENED' WHEN r.sent_at IS NOT NULL THEN 'SENT' ELSE 'SCHEDULED' END"""
MESSAGES = NESTED.format(
    table="message",
    key="scheduled_at",
    columns=f"r.channel, r.template, {STATUS}, r.scheduled_at, r.sent_at",
)
REVIEWS = NESTED.format(table="review", key="created_at", columns="r.score, r.body, r.source, r.created_at")
CHARGES = NESTED.format(table="charge", key="charged_at", columns="r.amount, r.currency, r.charged_at")


def _id(kind: str, id_: int) -> str:
    return urlsafe_b64encode(f"{kind}:{id_}".encode()).decode().rstrip("=")


def _time(text: str | None) -> str | None:
    return text[:19] + "Z" if text and text[19:26] == ".000000" else text


def _scalars(row: Any) -> dict[str, Any]:
    return {
        "id": _id("Customer", row[0]),
        "name": f"{row[1]} {row[2]}" if row[2] else row[1],
        "email": row[3],
        "phone": row[4],
        "company": row[5],
        "hasSubscription": bool(row[6]),
        "isArchived": bool(row[7]),
        "signedUpAt": _time(row[8]),
        "reviewedAt": _time(row[9]),
        "createdAt": _time(row[10]),
    }


def _location(row: Any) -> dict[str, Any] | None:
    if row[11] is None:
        return None
    return {"name": row[11], "displayName": row[12] or row[11], "city": row[13]}


def _message(row: Any) -> dict[str, Any]:
    _, id_, channel, template, status, scheduled, sent = row
    return {
        "id": _id("Message", id_),
        "channel": channel,
        "template": template,
        "status": status,
        "scheduledAt": _time(scheduled),
        "sentAt": _time(sent),
    }


def _review(row: Any) -> dict[str, Any]:
    _, id_, score, body, source, created = row
    return {
        "id": _id("Review", id_),
        "score": score,
        "body": body,
        "source": source,
        "createdAt": _time(created),
    }


def _charge(row: Any) -> dict[str, Any]:
    _, id_, amount, currency, charged = row
    return {"id": _id("Charge", id_), "amount": amount, "currency": currency, "chargedAt": _time(charged)}


async def _rows(connection: AsyncConnection, sql: str, *parameters: Any) -> Rows:
    return (await connection.exec_driver_sql(sql, parameters)).all()


async def _tags(connection: AsyncConnection, project_id: int, ids: list[int]) -> dict[int, Any]:
    found: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in ids}
    for customer_id, name, color in await _rows(connection, TAGS, project_id, orjson.dumps(ids).decode()):
        found[customer_id].append({"name": name, "color": color})
    return found


async def _histories(connection: AsyncConnection, project_id: int, ids: list[int], messages: int) -> Lists:
    lists: Lists = {}
    for name, sql, shaped, count in (
        ("messages", MESSAGES, _message, messages),
        ("reviews", REVIEWS, _review, 5),
        ("charges", CHARGES, _charge, 10),
    ):
        found: dict[int, list[dict[str, Any]]] = {id_: [] for id_ in ids}
        for row in await _rows(connection, sql, orjson.dumps(ids).decode(), project_id, count):
            found[row[0]].append(shaped(row))
        lists[name] = found
    return lists


def _nested(lists: Lists, id_: int) -> dict[str, Any]:
    return {name: {"nodes": found[id_]} for name, found in lists.items()}


async def _one(connection: AsyncConnection, project_id: int, request: Request) -> dict[str, Any]:
    (row,) = await _rows(connection, ONE, project_id, int(request.query_params["id"]))
    tags = await _tags(connection, project_id, [row[0]])
    return {"customer": {**_scalars(row), "location": _location(row), "tags": tags[row[0]]}}


async def _flat(connection: AsyncConnection, project_id: int, _request: Request) -> dict[str, Any]:
    return {"customers": {"nodes": [_scalars(row) for row in await _rows(connection, PAGE, project_id, 50)]}}


async def _all(connection: AsyncConnection, project_id: int, _request: Request) -> dict[str, Any]:
    rows = await _rows(connection, PAGE, project_id, 50)
    ids = [row[0] for row in rows]
    tags = await _tags(connection, project_id, ids)
    lists = await _histories(connection, project_id, ids, 10)
    nodes = [
        {**_scalars(row), "location": _location(row), "tags": tags[row[0]], **_nested(lists, row[0])} for row in rows
    ]
    return {"customers": {"nodes": nodes}}


async def _long(connection: AsyncConnection, project_id: int, _request: Request) -> dict[str, Any]:
    rows = await _rows(connection, PAGE, project_id, 100)
    lists = await _histories(connection, project_id, [row[0] for row in rows], 20)
    return {"customers": {"nodes": [{**_scalars(row), **_nested(lists, row[0])} for row in rows]}}


def create_app(settings: Settings) -> Starlette:
    """Make the application over the configured store."""
    database = Database(settings.database_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await database.close()

    def route(path: str, answer: Any) -> Route:
        async def endpoint(request: Request) -> Response:
            secret = request.headers["authorization"].removeprefix("Bearer ")
            async with database.unbound() as connection:
                ((project_id,),) = await _rows(connection, PROJECT, sha256(secret.encode()).hexdigest())
                body = {"data": await answer(connection, project_id, request)}
            return Response(orjson.dumps(body), media_type="application/json")

        return Route(path, endpoint)

    return Starlette(
        routes=[route("/Q1", _one), route("/Q2", _flat), route("/Q3", _all), route("/Q4", _long)],
        lifespan=lifespan,
    )
