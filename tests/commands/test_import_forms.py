"""Files as people have them: encodings, delimiters, spreadsheets, and names of columns in many forms."""

import json
from pathlib import Path

import pytest

from commands.command import Command, whole_reject_rows

NAMED = ("first_name", "last_name", "email")
ANN = "Zoë", "Weiß", "zoe@example.com"


def a_file(delimiter: str, *, before: str = "") -> str:
    return before + "\r\n".join(map(delimiter.join, (NAMED, ANN))) + "\r\n"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("comma.csv", a_file(",").encode(), ()),
        ("semicolon.csv", a_file(";").encode("utf-8-sig"), ()),
        ("tab.tsv", a_file("\t").encode(), ()),
        ("excel.txt", a_file("\t").encode("utf-16"), ()),
        ("big.txt", b"\xfe\xff" + a_file("\t").encode("utf-16-be"), ()),
        ("pipe.txt", a_file("|").encode(), ()),
        ("sep.csv", a_file(";", before="sep=;\r\n").encode(), ()),
        ("old.csv", a_file(";", before="sep=;\r\n").encode("cp1252"), ("--encoding", "cp1252")),
        ("marked.csv", a_file(",").encode("utf-8-sig"), ("--encoding", "cp1252")),
        ("blank.csv", f",,\n{','.join(NAMED)},,\n,,,,\n{','.join(ANN)},,\n,,\n".encode(), ()),
        ("array.json", json.dumps([dict(zip(NAMED, ANN, strict=True))]).encode(), ()),
        ("lines.jsonl", json.dumps(dict(zip(NAMED, ANN, strict=True))).encode(), ()),
        ("names.csv", f"GIVEN NAME, Last-Name ,E-mail\n{','.join(ANN)}".encode(), ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_is_read_as_it_is(embedded_acme: Command, name: str, content: bytes, options: tuple[str, ...]) -> None:
    embedded_acme.file(name, content)

    embedded_acme.inside.succeed("import", "customers", name, "--project", "acme", *options)

    assert embedded_acme.rows("SELECT first_name, last_name, email FROM customer") == [ANN]


def test_what_is_not_utf_8_is_refused_with_what_mends_it(embedded_acme: Command) -> None:
    embedded_acme.file("old.csv", a_file(",").encode("cp1252"))
    words = ("import", "customers", "old.csv", "--project", "acme")

    assert embedded_acme.inside.run(*words).returncode == 1
    [_, row] = whole_reject_rows(embedded_acme.folder / "old.csv.rejects.csv")

    assert row[2] == "is not UTF-8: name its encoding, like --encoding cp1252, or save the file as CSV UTF-8"
    # The bytes of the row stay what they were, so that the mend works on the rejects too.
    again = ("import", "customers", "old.csv.rejects.csv", "--project", "acme", "--encoding", "cp1252")
    embedded_acme.inside.succeed(*again)
    assert embedded_acme.rows("SELECT last_name FROM customer") == ["Weiß"]
    wrong = embedded_acme.inside.run(*words, "--encoding", "rot13")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_a_spreadsheet_is_read_with_its_types(embedded_acme: Command) -> None:
    (embedded_acme.folder / "people.xlsx").write_bytes((Path(__file__).parent / "exports/people.xlsx").read_bytes())

    words = ("import", "customers", "people.xlsx", "--project", "acme", "--country", "US", "--zone", "Europe/Berlin")
    embedded_acme.inside.succeed(*words)

    assert embedded_acme.rows("SELECT first_name, phone, created_at, has_subscription, postal_code FROM customer") == [
        ("Ann", "+14155552671", "2024-01-31T23:00:00.000000Z", 1, "00123"),
        ("Bob", "+14155552672", "2024-02-01T09:30:00.000000Z", 0, "501"),
    ]


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        ('"=""+14155552675"""', "+14155552675"),
        ("'+14155552675", "+14155552675"),
        ("tel:+1-415-555-2675", "+14155552675"),
        ("\u202a+14155552675\u202c", "+14155552675"),
        ("4155552675", None),
        ("+4.15555E+09", None),
        ("+1-415-555-2675 ext. 12", None),
    ],
)
def test_marks_of_spreadsheets_and_address_books_are_no_part_of_a_phone(
    embedded_acme: Command, cell: str, stored: str | None
) -> None:
    embedded_acme.file("phones.csv", f"name,phone\nAnn,{cell}\n".replace("name,", "first_name,"))

    run = embedded_acme.inside.run("import", "customers", "phones.csv", "--project", "acme")

    assert run.returncode == (0 if stored else 1)
    assert embedded_acme.rows("SELECT phone FROM customer") == ([stored] if stored else [])


def test_an_apostrophe_of_a_text_stays(embedded_acme: Command) -> None:
    embedded_acme.file("a.csv", "first_name,email,postal_code,notes\nAnn,ann@example.com,'00123,'90s music\n")

    embedded_acme.inside.succeed("import", "customers", "a.csv", "--project", "acme")

    assert embedded_acme.rows("SELECT postal_code, notes FROM customer") == [("00123", "'90s music")]


def test_rejects_are_mended_and_imported_as_they_are(embedded_acme: Command) -> None:
    embedded_acme.file("tags.csv", 'Name;slug;icon\nVIP;vip;star\n;nameless;\n"New;new;\nOld;old;too;many\n')
    words = ("import", "tags", "tags.csv", "--project", "acme")

    assert embedded_acme.inside.run(*words).returncode == 1

    path = embedded_acme.folder / "tags.csv.rejects.csv"
    header, *rows = whole_reject_rows(path)
    assert header == ["line", "column", "reason", "Name", "slug", "icon"]
    assert [(row[0], row[1], *row[3:]) for row in rows] == [
        ("3", "Name", "", "nameless", ""),
        ("4", "", "New", "new", ""),
        ("5", "", "Old", "old", "too", "many"),
    ]
    mended = path.read_text().replace(",,nameless", ",Nameless,nameless").replace("too,many", "too")
    path.write_text(mended)
    embedded_acme.inside.succeed("import", "tags", path, "--project", "acme")
    assert embedded_acme.rows("SELECT slug, name FROM tag ORDER BY id") == [
        ("vip", "VIP"),
        ("nameless", "Nameless"),
        ("new", "New"),
        ("old", "Old"),
    ]


def test_rejects_of_json_have_the_columns_of_all_of_them(embedded_acme: Command) -> None:
    embedded_acme.file("tags.json", '[{"slug": "a"}, {"slug": "b", "name": ""}, {"name": "C", "slug": "c"}]')

    assert embedded_acme.inside.run("import", "tags", "tags.json", "--project", "acme").returncode == 1

    rows = whole_reject_rows(embedded_acme.folder / "tags.json.rejects.csv")
    assert [row[3:] for row in rows] == [["slug", "name"], ["a", ""], ["b", ""]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"reviews": []}', "is not an array of JSON objects, or the array is empty"),
        ('[{"slug": "a", "name": "A"}, {"slug"', "after row 1: is not JSON: "),
        ("[1]", ""),
    ],
)
def test_json_that_is_no_array_of_objects_is_refused(embedded_acme: Command, content: str, reason: str) -> None:
    embedded_acme.file("tags.json", content)

    run = embedded_acme.inside.run("import", "tags", "tags.json", "--project", "acme")

    assert run.returncode == 1
    assert reason in run.stderr
