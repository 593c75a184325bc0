"""`customergraph import` as a process: every kind, what it prints, and what it leaves behind."""

import csv
import json
import os
import subprocess
from pathlib import Path
from uuid import UUID, uuid5

import pytest

import stores
from commands.command import Command, reject_rows, until

pytestmark = pytest.mark.slow

LETTERS = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

FILES = {
    "locations.csv": "slug,name,city\ndowntown,Downtown,New York\n",
    "tags.csv": "slug,name,color\nvip,VIP,#D4AF37\nnew,New,\n",
    "customers.csv": (
        "first_name,email,location,tags,created_at,has_subscription\n"
        'Zoë,zoe@example.com,downtown,"vip, new",2026-01-02,yes\n'
        "Bob,bob@example.com,,,2026-01-03T00:00:00+01:00,\n"
    ),
    "messages.csv": (
        "email,channel,template,scheduled_at,sent_at\n"
        "ZOE@example.com,email,request,2026-02-01,2026-02-02\n"
        "bob@example.com,SMS,thanks_positive,1767225600,\n"
    ),
    "reviews.ndjson": '{"email": "zoe@example.com", "score": 5, "body": "Good.\\nVery."}\n',
    "charges.ndjson": '{"email": "bob@example.com", "amount": -250, "currency": "usd", "charged_at": 1767225600}\n',
}


@pytest.fixture
def acme(command: Command) -> Command:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    return command


def test_all_six_kinds_are_imported_and_nothing_of_a_progress_bar_is_in_a_pipe(acme: Command) -> None:
    for name, content in FILES.items():
        path = acme.file(name, content)
        rows = len(content.splitlines()) - (path.suffix == ".csv")
        # One process tells what all would tell.
        run = acme.run if name == "customers.csv" else acme.inside.run
        result = run("import", path.stem, name, "--project", "acme")
        assert (result.returncode, result.stdout) == (0, "")
        assert result.stderr.startswith(f"{path.stem}: {rows} added, 0 updated, 0 unchanged, 0 rejected in ")
        assert (result.stderr.count("\n"), result.stderr.count("\r"), result.stderr.count("\x1b")) == (1, 0, 0)

    assert acme.rows("SELECT first_name, has_subscription, location_id, created_at FROM customer ORDER BY id") == [
        ("Zoë", 1, 1, "2026-01-02T00:00:00.000000Z"),
        ("Bob", 0, None, "2026-01-02T23:00:00.000000Z"),
    ]
    assert acme.rows("SELECT customer_id, tag_id FROM customer_tag ORDER BY tag_id") == [(1, 1), (1, 2)]
    assert acme.rows("SELECT channel, template FROM message ORDER BY id") == [
        ("EMAIL", "REQUEST"),
        ("SMS", "THANKS_POSITIVE"),
    ]
    assert acme.rows("SELECT score, source FROM review") == [(5, "import")]
    assert acme.rows("SELECT amount, currency, charged_at FROM charge") == [
        (-250, "USD", "2026-01-01T00:00:00.000000Z")
    ]
    assert stores.problems(acme.store_url) == stores.known_problems(acme.store_url)


def test_rejected_rows_are_told_and_the_rest_is_imported(acme: Command) -> None:
    path = acme.file("tags.csv", "slug,name,color\nvip,VIP,gold\n,Nameless,\nnew,New,\n")

    result = acme.run("import", "tags", path, "--project", "acme")

    assert result.returncode == 1
    summary, why = result.stderr.splitlines()
    assert summary.startswith("tags: 1 added, 0 updated, 0 unchanged, 2 rejected in ")
    assert why == (
        f"customergraph: 2 rows were rejected. They were not imported: {path}.rejects.csv says why."
        " Mend them there, and import that file."
    )
    assert reject_rows(Path(f"{path}.rejects.csv")) == [
        ("2", "color", "'gold' is not a color like #ff8800"),
        ("3", "slug", "must not be blank"),
    ]

    path.write_text("slug,name\nvip,VIP\n")
    acme.inside.succeed("import", "tags", path, "--project", "acme")

    assert not Path(f"{path}.rejects.csv").exists()


def test_a_strict_import_is_all_or_nothing(acme: Command) -> None:
    path = acme.file("tags.csv", "slug,name\nvip,VIP\nnew,\n")

    refused = acme.inside.run("import", "tags", path, "--project", "acme", "--strict", "--rejects", "why.csv")

    assert refused.returncode == 1
    assert "Nothing was imported: why.csv says why." in refused.stderr
    assert "tags: 0 added, 0 updated, 0 unchanged, 1 rejected" in refused.stderr
    assert acme.rows("SELECT count(*) FROM tag") == [0]
    assert reject_rows(acme.folder / "why.csv") == [("3", "name", "must not be blank")]


def test_standard_input_is_read_in_the_named_format(embedded_acme: Command) -> None:
    words = ("import", "tags", "-", "--project", "acme", "--format")

    embedded_acme.succeed(*words, "csv", stdin="slug,name\nvip,VIP\n")
    rejected = embedded_acme.inside.run(*words, "ndjson", stdin='{"slug": "new", "name": "New"}\n{}\n')

    assert rejected.returncode == 1
    assert embedded_acme.rows("SELECT slug FROM tag ORDER BY id") == ["vip", "new"]
    assert reject_rows(embedded_acme.folder / "stdin.rejects.csv")[0][0] == "2"


def test_files_that_cannot_be_read_or_written_are_refused_in_one_line(embedded_acme: Command) -> None:
    bad = embedded_acme.file("bad.csv", "slug,name\nvip,\n")
    (embedded_acme.folder / "folder.csv").mkdir()
    words = ("import", "tags")

    assert (
        embedded_acme.inside.refusal(*words, "absent.csv", "--project", "acme")
        == "absent.csv: No such file or directory"
    )
    assert embedded_acme.inside.refusal(*words, "folder.csv", "--project", "acme") == "folder.csv: Is a directory"
    for rejects in ("folder.csv", "missing/why.csv"):
        refusal = embedded_acme.inside.refusal(*words, bad, "--project", "acme", "--rejects", rejects)
        assert refusal.startswith(f"the rejects cannot be written to {rejects}: ")


def test_an_import_that_is_killed_leaves_whole_batches_and_can_be_run_again(acme: Command) -> None:
    path = acme.folder / "customers.ndjson"
    total = 12_000
    with path.open("w") as file:
        for number in range(total):
            row = {"first_name": f"N{number}", "email": f"n{number}@example.com", "uuid": str(_uuid(number))}
            file.write(json.dumps(row) + "\n")

    process = acme.start("import", "customers", path, "--project", "acme")
    until(lambda: acme.rows("SELECT count(*) FROM customer")[0] > 0, "a batch is there")
    process.kill()
    process.wait(20)
    until(lambda: stores.sessions(acme.store_url) == 0, "the server has noticed")

    row_count = acme.rows("SELECT count(*) FROM customer")[0]
    assert row_count % 5_000 == 0
    assert 0 < row_count < total
    assert stores.problems(acme.store_url) == stores.known_problems(acme.store_url)
    again = acme.inside.run("import", "customers", path, "--project", "acme")
    assert again.stderr.startswith(
        f"customers: {total - row_count:,} added, 0 updated, {row_count:,} unchanged, 0 rejected"
    )
    assert acme.rows("SELECT count(*), count(DISTINCT uuid) FROM customer") == [(total, total)]


def _uuid(number: int) -> UUID:
    return uuid5(LETTERS, str(number))


@pytest.fixture
def purchases() -> list[list[str]]:
    """The purchases of CDNOW's customers: customer, day, number of CDs, dollars."""
    folder = os.environ.get("CUSTOMERGRAPH_TESTS_LIFETIMES")
    if not folder:
        pytest.skip("CUSTOMERGRAPH_TESTS_LIFETIMES names no folder with the package lifetimes==0.11.3")
    text = (Path(folder) / "lifetimes" / "datasets" / "CDNOW_master.txt").read_text()
    return [line.split() for line in text.splitlines()[1:]]


def test_the_purchases_of_cdnow_are_imported_and_imported_again(acme: Command, purchases: list[list[str]]) -> None:
    customers = dict.fromkeys(number for number, *_ in purchases)
    assert (len(customers), len(purchases)) == (23_570, 69_659)
    cents = [round(float(dollars) * 100) for *_, dollars in purchases]
    with (acme.folder / "customers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("uuid", "first_name", "email"))
        writer.writerows((uuid5(LETTERS, number), number, f"{number}@cdnow.example.com") for number in customers)
    with (acme.folder / "charges.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("uuid", "email", "amount", "currency", "charged_at"))
        writer.writerows(
            (
                uuid5(LETTERS, f"charge {line}"),
                f"{number}@cdnow.example.com",
                amount,
                "USD",
                f"{day[:4]}-{day[4:6]}-{day[6:]}",
            )
            for line, ((number, day, *_), amount) in enumerate(zip(purchases, cents, strict=True))
        )

    summaries = [_imported(acme, kind) for kind in ("customers", "charges", "charges")]

    assert [summary.split(" in ")[0] for summary in summaries] == [
        "customers: 23,570 added, 0 updated, 0 unchanged, 0 rejected",
        "charges: 69,659 added, 0 updated, 0 unchanged, 0 rejected",
        "charges: 0 added, 0 updated, 69,659 unchanged, 0 rejected",
    ]
    assert acme.rows("SELECT count(*), count(*) FILTER (WHERE has_charges) FROM customer") == [(23_570, 23_570)]
    assert acme.rows("SELECT count(*), sum(amount), count(DISTINCT customer_id) FROM charge") == [
        (69_659, sum(cents), 23_570)
    ]
    assert acme.rows("SELECT min(charged_at), max(charged_at) FROM charge") == [
        ("1997-01-01T00:00:00.000000Z", "1998-06-30T00:00:00.000000Z")
    ]
    assert stores.problems(acme.store_url) == stores.known_problems(acme.store_url)


def _imported(acme: Command, kind: str) -> str:
    result: subprocess.CompletedProcess[str] = acme.run("import", kind, f"{kind}.csv", "--project", "acme")
    assert result.returncode == 0, result.stderr
    return result.stderr
