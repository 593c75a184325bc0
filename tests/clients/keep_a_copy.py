"""Keeps a copy of a project in SQLite: `python keep_a_copy.py URL TOKEN copy.db`. Run it as often as you like."""

import json
import sqlite3
import sys
from contextlib import closing
from typing import Any
from urllib.request import Request, urlopen

URL, TOKEN, PATH = sys.argv[1:]
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
FIELDS = {
    "Customer": "uuid name email phone notes archivedAt unsubscribedAt location { id } tags { id }",
    "Message": "uuid channel template status scheduledAt customer { id }",
    "Review": "uuid score body createdAt reviewer: customer { id }",
    "Charge": "uuid amount currency chargedAt customer { id }",
    "Location": "uuid slug name",
    "Tag": "uuid slug name color",
}
NODE = "__typename id " + " ".join(f"... on {name} {{ {fields} }}" for name, fields in FIELDS.items())
START = "{ changes(first: 1) { headCursor } locations { __typename id %(Location)s } tags { __typename id %(Tag)s } }"
PAGE = "query($after: String) { page: %s(after: $after%s) { nodes { %s } pageInfo { endCursor hasNextPage } } }"


def ask(query: str, after: str | None = None) -> Any:
    body = json.dumps({"query": query, "variables": {"after": after}}).encode()
    with urlopen(Request(URL, body, HEADERS)) as response:  # noqa: S310 - the caller's address
        answer = json.load(response)
    return answer["data"] if "errors" not in answer else sys.exit(answer["errors"][0]["message"])


def put(nodes: list[dict[str, Any]]) -> None:
    rows = [(node["id"], node["__typename"], json.dumps(node)) for node in nodes]
    store.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", rows)


def read_all(query: str, cursor: str | None = None) -> str | None:
    while True:
        page = ask(query, cursor)["page"]
        put([node.get("node") or node for node in page["nodes"] if node.get("node") or "id" in node])
        gone = [(node["subjectId"],) for node in page["nodes"] if node.get("action") == "DELETED"]
        store.executemany("DELETE FROM object WHERE id = ?", gone)
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return cursor


with closing(sqlite3.connect(PATH)) as store, store:
    store.execute("CREATE TABLE IF NOT EXISTS object (id TEXT PRIMARY KEY, type TEXT, fields TEXT)")
    store.execute("CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, cursor TEXT)")
    (cursor,) = store.execute("SELECT max(cursor) FROM place").fetchone()
    if cursor is None:
        start = ask(START % FIELDS)
        put(start["locations"] + start["tags"])
        for name, more in (("Customer", ", includeArchived: true"), ("Message", ""), ("Review", ""), ("Charge", "")):
            read_all(PAGE % (f"{name.lower()}s", more, f"__typename id {FIELDS[name]}"))
        cursor = start["changes"]["headCursor"]
    # The place is stored in the transaction of what was read up to it.
    cursor = read_all(PAGE % ("changes", "", f"action subjectId node {{ {NODE} }}"), cursor)
    store.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (cursor,))
