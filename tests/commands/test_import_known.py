"""Rows that are known: what is kept, what is counted, and that a second import of any kind doubles nothing."""

import signal
import subprocess
from uuid import uuid5

import pytest

from commands.command import Command, Imports, reject_rows, until
from customergraph.importing.identity import NAMESPACE, Seen, uuid_of
from customergraph.saving.kinds import OnKnown

HEADER = "first_name,email,phone,company,unsubscribed_at"
STORED = "SELECT first_name, email, phone, company, unsubscribed_at FROM customer ORDER BY id"
SINCE = "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def ann(imports: Imports) -> Imports:
    """A store with one customer, who has unsubscribed, and has no company."""
    imports.csv("customers", HEADER, "Ann,ann@example.com,+14155552671,,2026-01-01")
    return imports


def test_a_blank_cell_keeps_what_is_stored(ann: Imports) -> None:
    assert ann.csv("customers", HEADER, "Anna,ann@example.com,,,") == (0, 1, 0)

    assert ann.rows(STORED) == [("Anna", "ann@example.com", "+14155552671", None, SINCE)]


def test_an_opt_out_is_not_ended_by_a_blank_cell_that_clears(ann: Imports) -> None:
    ann.csv("customers", HEADER, "Ann,ann@example.com,,,", blank_clears=True)

    assert ann.rows(STORED) == [("Ann", "ann@example.com", None, None, SINCE)]


def test_an_opt_out_is_ended_by_no_and_begins_by_yes(ann: Imports) -> None:
    columns = "first_name,email,unsubscribed"

    ann.csv("customers", columns, "Ann,ann@example.com,yes")
    assert ann.rows("SELECT unsubscribed_at FROM customer") == [SINCE]
    ann.csv("customers", columns, "Ann,ann@example.com,no", "Ann,ann@example.com,")
    assert ann.rows("SELECT unsubscribed_at FROM customer") == [None]
    ann.csv("customers", columns, "Ann,ann@example.com,yes")
    assert ann.rows("SELECT unsubscribed_at > '2026-06-01' FROM customer") == [True]
    assert ann.csv("customers", f"{columns},unsubscribed_at", "Ann,ann@example.com,no,2026-01-01") == (0, 0, 1)
    assert ann.rejects == [("2", "unsubscribed", "is no, and the row says since when it is yes")]


def test_people_who_share_a_phone_stay_several(ann: Imports) -> None:
    rows = ("Bob,bob@example.com,+14155552671,,", "Ann,,+14155552671,Orbit,", "Cat,cat@example.com,,,")

    assert ann.csv("customers", HEADER, *rows) == (1, 1, 1)

    assert ann.rejects == [("2", "phone", "belongs to the record of another customer, who has another email")]
    assert ann.rows("SELECT first_name, company FROM customer ORDER BY id") == [("Ann", "Orbit"), ("Cat", None)]


@pytest.mark.parametrize(
    ("on_known", "stored"),
    [(OnKnown.SKIP, ("Ann", None)), (OnKnown.FILL, ("Ann", "Orbit")), (OnKnown.UPDATE, ("Anna", "Orbit"))],
)
def test_a_known_customer_is_updated_left_or_filled(ann: Imports, on_known: OnKnown, stored: tuple[str, str]) -> None:
    rows = ("Anna,ann@example.com,,Orbit,", "Bob,bob@example.com,,,")

    assert ann.csv("customers", HEADER, *rows, on_known=on_known) == (1, 1, 0)

    assert ann.rows("SELECT first_name, company FROM customer ORDER BY id") == [stored, ("Bob", None)]


def test_tags_fill_a_customer_without_tags_alone(ann: Imports) -> None:
    ann.csv("tags", "slug,name", "vip,VIP", "new,New")
    ann.csv("customers", "first_name,email,tags", "Bob,bob@example.com,vip")

    rows = ("Ann,ann@example.com,new", "Bob,bob@example.com,new")
    ann.csv("customers", "first_name,email,tags", *rows, on_known=OnKnown.FILL)

    assert ann.rows("SELECT customer_id, tag_id FROM customer_tag ORDER BY 1") == [(1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("on_known", "stored"), [(OnKnown.SKIP, (4, None)), (OnKnown.FILL, (4, "Fine.")), (OnKnown.UPDATE, (5, "Fine."))]
)
def test_a_known_review_and_a_known_tag_are_updated_left_or_filled(
    ann: Imports, on_known: OnKnown, stored: tuple[int, str | None]
) -> None:
    uuid = "11111111-1111-4111-8111-111111111111"
    ann.csv("reviews", "uuid,email,score", f"{uuid},ann@example.com,4")
    ann.csv("tags", "slug,name", "vip,4")

    row = f"{uuid},ann@example.com,5,Fine."
    assert ann.csv("reviews", "uuid,email,score,body", row, on_known=on_known) == (0, 1, 0)
    assert ann.csv("tags", "slug,name,icon", "vip,5,Fine.", on_known=on_known) == (0, 1, 0)

    assert ann.rows("SELECT score, body FROM review") == [stored]
    assert ann.rows("SELECT name, icon FROM tag") == [(str(stored[0]), stored[1])]


FILES = {
    "messages": ("email,channel,template,scheduled_at", "ann@example.com,email,request,2026-01-05"),
    "reviews": ("email,score,body", "ann@example.com,5,Fine."),
    "charges": ("email,amount,currency,charged_at", "ann@example.com,100,EUR,2026-01-01"),
}


@pytest.mark.parametrize("kind", FILES)
def test_history_without_uuids_is_not_doubled_by_a_second_import(ann: Imports, kind: str) -> None:
    header, row = FILES[kind]
    # Two equal rows are two: somebody bought the same twice on a day.
    rows = [row, row, row.replace("ann@", "ANN@")]

    assert ann.csv(kind, header, *rows) == (3, 0, 0)
    assert ann.csv(kind, header, *rows) == (0, 3, 0)
    # Neither the order of the columns nor the form of a value makes another row of it.
    reordered = (",".join(reversed(line.split(","))) for line in (header, rows[0]))
    assert ann.csv(kind, *reordered) == (0, 1, 0)

    assert ann.rows(f"SELECT count(*) FROM {kind[:-1]}") == [3]  # noqa: S608


def test_an_id_of_a_source_makes_a_uuid_that_others_can_make() -> None:
    assert uuid_of("stripe-charges", "ch_1") == uuid5(NAMESPACE, "stripe-charges:ch_1")


def test_keys_are_counted_however_many_they_are() -> None:
    seen = Seen()

    assert [seen.times(key * 2**40) for key in range(5_000)] == [1] * 5_000
    assert [seen.times(key) for key in (0, 2**40, 2**40, 7)] == [2, 2, 3, 1]


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(embedded_acme: Command) -> None:
    embedded_acme.file("old.csv", "first_name,email\nAnn,ann@example.com\nBob,bob@example.com\n")
    embedded_acme.inside.succeed("import", "customers", "old.csv", "--project", "acme")
    lines = ("Ann,ann@example.com,", "Bobby,bob@example.com,", "Cat,cat@example.com,2026-01-01", "Dan,dan,", "Eve,eve,")
    embedded_acme.file("new.csv", "\n".join(("first_name,email,created_at", *lines, *lines[2:3])))

    run = embedded_acme.inside.run("import", "customers", "new.csv", "--project", "acme", "--dry-run")

    counts, *seen = run.stderr.splitlines()
    assert counts.startswith("customers: 1 would be added, 2 updated, 1 unchanged, 2 rejected in ")
    assert seen == [
        "1 rows say the same as an earlier row of the file, or name the same",
        "line 2 is understood as first_name: Ann, email: ann@example.com",
        "line 3 is understood as first_name: Bobby, email: bob@example.com",
        "line 4 is understood as first_name: Cat, email: cat@example.com, created_at: 2026-01-01T00:00:00Z",
        "2 rejected: email: is not an email address: An email address must have an @-sign.",
        "nothing was changed: this was a dry run",
        "customergraph: 2 rows would be rejected",
    ]
    assert run.returncode == 1
    assert embedded_acme.rows("SELECT first_name FROM customer ORDER BY id") == ["Ann", "Bob"]
    assert not list(embedded_acme.folder.glob("*.rejects.csv"))
    # The file is imported afterwards with the same counts.
    again = embedded_acme.inside.run("import", "customers", "new.csv", "--project", "acme")
    assert again.stderr.startswith("customers: 1 added, 2 updated, 1 unchanged, 2 rejected in ")


def test_a_dry_run_writes_the_rejects_that_are_asked_for(embedded_acme: Command) -> None:
    embedded_acme.file("tags.csv", "slug,name\nvip,\n")

    embedded_acme.inside.run("import", "tags", "tags.csv", "--project", "acme", "--dry-run", "--rejects", "why.csv")

    assert reject_rows(embedded_acme.folder / "why.csv") == [("2", "name", "must not be blank")]


@pytest.mark.parametrize("is_piped", [False, True])
def test_unknown_tags_and_locations_are_told_in_one_line_at_the_start(embedded_acme: Command, is_piped: bool) -> None:  # noqa: FBT001
    embedded_acme.file("tags.csv", "slug,name\nvip,VIP\n")
    embedded_acme.inside.succeed("import", "tags", "tags.csv", "--project", "acme")
    rows = 'Ann,ann@example.com,"vip,new",\nBob,bob@example.com,"old,new",rome\n'
    content = f"first_name,email,tags,location\n{rows}"
    embedded_acme.file("c.csv", content)
    words = ("import", "customers", *(("-", "--format", "csv") if is_piped else ("c.csv",)), "--project", "acme")

    def told(*options: str) -> str:
        import_ = embedded_acme.run if is_piped else embedded_acme.inside.run
        first, *_ = import_(*words, *options, stdin=content).stderr.splitlines()
        return first

    assert told() == (
        "customergraph: the project has no locations 'rome', and no tags 'new', 'old': rows that name them are rejected"
    )
    assert (
        told("--create-tags") == "customergraph: the project has no locations 'rome': rows that name them are rejected"
    )
    assert embedded_acme.rows("SELECT slug, name FROM tag ORDER BY id")[1] == ("new", "new")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_import_that_is_interrupted_says_how_many_rows_are_in(
    embedded_acme: Command, number: signal.Signals, code: int
) -> None:
    process = embedded_acme.start("import", "tags", "-", "--format", "csv", "--project", "acme", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("slug,name\n" + "".join(f"t{number},T\n" for number in range(12_000)))
    process.stdin.flush()
    until(lambda: embedded_acme.rows("SELECT count(*) FROM tag") == [10_000], "two batches are in")

    process.send_signal(number)

    assert process.wait(30) == code
    assert embedded_acme.stderr() == (
        "customergraph: interrupted: 10,000 rows are in. Run the same command again to go on: no row gets in twice\n"
    )
