"""Whatever the bytes of a file are, an import ends, in little memory, and says which line is wrong."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.command import Command, Imports, reject_rows
from customergraph.importing.delimited import MAX_HEADER_CHARACTERS
from customergraph.importing.files import Format
from customergraph.importing.headers import MAX_NAMES
from customergraph.importing.lines import MAX_LINE_BYTES, MAX_RECORD_CHARACTERS

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024
# What an import of a few rows takes, half of it for the program itself, and some more.
MEMORY = 256 * MEBIBYTE
NOT_CLOSED = "is not CSV: a quote that opens on this line is not closed"
A_FIELD_TOO_LONG = "a cell is longer than 131,072 characters"


def peak_of_import(command: Command, *words: str, kind: str = "tags", stdin: str | None = None) -> tuple[int, str, int]:
    """Import a file in a process of its own; returns its exit code, its standard error and its peak memory."""
    measured = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:]).returncode\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.exit(code)"
    )
    arguments = command.words("import", kind, *words, "--project", "acme")
    shell = ["sh", "-c", f'{stdin} | "$@"', "sh"] if stdin else []
    result = command.execute([*shell, sys.executable, "-c", measured, *arguments])
    return result.returncode, result.stderr, int(result.stdout.split()[-1]) * 1024


def with_a_hole(path: Path, before: bytes, size: int, after: bytes) -> Path:
    """Make a file with so many NULs in the middle, which take no room on the disk."""
    with path.open("wb") as file:
        file.write(before)
        file.truncate(len(before) + size)
        file.seek(0, os.SEEK_END)
        file.write(after)
    return path


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("tags.csv", b"slug,name\na,A\n", b"\nb,B\n"),
        ("tags.ndjson", b'{"slug": "a", "name": "A"}\n\n', b'\n{"slug": "b", "name": "B"}\n'),
    ],
)
def test_a_line_of_two_gigabytes_is_one_rejected_row(
    embedded_acme: Command, name: str, before: bytes, after: bytes
) -> None:
    path = with_a_hole(embedded_acme.folder / name, before, 2 * 1024 * MEBIBYTE, after)

    code, error, memory = peak_of_import(embedded_acme, name)

    assert code == 1
    assert error.startswith("tags: 2 added, 0 updated, 0 unchanged, 1 rejected in ")
    assert memory < MEMORY
    [(line, column, reason)] = reject_rows(Path(f"{path}.rejects.csv"))
    assert (line, column) == ("3", "")
    assert reason.startswith("is longer than ")
    assert embedded_acme.rows("SELECT slug FROM tag ORDER BY id") == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "stdin", "reason"),
    [
        (["/dev/zero", "--format", "csv"], None, "/dev/zero: is a device: give a file or a pipe"),
        (["/dev/urandom", "--format", "ndjson"], None, "/dev/urandom: is a device: give a file or a pipe"),
        (["-", "--format", "csv"], None, "standard input: is a device: give a file or a pipe"),
        (["-", "--format", "csv"], "cat /dev/zero", "line 1: the header is longer than 100,000 characters"),
        (["-", "--format", "csv"], "yes x | tr -d '\\n'", "line 1: the header is longer than 100,000 characters"),
        (["-", "--format", "ndjson"], "cat /dev/zero", "line 1: does not end within 4 GiB"),
    ],
)
def test_what_has_no_end_is_refused(embedded_acme: Command, words: list[str], stdin: str | None, reason: str) -> None:
    code, error, memory = peak_of_import(embedded_acme, *words, stdin=stdin)

    assert (code, error) == (1, f"customergraph: {reason}\n")
    assert memory < MEMORY


def test_a_million_columns_are_refused_and_unknown_ones_are_named_up_to_a_bound(imports: Imports) -> None:
    columns = ",".join(f"c{number}" for number in range(1_000_000))
    assert imports.refusal("tags", columns) == "line 1: the header is longer than 100,000 characters"

    columns = columns[:MAX_HEADER_CHARACTERS].rpartition(",")[0]
    refusal = imports.refusal("tags", columns)

    named = ", ".join(f"'c{number}'" for number in range(MAX_NAMES))
    more = columns.count(",") + 1 - MAX_NAMES
    assert refusal.startswith(f"line 1: unknown columns {named} and {more:,} more; the column 'name' is missing")


def rows(numbers: range) -> Iterator[str]:
    return (f"t{number},T{number}" for number in numbers)


def test_an_open_quote_costs_its_own_row_alone(imports: Imports) -> None:
    """The first is not closed within the limit of a cell, and what would close the second opens the third."""
    lines = ["slug,name", 't2,"T2', *rows(range(3, 20_002)), 't20002,"T', 't20003,"T', "t20004,T", 't20005,"T"']

    assert imports.csv("tags", *lines) == (20_001, 0, 3)

    reasons = {line: reason for line, _, reason in imports.rejects}
    assert list(reasons) == ["2", "20002", "20003"]
    assert reasons["2"].startswith(NOT_CLOSED)
    assert reasons["2"].endswith(f": {A_FIELD_TOO_LONG})")
    assert reasons["20002"] == f"{NOT_CLOSED} (line 20,003: ',' expected after '\"')"
    assert imports.rows("SELECT count(*) FROM tag WHERE slug IN ('t3', 't20001', 't20004', 't20005')") == [4]


def test_rows_between_two_quotes_that_pass_for_one_text_are_not_lost_without_a_word(imports: Imports) -> None:
    lines = ["slug,name", 't2,"T2', *rows(range(3, 2_000)), 't2000,T2000"', "t2001,T2001"]

    assert imports.csv("tags", *lines) == (1, 0, 1)

    hint = "; the row goes on to line 2,000: a quote may be missing"
    assert imports.rejects == [("2", "name", f"must not contain control characters{hint}")]
    assert imports.csv("tags", "slug,name,icon", *lines[1:]) == (0, 0, 2)
    assert imports.rejects[0] == ("2", "", "has 2 cells, and the header 3, with what its quotes hold up to line 2,000")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_longest_texts_of_many_lines_are_imported_and_lines_are_counted_through_them(
    imports: Imports, line_end: str
) -> None:
    body = f'"{line_end}' * 25_000
    quoted = body[:50_000].strip().replace('"', '""')
    imports.csv("customers", "first_name,email", "Ann,ann@example.com")
    file = [
        "email,score,body,reply",
        f'ann@example.com,5,"{quoted}","{quoted}"',
        "ann@example.com,6,,",
    ]

    assert imports.content("reviews", "\r\n".join(file).encode()) == (1, 0, 1)

    [stored] = imports.rows("SELECT body FROM review WHERE body = reply")
    assert stored == quoted.replace('""', '"').replace(line_end, "\n")
    lines = quoted.encode().count(b"\n")
    assert imports.rejects == [(str(2 * lines + 3), "score", "'6' is not a score: give 1 to 5")]


def test_the_longest_texts_in_escapes_are_imported(imports: Imports) -> None:
    imports.csv("customers", "first_name,email", "Ann,ann@example.com")
    review = {"email": "ann@example.com", "score": 5, "body": "\U0001f600" * 50_000, "reply": "\U0001f600" * 50_000}
    assert len(json.dumps(review)) > MEBIBYTE

    assert imports.ndjson("reviews", review) == (1, 0, 0)


def test_a_record_and_a_line_are_read_up_to_their_limits(imports: Imports) -> None:
    longest = ",".join(["x" * 125_000] * 4)[: MAX_RECORD_CHARACTERS - 1]

    assert imports.csv("tags", "slug,name", longest, f"{longest}x", f"a,{'x' * 131_073}", "b,B") == (1, 0, 3)
    assert imports.rejects == [
        ("2", "", "has 4 cells, and the header 2"),
        ("3", "", f"is longer than {MAX_RECORD_CHARACTERS:,} characters"),
        ("4", "", f"is not CSV: {A_FIELD_TOO_LONG}"),
    ]
    row = json.dumps({"slug": "c", "name": "x" * 300}).encode()
    line = row + b" " * (MAX_LINE_BYTES - len(row) - 1) + b"\n"
    assert imports.content("tags", line + b" " + line + row, Format.NDJSON) == (0, 0, 3)
    assert [(line, reason) for line, _, reason in imports.rejects] == [
        ("1", "must have at most 255 characters, and has 300"),
        ("2", f"is longer than {MAX_LINE_BYTES:,} bytes"),
        ("3", "must have at most 255 characters, and has 300"),
    ]


def test_json_that_is_nested_deeply_is_one_rejected_row(imports: Imports) -> None:
    deep = b'{"slug": ' + b"[" * 500_000 + b"]" * 500_000 + b"}\n"

    assert imports.content("tags", deep + b'{"slug": "a", "name": "A"}', Format.NDJSON) == (1, 0, 1)
    assert imports.rejects[0][0] == "1"


def test_quotes_that_would_be_read_again_without_end_are_refused(imports: Imports) -> None:
    """Each row opens a quote that the next one closes and opens again."""
    refusal = imports.refusal("tags", "slug,name", *['a",x,"b'] * 200_000)

    assert refusal.endswith(": too many quotes before it are not closed: this is not CSV")


def test_many_long_rows_are_imported_in_little_memory(embedded_acme: Command) -> None:
    embedded_acme.file("customers.csv", "first_name,email\nAnn,ann@example.com\n")
    embedded_acme.inside.succeed("import", "customers", "customers.csv", "--project", "acme")
    text = "x" * 50_000
    with (embedded_acme.folder / "reviews.csv").open("w") as file:
        file.write("email,score,body,reply\n")
        file.writelines(f"ann@example.com,5,{text},{text}\n" for _ in range(2_000))

    code, error, memory = peak_of_import(embedded_acme, "reviews.csv", kind="reviews")

    assert (code, error.partition(" in ")[0]) == (0, "reviews: 2,000 added, 0 updated, 0 unchanged, 0 rejected")
    assert memory < MEMORY
