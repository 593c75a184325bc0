"""What import files may look like, and which of their rows are rejected."""

import pytest

from commands.command import Imports
from customergraph.errors import CommandRefused
from customergraph.importing.files import Format

NOT_UTF_8 = "is not UTF-8: name its encoding, like --encoding cp1252, or save the file as CSV UTF-8"
UNKNOWN = (
    "'icons' (did you mean 'icon'?), 'colour' (did you mean 'color'?), 'Tag'; the column 'Slug' is there twice;"
    " the column 'name' is missing"
)
MAP_HINT = "`customergraph import map --suggest FILE` writes a mapping, which can leave columns out"
COLUMNS = "The columns are slug, name, color, icon"
NOT_CLOSED = "is not CSV: a quote that opens on this line is not closed"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_either_line_end_are_read(imports: Imports, mark: bytes, line_end: bytes) -> None:
    lines = [b"name,slug", "Été,ete".encode(), b'"A ""quoted"", name",quoted']

    assert imports.content("tags", mark + line_end.join(lines)) == (2, 0, 0)
    assert imports.content("locations", mark + b'{"slug": "a", "name": "A"}', Format.NDJSON) == (1, 0, 0)
    assert imports.rows("SELECT slug, name FROM tag ORDER BY id") == [("ete", "Été"), ("quoted", 'A "quoted", name')]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "there is no header row"),
        (b"\n\n", "there is no header row"),
        (b",,\n , ,\n", "there is no header row"),
        (b"slug\n", f"line 1: the column 'name' is missing. {COLUMNS}"),
        (b"slug,name,slug\n", f"line 1: the column 'slug' is there twice. {COLUMNS}"),
        (b"slug,name,Name\n", f"line 1: the columns 'name', 'Name' are all 'name'. {COLUMNS}"),
        (
            b"Slug,icons,colour,Tag,Slug\n",
            f"line 1: unknown columns {UNKNOWN}. {COLUMNS}; {MAP_HINT}",
        ),
        (b'"slug,name\nvip,VIP\n', "line 1: is not CSV: unexpected end of data"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", f"line 1: {NOT_UTF_8}"),
        ("slug,name\na,A".encode("utf-16")[:-1], "is not UTF-16: truncated data"),
    ],
)
def test_a_file_that_cannot_be_what_it_is_said_to_be_is_refused(imports: Imports, content: bytes, reason: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        imports.content("tags", content)

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("kind", "header", "keys"),
    [
        ("customers", "first_name", "'email' or 'phone' or 'uuid'"),
        ("messages", "channel,template,scheduled_at", "'email' or 'phone' or 'customer_uuid'"),
        ("reviews", "score", "'email' or 'phone' or 'customer_uuid'"),
        ("charges", "amount,currency", "'email' or 'phone' or 'customer_uuid'"),
    ],
)
def test_a_file_about_customers_needs_a_column_that_names_them(
    imports: Imports, kind: str, header: str, keys: str
) -> None:
    with pytest.raises(CommandRefused, match=f"line 1: the column {keys} is missing"):
        imports.csv(kind, header)
    assert imports.csv(kind, f"phone,{header}") == (0, 0, 0)


def test_the_uuid_of_a_customer_is_enough_and_that_of_a_message_is_not(imports: Imports) -> None:
    assert imports.csv("customers", "uuid,first_name") == (0, 0, 0)
    with pytest.raises(CommandRefused, match="'email' or 'phone' or 'customer_uuid' is missing"):
        imports.csv("messages", "uuid,channel,template,scheduled_at")


def test_rows_that_are_torn_short_or_of_other_bytes_are_rejected(imports: Imports) -> None:
    content = (
        b"slug,name,icon\n"
        b"a,A,\n"
        b"b,B\n"
        b"c,C,,\n"
        b'd,"D\nof two lines",\n'
        b"e,\xff\xfe,\n"
        b'f,F"quoted" after,\n'
        b'g,"G" after,\n'
        b"\n"
        b'h,"H and no end,\n'
        b"i,I,\n"
    )

    assert imports.content("tags", content) == (4, 0, 5)
    assert imports.rows("SELECT slug FROM tag ORDER BY id") == ["a", "c", "f", "i"]
    assert imports.rejects == [
        ("3", "", "has 2 cells, and the header 3"),
        ("5", "name", "must not contain control characters"),
        ("7", "name", NOT_UTF_8),
        ("9", "", "is not CSV: ',' expected after '\"'"),
        ("11", "", f"{NOT_CLOSED} (line 12: unexpected end of data)"),
    ]


def test_lines_that_are_no_objects_of_known_columns_are_rejected(imports: Imports) -> None:
    content = (
        b'{"slug": "a", "name": "A"}\n'
        b"\n"
        b'["b"]\n'
        b'{"slug": "c", "name": "C", "colour": "red"}\n'
        b'{"slug": "d"}\n'
        b'{"slug": "e", "name": {"en": "E"}}\n'
        b'{"slug": "f", "name": [1]}\n'
        b'{"slug": "g", "name": "\xff"}\n'
        b'{"slug": "h", "name": null}\n'
        b'{"slug": "i", "name": 42, "icon": null}\n'
        b'{"slug": "j", "na'
    )

    assert imports.content("tags", content, Format.NDJSON) == (2, 0, 8)
    assert imports.rows("SELECT slug, name FROM tag ORDER BY id") == [("a", "A"), ("i", "42")]
    not_a_cell = "must be a text, a number, true, false, null or a list of texts"
    reasons = {line: (column, reason) for line, column, reason in imports.rejects}
    assert reasons.pop("11")[1].startswith("is not JSON: ")
    assert reasons.pop("4")[1].startswith(f"unknown column 'colour' (did you mean 'color'?). {COLUMNS}")
    assert reasons.pop("6")[1].startswith(f"unknown column 'name.en'; the column 'name' is missing. {COLUMNS}")
    assert reasons == {
        "3": ("", "is not a JSON object"),
        "5": ("", f"the column 'name' is missing. {COLUMNS}"),
        "7": ("name", not_a_cell),
        "8": ("", NOT_UTF_8),
        "9": ("name", "must not be blank"),
    }


def test_json_values_are_read_as_the_cells_they_would_be(imports: Imports) -> None:
    imports.csv("tags", "slug,name", "vip,VIP", "new,New")

    outcome = imports.ndjson(
        "customers",
        {"first_name": "Ann", "email": "ann@example.com", "tags": ["vip", "new"], "has_subscription": True},
        {"first_name": "Bob", "email": "bob@example.com", "created_at": 1767225600, "last_name": None},
    )

    assert outcome == (2, 0, 0)
    assert imports.rows("SELECT tag_id FROM customer_tag ORDER BY tag_id") == [1, 2]
    assert imports.rows("SELECT has_subscription FROM customer ORDER BY id") == [1, 0]
    assert imports.rows("SELECT created_at FROM customer WHERE id = 2") == ["2026-01-01T00:00:00.000000Z"]


def test_every_mistake_of_a_row_is_reported(imports: Imports) -> None:
    header = "first_name,email,phone,has_subscription,uuid,created_at,location,tags,postal_code"

    outcome = imports.csv(
        "customers",
        header,
        f",not an address,12345,maybe,none,yesterday,,,{'1' * 21}",
        'Ann,ann@example.com,,,,,nowhere,"vip,new",',
        "Bob,,,,,,,,",
    )

    assert outcome == (0, 0, 3)
    wrong = "first_name, email, phone, has_subscription, uuid, created_at, postal_code"
    assert [(line, column) for line, column, _ in imports.rejects] == [
        ("2", wrong),
        ("3", "location, tags"),
        ("4", "email"),
    ]
    reasons = [reason for _, _, reason in imports.rejects]
    assert (
        "; has_subscription: 'maybe' is none of true, false, 1, 0, yes, no; uuid: 'none' is not a uuid;" in reasons[0]
    )
    assert reasons[1].count("names no") == 3
    assert reasons[2] == "an email, a phone or a uuid is needed"


def test_a_strict_import_of_several_mistakes_changes_nothing(imports: Imports) -> None:
    lines = [f"n{number},N{number}" for number in range(6_000)]

    assert imports.csv("tags", "slug,name", *lines, "bad,", strict=True) == (0, 0, 1)
    assert imports.rows("SELECT count(*) FROM tag") == [0]
    assert imports.csv("tags", "slug,name", *lines, strict=True) == (6_000, 0, 0)
