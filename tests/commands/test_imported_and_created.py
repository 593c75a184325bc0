"""A customer that is imported is stored as one that the API creates, and what one refuses the other refuses."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

import stores
from commands.command import Imports
from conftest import MakeTenant
from customergraph.importing.files import Format
from factories import Tenant

LETTERS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
MUTATIONS_OF_A_REQUEST = 25
STORED = (
    "first_name, last_name, email, phone, company, has_subscription, notes, address1, address2, city, state,"
    " postal_code, name_key, email_key, email_sort_key, company_key, search_key"
)
REFUSED = "refused"

TEXTS = (
    *(
        "x",
        "  x\t",
        "\u3000x\u00a0",
        "\r\nx\n",
        "",
        " ",
        "\t\r\n",
        "\u2003",
        "e\u0301",
        "\u212b",
        "\ufb01",
        "\u200b",
        "\u2028x",
    ),
    *(
        "a\nb",
        "a\r\nb",
        "a\rb",
        "a\tb",
        "\x00",
        "x\x00y",
        "\x1c",
        "x\x1c",
        "\x85x",
        "\x7f",
        "\U0001f600",
        '"',
        "a,b",
        "null",
    ),
    *("y" * 20, "y" * 21, "y" * 255, "y" * 256, " " * 9 + "z" * 255, "e\u0301" * 255, "y" * 5_000, "\n" + "z" * 5_001),
)
EMAILS = (
    *("a@example.com", " B@Example.com ", "c@b\u00fccher.example", "D@xn--bcher-kva.example", "e\u0301@example.com"),
    *(
        "f@fa\u00df.example",
        "f@fass.example",
        "g",
        "h@localhost",
        "i@example.com\x00",
        "\x1c",
        " ",
        "j@\uff42\u00fccher.example",
    ),
    *(
        "k\uff20example.com",
        "l@exa mple.com",
        f"{'m' * 64}@example.com",
        f"{'n' * 65}@example.com",
        "o" * 256 + "@example.com",
    ),
)
PHONES = (
    *("+14155552671", " +44 20 7946 0958 ", "\uff0b1 415 555 2672", "+1 415 555 2673 ext. 5", "4155552674", "+1", " "),
    *("\x1c", "+14155552675\x00", "1" * 33, "+1\t415\t555\t2676", "+33 6 12 34 56 78"),
)
INPUTS: list[dict[str, Any]] = [
    *({"last_name": value} for value in TEXTS),
    *({name: value} for name in ("company", "notes", "address1", "postal_code") for value in TEXTS),
    *({"first_name": value} for value in TEXTS),
    *({"email": value} for value in EMAILS),
    *({"phone": value} for value in PHONES),
    *({"has_subscription": value} for value in (True, False, None)),
]
TAGS: tuple[list[str], ...] = (
    ["vip"],
    [" vip ", "vip"],
    ["\u00e9t\u00e9", "vip"],
    ["e\u0301te\u0301"],
    ["vip\x1c"],
    ["vip", "\x1c"],
    ["VIP"],
    ["none"],
    [],
)


def created(tenant: Tenant, inputs: list[dict[str, Any]]) -> list[int | None]:
    """Create customers; returns the id of each, None for one that is refused."""
    fields = " ".join(
        f"m{place}: createCustomer(input: $i{place}) {{ customer {{ databaseId }} }}" for place in range(len(inputs))
    )
    variables = ", ".join(f"$i{place}: CreateCustomerInput!" for place in range(len(inputs)))
    values = {f"i{place}": {_camel(name): value for name, value in one.items()} for place, one in enumerate(inputs)}
    data = tenant.client.data(f"mutation({variables}) {{ {fields} }}", **values)
    payloads = [data[f"m{place}"]["customer"] for place in range(len(inputs))]
    return [payload and payload["databaseId"] for payload in payloads]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def content(format_: Format, rows: list[dict[str, Any]]) -> bytes:
    if format_ is Format.JSON:
        return json.dumps(rows).encode()
    if format_ is Format.NDJSON:
        return "\n".join(map(json.dumps, rows)).encode()
    file = StringIO(newline="")
    writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


@pytest.fixture
def two(make_tenant: MakeTenant, database_url: str, tmp_path: Path) -> tuple[Tenant, Imports]:
    """A project whose customers are created, and another one whose customers are imported."""
    made, _imported = make_tenant("made"), make_tenant("acme")
    return made, Imports(database_url, tmp_path)


@pytest.mark.parametrize("format_", [Format.CSV, Format.NDJSON, Format.JSON])
def test_the_same_values_are_stored_alike_or_refused_alike(two: tuple[Tenant, Imports], format_: Format) -> None:
    made, imports = two
    inputs = [{"first_name": "Ada", **values} for values in INPUTS]
    uuids = [uuid5(LETTERS, str(place)) for place in range(len(inputs))]
    rows = [{"uuid": str(uuid), **values} for uuid, values in zip(uuids, inputs, strict=True)]

    size = MUTATIONS_OF_A_REQUEST
    ids = [id_ for start in range(0, len(inputs), size) for id_ in created(made, inputs[start : start + size])]
    imports.content("customers", content(format_, rows), format_)

    stored = {row[0]: row[1:] for row in stores.rows(made.database_url, f"SELECT id, {STORED} FROM customer")}  # noqa: S608
    by_uuid = {row[0]: row[1:] for row in stores.rows(made.database_url, f"SELECT uuid, {STORED} FROM customer")}  # noqa: S608
    by_api = [stored[id_] if id_ else REFUSED for id_ in ids]
    by_import = [by_uuid.get(uuid.hex, REFUSED) for uuid in uuids]
    assert [pair for pair in zip(inputs, by_api, by_import, strict=True) if pair[1] != pair[2]] == []
    assert len(INPUTS) / 3 < by_api.count(REFUSED) < len(INPUTS) / 2


@pytest.mark.parametrize("format_", [Format.CSV, Format.NDJSON, Format.JSON])
def test_tags_are_named_alike(two: tuple[Tenant, Imports], format_: Format) -> None:
    made, imports = two
    made.add_tags("vip", "\u00e9t\u00e9")
    imports.csv("tags", "slug,name", "vip,Vip", "e\u0301te\u0301,E")
    rows = [
        {"uuid": str(uuid5(LETTERS, str(place))), "first_name": f"{place}", "tags": tags}
        for place, tags in enumerate(TAGS)
    ]

    created(made, [{"first_name": f"{place}", "tag_slugs": tags} for place, tags in enumerate(TAGS)])
    imports.content("customers", content(format_, rows), format_)

    tagged = (
        "SELECT customer.first_name, tag.slug FROM customer LEFT JOIN customer_tag ON customer.id = customer_id"
        " LEFT JOIN tag ON tag.id = tag_id WHERE customer.project_id = :project ORDER BY 1, 2"
    )
    by_api = stores.rows(made.database_url, tagged, project=1)
    assert by_api == stores.rows(made.database_url, tagged, project=2)
    assert by_api == [
        ("0", "vip"),
        ("1", "vip"),
        ("2", "vip"),
        ("2", "\u00e9t\u00e9"),
        ("3", "\u00e9t\u00e9"),
        ("8", None),
    ]
